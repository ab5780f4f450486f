"""The twin with its desk, and the simulated platform on which everything is shown, in this process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bot.app import House, open_desk, open_house
from bot.chat import Kind, Message, Place, PlaceKind
from bot.delivery.desk import Desk
from bot.settings import Settings
from tests.simulators.platform import Platform, PlatformAdapter

ADA, BOB = "sim:T1:U1", "sim:T1:U2"
OPEN, CLOSED, DIRECT = "sim:T1:C1", "sim:T1:P1", "sim:T1:D1"
HOURS = b"# Hours\n\nThe canteen opens at half past twelve.\n"


@dataclass
class Opened:
    """What a test has before it."""

    house: House
    desk: Desk
    platform: Platform
    folder: Path

    async def said(self, message: Message) -> str:
        """Hand a message in and return what is said to it in the end."""
        await self.desk.receive(message)
        return await self.reply(message)

    async def reply(self, message: Message) -> str:
        """Return what is said to a message in the end."""
        await self.platform.until(lambda: any(post.final for post in self.platform.visible(message.id)))
        return self.platform.visible(message.id)[0].text

    async def forget(self, name: str) -> None:
        """Have Ada forget a document by the name of its file."""
        twin, place, person = self.house.twin, Place(OPEN), await self.house.parts.access.person(ADA)
        [document] = [one for one in await twin.documents(place=place, person=person) if one.name == name]
        await twin.forget(document.id, place=place, person=person)

    async def quiet(self) -> None:
        """Wait until nothing is left to do."""
        jobs = "SELECT count(*) FROM jobs WHERE finished_at IS NULL"
        while True:
            async with self.house.database.connect() as connection:
                if (await connection.exec_driver_sql(jobs)).scalar() == 0:
                    return

    async def rows(self, query: str) -> list[tuple[object, ...]]:
        """Return what stands in the database."""
        async with self.house.database.connect() as connection:
            return [tuple(row) for row in await connection.exec_driver_sql(query)]


@asynccontextmanager
async def opened(folder: Path, fault: str = "") -> AsyncIterator[Opened]:
    """Open the twin with Ada and Bob in an open channel, and Ada in a closed one too."""
    settings = Settings(data_dir=folder, fault=fault)
    async with Platform.open() as platform, aiohttp.ClientSession() as session, open_house(settings) as house:
        for account in (ADA, BOB):
            await house.people.met(account, tenant="sim:T1", kind=Kind.MEMBER, name=account)
        for place, kind, members in (
            (OPEN, PlaceKind.PUBLIC, [ADA, BOB]),
            (CLOSED, PlaceKind.PRIVATE, [ADA]),
            (DIRECT, PlaceKind.DIRECT, [ADA]),
        ):
            await house.people.placed(place, tenant="sim:T1", kind=kind)
            await house.people.members(place, members)
        async with open_desk(house, {"sim": PlatformAdapter(platform.url, session)}) as desk:
            yield Opened(house, desk, platform, folder)
