"""Whatever people do, in whatever order it arrives, whatever breaks and dies meanwhile: what the twin promises holds.

`TWIN_SEED=123` runs one world alone, `TWIN_SEEDS=5000` more of them.
"""

import os
import shutil
import traceback
from pathlib import Path
from random import Random

import pytest

from bot import engine
from tests.simulation.checks import come_to_rest, complaints
from tests.simulation.driver import Database
from tests.simulation.life import run
from tests.simulation.rules import Rules
from tests.simulation.world import World

SEEDS = [int(os.environ["TWIN_SEED"])] if "TWIN_SEED" in os.environ else list(range(int(os.environ.get("TWIN_SEEDS", "200"))))
CHUNK = 20


@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore:The garbage collector is trying:sqlalchemy.exc.SAWarning")  # who is killed returns nothing
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
