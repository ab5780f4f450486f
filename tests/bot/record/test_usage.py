"""What models were used for is written soon, summed up rightly, and counts for today's budget at once."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.db import open_database
from bot.errors import BudgetSpent
from bot.limits import Allowance, Budget
from bot.record import usage as module
from bot.record.usage import Sum, Usage, open_usage
from bot.tables import CONVERSATIONS, MESSAGES, USAGE

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Spent:
    provider: str = "openai"
    model: str = "gpt"
    tokens_in: int = 90
    tokens_out: int = 10
    cost: float = 0.5
    milliseconds: float = 800.0
    outcome: str = "done"


class Clock:
    """A clock that is set by hand."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    async with open_database(f"sqlite+aiosqlite:///{tmp_path / 'twin.db'}") as opened:
        yield opened


async def written(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        return (await connection.execute(select(func.count()).select_from(USAGE))).scalar_one()


async def until_written(engine: AsyncEngine, count: int) -> None:
    while await written(engine) < count:  # noqa: ASYNC110 - the database rings no bell
        await asyncio.sleep(0.01)


async def spend(usage: Usage, person: str = "ada", spent: Spent = Spent(), times: int = 1, purpose: str = "answer") -> None:
    for _ in range(times):
        await usage.record(spent, person=person, place="slack:T1:C9", purpose=purpose)


async def test_a_use_is_written_as_it_was_recorded(engine: AsyncEngine) -> None:
    usage = Usage(engine, now=Clock())
    await spend(usage)
    assert await written(engine) == 0
    await usage.flush()
    await usage.flush()
    async with engine.connect() as connection:
        row = dict((await connection.execute(select(USAGE))).mappings().one())
    assert row.pop("id") == 1
    assert row == {
        "at": NOON,
        "person": "ada",
        "place": "slack:T1:C9",
        "purpose": "answer",
        "provider": "openai",
        "model": "gpt",
        "tokens_in": 90,
        "tokens_out": 10,
        "cost": 0.5,
        "milliseconds": 800.0,
        "outcome": "done",
    }


async def test_what_is_recorded_is_written_by_itself(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WRITE_EVERY", 0.01)
    async with open_usage(engine) as usage, asyncio.timeout(30):
        for n in range(1, 3):
            await spend(usage)
            await until_written(engine, n)


async def test_closing_writes_the_last_of_it_without_waiting(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WRITE_EVERY", 3_600.0)
    async with asyncio.timeout(30), open_usage(engine) as usage:
        await spend(usage, times=1_200)
        await asyncio.sleep(0.01)
    assert await written(engine) == 1_200


async def test_the_errors_of_those_who_use_it_stay_what_they_are(engine: AsyncEngine) -> None:
    with pytest.raises(ZeroDivisionError):
        async with open_usage(engine) as usage:
            await spend(usage)
            raise ZeroDivisionError
    assert await written(engine) == 1


class Away:
    """The table of uses cannot be written for a while."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    async def __aenter__(self) -> None:
        async with self.engine.begin() as connection:
            await connection.exec_driver_sql("ALTER TABLE usage_logs RENAME TO away")

    async def __aexit__(self, *error: object) -> None:
        async with self.engine.begin() as connection:
            await connection.exec_driver_sql("ALTER TABLE away RENAME TO usage_logs")


async def test_while_the_database_is_away_uses_wait_and_are_written_once(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WRITE_EVERY", 0.01)
    monkeypatch.setattr(module, "_MOST", 5)
    async with asyncio.timeout(30), open_usage(engine) as usage:
        async with Away(engine):
            await spend(usage, times=7)
            with suppress(DBAPIError):
                await usage.flush()
            await asyncio.sleep(0.05)  # the writer has tried and failed
        await until_written(engine, 5)
    assert await written(engine) == 5  # what is held in memory is bounded


# --- today


async def test_what_is_recorded_counts_today_at_once(engine: AsyncEngine) -> None:
    usage = Usage(engine, now=Clock())
    await spend(usage, "ada", times=2)
    assert (await usage.today("ada")).own == Sum(200, 1.0)
    await spend(usage, "bob")
    today = await usage.today("ada")
    assert (today.own, today.total) == (Sum(200, 1.0), Sum(300, 1.5))
    assert (await usage.today("eve")).own == Sum()


async def test_what_was_used_before_a_restart_counts_today(engine: AsyncEngine) -> None:
    clock = Clock()
    before = Usage(engine, now=clock)
    await spend(before, times=3)
    await before.flush()
    after = Usage(engine, now=clock)
    await spend(after)
    today = await after.today("ada")
    assert (today.own, today.total) == (Sum(400, 2.0), Sum(400, 2.0))


async def test_what_is_both_recorded_and_written_counts_once(engine: AsyncEngine) -> None:
    clock = Clock()
    usage = Usage(engine, now=clock)
    for _ in range(3):
        await spend(usage)
        await usage.today("ada")
        await usage.flush()
        clock.now += timedelta(minutes=2)
    assert (await usage.today("ada")).own == Sum(300, 1.5)


async def test_what_another_process_used_is_seen_within_a_minute(engine: AsyncEngine) -> None:
    clock = Clock()
    here, there = Usage(engine, now=clock), Usage(engine, now=clock)
    await here.today("ada")
    await spend(there)
    await there.flush()
    clock.now += timedelta(seconds=60)
    assert (await here.today("ada")).own == Sum(100, 0.5)


async def test_a_day_begins_at_midnight_where_the_twin_is(engine: AsyncEngine) -> None:
    clock = Clock(datetime(2026, 11, 20, 22, 59, 59, tzinfo=UTC))
    usage = Usage(engine, timezone=ZoneInfo("Europe/Berlin"), now=clock)
    await spend(usage)
    today = await usage.today("ada")
    assert (today.own, today.until) == (Sum(100, 0.5), datetime(2026, 11, 20, 23, tzinfo=UTC))
    assert f"{today.until:%H:%M %Z}" == "00:00 CET"
    clock.now += timedelta(seconds=1)
    assert (await usage.today("ada")).own == Sum()


@pytest.mark.parametrize(("month", "day", "hours"), [(3, 29, 23), (10, 25, 25), (11, 20, 24)])
async def test_a_day_is_as_long_as_the_clocks_make_it(engine: AsyncEngine, month: int, day: int, hours: int) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    clock = Clock(datetime(2026, month, day, tzinfo=berlin))
    begin = clock.now.astimezone(UTC)
    assert (await Usage(engine, timezone=berlin, now=clock).today("ada")).until - begin == timedelta(hours=hours)


async def test_while_the_database_takes_its_time_what_is_known_of_today_will_do(engine: AsyncEngine) -> None:
    clock = Clock()
    usage = Usage(engine, now=clock)
    await spend(usage)
    await usage.today("ada")
    clock.now += timedelta(minutes=5)
    async with asyncio.TaskGroup() as group, engine.begin():  # nobody else can write
        flushing = group.create_task(usage.flush())
        await asyncio.sleep(0.01)
        assert (await usage.today("ada")).own == Sum(100, 0.5)
        assert not flushing.done()
    assert await written(engine) == 1


async def test_a_budget_holds_over_what_was_used_today(engine: AsyncEngine) -> None:
    clock = Clock()
    usage = Usage(engine, now=clock)
    budget = Budget(usage, each=Allowance(tokens=200), total=Allowance(cost=1.5))
    await spend(usage, "ada", times=2)
    with pytest.raises(BudgetSpent, match=r"^Your budget"):
        await budget.check("ada")
    await budget.check("bob")
    await spend(usage, "bob")
    with pytest.raises(BudgetSpent, match=r"^The budget"):
        await budget.check("eve")
    clock.now += timedelta(days=1)
    await budget.check("ada")


# --- figures


async def test_uses_are_summed_up_by_model_and_purpose(engine: AsyncEngine) -> None:
    clock = Clock()
    usage = Usage(engine, now=clock)
    await spend(usage, times=9)
    clock.now += timedelta(hours=1)
    await spend(usage, "ada", times=2)
    await spend(usage, "bob", Spent(milliseconds=200.0, outcome="timeout"))
    await spend(usage, "bob", Spent(provider="ollama", cost=0.0), purpose="summary")
    await usage.flush()
    gpt, ollama = (await usage.figures(clock.now)).uses
    assert (gpt.provider, gpt.model, gpt.purpose, gpt.times, gpt.failed) == ("openai", "gpt", "answer", 3, 1)
    assert (gpt.tokens_in, gpt.tokens_out, gpt.cost, gpt.milliseconds) == (270, 30, 1.5, 600.0)
    assert (ollama.provider, ollama.purpose, ollama.times, ollama.failed) == ("ollama", "summary", 1, 0)
    assert [use.times for use in (await usage.figures(clock.now, "ada")).uses] == [2]
    assert (await usage.figures(clock.now + timedelta(hours=1))).uses == ()


async def say(engine: AsyncEngine, person: str, *, at: datetime = NOON, **answer: Any) -> None:
    """Let someone have asked something; without an answer they wait for it still."""
    async with engine.begin() as connection:
        n = (await connection.execute(select(func.count()).select_from(MESSAGES))).scalar_one()
        said: Mapping[str, Any] = {"conversation_id": "c1", "text": "…", "said_at": at, "notice": "", "n": n}
        asked = {**said, "id": f"q{n}", "role": "user", "person": person, "superseded": False, "abstained": False}
        await connection.execute(insert(MESSAGES).values(asked))
        if answer:
            given = {"superseded": False, "abstained": False, "person": "", **answer}
            row = {**said, "id": f"a{n}", "role": "assistant", "answers": f"q{n}", **given}
            await connection.execute(insert(MESSAGES).values(row))


async def test_questions_answers_and_abstentions_are_counted(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        opened = {"id": "c1", "place": "local", "person": "ada", "started_at": NOON, "summary": "", "summarised": 0}
        await connection.execute(insert(CONVERSATIONS).values(opened))
    await say(engine, "ada", abstained=False)
    await say(engine, "ada", abstained=True)
    await say(engine, "bob", abstained=True)
    await say(engine, "bob", abstained=True, superseded=True)
    await say(engine, "bob")
    await say(engine, "ada", abstained=True, at=NOON - timedelta(days=1))
    usage = Usage(engine)
    everyone, ada = await usage.figures(NOON), await usage.figures(NOON, "ada")
    assert (everyone.questions, everyone.answers, everyone.abstained) == (5, 3, 2)
    assert everyone.share_abstained == pytest.approx(2 / 3)
    assert (ada.questions, ada.answers, ada.abstained, ada.share_abstained) == (2, 2, 1, 0.5)
    nothing = await usage.figures(NOON + timedelta(days=1))
    assert (nothing.questions, nothing.answers, nothing.share_abstained) == (0, 0, 0.0)
