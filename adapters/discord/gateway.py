"""The connection to Discord: made, watched, and made anew; what comes is taken in, and what was missed is read."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from time import monotonic
from typing import Any, Protocol

import aiohttp
import discord
import structlog

from adapters.discord.calls import calling, quiet
from adapters.discord.intake import Intake
from adapters.discord.members import Members
from adapters.discord.mode import Mode

log = structlog.get_logger()

LOST = 300.0  # seconds without a connection after which somebody else must help
_PAUSES = (1.0, 5.0, 15.0, 60.0, 300.0)  # seconds before it is tried again: Discord takes a thousand beginnings a day
_SOUND = 600.0  # seconds after which a connection counts as one that works
_FATAL = frozenset({4004, 4010, 4011, 4012, 4013})  # trying again would not help


class Lost(Exception):
    """Discord cannot be reached for long, or does not want to be."""


class Interactions(Protocol):
    """Does what is clicked and ordered."""

    async def take(self, interaction: discord.Interaction[Any]) -> None:
        """Do it, and tell whoever wanted it what became of it."""


def intents(*, content: bool) -> discord.Intents:
    """Return what the twin wants to be told; without `content` it reads only what is said to it."""
    wanted = discord.Intents.none()
    wanted.guilds = wanted.guild_messages = wanted.dm_messages = True
    wanted.guild_reactions = wanted.dm_reactions = True
    wanted.message_content = content
    return wanted


class Gateway:
    """Stays connected."""

    def __init__(
        self,
        mode: Mode,
        asks: discord.Client,
        *,
        intake: Intake,
        members: Members,
        interactions: Interactions,
        caught_up: Callable[[discord.Client], Awaitable[None]],
        trace: aiohttp.TraceConfig,
    ) -> None:
        """`asks` is a client that only calls."""
        self._asks = asks
        self.trace = trace
        self._mode = mode
        self._intake = intake
        self._members = members
        self._interactions = interactions
        self._caught_up = caught_up
        self.content = True
        self.client: discord.Client | None = None
        self._ready = 0.0

    async def run(self) -> None:
        """Be connected until cancelled; raises `Lost`.

        An event that the library cannot read ends its client; so each time the client ends there is a new one.
        """
        failures, lost = 0, monotonic()
        while True:
            began = monotonic()
            try:
                await self._connected()
            except discord.PrivilegedIntentsRequired:
                if not self.content:
                    raise Lost("Discord does not allow the twin to connect as it wants to.") from None
                self.content = False
                log.warning(
                    "connected without the intent Message Content: I read what is said to me, and cannot learn from channels",
                    fix="switch it on at https://discord.com/developers/applications › Bot › Privileged Gateway Intents",
                )
                continue
            except discord.LoginFailure as error:
                raise Lost("Discord does not accept DISCORD_TOKEN any more. `twin doctor` says more.") from error
            except discord.ConnectionClosed as error:
                if error.code in _FATAL:
                    raise Lost(f"Discord has closed the connection for good ({error.code}).") from error
                log.warning("the connection to Discord was closed", code=error.code)
            except Exception as error:
                log.warning("the connection to Discord broke", reason=type(error).__name__, error=str(error)[:200])
            finally:
                self._members.disconnected()
            sound = self._ready > began
            lost = monotonic() if sound else lost
            if monotonic() - lost > LOST:
                raise Lost(f"There was no connection to Discord for {LOST / 60:.0f} minutes.")
            failures = 0 if monotonic() - began > _SOUND else failures + 1
            await asyncio.sleep(_PAUSES[min(failures, len(_PAUSES)) - 1] if failures else 0.0)

    async def _connected(self) -> None:
        self.client = client = (_Sharded if await self._needs_shards() else _Client)(self, intents(content=self.content))
        try:
            await client.start(self._mode.token or "", reconnect=True)
        finally:
            await client.close()

    async def _needs_shards(self) -> bool:
        """Ask Discord whether it wants several connections: from 2,500 guilds on it takes no single one."""
        with calling():
            shards, *_ = await self._asks.http.get_bot_gateway()
        return shards > 1

    # --- what comes

    async def ready(self, client: discord.Client) -> None:
        """Learn who sees what, then read what was missed."""
        self._ready = monotonic()
        for guild in client.guilds:
            await self._members.guild(guild)
        log.info("connected to Discord", guilds=len(client.guilds), content=self.content)
        await self._caught_up(client)

    @property
    def intake(self) -> Intake:
        return self._intake

    @property
    def members(self) -> Members:
        return self._members

    @property
    def interactions(self) -> Interactions:
        return self._interactions


async def kept(doing: Coroutine[Any, Any, None], what: str) -> None:
    """Take something in; what cannot be is logged, and read again from the history later."""
    try:
        await doing
    except Exception as error:
        log.warning("an event could not be taken in", what=what, reason=type(error).__name__, error=str(error)[:200])


class _Telling(discord.Client):
    """Hands on what the library tells. It remembers no messages: what is told of them is told in whole."""

    def __init__(self, gateway: Gateway, wanted: discord.Intents) -> None:
        super().__init__(
            intents=wanted,
            max_messages=None,
            allowed_mentions=quiet(),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            guild_ready_timeout=1.0,
            http_trace=gateway.trace,
        )
        self._to = gateway

    async def on_ready(self) -> None:
        await kept(self._to.ready(self), "ready")

    async def on_resumed(self) -> None:
        log.info("connected to Discord again")

    async def on_message(self, message: discord.Message) -> None:
        await kept(self._to.intake.said(message), "message")

    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        await kept(self._to.intake.edited(payload), "edit")

    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        await kept(self._to.intake.deleted(payload.message_id, payload.channel_id, payload.guild_id), "deletion")

    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        for id in payload.message_ids:
            await kept(self._to.intake.deleted(id, payload.channel_id, payload.guild_id), "deletion")

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        await kept(self._to.intake.channel_gone(channel.guild, channel.id), "channel")

    async def on_raw_thread_delete(self, payload: discord.RawThreadDeleteEvent) -> None:
        if guild := self.get_guild(payload.guild_id):
            await kept(self._to.intake.thread_gone(guild, payload.thread_id, payload.parent_id), "thread")

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        await kept(self._to.intake.guild_gone(guild.id), "guild")

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        await kept(self._to.interactions.take(interaction), "interaction")

    async def on_guild_join(self, guild: discord.Guild) -> None:
        await kept(self._to.members.guild(guild), "guild")

    async def on_guild_available(self, guild: discord.Guild) -> None:
        await kept(self._to.members.guild(guild), "guild")

    async def on_guild_channel_create(self, channel: discord.abc.GuildChannel) -> None:
        await kept(self._to.members.guild(channel.guild), "channel")

    async def on_guild_channel_update(self, _: discord.abc.GuildChannel, channel: discord.abc.GuildChannel) -> None:
        await kept(self._to.members.guild(channel.guild), "channel")

    async def on_guild_role_create(self, role: discord.Role) -> None:
        await kept(self._to.members.guild(role.guild), "role")

    async def on_guild_role_update(self, _: discord.Role, role: discord.Role) -> None:
        await kept(self._to.members.guild(role.guild), "role")

    async def on_guild_role_delete(self, role: discord.Role) -> None:
        await kept(self._to.members.guild(role.guild), "role")


class _Client(_Telling):
    """One connection."""


class _Sharded(_Telling, discord.AutoShardedClient):
    """As many connections as Discord wants."""
