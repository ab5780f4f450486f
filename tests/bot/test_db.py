"""The database is what the migrations make it, and writers wait for each other."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, event, insert, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import SQLModel

import bot.tables
import knowledge.tables
import scheduler.tables
from bot import db
from bot.db import open_database
from bot.errors import ServiceAway

POSTGRES = os.environ.get("TWIN_TEST_DATABASE_URL")
TABLES = (bot.tables, knowledge.tables, scheduler.tables)


@pytest.fixture(params=["sqlite", "postgres"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    if request.param == "postgres" and POSTGRES is None:
        pytest.skip("TWIN_TEST_DATABASE_URL names no Postgres")
    url = str(POSTGRES) if request.param == "postgres" else f"sqlite+aiosqlite:///{tmp_path / 'twin.db'}"
    async with open_database(url) as opened:
        yield opened


def drift(connection: Connection) -> list[Any]:
    return list(compare_metadata(MigrationContext.configure(connection), SQLModel.metadata))


async def test_the_migrations_make_exactly_the_tables_that_the_code_speaks_of(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        assert await connection.run_sync(drift) == []


async def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'twin.db'}"
    async with open_database(url) as engine, engine.begin() as connection:
        await connection.execute(insert(knowledge.tables.FILES).values(sha256="a", size=1))
    async with open_database(url) as engine, engine.connect() as connection:
        assert (await connection.execute(select(knowledge.tables.FILES))).all() == [("a", 1)]


async def test_sqlite_writes_ahead_checks_references_and_overwrites_what_is_deleted(tmp_path: Path) -> None:
    async with open_database(f"sqlite+aiosqlite:///{tmp_path / 'twin.db'}") as engine, engine.connect() as connection:
        for pragma, value in (("journal_mode", "wal"), ("foreign_keys", 1), ("secure_delete", 1)):
            assert (await connection.execute(text(f"PRAGMA {pragma}"))).scalar() == value


async def test_writers_that_read_first_wait_for_each_other(engine: AsyncEngine) -> None:
    files = knowledge.tables.FILES

    async def add(n: int) -> None:
        async with engine.begin() as connection:
            await connection.execute(select(files))
            await asyncio.sleep(0)
            await connection.execute(insert(files).values(sha256=f"writer-{n}", size=n))

    async with asyncio.TaskGroup() as group:
        for n in range(12):
            group.create_task(add(n))
    async with engine.begin() as connection:
        found = (await connection.execute(select(files.c.size).where(files.c.sha256.startswith("writer-")))).scalars()
        assert sorted(found) == list(range(12))
        await connection.execute(files.delete())


async def test_a_file_that_is_no_database_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "twin.db").write_text("this is a letter, not a database, and a long one at that" * 50)
    with pytest.raises(ServiceAway, match=r"twin\.db cannot be opened: .*not a database.*TWIN_DATA_DIR"):
        async with open_database(f"sqlite+aiosqlite:///{tmp_path / 'twin.db'}"):
            pass


async def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    with pytest.raises(ServiceAway, match=r"127\.0\.0\.1:9/twin cannot be opened") as caught:
        async with open_database("postgresql+asyncpg://ada:secret@127.0.0.1:9/twin"):
            pass
    assert "secret" not in str(caught.value)


async def test_a_transaction_is_whole_or_is_not(engine: AsyncEngine) -> None:
    files = knowledge.tables.FILES

    async def kept(connection: AsyncConnection) -> list[str]:
        await connection.execute(insert(files), [{"sha256": "a", "size": 1}, {"sha256": "b", "size": 2}])
        return list((await connection.execute(select(files.c.sha256).order_by(files.c.sha256))).scalars())

    async def failed(connection: AsyncConnection) -> None:
        await connection.execute(insert(files).values(sha256="c", size=3))
        raise RuntimeError("the power went")

    assert await db.transaction(engine, kept) == ["a", "b"]
    with pytest.raises(RuntimeError, match="the power went"):
        await db.transaction(engine, failed)
    async with engine.connect() as connection:
        assert (await connection.execute(select(files.c.sha256).order_by(files.c.sha256))).scalars().all() == ["a", "b"]


async def test_a_transaction_of_sqlite_does_not_wait_for_anything_else(tmp_path: Path) -> None:
    async def slow(_connection: AsyncConnection) -> None:
        await asyncio.sleep(0)

    async with open_database(f"sqlite+aiosqlite:///{tmp_path / 'twin.db'}") as engine:
        with pytest.raises(RuntimeError, match="something else than its connection"):
            await db.transaction(engine, slow)
        async with engine.begin() as connection:  # and the writer is free again
            await connection.execute(insert(knowledge.tables.FILES).values(sha256="a", size=1))


async def test_transactions_that_wait_together_stand_and_fall_each_by_itself(tmp_path: Path) -> None:
    async with db.open_database(f"sqlite+aiosqlite:///{tmp_path / 'twin.db'}") as engine:

        def adding(name: str, *, fails: bool) -> Callable[[AsyncConnection], Awaitable[str]]:
            async def work(connection: AsyncConnection) -> str:
                await connection.exec_driver_sql("INSERT INTO people VALUES (?, '', '2026-01-01')", (name,))
                if fails:
                    raise ValueError(name)
                return name

            return work

        works = [db.transaction(engine, adding(f"p{n}", fails=n % 3 == 0)) for n in range(30)]
        outcomes = await asyncio.gather(*works, return_exceptions=True)
        assert [str(one) for one in outcomes] == [f"p{n}" for n in range(30)]
        assert [isinstance(one, ValueError) for one in outcomes] == [n % 3 == 0 for n in range(30)]
        async with engine.connect() as connection:
            kept = (await connection.exec_driver_sql("SELECT id FROM people")).scalars()
            assert set(kept) == {f"p{n}" for n in range(30) if n % 3}


async def test_who_does_not_wait_any_more_leaves_the_others_alone(tmp_path: Path) -> None:
    async with db.open_database(f"sqlite+aiosqlite:///{tmp_path / 'twin.db'}") as engine:

        async def counted(connection: AsyncConnection) -> int:
            return int((await connection.exec_driver_sql("SELECT count(*) FROM people")).scalar() or 0)

        impatient = asyncio.create_task(db.transaction(engine, counted))
        patient = asyncio.create_task(db.transaction(engine, counted))
        await asyncio.sleep(0)
        impatient.cancel()
        assert await patient == 0
        assert await db.transaction(engine, counted) == 0


async def test_those_that_wait_together_for_another_process_wait_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "BUSY", 0.3)
    file, tried = tmp_path / "twin.db", list[int]()
    async with open_database(f"sqlite+aiosqlite:///{file}") as engine:
        event.listen(engine.sync_engine, "begin", lambda _connection: tried.append(1))

        async def work(connection: AsyncConnection) -> int:
            return int((await connection.execute(text("SELECT 1"))).scalar_one())

        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            done = await asyncio.gather(*(db.transaction(engine, work) for _ in range(8)), return_exceptions=True)
            assert all(isinstance(one, OperationalError) for one in done)
            assert len(tried) <= 2
            other.execute("ROLLBACK")
        assert await db.transaction(engine, work) == 1
