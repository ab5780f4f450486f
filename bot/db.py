"""The database: SQLite in WAL mode or Postgres, migrated to the present on opening."""

import asyncio
import sqlite3
import sys
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import alembic.command
import alembic.config
from sqlalchemy import AsyncAdaptedQueuePool, Connection, Dialect, Table, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot import onetrip
from bot.errors import ServiceAway

T = TypeVar("T")

BUSY = 30.0
"""Seconds that a transaction waits for those of others, until it fails."""

_Work = Callable[[AsyncConnection], Awaitable[Any]]
_AT_ONCE = 100  # transactions in one trip
_READERS = 24  # connections that are kept; one more is made anew each time that all are busy, which takes several statements
_TURN = 0.0005  # seconds that a thread runs while others want to

MIGRATIONS = Path(__file__).parent.parent / "migrations"


@asynccontextmanager
async def open_database(url: str) -> AsyncIterator[AsyncEngine]:
    """Open and migrate. A transaction may write, unless its engine has the execution option `reading`.

    Raises `ServiceAway` when there is no database there that can be opened.
    """
    # A statement on a thread of its own lets go of the interpreter and wants it back a few times. Where the event loop is busy
    # it would wait for as long as this each time, which is 5 ms if nobody says otherwise.
    sys.setswitchinterval(_TURN)
    engine = _engine(url)
    try:
        await _migrated(engine)
        yield engine
    finally:
        await engine.dispose()


class _OneWriter(AsyncEngine):
    """SQLite has one writer at a time: transactions that may write wait for each other in line, on one connection.

    Left to SQLite they would wait by sleeping and trying again, longer each time, and hold the connections that readers need.
    """

    def __init__(self, writing: AsyncEngine, reading: AsyncEngine) -> None:
        super().__init__(writing.sync_engine)
        self._readers = reading
        self.line = _Line(writing)

    def execution_options(self, **options: Any) -> AsyncEngine:
        if options.get("reading"):
            return self._readers.execution_options(**options)
        return super().execution_options(**options)

    async def dispose(self, close: bool = True) -> None:
        await super().dispose(close)
        await self._readers.dispose(close)


class _Line:
    """Transactions that wait for the one writer. Those that wait at the same time are made in one trip, each for itself.

    A trip takes a few turns of the event loop, which come late when there is much to do: one transaction a trip would be the
    most that can be written then.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._waiting: deque[tuple[_Work, asyncio.Future[Any]]] = deque()
        self._task: asyncio.Task[None] | None = None

    async def made(self, work: _Work) -> Any:
        """Make a transaction; return what the work returns."""
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, done))
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="write")
        return await done

    async def _run(self) -> None:
        try:
            while self._waiting:
                some = [self._waiting.popleft() for _ in range(min(_AT_ONCE, len(self._waiting)))]
                await self._together([(work, done) for work, done in some if not done.done()])
        finally:
            self._task = None
            for _, done in self._waiting:  # only when the process ends
                done.cancel()

    async def _together(self, some: Sequence[tuple[_Work, asyncio.Future[Any]]]) -> None:
        try:
            async with self._engine.connect() as connection:
                outcomes = await _at_once(connection, lambda: _each(connection, [work for work, _ in some]))
        except BaseException as error:
            for _, done in some:
                if not done.done():
                    done.set_exception(error) if isinstance(error, Exception) else done.cancel()
            if not isinstance(error, Exception):
                raise
            return
        for (_, done), (value, failure) in zip(some, outcomes, strict=True):
            if not done.done():
                done.set_exception(failure) if failure else done.set_result(value)


async def _each(connection: AsyncConnection, works: Sequence[_Work]) -> list[tuple[Any, Exception | None]]:
    """Do each work in a transaction of its own; return what it returned, or why it failed and was rolled back.

    When one has waited in vain for another process to let go of the database, so have those behind it: they waited as long.
    """
    outcomes: list[tuple[Any, Exception | None]] = []
    for work in works:
        try:
            async with connection.begin():
                value = await work(connection)
        except OperationalError as error:
            outcomes.append((None, error))
            if _is_locked(error):
                return outcomes + [(None, error)] * (len(works) - len(outcomes))
        except Exception as error:
            outcomes.append((None, error))
        else:
            outcomes.append((value, None))
    return outcomes


def _is_locked(error: OperationalError) -> bool:
    return getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY


def _engine(url: str) -> AsyncEngine:
    if url.startswith("sqlite"):
        # Readers have no transaction: each statement sees the newest commit, and nothing is to be rolled back after it.
        readers = _sqlite(url, pool_size=_READERS, isolation_level="AUTOCOMMIT", skip_autocommit_rollback=True)
        return _OneWriter(_sqlite(url, pool_size=1, max_overflow=0, pool_timeout=BUSY), readers)
    # Compiling a query takes Postgres longer than running one of ours.
    return create_async_engine(url, pool_pre_ping=True, connect_args={"server_settings": {"jit": "off"}})


def _sqlite(url: str, **options: Any) -> AsyncEngine:
    path = make_url(url).database or ":memory:"
    engine = create_async_engine(
        url, async_creator=partial(onetrip.connected, path), poolclass=AsyncAdaptedQueuePool, **options
    )
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


async def _migrated(engine: AsyncEngine) -> None:
    try:
        async with engine.begin() as connection:
            await connection.run_sync(migrate)
    except (OSError, DatabaseError) as error:
        where = engine.url.render_as_string(hide_password=True)
        reason = str(error.orig if isinstance(error, DatabaseError) else error).splitlines()[0]
        raise ServiceAway(f"The database {where} cannot be opened: {reason}. Check DATABASE_URL, or TWIN_DATA_DIR.") from error


def alembic_config() -> alembic.config.Config:
    """Return the configuration that the migrations run with."""
    config = alembic.config.Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def migrate(connection: Connection) -> None:
    """Bring the schema to the newest version, within the caller's transaction."""
    config = alembic_config()
    config.attributes["connection"] = connection
    alembic.command.upgrade(config, "head")


def insert(dialect: Dialect, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return an insert that can say what happens on a conflict, which each database has words of its own for."""
    return sqlite.insert(table) if dialect.name == "sqlite" else postgresql.insert(table)


async def transaction(engine: AsyncEngine, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """Do some work in a transaction, which is rolled back when it fails; it may await nothing but its connection.

    On SQLite all of it is one trip to the thread of the connection, however many statements it has. Whoever is cancelled
    while it is made does not know whether it was.
    """
    if isinstance(engine, _OneWriter):
        made: T = await engine.line.made(work)
        return made

    async def whole() -> T:
        async with connection.begin():
            return await work(connection)

    async with engine.connect() as connection:
        return await _at_once(connection, whole)


async def _at_once(connection: AsyncConnection, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Do what awaits nothing but a connection: on SQLite in one trip."""
    driver = (await connection.get_raw_connection()).driver_connection
    return await (driver.at_once(work) if isinstance(driver, onetrip.Connection) else work())


async def compact(engine: AsyncEngine) -> None:
    """Let nothing of deleted rows remain in the database's files (SQLite; Postgres vacuums by itself)."""
    if engine.dialect.name != "sqlite":
        return
    async with engine.execution_options(reading=True).connect() as connection:
        for attempt in range(5):
            busy = (await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")).scalar()
            if not busy:
                return
            await asyncio.sleep(0.05 * 2**attempt)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver must not open transactions by itself: `_begin_sqlite` decides when and how.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "foreign_keys=ON",
        f"busy_timeout={int(BUSY * 1000)}",
        "secure_delete=ON",  # what is forgotten is overwritten, not only unlinked
        "cache_size=-16000",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # IMMEDIATE: a transaction that reads first and writes later would otherwise fail when another one wrote in between.
    if not connection.get_execution_options().get("reading"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
