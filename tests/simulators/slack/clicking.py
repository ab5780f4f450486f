"""What people order, click and open in the simulated Slack, each with what Slack tells the app of it."""

import asyncio
import re
from collections.abc import Mapping
from typing import Any

from tests.simulators.slack.changing import Changing
from tests.simulators.slack.reading import clickable
from tests.simulators.slack.state import Message


class Clicking(Changing):
    """Ordering, clicking, choosing, sending off, opening."""

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
        found = clickable(blocks, action_id)
        assert found, f"there is no {action_id} to click in {re.sub(r'  +', ' ', str(blocks))[:500]}"
        block, element = next(((b, e) for b, e in found if value is None or e.get("value") == value), found[0])
        action = {"type": element["type"], "action_id": action_id, "block_id": block.get("block_id", "b1")}
        action |= {"action_ts": self.new_ts()}
        if element["type"] == "static_select":
            action["selected_option"] = next(o for o in element["options"] if value in {None, o["value"]})
        elif element["type"] == "conversations_select":
            action["selected_conversation"] = value
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
