"""The platforms that are set, each wired with what it is handed of the house."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import aiohttp
import discord
from aiohttp import web

from adapters.discord import calls
from adapters.discord import gateway as discord_gateway
from adapters.discord.mode import Mode as DiscordMode
from adapters.discord.platform import Discord, open_discord
from adapters.slack.connection import Lost
from adapters.slack.mode import Mode
from adapters.slack.platform import Slack
from adapters.slack.workspace import Failed, Unsure
from bot import modes
from bot.apology import explain
from bot.app import House
from bot.chat import Adapter
from bot.delivery.desk import Desk
from bot.errors import BadSettings, ServiceAway
from bot.record.taught import TaughtRecord
from bot.vault import Vault

_PROXY = "Is there a way to the internet, or a proxy to be set (HTTPS_PROXY)?"


@dataclass(frozen=True, slots=True)
class Platforms:
    """What is connected; `adapters` go by the first part of a place's id."""

    house: House
    slack: Slack | None
    discord: Discord | None

    @property
    def adapters(self) -> Mapping[str, Adapter]:
        found: dict[str, Adapter] = {}
        if self.slack:
            found["slack"] = self.slack.adapter
        if self.discord:
            found["discord"] = self.discord.adapter
        return found

    def routes(self, desk: Desk) -> Sequence[web.RouteDef]:
        """Return what the HTTP server serves for platforms, which hand in what they post at the desk."""
        return self.slack.routes(desk, self.house.twin) if self.slack else ()

    def run(self, group: asyncio.TaskGroup, desk: Desk) -> list[asyncio.Task[None]]:
        """Connect, until cancelled."""
        tasks = []
        if self.slack:
            tasks.append(group.create_task(self._slack(self.slack, desk), name="slack"))
        if self.discord:
            tasks.append(group.create_task(self._discord(self.discord, desk), name="discord"))
        return tasks

    async def _slack(self, slack: Slack, desk: Desk) -> None:
        try:
            await slack.run(desk, self.house.twin)
        except Lost as error:
            raise ServiceAway(str(error)) from error

    async def _discord(self, discord: Discord, desk: Desk) -> None:
        try:
            await discord.run(desk, self.house.twin)
        except* discord_gateway.Lost as group:
            raise ServiceAway(str(group.exceptions[0])) from group


@asynccontextmanager
async def open_platforms(house: House) -> AsyncIterator[Platforms]:
    """Find out who the twin is on each platform that is set; raises `BadSettings` and `ServiceAway`."""
    async with AsyncExitStack() as stack:
        slack, discord = modes.slack(house.settings), modes.discord(house.settings)
        if complaints := slack.complaints():
            raise BadSettings(list(complaints))
        session = await stack.enter_async_context(aiohttp.ClientSession(trust_env=True))
        yield Platforms(
            house,
            await _open_slack(house, slack, session) if slack.wanted else None,
            await _open_discord(stack, house, discord, session) if discord.wanted else None,
        )


async def _open_slack(house: House, mode: Mode, session: aiohttp.ClientSession) -> Slack:
    vault = Vault(house.database, key.get_secret_value() if (key := house.settings.secret_key) else None)
    await vault.renew()
    slack = Slack(
        mode,
        session,
        people=house.people,
        sweep=TaughtRecord(house.database, house.parts.knowledge),
        explain=explain,
        vault=vault,
        is_me=house.loops.know,
    )
    try:
        await slack.start()
    except Failed as error:
        fix = "Is SLACK_BOT_TOKEN that of the installed app? `twin doctor` says more."
        raise BadSettings([f"Slack does not accept the token ({error.code}). {fix}"]) from error
    except Unsure as error:
        raise ServiceAway(f"{error} {_PROXY}") from error
    return slack


async def _open_discord(stack: AsyncExitStack, house: House, mode: DiscordMode, session: aiohttp.ClientSession) -> Discord:
    sweep = TaughtRecord(house.database, house.parts.knowledge)
    try:
        return await stack.enter_async_context(open_discord(mode, session, people=house.people, sweep=sweep, explain=explain))
    except (discord.LoginFailure, calls.Failed) as error:
        raise BadSettings(["Discord does not accept DISCORD_TOKEN. Is it the newest one, from Bot › Reset Token?"]) from error
    except calls.Unsure as error:
        raise ServiceAway(f"{error} {_PROXY}") from error
