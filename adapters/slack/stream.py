"""Answers in Slack as they grow: streamed where Slack streams, else posted and updated; each in one place, once."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from time import monotonic
from typing import Any

import structlog

from adapters.common.pace import Budget, Pace
from adapters.common.parts import parts
from adapters.slack import alone, names, outgoing, posts, sessions
from adapters.slack.outgoing import Block
from adapters.slack.workspace import Failed, Workspace
from bot.chat import Answer, Notice, Reply, TryLater, What

log = structlog.get_logger()

LONGEST = 240.0  # seconds; Slack ends a stream after five minutes, whatever comes
MOST = 11_000  # characters of one message
_APPENDS, _UPDATES = 1.2, 3.0  # seconds between two, in one message
_KEPT = 5_000  # replies that are remembered
_LOOKING = "Looking it up"
_PLACEHOLDERS = {What.REPLY: "…", What.DIGEST: "The last week in brief"}
_TAKEN_BACK = "Taken back."
_UNDELETABLE = frozenset({"compliance_exports_prevent_deletion", "cant_delete_message"})
_ENDED = frozenset({"message_not_in_streaming_state", "stopped_by_user"})
_UNSTREAMED = frozenset(
    {
        *("channel_type_not_supported", "missing_recipient_user_id", "missing_recipient_team_id", "unknown_method"),
        *("method_not_supported_for_channel_type", "messages_tab_disabled", "not_allowed_token_type", "feature_not_enabled"),
        *("invalid_thread_ts", "invalid_arguments", "restricted_action", "access_denied", "method_deprecated", "missing_scope"),
    }
)


def pace() -> Pace:
    """Return what Slack lets an app do in a workspace, with something to spare."""
    return Pace(start=Budget(8, 18), append=Budget(20, 80), update=Budget(10, 45), stop=Budget(20, 18))


class _Way(StrEnum):
    """How a reply is shown now."""

    STREAM = "stream"
    POSTED = "posted"
    STOPPED = "stopped"  # by the person who asked: nothing more is said until the end


@dataclass(slots=True)
class _Post:
    """What is known of a reply; `streamed` is what was appended, and `sure` that Slack has exactly that."""

    ids: list[str]
    way: _Way = _Way.POSTED
    known: bool = True  # that there are no further messages of it
    streamed: str = ""
    sure: bool = True
    began: float = 0.0
    said: list[str] = field(default_factory=list)  # what each message says, as far as it is known


class Shows:
    """Shows replies; one reply is shown by one caller at a time."""

    def __init__(self, responses: alone.Responses, clock: Callable[[], float] = monotonic) -> None:
        self._responses = responses
        self._clock = clock
        self._posts: OrderedDict[str, _Post] = OrderedDict()

    # --- beginning

    async def open(self, workspace: Workspace, reply: Reply) -> str:
        """Post what a reply will stand in, unless it is there; return its id."""
        if alone.is_alone(reply.place):
            return alone.SHOWN
        if post := self._posts.get(reply.key):
            return post.ids[0]
        if not reply.fresh and (ids := await posts.found(workspace, reply)):
            return self._keep(reply.key, _Post(ids, sure=False)).ids[0]
        if reply.what is What.REPLY and workspace.pace.may("start"):
            try:
                return await self._streamed(workspace, reply)
            except TryLater as later:
                log.debug("a stream has to wait, and is posted", seconds=later.seconds)
            except Failed as error:
                if error.code not in _UNSTREAMED:
                    raise
        placeholder = _PLACEHOLDERS.get(reply.what, "👀")
        id = await self._posted(workspace, reply, n=0, text=placeholder, blocks=outgoing.body(placeholder))
        return self._keep(reply.key, _Post([id], said=[placeholder])).ids[0]

    async def _streamed(self, workspace: Workspace, reply: Reply) -> str:
        channel = names.where(reply.place).channel
        task = {"type": "task_update", "id": posts.task_id(reply.key), "title": _LOOKING, "status": "in_progress"}
        whom = {"recipient_user_id": names.user(reply.account), "recipient_team_id": workspace.team}
        thread = reply.thread or reply.to
        begun = await self._call(
            workspace, "start", "chat.startStream", channel=channel, thread_ts=thread, chunks=[task], **whom
        )
        self._keep(reply.key, _Post([str(begun["ts"])], _Way.STREAM, began=self._clock()))
        await sessions.title(workspace, reply)
        return str(begun["ts"])

    def _keep(self, key: str, post: _Post) -> _Post:
        self._posts[key] = post
        self._posts.move_to_end(key)
        while len(self._posts) > _KEPT:
            self._posts.popitem(last=False)
        return post

    def _of(self, reply: Reply, shown: str) -> _Post:
        """Return what is known of a reply; of one that another process has shown, only its first message."""
        return self._posts.get(reply.key) or self._keep(reply.key, _Post([shown], known=False, sure=False))

    # --- growing

    async def write(self, workspace: Workspace, reply: Reply, shown: str, text: str) -> None:
        """Show the text so far; returns when the next may come."""
        if alone.is_alone(reply.place):
            return
        post = self._of(reply, shown)
        said = outgoing.escaped(text).rstrip()
        if post.way is _Way.STREAM and await self._appended(workspace, reply, post, said):
            await asyncio.sleep(_APPENDS)
            return
        if post.way is _Way.POSTED and workspace.pace.may("update"):  # else the budget is left to what is final
            await self._changed(workspace, reply, post, parts(said, MOST))
        await asyncio.sleep(_UPDATES)

    async def _appended(self, workspace: Workspace, reply: Reply, post: _Post, said: str) -> bool:
        """Append what is new to a stream; tell whether it goes on. What does not fit into it is shown in another way."""
        old = self._clock() - post.began > LONGEST
        if old or not post.sure or len(said) > MOST or not said.startswith(post.streamed):
            await self._settle(workspace, reply, post)
            return False
        if said == post.streamed:
            return True
        await workspace.pace.turn("append")
        post.sure = False  # until Slack says so
        chunk = {"type": "markdown_text", "text": said[len(post.streamed) :]}
        try:
            await self._call(workspace, "append", "chat.appendStream", **_at(reply, post.ids[0]), chunks=[chunk])
        except TryLater:
            post.sure = True
            raise
        except Failed as error:
            if error.code in _ENDED:
                await self._ended(workspace, reply, post, error.code)
            elif error.code == "msg_too_long":
                await self._settle(workspace, reply, post)
            else:
                raise
            return False
        post.streamed, post.sure = said, True
        return True

    async def _settle(self, workspace: Workspace, reply: Reply, post: _Post) -> None:
        """End a stream, so that its message can be changed like any other."""
        how = ""
        try:
            await self._call(
                workspace, "stop", "chat.stopStream", **_at(reply, post.ids[0]), metadata=posts.metadata(reply.key)
            )
        except Failed as error:
            if error.code not in _ENDED:
                raise
            how = error.code
        await self._ended(workspace, reply, post, how)

    async def _ended(self, workspace: Workspace, reply: Reply, post: _Post, how: str) -> None:
        """Note that a stream is at its end, perhaps because the person who asked stopped it."""
        post.way, post.said = _Way.POSTED, []
        if how == "stopped_by_user":
            post.way = _Way.STOPPED
            await sessions.rest(workspace, reply)

    async def _changed(self, workspace: Workspace, reply: Reply, post: _Post, texts: list[str]) -> None:
        """Have the messages of a reply say these texts."""
        if len(texts) > len(post.ids):
            await self._look_up(workspace, reply, post)
        for n, text in enumerate(texts):
            await self._said(workspace, reply, post, n=n, text=text, blocks=outgoing.body(text), paid=True)

    async def _look_up(self, workspace: Workspace, reply: Reply, post: _Post) -> None:
        """Find the further messages of a reply, unless it is known which there are."""
        if not post.known:
            post.ids, post.known = await posts.found(workspace, reply) or post.ids, True

    async def _said(
        self, workspace: Workspace, reply: Reply, post: _Post, *, n: int, text: str, blocks: list[Block], paid: bool = False
    ) -> None:
        """Have one message of a reply say something."""
        key = repr(blocks)
        if n < len(post.said) and post.said[n] == key:
            return
        if n < len(post.ids):
            if not paid:
                await workspace.pace.turn("update")
            await self._updated(workspace, reply, post, n=n, text=text, blocks=blocks)
        else:
            post.known = False  # until Slack says so
            post.ids.append(await self._posted(workspace, reply, n=n, text=text, blocks=blocks))
            post.known = True
        post.said = [*post.said[:n], *[""] * (n - len(post.said)), key]

    async def _posted(self, workspace: Workspace, reply: Reply, *, n: int, text: str, blocks: list[Block]) -> str:
        where = {"channel": names.where(reply.place).channel, "thread_ts": reply.thread or reply.to or None}
        said = {"text": outgoing.fallback(text), "blocks": blocks, "metadata": posts.metadata(posts.part_key(reply.key, n))}
        return str((await self._call(workspace, "post", "chat.postMessage", **where, **said, **outgoing.QUIET))["ts"])

    async def _updated(
        self, workspace: Workspace, reply: Reply, post: _Post, *, n: int, text: str, blocks: list[Block]
    ) -> None:
        said = {"text": outgoing.fallback(text), "blocks": blocks, "metadata": posts.metadata(posts.part_key(reply.key, n))}
        try:
            await self._call(workspace, "update", "chat.update", **_at(reply, post.ids[n]), **said, link_names=False)
        except Failed as error:
            if error.code != "streaming_state_conflict":
                raise
            await self._settle(workspace, reply, post)  # another process has begun it
            await self._call(workspace, "update", "chat.update", **_at(reply, post.ids[n]), **said, link_names=False)

    # --- ending

    async def finish(self, workspace: Workspace, reply: Reply, shown: str, content: Answer | Notice) -> None:
        """Show the whole, in as many messages as it takes; what was shown beyond it goes."""
        below = outgoing.beneath(content, alone=alone.is_alone(reply.place))
        texts = parts(outgoing.escaped(content.text), MOST)
        if alone.is_alone(reply.place):
            await self._told_alone(workspace, reply, texts, below)
            return
        post = self._of(reply, shown)
        if post.way is _Way.STREAM and await self._stopped(workspace, reply, post, texts, below):
            return
        post.way = _Way.POSTED
        await self._look_up(workspace, reply, post)
        for n, text in enumerate(texts):
            last = below if n + 1 == len(texts) else []
            await self._said(workspace, reply, post, n=n, text=text, blocks=[*outgoing.body(text), *last])
        for id in post.ids[len(texts) :]:
            await self._deleted(workspace, reply, id)
        del post.ids[len(texts) :], post.said[len(texts) :]

    async def _stopped(self, workspace: Workspace, reply: Reply, post: _Post, texts: list[str], below: list[Block]) -> bool:
        """End a stream with the rest of the text and what stands below it; tell whether that was possible."""
        [text, *more] = texts
        if more or not post.sure or not text.startswith(post.streamed) or self._clock() - post.began > LONGEST:
            await self._settle(workspace, reply, post)
            return False
        rest = text[len(post.streamed) :]
        chunks: list[Block] = [{"type": "markdown_text", "text": rest}] if rest else []
        chunks.append({"type": "task_update", "id": posts.task_id(reply.key), "title": "Looked it up", "status": "complete"})
        ending: dict[str, Any] = {"chunks": chunks, "metadata": posts.metadata(reply.key), "session_status": "active"}
        if below:
            ending["blocks"] = below
        post.sure = False
        try:
            await self._call(workspace, "stop", "chat.stopStream", **_at(reply, post.ids[0]), **ending)
        except TryLater:
            post.sure = True
            raise
        except Failed as error:
            if error.code in _ENDED:
                await self._ended(workspace, reply, post, error.code)
            elif error.code in {"msg_too_long", "invalid_blocks", "invalid_arguments"}:
                await self._settle(workspace, reply, post)
            else:
                raise
            return False
        post.way, post.said = _Way.POSTED, []
        return True

    async def _told_alone(self, workspace: Workspace, reply: Reply, texts: list[str], below: list[Block]) -> None:
        """Tell something once: what was told to somebody alone cannot be changed, and is not repeated."""
        if reply.key in self._posts:
            return
        where = names.where(reply.place)
        for n, text in enumerate(texts, 1):
            said, blocks = outgoing.fallback(text), [*outgoing.body(text), *(below if n == len(texts) else [])]
            if not await self._responses.answer(reply.to, said, blocks):
                await alone.tell(workspace, where.channel, where.alone, said, blocks)
        self._keep(reply.key, _Post([alone.SHOWN]))

    async def withdraw(self, workspace: Workspace, reply: Reply, shown: str) -> None:
        """Delete every message of a reply; what was told to somebody alone Slack does not take back."""
        if alone.is_alone(reply.place):
            self._posts.pop(reply.key, None)
            return
        post = self._of(reply, shown)
        ids = post.ids if post.known else await posts.found(workspace, reply) or post.ids
        for id in ids:
            await self._deleted(workspace, reply, id)
        self._posts.pop(reply.key, None)

    async def _deleted(self, workspace: Workspace, reply: Reply, id: str) -> None:
        try:
            await self._call(workspace, "delete", "chat.delete", **_at(reply, id))
        except Failed as error:
            if error.code in _UNDELETABLE:  # such as where everything is exported: at least its words go
                emptied = {"text": _TAKEN_BACK, "blocks": outgoing.body(_TAKEN_BACK), "link_names": False}
                await self._call(workspace, "update", "chat.update", **_at(reply, id), **emptied)
            elif error.code != "message_not_found":
                raise

    async def _call(self, workspace: Workspace, kind: str, method: str, /, **arguments: Any) -> Any:
        try:
            return await workspace.call(method, **arguments)
        except TryLater as later:
            workspace.pace.slow_down(kind, later.seconds or 1.0)
            raise


def _at(reply: Reply, id: str) -> dict[str, str]:
    return {"channel": names.where(reply.place).channel, "ts": id}
