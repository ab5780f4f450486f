"""What happened while nobody was connected: what was said is read from the history, what was learned is compared with it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import discord
import structlog

from adapters.common.handed import Desk, Sweep, Taught
from adapters.discord import incoming, names
from adapters.discord.calls import Failed, calling
from adapters.discord.incoming import Here
from adapters.discord.intake import Intake
from bot.chat import Gone, Removal

log = structlog.get_logger()

LONGEST = timedelta(hours=24)  # what is older is not answered any more
OVERLAP = timedelta(minutes=10)
_MOST = 500  # messages of a channel
_PAUSE = 0.25  # seconds between two calls
_GONE_CHANNEL = frozenset({10003, 50001})


async def catch_up(client: discord.Client, intake: Intake, record: Sweep) -> int:
    """Take in what was said since the last delivery, a day at most; return how many messages were looked at."""
    looked = 0
    for guild in client.guilds:
        if (since := await _since(record, names.tenant(guild.id))) is None:
            continue
        channels: list[discord.TextChannel | discord.VoiceChannel | discord.Thread] = [*guild.text_channels]
        for channel in [*channels, *guild.voice_channels, *guild.threads]:
            if (channel.last_message_id or 0) > discord.utils.time_snowflake(since):
                looked += await _read(channel, intake, since)
    if (since := await _since(record, names.tenant(names.PRIVATE))) is not None:
        for place in await record.places(names.tenant(names.PRIVATE)):
            looked += await _read(client.get_partial_messageable(int(names.where(place).channel)), intake, since)
    return looked


async def _since(record: Sweep, tenant: str) -> datetime | None:
    last = await record.last_heard(tenant)
    return max(last - OVERLAP, datetime.now(UTC) - LONGEST) if last else None


async def _read(channel: discord.abc.Messageable, intake: Intake, since: datetime) -> int:
    looked = 0
    try:
        with calling():
            async for message in channel.history(after=since, limit=_MOST, oldest_first=True):
                await intake.said(message)
                looked += 1
    except Failed as error:
        log.info("a channel could not be caught up with", code=error.code)
    await asyncio.sleep(_PAUSE)
    return looked


async def compare(client: discord.Client, tenants: list[str], desk: Desk, intake: Intake, record: Sweep) -> tuple[int, int]:
    """Look whether what something was learned from is there still; return how many were looked at, and how many were not."""
    looked = gone = 0
    async for taught in _taught(record, tenants):
        if names.where(taught.place).alone or not taught.message.isdigit():
            continue
        looked += 1
        try:
            message = await _message(client, taught)
        except Failed as error:
            gone += 1
            await _is_gone(desk, taught, error)
        else:
            await intake.said(message, where=_stands(taught))  # an edit that nobody heard of
        await asyncio.sleep(_PAUSE)
    return looked, gone


def _stands(taught: Taught) -> Here:
    return Here(taught.place, taught.thread if names.is_thread(taught.thread) else None, names.where(taught.place).direct)


async def _taught(record: Sweep, tenants: list[str]) -> AsyncIterator[Taught]:
    for tenant in tenants:
        async for one in record.taught(tenant):
            yield one


async def _message(client: discord.Client, taught: Taught) -> discord.Message:
    channel = names.channel(taught.place, taught.thread)
    with calling():
        return await client.get_partial_messageable(channel).fetch_message(int(taught.message))


async def _is_gone(desk: Desk, taught: Taught, error: Failed) -> None:
    if error.status == 404 and error.code not in _GONE_CHANNEL:
        await desk.receive(incoming.deleted(int(taught.message), Here(taught.place, taught.thread)))
    elif error.code in _GONE_CHANNEL and not names.is_thread(taught.thread):
        tenant = names.tenant(names.guild(taught.place))
        await desk.remove(Removal(f"sweep:{taught.place}:gone", Gone.PLACE, taught.place, tenant))
    elif error.code in _GONE_CHANNEL:
        await desk.receive(incoming.deleted(int(taught.message), Here(taught.place, taught.thread)))
