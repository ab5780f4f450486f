"""Whatever people do, in whatever order it arrives, whatever breaks and dies meanwhile: what the twin promises holds.

`TWIN_SEED=123` runs one world alone, `TWIN_SEEDS=5000` more of them.
"""

import asyncio
import os
import shutil
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
import structlog

from bot import engine
from bot.db import open_database
from tests.simulation.checks import come_to_rest, complaints
from tests.simulation.driver import Database
from tests.simulation.jobs import SCHEMA
from tests.simulation.life import run
from tests.simulation.rules import Rules
from tests.simulation.world import World

SEEDS = [int(os.environ["TWIN_SEED"])] if "TWIN_SEED" in os.environ else list(range(int(os.environ.get("TWIN_SEEDS", "200"))))
CHUNK = 20
MEMORY = Path("/dev/shm")  # noqa: S108 - a file system in memory, where there is one


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Provide a folder in memory: there are thousands of small writes."""
    home = MEMORY if os.access(MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="twin-worlds-", dir=home) as name:
        yield Path(name)


@pytest.fixture(scope="module")
def template(folder: Path) -> Path:
    """Provide a database as the migrations leave it."""
    path = folder / "template.db"

    async def migrated() -> None:
        async with open_database(f"sqlite+aiosqlite:///{path}") as opened, opened.begin() as connection:
            await connection.exec_driver_sql(SCHEMA)

    asyncio.run(migrated())
    return path


@pytest.fixture(scope="module")
def database(template: Path) -> Database:
    opened = Database()
    run(lambda: opened.warm(str(template)))
    return opened


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory(), processors=[lambda *_: ""])
    yield
    structlog.reset_defaults()


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "seeds", [SEEDS[n : n + CHUNK] for n in range(0, len(SEEDS), CHUNK)], ids=lambda seeds: f"from {seeds[0]}"
)
def test_what_the_twin_promises_holds_in_every_world(
    seeds: list[int], folder: Path, template: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = {seed: said for seed in seeds if (said := lived(seed, folder, template, database, monkeypatch))}
    told = [f"TWIN_SEED={seed} pytest tests/simulation\n  " + "\n  ".join(said[:12]) for seed, said in failed.items()]
    assert not failed, "\n".join(told)


def lived(seed: int, folder: Path, template: Path, database: Database, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let a world live from its beginning until it is at rest; return what did not hold."""
    home = folder / f"world-{seed}"
    home.mkdir()

    async def life() -> list[str]:
        world = World(seed, database, home, template)
        rules = Rules(world)
        await world.begin()
        await rules.play()
        await come_to_rest(world, rules)
        found = list(complaints(world))
        await world.house.life.bury()
        return found

    with monkeypatch.context() as patch:
        patch.setattr(engine, "_SUMMARISED", 4)  # conversations are short here
        patch.setattr(engine, "_KEPT", 2)
        patch.setattr(os, "urandom", Random(seed).randbytes)  # noqa: S311 - what ids are made of
        try:
            found = run(life)
        except Exception:
            found = [traceback.format_exc()]
    shutil.rmtree(home)
    return found
