"""What people do in the simulated Slack, each with the events that Slack tells of it."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any

from tests.simulators.slack.delivering import Postman
from tests.simulators.slack.looking import Looking
from tests.simulators.slack.state import File, Message


class Doing(Looking, Postman):
    """Saying, editing, deleting, joining, leaving, clicking, ordering."""

    def new_id(self, kind: str) -> str:
        """Return an id that nothing else has."""
        raise NotImplementedError

    async def emit(self, event: dict[str, Any], team: str = "T1") -> str:
        """Tell the app of something; return the id of the event."""
        raise NotImplementedError

    async def say(self, channel: str, user: str, text: str, *, thread_ts: str | None = None, files: Sequence[File] = ()) -> str:
        """Say something; return its ts."""
        where = self.channels[channel]
        message = Message(self.new_ts(), channel, user, text, thread_ts, files=[file.about for file in files])
        message.subtype = "file_share" if files else None
        where.messages[message.ts] = message
        for file in files:
            file.channels.append(channel)
        event: dict[str, Any] = {
            "type": "message",
            "channel": channel,
            "user": user,
            "text": text,
            "ts": message.ts,
            "team": where.team,
        }
        event |= {"event_ts": message.ts, "channel_type": where.type}
        event |= {"thread_ts": thread_ts} if thread_ts else {}
        if files:
            event |= {"subtype": "file_share", "files": message.files}
            del event["team"]  # of these Slack tells less
        if where.bot:
            await self.emit(event, where.team)
        if f"<@{self.teams[where.team].bot_user}>" in text and not where.is_("im"):
            mention = {name: event[name] for name in ("channel", "user", "text", "ts", "event_ts")} | {"team": where.team}
            mention |= {name: event[name] for name in ("thread_ts", "files") if name in event}
            await self.emit({"type": "app_mention", **mention}, where.team)
        return message.ts

    async def edit(self, channel: str, ts: str, text: str) -> None:
        """Change what somebody said."""
        message = self.channels[channel].messages[ts]
        before = message.shown()
        message.text, message.edited = text, self.new_ts()
        await self._changed(channel, message, before)

    async def delete(self, channel: str, ts: str) -> None:
        """Delete a message; the root of a thread with replies becomes a tombstone."""
        where, message = self.channels[channel], self.channels[channel].messages[ts]
        before = message.shown()
        message.deleted = True
        message.text, message.files, message.blocks = "", [], []
        if any(one.thread_ts == ts and one.ts != ts and not one.deleted for one in where.messages.values()):
            message.subtype, message.user, message.text = "tombstone", "USLACKBOT", "This message was deleted."
            await self._changed(channel, message, before)
            return
        event = {
            "type": "message",
            "subtype": "message_deleted",
            "hidden": True,
            "channel": channel,
            "channel_type": where.type,
        }
        event |= {"ts": (now := self.new_ts()), "event_ts": now, "deleted_ts": ts, "previous_message": before}
        await self.emit(event, where.team)

    async def _changed(self, channel: str, message: Message, before: Mapping[str, Any]) -> None:
        where, now = self.channels[channel], self.new_ts()
        event = {
            "type": "message",
            "subtype": "message_changed",
            "hidden": True,
            "channel": channel,
            "channel_type": where.type,
        }
        event |= {"ts": now, "event_ts": now, "message": message.shown(), "previous_message": dict(before)}
        if where.bot:
            await self.emit(event, where.team)

    async def delete_file(self, file: File) -> None:
        """Delete a file wherever it was shared."""
        file.deleted = True
        await self.emit({"type": "file_deleted", "file_id": file.id, "event_ts": self.new_ts()})

    async def unshare(self, file: File, channel: str) -> None:
        """Take a file out of a channel."""
        file.channels.remove(channel)
        event = {"type": "file_unshared", "file_id": file.id, "user_id": file.user, "channel_id": channel}
        await self.emit(event | {"file": {"id": file.id}, "event_ts": self.new_ts()})

    # --- people and channels

    async def join(self, channel: str, user: str) -> None:
        """Come into a channel."""
        where = self.channels[channel]
        where.members.append(user)
        kind = "G" if where.is_("private") else "C"
        event = {"type": "member_joined_channel", "user": user, "channel": channel, "channel_type": kind, "team": where.team}
        await self.emit(event | {"event_ts": self.new_ts()}, where.team)

    async def leave(self, channel: str, user: str) -> None:
        """Leave a channel."""
        where = self.channels[channel]
        where.members.remove(user)
        kind = "G" if where.is_("private") else "C"
        event = {"type": "member_left_channel", "user": user, "channel": channel, "channel_type": kind, "team": where.team}
        await self.emit(event | {"event_ts": self.new_ts()}, where.team)

    async def kick_bot(self, channel: str) -> None:
        """Remove the app from a channel."""
        where = self.channels[channel]
        where.bot = False
        event = {"type": "group_left" if where.is_("private") else "channel_left", "channel": channel, "actor_id": "U1"}
        await self.emit(event | {"event_ts": self.new_ts()}, where.team)

    async def archive(self, channel: str) -> None:
        """Archive a channel."""
        await self._flagged(channel, "archive", is_archived=True)

    async def unarchive(self, channel: str) -> None:
        """Bring a channel back from the archive."""
        await self._flagged(channel, "unarchive", is_archived=False)

    async def _flagged(self, channel: str, what: str, **flags: bool) -> None:
        where = self.channels[channel]
        where.flags |= flags
        kind = "group" if where.is_("private") else "channel"
        event = {"type": f"{kind}_{what}", "channel": channel, "user": "U1", "event_ts": self.new_ts()}
        await self.emit(event, where.team)

    async def remove(self, channel: str) -> None:
        """Delete a channel."""
        where = self.channels.pop(channel)
        kind = "group" if where.is_("private") else "channel"
        await self.emit({"type": f"{kind}_deleted", "channel": channel}, where.team)

    async def rename(self, channel: str, name: str) -> None:
        """Give a channel another name."""
        where = self.channels[channel]
        where.name = name
        about = {"id": channel, "name": name, "name_normalized": name, "created": 1, "is_channel": True, "is_mpim": False}
        await self.emit({"type": "channel_rename", "channel": about, "event_ts": self.new_ts()}, where.team)

    async def make_private(self, channel: str) -> None:
        """Make a public channel private."""
        where = self.channels[channel]
        where.flags["is_private"] = True
        now = self.new_ts()
        event = {"type": "message", "subtype": "channel_convert_to_private", "channel": channel, "channel_type": "group"}
        await self.emit(event | {"user": "U1", "text": "made this channel private", "ts": now, "event_ts": now}, where.team)

    async def deactivate(self, user: str) -> None:
        """Deactivate somebody's account."""
        self.users[user].flags["deleted"] = True
        for where in self.channels.values():
            if user in where.members and not where.is_("im"):
                where.members.remove(user)
        await self.changed_user(user)

    async def changed_user(self, user: str) -> None:
        """Tell that somebody's account is as it is now."""
        shown = self.users[user].shown()
        await self.emit({"type": "user_change", "user": shown, "cache_ts": 1, "event_ts": self.new_ts()}, shown["team_id"])

    async def uninstall(self, team: str = "T1") -> None:
        """Remove the app from a workspace."""
        await self.emit({"type": "app_uninstalled"}, team)
        self.teams[team].installed = False

    # --- clicks and orders

    async def command(self, user: str, channel: str, command: str, text: str, team: str = "T1") -> Mapping[str, Any]:
        """Give an order; return what the app acknowledges with."""
        where = self.channels[channel]
        payload = {"token": "t", "team_id": team, "team_domain": "acme", "channel_id": channel, "channel_name": where.name}
        payload |= {"user_id": user, "user_name": self.users[user].name, "command": command, "text": text}
        payload |= {"api_app_id": self.teams[team].app_id, "is_enterprise_install": "false", **self._responding()}
        return await self.answer("slash_commands", payload)

    def _responding(self) -> dict[str, str]:
        trigger = self.new_id("tr")
        self.triggers[trigger] = asyncio.get_running_loop().time()
        return {"trigger_id": trigger, "response_url": f"{self.url}/respond/{trigger}"}

    def _who(self, kind: str, user: str, team: str = "T1") -> dict[str, Any]:
        about = {"id": user, "username": self.users[user].name, "name": self.users[user].name, "team_id": team}
        whole = {"type": kind, "token": "t", "api_app_id": self.teams[team].app_id, "team": {"id": team, "domain": "acme"}}
        return whole | {"user": about, "enterprise": None, "is_enterprise_install": False, "action_ts": self.new_ts()}

    async def click(
        self,
        user: str,
        where: Message | Mapping[str, Any],
        action_id: str,
        value: str | None = None,
        *,
        ephemeral: bool = False,
    ) -> Mapping[str, Any]:
        """Click something in a message, a modal or App Home; the value is that of the thing unless told."""
        blocks = where.blocks if isinstance(where, Message) else where["blocks"]
        found = _elements(blocks, action_id)
        assert found, f"there is no {action_id} to click in {re.sub(r'  +', ' ', str(blocks))[:500]}"
        block, element = next(((b, e) for b, e in found if value is None or e.get("value") == value), found[0])
        action = {"type": element["type"], "action_id": action_id, "block_id": block.get("block_id", "b1")}
        action |= {"action_ts": self.new_ts()}
        if element["type"] == "static_select":
            action["selected_option"] = next(o for o in element["options"] if value in {None, o["value"]})
        else:
            action["value"] = value if value is not None else element.get("value", "")
        payload = self._who("block_actions", user) | {"actions": [action], **self._responding()}
        if isinstance(where, Message):
            payload |= {"channel": {"id": where.channel, "name": "x"}, "message": where.shown()}
            container = {"type": "message", "message_ts": where.ts, "channel_id": where.channel, "is_ephemeral": ephemeral}
            payload |= {"container": container}
        else:
            payload |= {"view": dict(where), "container": {"type": "view", "view_id": where.get("id", "VH")}}
            payload.pop("response_url")
        return await self.answer("interactive", payload)

    async def shortcut(self, user: str, channel: str, ts: str, callback_id: str) -> Mapping[str, Any]:
        """Choose a shortcut on a message."""
        message = self.channels[channel].messages[ts]
        payload = self._who("message_action", user) | {"callback_id": callback_id, **self._responding()}
        about = {"channel": {"id": channel, "name": self.channels[channel].name}, "message": message.shown()}
        return await self.answer("interactive", payload | about | {"message_ts": ts})

    async def global_shortcut(self, user: str, callback_id: str) -> Mapping[str, Any]:
        """Choose a shortcut that belongs to no message."""
        payload = self._who("shortcut", user) | {"callback_id": callback_id, **self._responding()}
        payload.pop("response_url")
        return await self.answer("interactive", payload)

    async def submit(self, user: str, view: Mapping[str, Any], values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send off a modal with values by block and action id."""
        whole = dict(view) | {"state": {"values": dict(values)}}
        payload = self._who("view_submission", user) | {"view": whole, "response_urls": [], **self._responding()}
        payload.pop("response_url")
        return await self.answer("interactive", payload)

    async def home(self, user: str) -> None:
        """Open the app's home."""
        await self._opened(user, "home")

    async def open_dm(self, user: str) -> None:
        """Open the private chat with the app."""
        await self._opened(user, "messages")

    async def _opened(self, user: str, tab: str) -> None:
        event = {"type": "app_home_opened", "user": user, "channel": self.direct(user), "tab": tab, "event_ts": self.new_ts()}
        await self.emit(event, self.users[user].team)

    async def stop_stream(self, user: str, message: Message) -> None:
        """Press the button that stops an answer."""
        message.stopped, message.streaming = True, False
        event = {"type": "agent_session_stopped", "channel": message.channel, "user": user, "event_ts": self.new_ts()}
        thread = {"thread_ts": message.thread_ts, "streaming_message_ts": [message.ts]}
        await self.emit(event | thread, self.channels[message.channel].team)


def _elements(blocks: Sequence[Mapping[str, Any]], action_id: str) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Return what can be clicked under an action id, with the block that it stands in."""
    found = []
    for block in blocks:
        elements = [*block.get("elements", ()), *([block["accessory"]] if "accessory" in block else ())]
        found += [(block, element) for element in elements if element.get("action_id") == action_id]
    return found
