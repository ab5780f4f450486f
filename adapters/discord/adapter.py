"""Discord, as the twin asks for it: see `bot.chat.Adapter`."""

from pathlib import Path

import discord

from adapters.discord import beside, incoming, names
from adapters.discord.alone import SHOWN, Alone, is_alone
from adapters.discord.calls import calling
from adapters.discord.files import Files
from adapters.discord.members import Members
from adapters.discord.stream import Shows
from bot.chat import Answer, Attachment, Mark, Notice, Reply, Spoken

_THREAD = 40  # messages of a thread that are looked at


class DiscordAdapter:
    """Shows answers and receipts in Discord, fetches files from it, and says who sees what and what was said in a thread."""

    def __init__(self, client: discord.Client, shows: Shows, alone: Alone, members: Members, files: Files) -> None:
        self._client = client
        self._shows = shows
        self._alone = alone
        self._members = members
        self._files = files

    async def open(self, reply: Reply) -> str:
        """Post what an answer will stand in, or the card of a lesson."""
        return SHOWN if is_alone(reply.place) else await self._shows.open(reply)

    async def write(self, reply: Reply, shown: str, text: str) -> None:
        """Show an answer so far."""
        if not is_alone(reply.place):
            await self._shows.write(reply, shown, text)

    async def finish(self, reply: Reply, shown: str, content: Answer | Notice) -> None:
        """Show the whole."""
        if is_alone(reply.place):
            await self._alone.finish(reply, content)
        else:
            await self._shows.finish(reply, shown, content)

    async def withdraw(self, reply: Reply, shown: str) -> None:
        """Take away what is shown; what was told to somebody alone Discord does not take back."""
        if not is_alone(reply.place):
            await self._shows.withdraw(reply, shown)

    async def whisper(self, reply: Reply, text: str) -> None:
        """Tell the asker something alone."""
        await beside.whisper(self._client, reply, text)

    async def mark(self, reply: Reply, mark: Mark) -> None:
        """Put a reaction on the message."""
        if not is_alone(reply.place):
            await beside.mark(self._client, reply, mark)

    async def fetch(self, attachment: Attachment, to: Path, limit: int, *, place: str) -> None:
        """Download a file."""
        await self._files.fetch(attachment.id, to, limit)

    async def confirm(self, place: str, account: str) -> None:
        """Ask Discord about somebody, unless it was asked a moment ago."""
        await self._members.confirm(place, account)

    async def thread(self, reply: Reply) -> tuple[Spoken, ...]:
        """Return what people said to each other in the thread; what was said to the twin is in its history."""
        if not names.is_thread(reply.thread) or self._client.user is None:
            return ()
        me = self._client.user.id
        channel = self._client.get_partial_messageable(names.channel(reply.place, reply.thread))
        with calling():
            said = [one async for one in channel.history(limit=_THREAD, before=discord.Object(int(reply.to)))]
        return tuple(
            Spoken(str(one.id), one.author.display_name, text)
            for one in reversed(said)
            if incoming.is_said(one, me) and not incoming.is_to(one, me) and (text := incoming.plain(one, me))
        )
