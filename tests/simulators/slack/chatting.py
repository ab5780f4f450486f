"""Messages of the app: chat.* without streams."""

from typing import Any

from tests.simulators.slack.calls import Calls
from tests.simulators.slack.limits import MOST_UPDATED, wrong_message
from tests.simulators.slack.reading import reads
from tests.simulators.slack.state import Channel, Message, Refusal, Team


class Chatting(Calls):
    """Posts, changes and deletes messages of the app."""

    def __init__(self) -> None:
        super().__init__()
        self.channels: dict[str, Channel] = {}
        self.ephemerals: list[dict[str, Any]] = []
        self.methods |= {
            "chat.postMessage": self._post_message,
            "chat.update": self._update,
            "chat.delete": self._delete,
            "chat.postEphemeral": self._post_ephemeral,
            "chat.getPermalink": self._get_permalink,
        }

    def new_ts(self) -> str:
        """Return the ts of a new message."""
        raise NotImplementedError

    async def _said(self, channel: Channel, message: Message, team: Team) -> None:
        """Tell of a message of the app itself."""
        raise NotImplementedError

    async def _changed(self, channel: str, message: Message, before: dict[str, Any]) -> None:
        """Tell that a message is another now."""
        raise NotImplementedError

    async def _gone(self, channel: str, message: Message, before: dict[str, Any]) -> None:
        """Tell that a message was deleted."""
        raise NotImplementedError

    def live(self, message: Message) -> bool:
        """Say whether a message is being streamed."""
        raise NotImplementedError

    def channel_of(self, team: Team, id: str) -> Channel:
        """Return a channel that the app may speak in."""
        channel = self.channels.get(id)
        if channel is None or channel.team != team.id:
            raise Refusal("channel_not_found")
        if not channel.bot:
            raise Refusal("channel_not_found" if channel.is_("private") else "not_in_channel")
        if channel.is_("archived"):
            raise Refusal("is_archived")
        return channel

    def own(self, team: Team, channel: str, ts: str, otherwise: str = "cant_update_message") -> Message:
        """Return a message of the app."""
        message = self.channel_of(team, channel).messages.get(ts)
        if message is None or message.deleted:
            raise Refusal("message_not_found")
        if message.user != team.bot_user:
            raise Refusal(otherwise)
        return message

    async def _post_message(self, team: Team, given: dict[str, Any]) -> dict[str, Any]:
        channel = self.channel_of(team, given["channel"])
        _check(given)
        if len(given.get("text") or "") > 40_000:
            raise Refusal("msg_too_long")
        if not (given.get("text") or given.get("blocks") or given.get("markdown_text")):
            raise Refusal("no_text")
        if (thread := given.get("thread_ts")) and thread not in channel.messages:
            raise Refusal("thread_not_found")
        message = self.new_message(team, channel, given)
        await self._said(channel, message, team)
        return {"channel": channel.id, "ts": message.ts, "message": message.shown()}

    def new_message(self, team: Team, channel: Channel, given: dict[str, Any]) -> Message:
        """Put a message of the app into a channel."""
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
        if self.live(message):
            raise Refusal("streaming_state_conflict")
        if len((given.get("text") or "").encode()) > MOST_UPDATED:
            raise Refusal("msg_too_long")
        before = message.shown()
        message.edits.append(reads(message.blocks) or message.text)
        if "text" in given:
            message.text = given["text"]
        if "blocks" in given or "markdown_text" in given:
            message.blocks = _blocks(given)
        if "metadata" in given:
            message.metadata = given["metadata"]
        message.edited = self.new_ts()
        await self._changed(message.channel, message, before)
        return {"channel": message.channel, "ts": message.ts, "text": message.text, "message": message.shown()}

    async def _delete(self, team: Team, given: dict[str, Any]) -> dict[str, Any]:
        message = self.own(team, given["channel"], given["ts"], "cant_delete_message")
        before = message.shown()
        message.deleted, message.streaming = True, False
        await self._gone(message.channel, message, before)
        return {"channel": message.channel, "ts": message.ts}

    async def _post_ephemeral(self, team: Team, given: dict[str, Any]) -> dict[str, Any]:
        channel = self.channel_of(team, given["channel"])
        _check(given)
        if given["user"] not in channel.members:
            raise Refusal("user_not_in_channel")
        self.ephemerals.append(given)
        return {"message_ts": self.new_ts()}

    async def _get_permalink(self, team: Team, given: dict[str, Any]) -> dict[str, Any]:
        channel = self.channel_of(team, given["channel"])
        message = channel.messages.get(given["message_ts"])
        if message is None or message.deleted:
            raise Refusal("message_not_found")
        link = f"https://acme.slack.com/archives/{channel.id}/p{message.ts.replace('.', '')}"
        return {"channel": channel.id, "permalink": link}


def _blocks(given: dict[str, Any]) -> list[dict[str, Any]]:
    if text := given.get("markdown_text"):
        return [{"type": "markdown", "text": text}]
    return list(given.get("blocks") or [])


def _check(given: dict[str, Any]) -> None:
    if code := wrong_message(given):
        raise Refusal(code)
