"""A world that one seed drives: what happens in it, and what it remembers of what may be seen."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from pathlib import Path
from random import Random

from sqlalchemy.exc import DBAPIError

from bot.chat import Reply
from bot.delivery.inbox import Errand
from bot.engine import MORE
from bot.errors import TwinError
from bot.people.register import People
from knowledge import KnowledgeError
from knowledge.index.base import Point
from tests.simulation.driver import Database
from tests.simulation.house import House, Weather, build, opened
from tests.simulation.life import Life
from tests.simulation.minds import TOKEN
from tests.simulation.people import Crowd
from tests.simulation.platform import Platform
from tests.simulation.story import Canary, Story

_BELIEVED = 120.0  # seconds that may lie between looking and showing


class World:
    """People, places, a platform and the twin, from the first life to the last."""

    def __init__(self, seed: int, database: Database, folder: Path, template: Path) -> None:
        self.random = Random(seed)  # noqa: S311 - the same worlds again and again are wanted
        self.database = database
        self.folder = folder
        self.ticks = 0
        self.complaints: list[str] = []
        self.trace: list[str] = []
        rough = self.random.random() < 0.8
        self.weather = Weather(
            model=self.random.choice(["parrot", "parrot", "none"]),
            model_fails=self.random.choice([0.0, 0.05, 0.3]) if rough else 0.0,
            trouble=self.random.choice([0.05, 0.2, 0.8]) if rough else 0.0,
            away=self.random.choice([0.0, 0.03]) if rough else 0.0,
            full=self.random.choice([0.0, 0.0, 0.01]) if rough else 0.0,
            pace=self.random.choice([0.01, 0.1, 0.5]),
        )
        self.story = Story(self.random)
        self.crowd = Crowd(self.random, self.tick)
        self.platform = Platform(self.random, self.weather.trouble, self.tick, self.seen)
        self.platform.files = self.story.files
        self.points: dict[str, Point] = {}
        self.house: House
        shutil.copyfile(template, folder / "twin.db")

    def tick(self) -> int:
        """Number the moments."""
        self.ticks += 1
        return self.ticks

    # --- lives

    async def begin(self) -> None:
        """Start the process for the first time."""
        await self._start(self.crowd.told)

    async def _start(self, told: Callable[[People, float], Awaitable[None]]) -> None:
        while True:
            life = Life(self.random, pace=self.weather.pace, full=self.weather.full)
            await self.database.enter(life, str(self.folder / "twin.db"))
            self.house = build(life, self.database.engine, self.folder, self.platform, self.points, self.weather, self.undone)
            try:
                await opened(self.house)
                await told(self.house.people, life.now())
            except (DBAPIError, TwinError, KnowledgeError):  # it ends, and is started again
                await life.bury()
            else:
                return

    async def restart(self) -> None:
        """Bury a life and begin the next."""
        self.trace.append("crash")
        self.complaints += self.house.life.surprises
        await self.house.life.bury()
        await self._start(self.crowd.listed)

    # --- what is seen

    def seen(self, reply: Reply, text: str, since: int) -> None:
        """Judge a text that all readers of a place see, written by somebody who looked at what may be seen at a tick."""
        self.judge(reply.place, reply.account, text, since, f"a reply to {reply.to} in {reply.place}")
        if MORE in text:
            self.complaints.append(f"everybody reads that there is more: {reply.key}")

    def judge(self, place: str, account: str, text: str, since: int, where: str) -> None:
        """Complain of every canary that may not be seen in a place."""
        now = asyncio.get_running_loop().time()
        found = [self.story.canaries[word] for word in set(TOKEN.findall(text))]
        if not found:
            return
        allowed = self.crowd.scopes(place, account, since, now) | self.crowd.scopes(place, account, since, now - _BELIEVED)
        for canary in found:
            if canary.dead is not None and canary.dead < since:
                self.complaints.append(f"{canary.word} is told after it was gone, in {where}")
            if canary.scope not in allowed:
                self.complaints.append(f"{canary.word} of {canary.scope} is told in {where}")

    def undone(self, errand: Errand) -> None:
        """Note that what a message said before is gone by now."""
        written = self.story.written.get((errand.place, errand.message))
        if written is None:
            return
        state = datetime.fromisoformat(errand.version)
        for changed_at, canaries in written.dying.items():
            if changed_at <= state:
                self.bury(canaries)

    def bury(self, canaries: Iterable[Canary]) -> None:
        """Have canaries be gone from this moment on."""
        now = self.tick()
        for canary in canaries:
            canary.dead = canary.dead or now
