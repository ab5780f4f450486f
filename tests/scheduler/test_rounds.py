"""What becomes of jobs is written together, taken at once, and never lost while the database is in trouble."""

import asyncio
import errno
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.db import open_database
from scheduler.jobs import Kind, open_jobs
from scheduler.nodes import Nodes
from scheduler.tables import JOBS
from tests.scheduler.work import Work, put, until

HOUR = 3600.0


@contextmanager
def seen(engine: AsyncEngine) -> Iterator[list[str]]:
    """List what the rounds ask of the database: "look", or "settle" and "take", each at most once in a transaction."""
    words = {"take": "WITH chosen", "settle": "UPDATE jobs", "look": " AS first"}
    said: list[str] = []

    def statement(_connection: Any, _cursor: Any, text: str, *_: Any) -> None:
        said.extend([word for word, sign in words.items() if sign in text][:1])

    engines = {engine.sync_engine, getattr(engine, "_readers", engine).sync_engine}  # SQLite's readers have their own
    for one in engines:
        event.listen(one, "before_cursor_execute", statement)
    yield said
    for one in engines:
        event.remove(one, "before_cursor_execute", statement)


async def test_many_that_end_together_are_written_in_one_transaction(engine: AsyncEngine) -> None:
    work, gate = Work(), asyncio.Event()
    names = [str(n) for n in range(40)]
    work.acts = dict.fromkeys(names, gate.wait)
    async with open_jobs(engine, [work.kind(at_once=40)]) as jobs:
        await put(engine, jobs, *names)
        await jobs.start()
        await until(lambda: len(work.begun) == 40)
        with seen(engine) as said:
            gate.set()
            await jobs.idle()
    assert sorted(work.done) == sorted(names)
    assert said.count("settle") == 1


async def test_what_is_put_is_taken_at_once_when_it_is_said_and_without_looking(engine: AsyncEngine) -> None:
    with seen(engine) as said:

        async def run(_argument: str) -> None:
            said.append("run")

        async with open_jobs(engine, [Kind("learn", run, Work().gave_up)], look=HOUR) as jobs:
            await jobs.start()
            await until(lambda: "look" in said)
            await asyncio.sleep(0.1)
            await put(engine, jobs, "1")
            said.clear()
            jobs.wake()
            await until(lambda: "run" in said)
            assert said[:2] == ["take", "run"]


async def test_while_there_is_nothing_to_do_nothing_is_written_and_nothing_asked_between_two_looks(engine: AsyncEngine) -> None:
    with seen(engine) as said:
        async with open_jobs(engine, [Work().kind()], look=HOUR) as jobs:
            await jobs.start()
            await until(lambda: "look" in said)
            await asyncio.sleep(0.3)
            assert (said.count("look"), said.count("take"), said.count("settle")) == (1, 0, 0)


async def test_a_full_line_is_not_looked_at_until_a_slot_is_free(engine: AsyncEngine) -> None:
    work, gate = Work(), asyncio.Event()
    work.acts["1"] = gate.wait
    async with open_jobs(engine, [work.kind(at_once=1)], look=HOUR) as jobs:
        await put(engine, jobs, "1", "2")
        await jobs.start()
        await until(lambda: work.begun)
        gate.set()
        await until(lambda: work.done == ["1", "2"])


async def test_what_cannot_be_written_because_the_database_is_locked_is_written_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.db.BUSY", 0.01)
    work, gate = Work(), asyncio.Event()
    work.acts["1"] = gate.wait
    path = tmp_path / "twin.db"
    async with open_database(f"sqlite+aiosqlite:///{path}") as engine, open_jobs(engine, [work.kind()]) as jobs:
        await put(engine, jobs, "1", "2")
        await jobs.start()
        await until(lambda: work.done == ["2"])
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        gate.set()
        await until(lambda: work.done == ["2", "1"])
        await asyncio.sleep(0.3)
        assert other.execute("SELECT state FROM jobs WHERE argument = '1'").fetchone() == ("running",)
        other.execute("ROLLBACK")
        other.close()
        await jobs.idle()
        await put(engine, jobs, "3")
        await jobs.idle()
    assert sorted(work.begun) == ["1", "2", "3"]


async def test_a_full_disk_delays_what_is_written_and_loses_nothing(engine: AsyncEngine) -> None:
    work, full = Work(), [True] * 3

    def refuse(_connection: Any, _cursor: Any, text: str, *_: Any) -> None:
        if text.startswith("UPDATE jobs") and full:
            full.pop()
            raise OSError(errno.ENOSPC, "No space left on device")

    async with open_jobs(engine, [work.kind()]) as jobs:
        await put(engine, jobs, "1", "2")
        event.listen(engine.sync_engine, "before_cursor_execute", refuse)
        await jobs.start()
        await jobs.idle()
    assert (sorted(work.begun), full) == (["1", "2"], [])


async def test_a_round_that_is_committed_though_it_seems_to_fail_does_nothing_twice_and_forgets_nothing(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, writing = Work(), Nodes.writing
    doubts = iter([False, True, False, True, True, False])  # the first is for taking over

    @asynccontextmanager
    async def doubtful(nodes: Nodes) -> AsyncIterator[AsyncConnection]:
        async with writing(nodes) as connection:
            yield connection
        if next(doubts, False):
            raise ConnectionError

    monkeypatch.setattr(Nodes, "writing", doubtful)
    if engine.dialect.name != "sqlite":
        monkeypatch.setattr(Nodes, "reading", writing)
    async with open_jobs(engine, [work.kind()]) as jobs:
        await put(engine, jobs, "1", "2", "3")
        await jobs.start()
        await jobs.idle()
    assert sorted(work.begun) == ["1", "2", "3"]


async def test_a_job_that_was_taken_from_a_process_and_comes_back_does_not_run_beside_itself(engine: AsyncEngine) -> None:
    work, ended = Work(), list[str]()

    async def once() -> None:
        if work.begun == ["1"]:
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0.05)
                ended.append("1")
        assert ended == ["1"]

    work.acts["1"] = once
    async with open_jobs(engine, [work.kind()], look=0.02) as jobs:
        await put(engine, jobs, "1")
        await jobs.start()
        await until(lambda: work.begun)
        async with engine.begin() as connection:  # as another one does that takes it to be dead
            await connection.execute(JOBS.update().values(state="waiting", owner=None))
        await jobs.idle()
    assert (work.begun, work.done) == (["1", "1"], ["1"])


@pytest.mark.parametrize("url", ["postgres"], indirect=True)
async def test_a_process_that_loses_its_lock_gets_it_again_and_goes_on(engine: AsyncEngine) -> None:
    work = Work()
    async with open_jobs(engine, [work.kind()], look=0.02) as jobs:
        await jobs.start()
        await put(engine, jobs, "1")
        await jobs.idle()
        async with engine.begin() as connection:
            killed = await connection.exec_driver_sql(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory' AND granted"
            )
            assert killed.scalar() == 1
        await put(engine, jobs, "2")
        await jobs.idle()
    async with engine.connect() as connection:
        locks = await connection.exec_driver_sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
        assert locks.scalar() == 0
    assert work.done == ["1", "2"]
