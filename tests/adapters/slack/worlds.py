"""A workspace of the simulated Slack with the parts of the adapter on it, and the database that they write to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp

from adapters.common.pace import Pace
from adapters.slack.members import Members
from adapters.slack.workspace import Workspace, client
from bot.access import Access
from bot.db import open_database
from bot.people.register import People
from tests.simulators.slack import Slack


class Clock:
    """A clock that is put forward by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 25, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return self.now.timestamp()

    def forward(self, **time: float) -> None:
        self.now += timedelta(**time)


@dataclass(frozen=True)
class World:
    """What a test has before it."""

    slack: Slack
    workspace: Workspace
    people: People
    access: Access
    members: Members
    clock: Clock


def workspace_of(slack: Slack, session: aiohttp.ClientSession, team: str = "T1") -> Workspace:
    """Return the app's side of a workspace."""
    about = slack.teams[team]
    return Workspace(
        team=team,
        bot_user=about.bot_user,
        bot_id=about.bot_id,
        app_id=about.app_id,
        client=client(about.token, api_url=slack.api_url, session=session),
        pace=Pace(),
        url="https://acme.slack.com/",
    )


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    """Open a Slack with nobody in it."""
    clock = Clock()
    async with (
        Slack.open() as slack,
        aiohttp.ClientSession() as session,
        open_database(f"sqlite+aiosqlite:///{folder / 'twin.db'}") as engine,
    ):
        people, access = People(engine, clock=clock), Access(engine, clock=clock)
        members = Members(people, clock=clock.seconds)
        yield World(slack, workspace_of(slack, session), people, access, members, clock)
