"""Discord with all its parts, wired: what the composition root opens."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp
import discord
import structlog

from adapters.common.handed import Desk, People, Sweep, Twin
from adapters.discord import calls, commands, names
from adapters.discord.adapter import DiscordAdapter
from adapters.discord.alone import Alone
from adapters.discord.calls import calling
from adapters.discord.catchup import catch_up, compare
from adapters.discord.files import Files
from adapters.discord.gateway import Gateway
from adapters.discord.intake import Intake
from adapters.discord.interactions import Interactions
from adapters.discord.members import Members
from adapters.discord.mode import Mode
from adapters.discord.stream import Shows

log = structlog.get_logger()

_DAY = 24 * 3600.0


class Discord:
    """The twin in Discord. `adapter` is what answers are shown with; once there is a desk, `run` connects."""

    def __init__(
        self,
        mode: Mode,
        client: discord.Client,
        session: aiohttp.ClientSession,
        *,
        trace: aiohttp.TraceConfig,
        people: People,
        sweep: Sweep,
        explain: Callable[[BaseException], str],
    ) -> None:
        """`trace` has the calls of all clients keep the pace."""
        self._trace = trace
        self._mode = mode
        self._client = client
        self._record = sweep
        self._explain = explain
        self._members = Members(people)
        self._alone = Alone(client)
        self._comparing = asyncio.Lock()
        self.adapter = DiscordAdapter(client, Shows(client), self._alone, self._members, Files(client, session, mode))

    @property
    def me(self) -> int:
        """The user that the twin is."""
        return self._client.user.id if self._client.user else 0

    async def run(self, desk: Desk, twin: Twin) -> None:
        """Keep what is known up to date and be connected, until cancelled; raises `gateway.Lost`."""
        intake = Intake(desk, self._members, self.me)
        interactions = Interactions(
            twin=twin, desk=desk, intake=intake, members=self._members, alone=self._alone, explain=self._explain
        )
        await self._sync()
        async with asyncio.TaskGroup() as group:

            async def caught_up(client: discord.Client) -> None:
                group.create_task(self._catch_up(client, desk, intake), name="discord catch-up")

            gateway = Gateway(
                self._mode,
                self._client,
                intake=intake,
                members=self._members,
                interactions=interactions,
                caught_up=caught_up,
                trace=self._trace,
            )
            group.create_task(self._members.keep(), name="discord members")
            group.create_task(self._sweeps(desk, intake), name="discord sweeps")
            group.create_task(gateway.run(), name="discord gateway")

    async def _sync(self) -> None:
        """Tell Discord of the commands, if it was told of other ones before."""
        made = commands.commands()
        try:
            with calling():
                application = self._client.application_id or 0
                known = await self._client.http.get_global_commands(application)
                if commands.are(known, made):
                    return
                await self._client.http.bulk_upsert_global_commands(application, made)
        except Exception as error:
            log.warning("Discord could not be told of the commands", reason=type(error).__name__, error=str(error)[:200])
        else:
            log.info("Discord was told of the commands")

    async def _catch_up(self, client: discord.Client, desk: Desk, intake: Intake) -> None:
        try:
            looked = await catch_up(client, intake, self._record)
            log.info("caught up", messages=looked)
            await self._compare(desk, intake)
        except Exception as error:
            log.warning("what was missed could not be read", reason=type(error).__name__, error=str(error)[:200])

    async def _sweeps(self, desk: Desk, intake: Intake) -> None:
        """Compare what was learned with what is there, once a day."""
        while True:
            await asyncio.sleep(_DAY)
            try:
                await self._compare(desk, intake)
            except Exception as error:
                log.warning("what was learned could not be compared", reason=type(error).__name__)

    async def _compare(self, desk: Desk, intake: Intake) -> None:
        if self._comparing.locked():  # it takes a while, and a connection may break often
            return
        async with self._comparing:
            await self._compared(desk, intake)

    async def _compared(self, desk: Desk, intake: Intake) -> None:
        tenants = [names.tenant(guild.id) for guild in self._members.guilds] + [names.tenant(names.PRIVATE)]
        looked, gone = await compare(self._client, tenants, desk, intake, self._record)
        log.info("compared with what is there", messages=looked, gone=gone)


@asynccontextmanager
async def open_discord(
    mode: Mode, session: aiohttp.ClientSession, *, people: People, sweep: Sweep, explain: Callable[[BaseException], str]
) -> AsyncIterator[Discord]:
    """Find out who the twin is; raises `discord.LoginFailure`, `calls.Failed` and `calls.Unsure`."""
    calls.point_at(mode)
    trace = calls.paced()
    async with calls.open_client(mode, trace) as client:
        yield Discord(mode, client, session, trace=trace, people=people, sweep=sweep, explain=explain)
