"""What people say in the simulated Slack, each with the events that Slack tells of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.simulators.slack.delivering import Postman
from tests.simulators.slack.looking import Looking
from tests.simulators.slack.state import Channel, File, Message


class Doing(Looking, Postman):
    """Saying, editing, deleting; only where the app is a member it is told."""

    async def emit(self, event: dict[str, Any], team: str = "T1") -> str:
        """Tell the app of something; return the id of the event."""
        raise NotImplementedError

    async def say(self, channel: str, user: str, text: str, *, thread_ts: str | None = None, files: Sequence[File] = ()) -> str:
        """Say something; return its ts."""
        where = self.channels[channel]
        message = Message(self.new_ts(), channel, user, text, thread_ts, subtype="file_share" if files else None)
        if user in self.users and self.users[user].flags.get("is_bot"):
            message.bot_id = f"B{user}"
        where.messages[message.ts] = message
        for file in files:
            self.share(where, message, file)
        if not where.bot:
            return message.ts
        about: dict[str, Any] = {"channel": channel, "user": user, "text": text, "ts": message.ts, "event_ts": message.ts}
        if thread_ts:
            about["thread_ts"] = thread_ts
        if files:
            about["files"] = message.files
        more = {"bot_id": message.bot_id, "team": where.team} if message.bot_id else {"team": where.team}
        kind = {"type": "message", "channel_type": where.type}
        if files:
            await self.emit(about | kind | {"subtype": "file_share"}, where.team)  # of these Slack tells less
        else:
            await self.emit(about | kind | more | self._parent(where, thread_ts), where.team)
        if f"<@{self.teams[where.team].bot_user}>" in text and not where.is_("im"):
            await self.emit(about | more | {"type": "app_mention"}, where.team)
        return message.ts

    def _parent(self, where: Channel, thread_ts: str | None) -> dict[str, str]:
        root = where.messages.get(thread_ts or "")
        return {"parent_user_id": root.user} if root else {}

    async def edit(self, channel: str, ts: str, text: str) -> None:
        """Change what somebody said."""
        message = self.channels[channel].messages[ts]
        before = message.shown()
        message.text, message.edited = text, self.new_ts()
        await self._changed(channel, message, before)

    async def delete(self, channel: str, ts: str) -> None:
        """Delete a message."""
        message = self.channels[channel].messages[ts]
        before = message.shown()
        message.deleted = True
        message.text, message.files, message.blocks = "", [], []
        await self._gone(channel, message, before)

    async def _gone(self, channel: str, message: Message, before: Mapping[str, Any]) -> None:
        """Tell that a message was deleted; the root of a thread with replies becomes a tombstone."""
        where, ts = self.channels[channel], message.ts
        if any(one.thread_ts == ts and one.ts != ts and not one.deleted for one in where.messages.values()):
            message.subtype, message.user, message.text = "tombstone", "USLACKBOT", "This message was deleted."
            await self._changed(channel, message, before)
        else:
            await self._hidden(where, "message_deleted", deleted_ts=ts, previous_message=dict(before))

    async def _changed(self, channel: str, message: Message, before: Mapping[str, Any]) -> None:
        where = self.channels[channel]
        await self._hidden(where, "message_changed", message=message.shown(), previous_message=dict(before))

    async def _hidden(self, where: Channel, subtype: str, **more: Any) -> None:
        if where.bot:
            now = self.new_ts()
            event = {"type": "message", "subtype": subtype, "hidden": True, "channel": where.id, "channel_type": where.type}
            await self.emit(event | {"ts": now, "event_ts": now} | more, where.team)

    async def delete_file(self, file: File) -> None:
        """Delete a file wherever it was shared."""
        file.deleted = True
        await self.emit({"type": "file_deleted", "file_id": file.id, "event_ts": self.new_ts()}, file.team)

    async def unshare(self, file: File, channel: str) -> None:
        """Take a file out of a channel."""
        file.channels.remove(channel)
        event = {"type": "file_unshared", "file_id": file.id, "user_id": file.user, "channel_id": channel}
        await self.emit(event | {"file": {"id": file.id}, "event_ts": self.new_ts()}, self.channels[channel].team)
