"""Whatever is put, cancelled, killed and restarted in which order: each job succeeds, or is given up and told, and no more."""

import asyncio
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.db import open_database
from scheduler.errors import GiveUp, JobError, Later
from scheduler.jobs import Job, Jobs, Kind, open_jobs
from scheduler.tables import JOBS

CONDUCT = ("ok", "slow", "stuck", "flaky", "away", "hopeless")
KEYS = [f"{conduct}{n}" for conduct in CONDUCT for n in range(2)]

puts = st.tuples(st.just("put"), st.sampled_from(KEYS))
cancels = st.tuples(st.just("cancel"), st.sampled_from(KEYS))
pauses = st.tuples(st.just("pause"), st.sampled_from(["0", "0.005", "0.03"]))
ends = st.tuples(st.sampled_from(["kill", "stop"]), st.just(""))
stories = st.lists(st.one_of(puts, puts, puts, cancels, pauses, pauses, ends), min_size=4, max_size=30)
Story = list[tuple[str, str]]


class World:
    """What is left when a process is killed: what its jobs have done outside, and the file of the database."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.tries: Counter[str] = Counter()
        self.done: Counter[str] = Counter()
        self.told: list[tuple[str, str]] = []
        self.put: set[str] = set()
        self.cancelled: set[str] = set()
        self.kills = 0
        self.over = asyncio.Event()  # nothing is stuck any more

    async def run(self, key: str) -> None:
        self.tries[key] += 1
        match key[:-1]:
            case "slow":
                await asyncio.sleep(0.01)
            case "stuck":
                await self.over.wait()
            case "flaky" if self.tries[key] < 3:
                raise JobError("not today")
            case "away" if self.tries[key] < 6:
                raise Later(0.001)
            case "hopeless":
                raise GiveUp("never")
        self.done[key] += 1

    async def gave_up(self, key: str, reason: str) -> None:
        self.told.append((key, reason))

    def kinds(self) -> list[Kind]:
        return [Kind("learn", self.run, self.gave_up, at_once=3, pause=0.002)]

    async def live(self, story: Story) -> Story:
        """Run a process until the story has it end; return the rest of the story."""
        async with open_database(self.url) as engine, open_jobs(engine, self.kinds(), look=0.01) as jobs:
            await jobs.start()
            while story:
                (act, what), *story = story
                if act == "kill" and self.kills < 3:  # after the fourth, those that were there each time are given up
                    self.kills += 1
                    _unplug(engine)
                if act in {"kill", "stop"}:
                    return story
                await self._act(engine, jobs, act, what)
            self.over.set()
            async with asyncio.timeout(30):
                await jobs.idle()
        return []

    async def _act(self, engine: AsyncEngine, jobs: Jobs, act: str, what: str) -> None:
        match act:
            case "put":
                async with engine.begin() as connection:
                    await connection.run_sync(jobs.enqueue, Job("learn", what, what))
                self.put.add(what)
                jobs.wake()
            case "cancel":
                await jobs.cancel(what)
                if what in self.put:
                    self.cancelled.add(what)
            case "pause":
                await asyncio.sleep(float(what))

    async def states(self) -> dict[str, str]:
        async with open_database(self.url) as engine, engine.connect() as connection:
            return dict((await connection.execute(select(JOBS.c.key, JOBS.c.state))).all())


def _unplug(engine: AsyncEngine) -> None:
    """Let nothing reach the database any more, as if the process were gone."""

    def refuse(*_: Any) -> None:
        raise OSError("the process is dead")

    event.listen(engine.sync_engine, "before_cursor_execute", refuse)
    event.listen(engine.sync_engine, "commit", refuse)


async def lived(url: str, story: Story) -> World:
    world = World(url)
    while not world.over.is_set():
        story = await world.live(story)
    return world


@settings(max_examples=25, deadline=None)
@given(stories)
def test_each_job_succeeds_or_is_told_to_be_given_up_and_no_more(story: Story) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("scheduler.rounds._LAST_TRIES", 1)  # the dead need not be asked again
        url = f"sqlite+aiosqlite:///{Path(folder) / 'twin.db'}"
        world = asyncio.run(lived(url, story))
        states = asyncio.run(world.states())
    assert states.keys() == world.put
    told = set(world.told)
    for key, state in states.items():
        hopeless = key.startswith("hopeless")
        if state == "cancelled":
            assert key in world.cancelled
        else:
            assert state == ("given up" if hopeless else "done")
            assert ((key, "never") in told) == hopeless
            assert (world.done[key] >= 1) != hopeless
        if not world.kills:
            assert world.done[key] <= 1
            assert world.told.count((key, "never")) <= 1
    assert told <= {(key, "never") for key in world.put if key.startswith("hopeless")}
