"""Answers in Discord as they grow: one message is edited at the pace that Discord allows, and goes on in further ones."""

import asyncio
from collections import OrderedDict
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import discord

from adapters.common.pace import Budget, Pace
from adapters.discord import names, outgoing
from adapters.discord.calls import UNKNOWN_MESSAGE, Failed, calling, quiet
from adapters.discord.outgoing import Button
from bot.chat import Answer, Notice, Reply, What

T = TypeVar("T")

_EDITS = 1.3  # seconds between two edits of a message: Discord takes about five in five seconds
_KEPT = 5_000  # replies that are remembered
_LOOKED_AT = 100  # messages in which a reply is looked for
_LATELY = timedelta(days=2)
_PLACEHOLDERS = {What.REPLY: "…", What.DIGEST: "The last week in brief"}


def pace() -> Pace:
    """Return how often the twin edits in all; Discord takes fifty calls a second of any kind."""
    return Pace(edit=Budget(20, 20 * 60))


@dataclass(slots=True)
class _Post:
    """What is known of a reply; `known` says that there are no further messages of it, `said` what each message says.

    `flight` is the last call, which may be on its way still when whoever made it is gone.
    """

    ids: list[int]
    known: bool = True
    said: list[str] = field(default_factory=list)
    flight: "asyncio.Future[Any] | None" = None

    async def alone(self, call: Coroutine[Any, Any, T]) -> T:
        """Make a call once the last one has come to its end: what is newer must not be overtaken."""
        try:
            if self.flight is not None:
                await asyncio.wait([self.flight])
        except BaseException:
            call.close()
            raise
        self.flight = made = asyncio.ensure_future(call)
        try:
            return await asyncio.shield(made)
        except asyncio.CancelledError:
            made.add_done_callback(_ended)
            raise


class Shows:
    """Shows replies; one reply is shown by one caller at a time."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._pace = pace()
        self._posts: OrderedDict[str, _Post] = OrderedDict()

    # --- beginning

    async def open(self, reply: Reply) -> str:
        """Post what a reply will stand in, unless it is there; return its id."""
        if post := self._posts.get(reply.key):
            return str(post.ids[0])
        if not reply.fresh and (first := await self._found(reply)):
            return str(self._keep(reply.key, _Post([first], known=False)).ids[0])
        text = _PLACEHOLDERS.get(reply.what, "👀")
        id = await self._posted(reply, n=0, to=reply.to, text=text, buttons=outgoing.waiting(reply.key, reply.what))
        return str(self._keep(reply.key, _Post([id], said=[text])).ids[0])

    def _keep(self, key: str, post: _Post) -> _Post:
        self._posts[key] = post
        self._posts.move_to_end(key)
        while len(self._posts) > _KEPT:
            self._posts.popitem(last=False)
        return post

    def _of(self, reply: Reply, shown: str) -> _Post:
        """Return what is known of a reply; of one that another process has shown, only its first message."""
        return self._posts.get(reply.key) or self._keep(reply.key, _Post([int(shown)], known=False))

    async def _found(self, reply: Reply) -> int | None:
        """Return the message of a reply that stands there already."""
        after = discord.Object(int(reply.to)) if reply.to else datetime.now(UTC) - _LATELY
        with calling():
            async for one in self._channel(reply).history(limit=_LOOKED_AT, after=after, oldest_first=True):
                if self._is_own(one) and outgoing.is_marked(_ids(one), reply.key):
                    return one.id
        return None

    async def _further(self, reply: Reply, first: int) -> list[int]:
        """Return the messages in which a reply goes on: they answer its first one."""
        found = []
        with calling():
            async for one in self._channel(reply).history(limit=_LOOKED_AT, after=discord.Object(first), oldest_first=True):
                if self._is_own(one) and one.reference and one.reference.message_id == first:
                    found.append(one.id)
        return found

    # --- growing

    async def write(self, reply: Reply, shown: str, text: str) -> None:
        """Show the text so far; returns when the next may come."""
        post = self._of(reply, shown)
        if self._pace.may("edit"):  # else the budget is left to what is final
            await self._say(reply, post, outgoing.growing(text), outgoing.waiting(reply.key, reply.what))
        await asyncio.sleep(_EDITS)

    async def _say(self, reply: Reply, post: _Post, texts: list[str], below: list[Button]) -> None:
        """Have the messages of a reply say these texts; the last one has the buttons."""
        if len(texts) > len(post.ids) or not post.known:
            post.ids, post.known = [post.ids[0], *await self._rest(reply, post)], True
        for n, text in enumerate(texts):
            buttons = below if n + 1 == len(texts) else []
            says = f"{text}\n{buttons}"
            if n < len(post.said) and post.said[n] == says:
                continue
            if n < len(post.ids):
                await post.alone(self._edited(reply, post.ids[n], text, buttons))
            else:
                post.known = False  # until Discord says so
                further = self._posted(reply, n=n, to=str(post.ids[0]), text=text, buttons=buttons)
                post.ids.append(await post.alone(further))
                post.known = True
            post.said = [*post.said[:n], *[""] * (n - len(post.said)), says]

    async def _rest(self, reply: Reply, post: _Post) -> list[int]:
        return post.ids[1:] if post.known else await self._further(reply, post.ids[0])

    # --- ending

    async def finish(self, reply: Reply, shown: str, content: Answer | Notice) -> None:
        """Show the whole, in as many messages as it takes; what was shown beyond it goes."""
        post, texts = self._of(reply, shown), outgoing.texts(content)
        await self._pace.turn("edit")
        post.ids, post.known = [post.ids[0], *await self._rest(reply, post)], True
        await self._say(reply, post, texts, outgoing.beneath(reply.key, content))
        for id in post.ids[len(texts) :]:
            await post.alone(self._deleted(reply, id))
        del post.ids[len(texts) :], post.said[len(texts) :]

    async def withdraw(self, reply: Reply, shown: str) -> None:
        """Delete every message of a reply."""
        post = self._of(reply, shown)
        for id in [post.ids[0], *await self._rest(reply, post)]:
            await post.alone(self._deleted(reply, id))
        self._posts.pop(reply.key, None)

    # --- the calls

    def _channel(self, reply: Reply) -> discord.PartialMessageable:
        return self._client.get_partial_messageable(names.channel(reply.place, reply.thread))

    def _is_own(self, one: discord.Message) -> bool:
        return self._client.user is not None and one.author.id == self._client.user.id

    async def _posted(self, reply: Reply, *, n: int, to: str, text: str, buttons: list[Button]) -> int:
        channel = self._channel(reply)
        reference = (
            discord.MessageReference(message_id=int(to), channel_id=channel.id, fail_if_not_exists=False) if to else None
        )
        with calling():
            sent = await channel.send(  # type: ignore[call-overload]  # it takes None for both, whatever its types say
                text,
                nonce=outgoing.nonce(reply.key, n),
                **{"reference": reference, "view": row(buttons)},
                allowed_mentions=quiet(),
                suppress_embeds=True,
            )
        return int(sent.id)

    async def _edited(self, reply: Reply, id: int, text: str, buttons: list[Button]) -> None:
        message = self._channel(reply).get_partial_message(id)
        with calling():
            await message.edit(content=text, view=row(buttons), allowed_mentions=quiet())

    async def _deleted(self, reply: Reply, id: int) -> None:
        try:
            with calling():
                await self._channel(reply).get_partial_message(id).delete()
        except Failed as error:
            if error.code != UNKNOWN_MESSAGE:
                raise


def _ended(call: "asyncio.Future[Any]") -> None:
    """Take note of how a call ended that nobody waits for any more."""
    if not call.cancelled():
        call.exception()


def row(buttons: list[Button]) -> discord.ui.View | None:
    """Return buttons as Discord takes them. Nobody waits for clicks on them: these come in with all others."""
    if not buttons:
        return None
    view = discord.ui.View(timeout=None)
    for one in buttons:
        style = discord.ButtonStyle.danger if one.danger else discord.ButtonStyle.secondary
        view.add_item(
            discord.ui.Button(
                style=style, label=one.label or None, emoji=one.emoji or None, custom_id=one.id, disabled=one.dead
            )
        )
    view.stop()  # else the library keeps it for as long as the process lives
    return view


def _ids(message: discord.Message) -> list[str]:
    """Return the ids of the buttons below a message."""
    rows = [one for one in message.components if isinstance(one, discord.ActionRow)]
    return [
        button.custom_id for each in rows for button in each.children if isinstance(button, discord.Button) and button.custom_id
    ]
