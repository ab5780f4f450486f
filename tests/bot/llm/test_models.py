"""How the twin writes is chosen for a place, else for everywhere, else by the settings it began with."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.chat import Person
from bot.db import open_database
from bot.errors import BadModelSetting, TooLong
from bot.llm.models import EVERYWHERE, Changes, Chosen, ModelSettings
from bot.tables import MODELS

ADA = Person("ada")
HERE, THERE = "slack:T1:C9", "slack:T1:C1"
DEFAULTS = Chosen("ollama:llama", temperature=0.2)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    async with open_database(f"sqlite+aiosqlite:///{tmp_path / 'twin.db'}") as opened:
        yield opened


async def test_where_nothing_is_chosen_the_defaults_hold(engine: AsyncEngine) -> None:
    assert await ModelSettings(engine, DEFAULTS).of(HERE) == DEFAULTS


async def test_what_is_chosen_for_a_place_goes_before_what_is_chosen_for_everywhere(engine: AsyncEngine) -> None:
    models = ModelSettings(engine, DEFAULTS)
    await models.use(EVERYWHERE, ADA, model="openai:gpt", persona="a pirate")
    chosen = await models.use(HERE, ADA, model="anthropic:claude", temperature=0.0)
    assert chosen == Chosen("anthropic:claude", temperature=0.0, persona="a pirate")
    assert await models.of(HERE) == chosen
    assert await models.of(THERE) == await models.of(EVERYWHERE) == Chosen("openai:gpt", 0.2, persona="a pirate")


async def test_what_is_not_named_stays_and_what_is_cleared_is_left_to_everywhere(engine: AsyncEngine) -> None:
    models = ModelSettings(engine, DEFAULTS)
    await models.use(EVERYWHERE, ADA, persona="a pirate")
    await models.use(HERE, ADA, persona="", max_tokens=256)
    assert await models.use(HERE, ADA, temperature=1.0) == Chosen("ollama:llama", 1.0, 256, persona="")
    assert await models.use(HERE, ADA, persona=None) == Chosen("ollama:llama", 1.0, 256, persona="a pirate")
    assert await models.use(HERE, ADA) == await models.of(HERE)


async def test_a_reset_tells_what_held_before(engine: AsyncEngine) -> None:
    models = ModelSettings(engine, DEFAULTS)
    chosen = await models.use(HERE, ADA, system_prompt="Be brief.")
    assert await models.reset(HERE) == chosen
    assert await models.of(HERE) == DEFAULTS
    assert await models.reset(HERE) == DEFAULTS


async def test_what_is_changed_everywhere_holds_at_once_in_places_that_were_looked_at(engine: AsyncEngine) -> None:
    models = ModelSettings(engine, DEFAULTS)
    await models.of(HERE)
    await models.use(EVERYWHERE, ADA, temperature=1.5)
    assert (await models.of(HERE)).temperature == 1.5


async def test_a_change_by_another_process_is_seen_after_a_while(engine: AsyncEngine) -> None:
    now = 0.0
    models = ModelSettings(engine, DEFAULTS, clock=lambda: now)
    await models.of(HERE)
    await ModelSettings(engine, DEFAULTS).use(HERE, ADA, max_tokens=64)
    assert (await models.of(HERE)).max_tokens == 1_024
    now = 30.0
    assert (await models.of(HERE)).max_tokens == 64


async def test_whoever_reads_while_something_changes_keeps_nothing_old(engine: AsyncEngine) -> None:
    models = ModelSettings(engine, DEFAULTS)
    async with asyncio.TaskGroup() as group:
        for n in range(20):
            group.create_task(models.of(HERE))
            if n == 10:
                group.create_task(models.use(HERE, ADA, model="openai:gpt"))
            await asyncio.sleep(0)
    assert (await models.of(HERE)).model == "openai:gpt"


async def test_who_changed_it_is_kept(engine: AsyncEngine) -> None:
    await ModelSettings(engine, DEFAULTS).use(HERE, ADA, model="openai:gpt")
    async with engine.connect() as connection:
        assert (await connection.execute(select(MODELS.c.changed_by))).scalars().all() == ["ada"]


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        (Changes(temperature=2.1), r"^The temperature must be from 0 to 2; 2\.1 is not\.$"),
        (Changes(temperature=-0.1), "^The temperature"),
        (Changes(temperature=float("nan")), "^The temperature"),
        (Changes(max_tokens=15), "^An answer may have 16 to 32,000 tokens; 15 is not within that"),
        (Changes(max_tokens=32_001), "^An answer may have"),
        (Changes(model=" "), "^Name the model"),
    ],
)
async def test_what_cannot_be_used_changes_nothing(engine: AsyncEngine, changes: Changes, refusal: str) -> None:
    models = ModelSettings(engine, DEFAULTS)
    with pytest.raises(BadModelSetting, match=refusal):
        await models.use(HERE, ADA, **changes)
    assert await models.of(HERE) == DEFAULTS


@pytest.mark.parametrize(
    "changes", [Changes(persona="x" * 1_001), Changes(system_prompt="x" * 8_001), Changes(model="x" * 201)]
)
async def test_what_is_too_long_changes_nothing(engine: AsyncEngine, changes: Changes) -> None:
    models = ModelSettings(engine, DEFAULTS)
    with pytest.raises(TooLong):
        await models.use(HERE, ADA, **changes)
    assert await models.of(HERE) == DEFAULTS


async def test_the_edges_of_what_can_be_used_can_be_used(engine: AsyncEngine) -> None:
    models = ModelSettings(engine, DEFAULTS)
    for temperature, tokens in ((0.0, 16), (2.0, 32_000)):
        chosen = await models.use(HERE, ADA, temperature=temperature, max_tokens=tokens)
        assert (chosen.temperature, chosen.max_tokens) == (temperature, tokens)
