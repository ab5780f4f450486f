"""SQLite as aiosqlite offers it, but on the event loop itself: no threads, a step of the life at each statement."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot import db
from tests.simulation.life import Life

_PATIENCE = 30.0  # seconds that a writer waits for another one, as the busy timeout has it
_FULL = "database or disk is full"


class _Cursor:
    """What SQLAlchemy asks of a cursor of aiosqlite."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self._cursor = connection.raw.cursor()

    async def __aenter__(self) -> "_Cursor":
        return self

    @property
    def description(self) -> Any:
        return self._cursor.description

    @property
    def rowcount(self) -> int:
        return self._cursor.rowcount

    @property
    def lastrowid(self) -> int | None:
        return self._cursor.lastrowid

    async def execute(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        if not statement.startswith("PRAGMA busy_timeout"):  # it would hold up the loop
            await self._connection.statement(statement, lambda: self._cursor.execute(statement, parameters))

    async def executemany(self, statement: str, parameters: Iterable[Sequence[Any]]) -> None:
        await self._connection.statement(statement, lambda: self._cursor.executemany(statement, parameters))

    async def fetchall(self) -> list[Any]:
        return self._cursor.fetchall()

    async def close(self) -> None:
        self._cursor.close()


class Connection:
    """What SQLAlchemy asks of a connection of aiosqlite."""

    def __init__(self, life: Life, path: str) -> None:
        self.life = life
        self._writes = False
        self.raw: sqlite3.Connection = sqlite3.connect(path, timeout=0, isolation_level=None)
        self.raw.execute("PRAGMA synchronous=OFF")  # no power is cut here
        life.at_death.append(self._killed)

    @property
    def _connection(self) -> sqlite3.Connection:
        return self.raw

    @property
    def _conn(self) -> sqlite3.Connection:
        return self.raw

    @property
    def _tx(self) -> "Connection":
        return self

    def put_nowait(self, asked: tuple[asyncio.Future[None], Callable[[], None]]) -> None:
        """Do what aiosqlite's thread would be asked to."""
        future, function = asked
        function()
        future.set_result(None)

    def cursor(self) -> _Cursor:
        self.life.check()
        return _Cursor(self)

    async def create_function(self, *arguments: Any, **named: Any) -> None:
        self.raw.create_function(*arguments, **named)

    async def statement(self, statement: str, run: Callable[[], object]) -> None:
        """Run a statement, waiting for another writer where need be."""
        await self.life.step()
        if statement.startswith("BEGIN"):
            await self._alone()
        run()

    async def _alone(self) -> None:
        """Be the only one that writes."""
        if self.life.disk_is_full():
            raise sqlite3.OperationalError(_FULL)
        try:
            async with asyncio.timeout(_PATIENCE):
                await self.life.writing.acquire()
        except TimeoutError:
            raise sqlite3.OperationalError("database is locked") from None
        self._writes = True
        self.life.check()

    def _wrote(self) -> None:
        if self._writes:
            self._writes = False
            self.life.writing.release()

    async def commit(self) -> None:
        if self.raw.in_transaction:
            await self.life.step()
            self.raw.commit()
            self._wrote()
            await self.life.step()

    async def rollback(self) -> None:
        if self.life.alive and self.raw.in_transaction:
            self.raw.rollback()
        self._wrote()

    async def close(self) -> None:
        self.stop()

    def stop(self) -> None:
        self.raw.close()
        self._wrote()

    def _killed(self) -> None:
        self.raw.close()  # what was not committed is lost


class Database:
    """One engine for all lives of all worlds: what SQLAlchemy compiled once it need not compile again."""

    def __init__(self) -> None:
        self.life: Life | None = None
        self.path = ""
        self.engine: AsyncEngine = create_async_engine("sqlite+aiosqlite:///seed.db", async_creator=self._connect)
        event.listen(self.engine.sync_engine, "connect", db._prepare_sqlite)
        event.listen(self.engine.sync_engine, "begin", db._begin_sqlite)

    async def warm(self, path: str) -> None:
        """Connect once: what SQLAlchemy asks of the first connection alone would make the first world another one."""
        await self.enter(Life(Random(0), pace=0.0), path)  # noqa: S311
        async with self.engine.connect():
            pass

    async def enter(self, life: Life, path: str) -> None:
        """Have all connections from now on belong to a life."""
        self.life, self.path = life, path
        await self.engine.dispose(close=False)

    async def _connect(self) -> Connection:
        assert self.life is not None
        return Connection(self.life, self.path)
