"""Slack, as the twin asks for it: see `bot.chat.Adapter`."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

from adapters.slack import beside, incoming, names
from adapters.slack.stream import Shows
from adapters.slack.workspace import Workspace
from adapters.slack.workspaces import Workspaces
from bot.chat import Answer, Attachment, Mark, Notice, Reply, Spoken

_THREAD = 60  # messages of a thread that are looked at


class Members(Protocol):
    """Knows who is where."""

    async def confirm(self, workspace: Workspace, place: str, account: str) -> None:
        """Bring what is known of a place and of somebody in it up to date."""

    def name(self, account: str) -> str:
        """Return what somebody is called, as far as it is known."""


Fetch = Callable[[Workspace, str, Path, int], Awaitable[None]]


class SlackAdapter:
    """Shows answers and receipts in Slack, fetches files from it, and says who is where and what was said."""

    def __init__(self, workspaces: Workspaces, shows: Shows, members: Members, fetch: Fetch) -> None:
        self._workspaces = workspaces
        self._shows = shows
        self._members = members
        self._fetch = fetch

    async def open(self, reply: Reply) -> str:
        """Post what an answer will stand in, or the card of a lesson."""
        return await self._shows.open(await self._workspaces.of(reply.place), reply)

    async def write(self, reply: Reply, shown: str, text: str) -> None:
        """Show an answer so far."""
        await self._shows.write(await self._workspaces.of(reply.place), reply, shown, text)

    async def finish(self, reply: Reply, shown: str, content: Answer | Notice) -> None:
        """Show the whole."""
        await self._shows.finish(await self._workspaces.of(reply.place), reply, shown, content)

    async def withdraw(self, reply: Reply, shown: str) -> None:
        """Take away what is shown."""
        await self._shows.withdraw(await self._workspaces.of(reply.place), reply, shown)

    async def whisper(self, reply: Reply, text: str) -> None:
        """Tell the asker something alone."""
        await beside.whisper(await self._workspaces.of(reply.place), reply, text)

    async def mark(self, reply: Reply, mark: Mark) -> None:
        """Put a reaction on the message."""
        await beside.mark(await self._workspaces.of(reply.place), reply, mark)

    async def fetch(self, attachment: Attachment, to: Path, limit: int, *, place: str) -> None:
        """Download a file."""
        await self._fetch(await self._workspaces.of(place), attachment.id, to, limit)

    async def confirm(self, place: str, account: str) -> None:
        """Ask Slack who is there, unless it was asked a moment ago."""
        await self._members.confirm(await self._workspaces.of(place), place, account)

    async def thread(self, reply: Reply) -> tuple[Spoken, ...]:
        """Return what people said to each other in the thread; what was said to the twin is in its history."""
        where = names.where(reply.place)
        if where.alone or reply.thread in {None, reply.to}:
            return ()
        workspace = await self._workspaces.of(reply.place)
        arguments = {"channel": where.channel, "ts": reply.thread, "latest": reply.to, "limit": _THREAD}
        said = (await workspace.call("conversations.replies", **arguments)).get("messages") or []
        return tuple(
            Spoken(str(one["ts"]), self._members.name(names.account(where.team, str(one.get("user", "")))), text)
            for one in said
            if one.get("ts") != reply.to and (text := incoming.overheard(workspace, one, self._members.name))
        )
