"""Messages and streams, with the limits that Slack has."""

import asyncio
from typing import Any

from tests.simulators.slack.calls import Calls
from tests.simulators.slack.state import Channel, Message, Refusal, Team

MOST = 12_000  # characters of Markdown in one call or message
MOST_STREAMED = 13_790
MOST_UPDATED = 4_000  # bytes of text


class Chatting(Calls):
    """chat.*"""

    def __init__(self) -> None:
        super().__init__()
        self.channels: dict[str, Channel] = {}
        self.ephemerals: list[dict[str, Any]] = []
        self.streams_expire_after: float | None = None
        self.methods |= {
            "chat.postMessage": self._post_message,
            "chat.update": self._update,
            "chat.delete": self._delete,
            "chat.postEphemeral": self._post_ephemeral,
            "chat.startStream": self._start_stream,
            "chat.appendStream": self._append_stream,
            "chat.stopStream": self._stop_stream,
            "chat.getPermalink": self._get_permalink,
        }

    def new_ts(self) -> str:
        """Return the ts of a new message."""
        raise NotImplementedError

    async def _said(self, channel: Channel, message: Message, team: Team) -> None:
        """Tell of a message of the app itself."""
        raise NotImplementedError

    def channel_of(self, id: str) -> Channel:
        """Return a channel that the app may speak in."""
        channel = self.channels.get(id)
        if channel is None:
            raise Refusal("channel_not_found")
        if not channel.bot:
            raise Refusal("channel_not_found" if channel.is_("private") else "not_in_channel")
        if channel.is_("archived"):
            raise Refusal("is_archived")
        return channel

    def own(self, team: Team, channel: str, ts: str) -> Message:
        """Return a message of the app."""
        message = self.channel_of(channel).messages.get(ts)
        if message is None or message.deleted:
            raise Refusal("message_not_found")
        if message.user != team.bot_user:
            raise Refusal("cant_update_message")
        return message

    async def _post_message(self, team: Team, given: dict[str, Any]) -> dict[str, Any]:
        channel = self.channel_of(given["channel"])
        _check(given)
        if len(given.get("text") or "") > 40_000:
            raise Refusal("msg_too_long")
        if not (given.get("text") or given.get("blocks") or given.get("markdown_text")):
            raise Refusal("no_text")
        if thread := given.get("thread_ts"):
            root = channel.messages.get(thread)
            if root is None:
                raise Refusal("thread_not_found")
        message = self._new(team, channel, given)
        await self._said(channel, message, team)
        return {"channel": channel.id, "ts": message.ts, "message": message.shown()}

    def _new(self, team: Team, channel: Channel, given: dict[str, Any]) -> Message:
        message = Message(
            ts=self.new_ts(),
            channel=channel.id,
            user=team.bot_user,
            bot_id=team.bot_id,
            app_id=team.app_id,
            text=given.get("text") or "",
            thread_ts=given.get("thread_ts"),
            blocks=_blocks(given),
            metadata=given.get("metadata"),
        )
        channel.messages[message.ts] = message
        return message

    async def _update(self, team: Team, given: dict[str, Any]) -> dict[str, Any]:
        message = self.own(team, given["channel"], given["ts"])
        _check(given)
        if self._live(message):
            raise Refusal("streaming_state_conflict")
        if len((given.get("text") or "").encode()) > MOST_UPDATED:
            raise Refusal("msg_too_long")
        message.edits.append(_reads(message))
        if "text" in given:
            message.text = given["text"]
        if "blocks" in given or "markdown_text" in given:
            message.blocks = _blocks(given)
        if "metadata" in given:
            message.metadata = given["metadata"]
        message.edited = self.new_ts()
        return {"channel": message.channel, "ts": message.ts, "text": message.text, "message": message.shown()}

    async def _delete(self, team: Team, given: dict[str, Any]) -> dict[str, Any]:
        message = self.own(team, given["channel"], given["ts"])
        message.deleted, message.streaming = True, False
        return {"channel": message.channel, "ts": message.ts}

    async def _post_ephemeral(self, team: Team, given: dict[str, Any]) -> dict[str, Any]:
        channel = self.channel_of(given["channel"])
        _check(given)
        if given["user"] not in channel.members:
            raise Refusal("user_not_in_channel")
        self.ephemerals.append(given)
        return {"message_ts": self.new_ts()}

    async def _get_permalink(self, _team: Team, given: dict[str, Any]) -> dict[str, Any]:
        channel = self.channel_of(given["channel"])
        message = channel.messages.get(given["message_ts"])
        if message is None or message.deleted:
            raise Refusal("message_not_found")
        link = f"https://acme.slack.com/archives/{channel.id}/p{message.ts.replace('.', '')}"
        return {"channel": channel.id, "permalink": link}

    # --- streams

    async def _start_stream(self, team: Team, given: dict[str, Any]) -> dict[str, Any]:
        channel = self.channel_of(given["channel"])
        if not given.get("thread_ts"):
            raise Refusal("invalid_thread_ts")
        for name in ("recipient_user_id", "recipient_team_id"):
            if not channel.is_("im") and not given.get(name):
                raise Refusal(f"missing_{name}")
        message = self._new(team, channel, {"channel": channel.id, "thread_ts": given["thread_ts"]})
        message.streaming, message.began = True, asyncio.get_running_loop().time()
        message.recipient = given.get("recipient_user_id") or ""
        self._take(message, given)
        return {"channel": channel.id, "ts": message.ts}

    async def _append_stream(self, team: Team, given: dict[str, Any]) -> dict[str, Any]:
        message = self._streamed(team, given)
        self._take(message, given)
        return {"channel": message.channel, "ts": message.ts}

    async def _stop_stream(self, team: Team, given: dict[str, Any]) -> dict[str, Any]:
        message = self._streamed(team, given)
        self._take(message, given)
        message.streaming = False
        message.blocks += given.get("blocks") or []
        if len(message.blocks) > 50:
            raise Refusal("invalid_blocks")
        message.metadata = given.get("metadata") or message.metadata
        await self._said(self.channels[message.channel], message, team)
        return {"channel": message.channel, "ts": message.ts, "message": message.shown()}

    def _streamed(self, team: Team, given: dict[str, Any]) -> Message:
        message = self.own(team, given["channel"], given["ts"])
        if message.stopped:
            raise Refusal("stopped_by_user")
        if not self._live(message):
            raise Refusal("message_not_in_streaming_state")
        return message

    def _live(self, message: Message) -> bool:
        expires = self.streams_expire_after
        if message.streaming and expires is not None and asyncio.get_running_loop().time() - message.began > expires:
            message.streaming = False
        return message.streaming

    def _take(self, message: Message, given: dict[str, Any]) -> None:
        """Add to a stream what a call brings."""
        chunks = list(given.get("chunks") or [])
        if text := given.get("markdown_text"):
            if chunks:
                raise Refusal("markdown_text_conflict")
            chunks = [{"type": "markdown_text", "text": text}]
        for chunk in chunks:
            match chunk["type"]:
                case "markdown_text":
                    if len(chunk["text"]) > MOST:
                        raise Refusal("msg_too_long")
                    _append_text(message, chunk["text"])
                case "task_update":
                    _update_task(message, chunk)
                case "blocks":
                    message.blocks += chunk["blocks"]
        if len(_reads(message)) > MOST_STREAMED:
            raise Refusal("msg_too_long")
        message.edits.append(_reads(message))


def _append_text(message: Message, text: str) -> None:
    if message.blocks and message.blocks[-1]["type"] == "markdown":
        message.blocks[-1] = {**message.blocks[-1], "text": message.blocks[-1]["text"] + text}
    else:
        message.blocks.append({"type": "markdown", "text": text})


def _update_task(message: Message, chunk: dict[str, Any]) -> None:
    card = {"type": "task_card", "task_id": chunk["id"], "title": chunk["title"], "status": chunk.get("status", "pending")}
    for n, block in enumerate(message.blocks):
        if block.get("task_id") == chunk["id"]:
            message.blocks[n] = card
            return
    message.blocks.append(card)


def _blocks(given: dict[str, Any]) -> list[dict[str, Any]]:
    if text := given.get("markdown_text"):
        return [{"type": "markdown", "text": text}]
    return list(given.get("blocks") or [])


def _check(given: dict[str, Any]) -> None:
    """Refuse what Slack refuses beyond the shape."""
    if given.get("markdown_text") and (given.get("text") or given.get("blocks")):
        raise Refusal("markdown_text_conflict")
    blocks = given.get("blocks") or []
    if len(blocks) > 50:
        raise Refusal("invalid_blocks")
    if sum(len(block["text"]) for block in blocks if block["type"] == "markdown") > MOST:
        raise Refusal("msg_blocks_too_long")
    if len(given.get("markdown_text") or "") > MOST:
        raise Refusal("msg_too_long")
    for block in blocks:
        if block["type"] == "section" and len((block.get("text") or {}).get("text", "")) > 3_000:
            raise Refusal("invalid_blocks")


def _reads(message: Message) -> str:
    """Return what people read of a message."""
    return reads(message.blocks) or message.text


def reads(blocks: list[dict[str, Any]]) -> str:
    """Return the texts of blocks, one below the other."""
    found: list[str] = []
    for block in blocks:
        match block["type"]:
            case "markdown":
                found.append(block["text"])
            case "section" | "header":
                found += [text["text"] for text in (block.get("text"), *block.get("fields", ())) if text]
            case "context":
                found += [one["text"] for one in block["elements"] if "text" in one]
    return "\n".join(found)
