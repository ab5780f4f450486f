"""What becomes of channels, people and installations in the simulated Slack, each with the events that Slack tells of it."""

from typing import Any

from tests.simulators.slack.doing import Doing
from tests.simulators.slack.state import Channel


class Changing(Doing):
    """Joining, leaving, archiving, renaming, removing, deactivating, uninstalling."""

    async def _tell(self, where: Channel, what: str, **more: Any) -> None:
        """Tell something of a channel; of a private one it has another name, and says who did it when."""
        await self.emit({"type": what, "channel": where.id, "event_ts": self.new_ts()} | more, where.team)

    async def join(self, channel: str, user: str) -> None:
        """Come into a channel; the app itself may be the one."""
        where = self.channels[channel]
        if user == self.teams[where.team].bot_user:
            where.bot = True
        else:
            where.members.append(user)
        await self._membership(where, "member_joined_channel", user)

    async def leave(self, channel: str, user: str) -> None:
        """Leave a channel."""
        where = self.channels[channel]
        where.members.remove(user)
        await self._membership(where, "member_left_channel", user)

    async def _membership(self, where: Channel, what: str, user: str) -> None:
        if where.bot:
            kind = "G" if where.is_("private") else "C"
            await self._tell(where, what, user=user, channel_type=kind, team=where.team)

    async def kick_bot(self, channel: str) -> None:
        """Remove the app from a channel."""
        where = self.channels[channel]
        where.bot = False
        await self._tell(where, "group_left" if where.is_("private") else "channel_left", actor_id="U1")

    async def archive(self, channel: str) -> None:
        """Archive a channel."""
        where = self.channels[channel]
        where.flags["is_archived"] = True
        if where.is_("private"):
            await self._tell(where, "group_archive", user="U1", is_moved=0)
        else:
            await self._tell(where, "channel_archive", user="U1")

    async def unarchive(self, channel: str) -> None:
        """Bring a channel back from the archive."""
        where = self.channels[channel]
        where.flags["is_archived"] = False
        if where.is_("private"):
            await self._tell(where, "group_unarchive", actor_id="U1")
        else:
            await self._tell(where, "channel_unarchive", user="U1")

    async def remove(self, channel: str) -> None:
        """Delete a channel."""
        where = self.channels.pop(channel)
        if where.is_("private"):
            await self._tell(where, "group_deleted", actor_id="U1", date_deleted=1)
        else:
            await self.emit({"type": "channel_deleted", "channel": channel}, where.team)

    async def rename(self, channel: str, name: str) -> None:
        """Give a channel another name."""
        where = self.channels[channel]
        where.name = name
        about = {"id": channel, "name": name, "name_normalized": name, "created": 1, "is_channel": True, "is_mpim": False}
        await self._tell(where, "group_rename" if where.is_("private") else "channel_rename", channel=about)

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
        await self.emit({"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [self.teams[team].bot_user]}}, team)
        self.teams[team].installed = False
