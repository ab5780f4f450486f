"""Optimising while life goes on: what it keeps, what it removes, and what a crash leaves."""

import asyncio
import os
import signal
import sys
import uuid
from pathlib import Path

import pytest

from knowledge.errors import IndexAway
from knowledge.index.base import Sparse
from knowledge.index.embedded import EmbeddedIndex, Policy
from knowledge.index.wire import Measured
from tests.knowledge.index.crash import MOMENTS, builder
from tests.knowledge.index.points import DIMENSION, EVERYONE, identity, point, vector

ALWAYS = Policy(points=1)


def _files_with(folder: Path, needles: dict[str, bytes]) -> dict[str, set[str]]:
    """Return which needles are found in the bytes of which files."""
    found: dict[str, set[str]] = {}
    for file in folder.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            for name, needle in needles.items():
                if needle in content:
                    found.setdefault(name, set()).add(file.name)
    return found


async def test_what_was_forgotten_is_gone_from_every_file(tmp_path: Path) -> None:
    async with EmbeddedIndex.open(tmp_path, dimension=DIMENSION) as index:
        secret = [point(n, document="secret-plan", version="secret-plan-1", tags=("secret-tag",)) for n in range(50)]
        await index.upsert(secret)
        await index.upsert([point(n) for n in range(50, 400)])
        await index.flush()
        (stored,) = (await index.vectors([identity(7)])).values()
        needles = {
            "document": b"secret-plan",
            "tag": b"secret-tag",
            "vector": stored.tobytes(),
            "id": uuid.UUID(identity(7)).bytes,
            "id as text": identity(7).encode(),
        }
        assert {"document", "vector", "id"} <= _files_with(tmp_path, needles).keys()  # the search does find what is there

        await index.delete_versions(["secret-plan-1"])
        assert _files_with(tmp_path, needles)
        await index.optimize()
        assert _files_with(tmp_path, needles) == {}
        assert await index.count() == 350
        found = await index.search(vector(60), Sparse([1], [1.0]), audience=EVERYONE, limit=400)
        assert len(found.dense) == len(found.lexical) == 350


async def test_what_is_forgotten_during_an_optimisation_is_gone_after_the_next_even_in_another_process(
    tmp_path: Path,
) -> None:
    async with EmbeddedIndex.open(tmp_path, dimension=DIMENSION, policy=ALWAYS) as index:
        await index.upsert([point(n, document="secret-plan", version="v") for n in range(100)] + [point(100)])
        optimizing = asyncio.ensure_future(index.optimize())
        await builder(index)
        await index.delete_versions(["v"])
        await optimizing
        assert await index.count() == 1
    async with EmbeddedIndex.open(tmp_path, dimension=DIMENSION) as index:
        await index.optimize()
        assert _files_with(tmp_path, {"document": b"secret-plan"}) == {}
        assert await index.count() == 1


async def test_writes_and_searches_during_an_optimisation_are_kept_and_answered(tmp_path: Path) -> None:
    async with EmbeddedIndex.open(tmp_path, dimension=DIMENSION, policy=ALWAYS) as index:
        await index.upsert([point(n, version=f"v{n % 2}") for n in range(1_000)])
        optimizing = asyncio.ensure_future(index.optimize())
        written = searched = 0
        while not optimizing.done():
            await index.upsert([point(10_000 + written, document="late")])
            written += 1
            await asyncio.sleep(0.01)
            hits = (await index.search(vector(3), None, audience=EVERYONE, limit=1)).dense
            assert [hit.n for hit in hits] == [3]
            searched += 1
            if written == 3:
                await index.delete_versions(["v0"])
                await index.set_scopes("late", ["late"])
        await optimizing
        assert searched > 3
        assert await index.count() == 500 + written
        here = await index.search(vector(10_000), None, audience=EVERYONE, limit=100_000)
        assert sum(hit.document == "late" for hit in here.dense) == written - 3


async def test_a_write_that_is_cancelled_during_an_optimisation_is_not_undone_by_it(tmp_path: Path) -> None:
    async with EmbeddedIndex.open(tmp_path, dimension=DIMENSION, policy=ALWAYS) as index:
        await index.upsert([point(n) for n in range(300)])
        optimizing = asyncio.ensure_future(index.optimize())
        await builder(index)
        writing = asyncio.ensure_future(index.upsert([point(300)]))
        await asyncio.sleep(0)  # by now the worker has been asked
        writing.cancel()
        assert await index.count() == 301
        await optimizing
        assert await index.count() == 301


async def test_two_optimisations_at_once_follow_each_other(tmp_path: Path) -> None:
    async with EmbeddedIndex.open(tmp_path, dimension=DIMENSION, policy=ALWAYS) as index:
        await index.upsert([point(n) for n in range(100)])
        await index.delete([identity(1)])
        await asyncio.gather(index.optimize(), index.optimize())
        assert await index.count() == 99
        assert len(list(tmp_path.glob("shard-*"))) == 1


@pytest.mark.parametrize(
    ("points", "loose", "forgotten", "worth"),
    [
        (0, 0, False, False),
        (19_999, 19_999, False, False),
        (20_000, 20_000, False, True),
        (300_000, 0, False, False),
        (300_000, 25_000, False, False),
        (300_000, 30_000, False, True),
        (10, 0, True, True),
    ],
)
def test_optimising_is_worth_it_for_many_new_points_or_any_deleted_one(
    points: int, loose: int, forgotten: bool, worth: bool
) -> None:
    assert Policy().worth(Measured(points, loose, forgotten)) is worth


async def test_an_optimisation_that_is_not_worth_it_leaves_the_files_alone(tmp_path: Path) -> None:
    async with EmbeddedIndex.open(tmp_path, dimension=DIMENSION) as index:
        await index.upsert([point(n) for n in range(100)])
        await index.delete_versions(["unheard of"])
        await index.delete([identity(1_000)])
        (before,) = tmp_path.glob("shard-*")
        await index.optimize()
        assert list(tmp_path.glob("shard-*")) == [before]


async def test_when_the_builder_is_killed_the_index_goes_on_as_it_was(tmp_path: Path) -> None:
    async with EmbeddedIndex.open(tmp_path, dimension=DIMENSION, policy=ALWAYS) as index:
        await index.upsert([point(n) for n in range(300)])
        optimizing = asyncio.ensure_future(index.optimize())
        os.kill(await builder(index), signal.SIGKILL)
        with pytest.raises(IndexAway, match="Searches go on"):
            await optimizing
        assert await index.count() == 300
        assert len(list(tmp_path.glob("shard-*"))) == 1
        await index.optimize()
        assert await index.count() == 300


async def test_a_cancelled_optimisation_leaves_no_process_and_no_files(tmp_path: Path) -> None:
    async with EmbeddedIndex.open(tmp_path, dimension=DIMENSION, policy=ALWAYS) as index:
        await index.upsert([point(n) for n in range(300)])
        optimizing = asyncio.ensure_future(index.optimize())
        await builder(index)
        optimizing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await optimizing
        assert len(index.pids) == 1
        assert len(list(tmp_path.glob("shard-*"))) == 1
        assert await index.count() == 300


async def test_closing_abandons_an_optimisation(tmp_path: Path) -> None:
    async with EmbeddedIndex.open(tmp_path, dimension=DIMENSION, policy=ALWAYS) as index:
        await index.upsert([point(n) for n in range(300)])
        optimizing = asyncio.ensure_future(index.optimize())
        await builder(index)
    with pytest.raises(IndexAway):
        await optimizing
    async with EmbeddedIndex.open(tmp_path, dimension=DIMENSION) as index:
        assert await index.count() == 300


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_kill_at_any_moment_of_an_optimisation_loses_nothing_acknowledged(tmp_path: Path, moment: str) -> None:
    program = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.knowledge.index.crash", str(tmp_path), moment)
    assert await program.wait() == -signal.SIGKILL
    acknowledged = set((tmp_path / "acknowledged").read_text().split())
    async with EmbeddedIndex.open(tmp_path, dimension=DIMENSION) as index:
        there = {i async for page in index.ids() for i in page}
        assert there >= acknowledged | {identity(n) for n in range(100, 500)}
        assert len(there) <= len(acknowledged) + 401  # the last one written may not have been acknowledged
        assert not there & {identity(n) for n in range(100)}
        assert len(list(tmp_path.glob("shard-*"))) == 1
        assert len((await index.search(vector(1), None, audience=EVERYONE, limit=10)).dense) == 10
