"""Messages that are written while people watch: chat.startStream, appendStream and stopStream."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from tests.simulators.slack.chatting import Chatting
from tests.simulators.slack.limits import MOST, MOST_STREAMED, fits
from tests.simulators.slack.reading import reads
from tests.simulators.slack.state import Message, Refusal, Team

Blocks = list[dict[str, Any]]


class Streaming(Chatting):
    """Streams messages; a call that is refused changes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.streams_expire_after: float | None = 300
        self.methods |= {
            "chat.startStream": self._start_stream,
            "chat.appendStream": self._append_stream,
            "chat.stopStream": self._stop_stream,
        }

    def live(self, message: Message) -> bool:
        """Say whether a message is being streamed; after a time a stream ends by itself."""
        expires = self.streams_expire_after
        if message.streaming and expires is not None and asyncio.get_running_loop().time() - message.began > expires:
            message.streaming = False
        return message.streaming

    async def _start_stream(self, team: Team, given: dict[str, Any]) -> dict[str, Any]:
        channel = self.channel_of(team, given["channel"])
        if given.get("thread_ts") not in channel.messages:
            raise Refusal("invalid_thread_ts")
        for name in ("recipient_user_id", "recipient_team_id"):
            if not channel.is_("im") and not given.get(name):
                raise Refusal(f"missing_{name}")
        blocks = _added([], given)
        message = self.new_message(team, channel, {"thread_ts": given["thread_ts"]})
        message.streaming, message.began = True, asyncio.get_running_loop().time()
        message.recipient = given.get("recipient_user_id") or ""
        _show(message, blocks)
        return {"channel": channel.id, "ts": message.ts}

    async def _append_stream(self, team: Team, given: dict[str, Any]) -> dict[str, Any]:
        message = self._streamed(team, given)
        _show(message, _added(message.blocks, given))
        return {"channel": message.channel, "ts": message.ts}

    async def _stop_stream(self, team: Team, given: dict[str, Any]) -> dict[str, Any]:
        message = self._streamed(team, given)
        own = given.get("blocks") or []
        streamed = _added(message.blocks, given)
        if len(own) > 50 or not fits(own):
            raise Refusal("invalid_blocks")
        _show(message, streamed + own)
        message.streaming = False
        message.metadata = given.get("metadata") or message.metadata
        await self._said(self.channels[message.channel], message, team)
        return {"channel": message.channel, "ts": message.ts, "message": message.shown()}

    def _streamed(self, team: Team, given: dict[str, Any]) -> Message:
        message = self.own(team, given["channel"], given["ts"], "message_not_owned_by_app")
        if message.stopped:
            raise Refusal("stopped_by_user")
        if not self.live(message):
            raise Refusal("message_not_in_streaming_state")
        return message


def _show(message: Message, blocks: Blocks) -> None:
    message.blocks = blocks
    message.edits.append(reads(blocks))


def _added(there: Sequence[Mapping[str, Any]], given: Mapping[str, Any]) -> Blocks:
    """Return the blocks of a stream with what a call brings."""
    blocks = [dict(block) for block in there]
    chunks = list(given.get("chunks") or [])
    if text := given.get("markdown_text"):
        if chunks:
            raise Refusal("markdown_text_conflict")
        chunks = [{"type": "markdown_text", "text": text}]
    for chunk in chunks:
        match chunk["type"]:
            case "markdown_text":
                _write(blocks, chunk["text"])
            case "task_update":
                _update_task(blocks, chunk)
            case "blocks":
                blocks += chunk["blocks"]
            case other:
                raise NotImplementedError(f"{other} chunks are not simulated")
    if not fits(blocks) or len(blocks) > 50:
        raise Refusal("invalid_blocks")
    if len(reads(blocks)) + sum(len(block["title"]) for block in blocks if block["type"] == "task_card") > MOST_STREAMED:
        raise Refusal("msg_too_long")
    return blocks


def _write(blocks: Blocks, text: str) -> None:
    if len(text) > MOST:
        raise Refusal("msg_too_long")
    if blocks and blocks[-1]["type"] == "markdown":
        blocks[-1]["text"] += text
    else:
        blocks.append({"type": "markdown", "text": text})


def _update_task(blocks: Blocks, chunk: Mapping[str, Any]) -> None:
    if len(chunk["title"]) > 256:
        raise Refusal("invalid_chunks")
    card = {"type": "task_card", "task_id": chunk["id"], "title": chunk["title"], "status": chunk.get("status", "pending")}
    for n, block in enumerate(blocks):
        if block.get("task_id") == chunk["id"]:
            blocks[n] = card
            return
    blocks.append(card)
