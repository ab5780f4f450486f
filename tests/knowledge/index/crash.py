"""A program that fills an index, optimises it while writing on, and kills itself at a given moment of that."""

import asyncio
import os
import signal
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import structlog

from knowledge.index.embedded import EmbeddedIndex, Policy
from tests.knowledge.index.points import DIMENSION, point

BUILDING = "building"
MOMENTS = (BUILDING, "index copied", "index built", "index ready", "index switched", "index optimized")


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def _write(index: EmbeddedIndex, acknowledged: Path) -> None:
    """Write on without end, noting what was acknowledged."""
    with acknowledged.open("w") as file:
        for n in range(10_000, 1_000_000):
            await index.upsert([point(n)])
            print(point(n).id, file=file, flush=True)
            await asyncio.sleep(0.005)


async def builder(index: EmbeddedIndex) -> int:
    """Wait until the process that optimises is there, and return its id."""
    while len(index.pids) < 2:  # noqa: ASYNC110  # the index tells nobody about it
        await asyncio.sleep(0)
    return index.pids[1]


async def _die_while_building(index: EmbeddedIndex) -> None:
    await builder(index)
    _die()


async def main(folder: Path, moment: str) -> None:
    """Fill, optimise, die."""

    def watch(_logger: object, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if event["event"] == moment:
            _die()
        raise structlog.DropEvent

    structlog.configure(processors=[watch])
    async with EmbeddedIndex.open(folder, dimension=DIMENSION, policy=Policy(points=1)) as index:
        await index.upsert([point(n) for n in range(500)])
        await index.delete([point(n).id for n in range(100)])
        async with asyncio.TaskGroup() as group:
            group.create_task(_write(index, folder / "acknowledged"), name="write")
            if moment == BUILDING:
                group.create_task(_die_while_building(index), name="die")
            group.create_task(index.optimize(), name="optimize")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
