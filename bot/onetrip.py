"""SQLite with one trip to its thread for each statement, where aiosqlite makes four: cursor, execute, fetch, close; and with
one for a whole transaction, where nothing else is awaited in it.

A trip costs little when nothing else happens. When the event loop has much to do each waits for its turn, and a transaction of
a dozen statements holds up all other writers for a dozen turns.
"""

import sqlite3
import threading
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Any, Self, TypeVar, cast

import aiosqlite

T = TypeVar("T")


async def connected(path: str) -> aiosqlite.Connection:
    """Connect to a file."""
    connection = Connection(partial(sqlite3.connect, path), iter_chunk_size=64)
    connection._thread.daemon = True  # as SQLAlchemy has it for those that it makes itself
    return await connection


class Connection(aiosqlite.Connection):
    """Lends cursors that run a statement, fetch its rows and close in one call on the connection's thread."""

    async def at_once(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run something that awaits nothing but this connection, all of it on the connection's thread."""
        done: T = await self._execute(lambda: _to_its_end(work()))
        return done

    async def _execute(self, function: Callable[..., Any], *args: Any, **named: Any) -> Any:  # type: ignore[override]
        if threading.current_thread() is self._thread:  # there already
            return function(*args, **named)
        return await super()._execute(function, *args, **named)  # type: ignore[no-untyped-call]

    def cursor(self) -> aiosqlite.Cursor:  # type: ignore[override]  # SQLAlchemy enters it, and needs nothing else
        """Return one."""
        return cast(aiosqlite.Cursor, _Cursor(self))


class _Cursor:
    """What SQLAlchemy asks of a cursor."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, sql: str, parameters: Any = ()) -> Self:
        """Run a statement."""
        return await self._run(lambda cursor: cursor.execute(sql, parameters))

    async def executemany(self, sql: str, parameters: Iterable[Any]) -> Self:
        """Run a statement for each set of parameters."""
        return await self._run(lambda cursor: cursor.executemany(sql, parameters))

    async def fetchall(self) -> list[Any]:
        """Return the rows, which came with the statement."""
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """Do nothing: it is closed already."""

    async def _run(self, statement: Callable[[sqlite3.Cursor], object]) -> Self:
        def run() -> tuple[list[Any], Any, int, int | None]:
            cursor = self._connection._conn.cursor()
            try:
                statement(cursor)
                rows = cursor.fetchall() if cursor.description else []
                return rows, cursor.description, cursor.rowcount, cursor.lastrowid
            finally:
                cursor.close()

        self._rows, self.description, self.rowcount, self.lastrowid = await self._connection._execute(run)
        return self


def _to_its_end(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run what never has to wait."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return cast(T, end.value)
    coroutine.close()
    raise RuntimeError("within a transaction that is made at once, something else than its connection was waited for")
