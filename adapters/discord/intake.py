"""Where each event of Discord goes: to the desk, or to those who know who sees what."""

from datetime import UTC, datetime

import discord
import structlog

from adapters.common.handed import Desk
from adapters.discord import incoming, names
from adapters.discord.incoming import Here
from adapters.discord.members import Members
from bot.chat import Gone, Place, Removal

log = structlog.get_logger()

_THREADS = 20_000  # threads of which it is remembered where they stand


class Intake:
    """Takes events in. What it could not keep is read again from the history, after the next start."""

    def __init__(self, desk: Desk, members: Members, me: int) -> None:
        self._desk = desk
        self._members = members
        self._me = me
        self._threads: dict[int, Here] = {}

    async def said(self, message: discord.Message, *, where: Here | None = None) -> None:
        """Take in a message as it is now: said, or edited; `where` is for one that does not say itself where it stands."""
        if not incoming.is_said(message, self._me):
            return
        where = where or self.here(message.channel, _guild(message))
        told = incoming.message(message, where, self._me, thread=await self._thread(message, where))
        if not told.addressed and await self._goes_on(message, where, told.account):
            told = incoming.spoken_to(told)
        if told.addressed and isinstance(message.author, discord.Member):
            await self._members.met(message.author)
        await self._desk.receive(told)

    async def taught(self, message: discord.Message, *, by: str) -> None:
        """Take in that somebody had a message learned as it is."""
        where = self.here(message.channel, _guild(message))
        told = incoming.message(message, where, self._me, thread=await self._thread(message, where))
        await self._desk.receive(incoming.taught(told, by))

    async def edited(self, payload: discord.RawMessageUpdateEvent) -> None:
        """Take in an edit; that a preview was found for a link is none."""
        if payload.message.edited_at is not None:
            await self.said(payload.message)

    async def deleted(self, id: int, channel: int, guild: int | None) -> None:
        """Take in that a message is gone."""
        await self._desk.receive(incoming.deleted(id, self._of(channel, guild)))

    async def channel_gone(self, guild: discord.Guild, channel: int) -> None:
        """Take in that a channel is gone, with all that was said in it."""
        place = names.place(guild.id, channel)
        await self._desk.remove(Removal(_event("gone", place), Gone.PLACE, place, names.tenant(guild.id)))
        await self._members.guild(guild)

    async def thread_gone(self, guild: discord.Guild, thread: int, parent: int) -> None:
        """Take in that a thread is gone: a private one was a place of its own."""
        within, own = names.place(guild.id, parent), names.place(guild.id, thread)
        tenant = names.tenant(guild.id)
        await self._desk.remove(Removal(_event("gone", own), Gone.PLACE, own, tenant))
        await self._desk.remove(Removal(_event("gone", own + "t"), Gone.THREAD, names.thread(thread), tenant, within))

    async def guild_gone(self, guild: int) -> None:
        """Take in that the twin was removed from a guild."""
        tenant = names.tenant(guild)
        await self._members.left(guild)
        await self._desk.remove(Removal(_event("gone", tenant), Gone.TENANT, tenant, tenant))

    # --- where

    def here(self, channel: object, guild: int | None) -> Here:
        """Return where the messages of a channel stand, and remember it of threads: archived ones are not told again."""
        where = incoming.here(channel, guild)
        if isinstance(channel, discord.Thread):
            self._threads[channel.id] = where
            while len(self._threads) > _THREADS:
                del self._threads[next(iter(self._threads))]
        return where

    def _of(self, channel: int, guild: int | None) -> Here:
        found = next((one.get_channel_or_thread(channel) for one in self._members.guilds if one.id == guild), None)
        if found is not None:
            return self.here(found, guild)
        return self._threads.get(channel) or incoming.here(discord.Object(channel), guild)

    async def _thread(self, message: discord.Message, where: Here) -> str | None:
        """Return the conversation that a message is of: in a channel, what somebody asked and all that answers it."""
        if where.direct or where.thread or isinstance(message.channel, discord.Thread):
            return where.thread
        asked = incoming.answers_to(message, self._me)
        if asked is None:
            return str(message.id)
        return await self._desk.thread(Place(where.place), str(asked)) or str(asked)

    async def _goes_on(self, message: discord.Message, where: Here, account: str) -> bool:
        """Say whether a message in a thread is meant for the twin, since its author has spoken to it there."""
        if where.thread is None or message.author.bot or incoming.is_to_others(message, self._me):
            return False
        return await self._desk.engaged(Place(where.place), where.thread, account)


def _guild(message: discord.Message) -> int | None:
    return message.guild.id if message.guild else None


def _event(what: str, id: str) -> str:
    return f"{what}:{id}@{datetime.now(UTC).isoformat()}"
