"""The embedded index and its worker process: deaths, ends, and the event loop."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from knowledge.errors import IndexAway
from knowledge.index import wire
from knowledge.index.embedded import EmbeddedIndex
from knowledge.index.process import Worker
from knowledge.index.supervisor import DEATHS
from tests.knowledge.index.points import DIMENSION, EVERYONE, identity, point, vector


async def _kill(index: EmbeddedIndex) -> None:
    (worker,) = index.pids
    os.kill(worker, signal.SIGKILL)


async def test_a_killed_worker_is_replaced_and_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    async with EmbeddedIndex.open(tmp_path, dimension=DIMENSION) as index:
        acknowledged: set[str] = set()

        async def write(first: int) -> None:
            for start in range(first, first + 1_000, 20):
                points = [point(n) for n in range(start, start + 20)]
                await index.upsert(points)
                acknowledged.update(p.id for p in points)

        async def kill() -> None:
            for goal in (300, 900, 1_500):
                while len(acknowledged) < goal:  # noqa: ASYNC110  # a set tells nobody that it grew
                    await asyncio.sleep(0)
                await _kill(index)

        async with asyncio.TaskGroup() as group:
            for first in (0, 10_000):
                group.create_task(write(first), name=f"write from {first}")
            group.create_task(kill(), name="kill")
        assert {i async for page in index.ids() for i in page} >= acknowledged
        assert len(acknowledged) == 2_000
        hits = (await index.search(vector(77), None, audience=EVERYONE, limit=1)).dense
        assert [hit.id for hit in hits] == [identity(77)]


async def test_searches_under_way_when_the_worker_is_killed_are_answered(tmp_path: Path) -> None:
    async with EmbeddedIndex.open(tmp_path, dimension=DIMENSION) as index:
        await index.upsert([point(n) for n in range(100)])
        async with asyncio.TaskGroup() as group:
            searches = [
                group.create_task(index.search(vector(n), None, audience=EVERYONE, limit=1), name=f"search {n}")
                for n in range(50)
            ]
            group.create_task(_kill(index), name="kill")
        assert [search.result().dense[0].n for search in searches] == list(range(50))


async def test_a_worker_that_dies_again_and_again_is_left_alone(tmp_path: Path) -> None:
    async with EmbeddedIndex.open(tmp_path, dimension=DIMENSION) as index:
        for _ in range(DEATHS):
            await _kill(index)
            assert await index.count() == 0
        await _kill(index)
        with pytest.raises(IndexAway, match="ended 5 times within a minute"):
            await index.count()


async def test_a_request_that_kills_every_worker_fails_after_the_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with EmbeddedIndex.open(tmp_path, dimension=DIMENSION) as index:
        await index.upsert([point(1)])
        ask = Worker.ask

        async def deadly(worker: Worker, request: wire.Request) -> wire.Reply:
            if isinstance(request, wire.Measure):
                os.kill(worker.pid, signal.SIGKILL)
            return await ask(worker, request)

        with monkeypatch.context() as patched:
            patched.setattr(Worker, "ask", deadly)
            with pytest.raises(IndexAway, match="ended twice"):
                await index.count()
        assert await index.count() == 1


async def test_the_loop_is_free_and_others_may_give_up_while_the_worker_is_busy(tmp_path: Path) -> None:
    async with EmbeddedIndex.open(tmp_path, dimension=DIMENSION) as index:
        await index.upsert([point(n) for n in range(10)])
        (worker,) = index.pids
        os.kill(worker, signal.SIGSTOP)
        impatient = asyncio.ensure_future(index.count())
        patient = asyncio.ensure_future(index.search(vector(3), None, audience=EVERYONE, limit=1))
        for _ in range(1_000):
            await asyncio.sleep(0)
        assert not impatient.done()
        assert not patient.done()
        impatient.cancel()
        os.kill(worker, signal.SIGCONT)
        assert [hit.n for hit in (await patient).dense] == [3]
        assert impatient.cancelled()


async def test_a_closed_index_says_so(tmp_path: Path) -> None:
    async with EmbeddedIndex.open(tmp_path, dimension=DIMENSION) as index:
        (worker,) = index.pids
    assert not psutil.pid_exists(worker)
    with pytest.raises(IndexAway, match="closed"):
        await index.count()
    await index.close()


async def test_what_was_acknowledged_is_there_after_closing_and_opening(tmp_path: Path) -> None:
    async with EmbeddedIndex.open(tmp_path, dimension=DIMENSION) as index:
        await index.upsert([point(n) for n in range(300)])
    async with EmbeddedIndex.open(tmp_path, dimension=DIMENSION) as index:
        assert await index.count() == 300


PARENT = """
import asyncio, sys
from pathlib import Path
from knowledge.index.embedded import EmbeddedIndex
from tests.knowledge.index.points import DIMENSION, point

async def main():
    async with EmbeddedIndex.open(Path(sys.argv[1]), dimension=DIMENSION) as index:
        await index.upsert([point(n) for n in range(200)])
        print(*index.pids, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_the_worker_ends_when_its_parent_is_killed_and_the_next_parent_finds_everything(tmp_path: Path) -> None:
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", PARENT, str(tmp_path), stdout=asyncio.subprocess.PIPE)
    assert parent.stdout is not None
    worker = psutil.Process(int(await parent.stdout.readline()))
    parent.kill()
    await parent.communicate()
    # The next parent opens at once: it waits until the system has freed the lock.
    async with EmbeddedIndex.open(tmp_path, dimension=DIMENSION) as index:
        assert await index.count() == 200
    assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE


async def test_a_folder_in_use_is_refused_with_a_sentence(tmp_path: Path) -> None:
    async with EmbeddedIndex.open(tmp_path, dimension=DIMENSION) as index:
        await index.upsert([point(1)])
        with pytest.raises(IndexAway, match="in use by another process"):
            async with EmbeddedIndex.open(tmp_path, dimension=DIMENSION, patience=0):
                pass
        assert await index.count() == 1
