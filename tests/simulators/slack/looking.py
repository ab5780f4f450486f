"""Channels, people, reactions, views and the agent surface: what the app asks about and sets."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.simulators.slack.calls import granted
from tests.simulators.slack.limits import wrong_view
from tests.simulators.slack.sharing import Sharing
from tests.simulators.slack.state import Channel, Message, Refusal, Team, User

_READ = {"channel": "channels:read", "group": "groups:read", "im": "im:read", "mpim": "mpim:read"}
_HISTORY = {"channel": "channels:history", "group": "groups:history", "im": "im:history", "mpim": "mpim:history"}
_KINDS = {"public_channel": "channel", "private_channel": "group", "im": "im", "mpim": "mpim"}


@dataclass
class Views:
    """What people have before them: App Homes by user, and modals in the order in which they were opened, by id."""

    home: dict[str, dict[str, Any]] = field(default_factory=dict)
    modals: dict[str, dict[str, Any]] = field(default_factory=dict)


class Looking(Sharing):
    """conversations.*, users.*, reactions.*, views.*, assistant.*, agents.* and the rest."""

    def __init__(self) -> None:
        super().__init__()
        self.views = Views()
        self.statuses: list[dict[str, Any]] = []
        self.titles: list[dict[str, Any]] = []
        self.prompts: list[dict[str, Any]] = []
        self.page = 1_000
        self.refuse_sockets = False
        self.triggers: dict[str, float] = {}
        self.codes: dict[str, Team] = {}
        self.methods |= {
            "auth.test": self._auth_test,
            "team.info": self._team_info,
            "bots.info": self._bots_info,
            "apps.connections.open": self._connections_open,
            "oauth.v2.access": self._oauth_access,
            "conversations.info": self._info,
            "conversations.list": self._list,
            "conversations.members": self._members,
            "conversations.history": self._history,
            "conversations.replies": self._replies,
            "conversations.open": self._open,
            "users.info": self._user,
            "users.list": self._users,
            "users.conversations": self._users_conversations,
            "reactions.add": self._react,
            "reactions.remove": self._unreact,
            "views.open": self._view_open,
            "views.update": self._view_update,
            "views.publish": self._view_publish,
            "assistant.threads.setStatus": self._kept(self.statuses),
            "assistant.threads.setTitle": self._kept(self.titles),
            "assistant.threads.setSuggestedPrompts": self._kept(self.prompts),
            "agents.sessions.setStatus": self._kept(self.statuses),
            "agents.sessions.rename": self._kept(self.titles),
        }

    def _kept(self, there: list[dict[str, Any]]) -> Any:
        async def keep(team: Team, given: dict[str, Any]) -> dict[str, Any]:
            self.channel_of(team, given["channel_id"])
            there.append(given)
            return {}

        return keep

    # --- who is asking

    async def _auth_test(self, team: Team, _given: dict[str, Any]) -> dict[str, Any]:
        who = {"url": "https://acme.slack.com/", "team": team.name, "user": "twin", "team_id": team.id}
        return who | {"user_id": team.bot_user, "bot_id": team.bot_id, "is_enterprise_install": False, "app_id": team.app_id}

    async def _team_info(self, team: Team, _given: dict[str, Any]) -> dict[str, Any]:
        return {"team": {"id": team.id, "name": team.name, "domain": "acme"}}

    async def _bots_info(self, team: Team, given: dict[str, Any]) -> dict[str, Any]:
        return {"bot": {"id": given["bot"], "app_id": team.app_id, "user_id": team.bot_user, "name": "twin", "deleted": False}}

    async def _connections_open(self, _team: Team, _given: dict[str, Any]) -> dict[str, Any]:
        if self.refuse_sockets:
            raise Refusal("internal_error")
        return {"url": f"{self.url.replace('http', 'ws', 1)}/socket?ticket={self.new_ts()}"}

    async def _oauth_access(self, _team: Team, given: dict[str, Any]) -> dict[str, Any]:
        team = self.codes.pop(str(given.get("code")), None)
        if team is None:
            raise Refusal("invalid_code")
        team.installed = True
        return {
            "access_token": team.token,
            "token_type": "bot",
            "scope": team.scopes,
            "bot_user_id": team.bot_user,
            "app_id": team.app_id,
            "team": {"id": team.id, "name": team.name},
            "enterprise": None,
            "is_enterprise_install": False,
            "authed_user": {"id": "U1"},
        }

    # --- channels

    def seen(self, team: Team, id: str, scopes: dict[str, str]) -> Channel:
        """Return a channel that the app may look at."""
        channel = self.channels.get(id)
        hidden = channel is not None and not channel.bot and channel.type != "channel"
        if channel is None or hidden or channel.team != team.id:
            raise Refusal("channel_not_found")
        granted(team, scopes[channel.type])
        return channel

    def _wanted(self, team: Team, given: dict[str, Any]) -> set[str]:
        """Return the kinds of channels that are asked for."""
        wanted = {_KINDS[kind] for kind in (given.get("types") or "public_channel").split(",")}
        for kind in sorted(wanted):
            granted(team, _READ[kind])
        return wanted

    async def _info(self, team: Team, given: dict[str, Any]) -> dict[str, Any]:
        return {"channel": self.seen(team, given["channel"], _READ).shown()}

    async def _list(self, team: Team, given: dict[str, Any]) -> dict[str, Any]:
        wanted = self._wanted(team, given)
        found = [c for c in self.channels.values() if c.team == team.id and c.type in wanted and (c.bot or c.type == "channel")]
        if given.get("exclude_archived"):
            found = [c for c in found if not c.is_("archived")]
        return self._paged("channels", [c.shown() for c in found], given)

    async def _users_conversations(self, team: Team, given: dict[str, Any]) -> dict[str, Any]:
        wanted = self._wanted(team, given)
        found = [c for c in self.channels.values() if c.team == team.id and c.bot and c.type in wanted]
        if given.get("exclude_archived"):
            found = [c for c in found if not c.is_("archived")]
        return self._paged("channels", [c.shown() for c in found], given)

    async def _members(self, team: Team, given: dict[str, Any]) -> dict[str, Any]:
        channel = self.seen(team, given["channel"], _READ)
        return self._paged("members", [*channel.members, *([team.bot_user] if channel.bot else [])], given)

    async def _open(self, team: Team, given: dict[str, Any]) -> dict[str, Any]:
        users = str(given["users"]).split(",")
        if len(users) > 1:
            raise NotImplementedError("private chats of several people with the app are not opened here")
        user = self.users.get(users[0])
        if user is None or user.team != team.id:
            raise Refusal("user_not_found")
        return {"channel": {"id": self.direct(user.id, team.id)}}

    def direct(self, user: str, team: str = "T1") -> str:
        """Return the private chat of somebody with the app."""
        id = f"D{user}" if team == "T1" else f"D{user}{team}"
        if id not in self.channels:
            self.channels[id] = Channel(id, "", team, [user], flags={"is_im": True, "is_channel": False, "user": user})
        return id

    async def _history(self, team: Team, given: dict[str, Any]) -> dict[str, Any]:
        channel = self._readable(team, given["channel"])
        top = [one for one in _between(channel, given) if one.thread_ts in {None, one.ts}]
        page = self._paged("messages", [self._shown(channel, one, given) for one in top[::-1]], given)
        return page | {"has_more": bool(page["response_metadata"]["next_cursor"])}

    async def _replies(self, team: Team, given: dict[str, Any]) -> dict[str, Any]:
        channel = self._readable(team, given["channel"])
        root = channel.messages.get(given["ts"])
        if root is None or (root.deleted and root.subtype != "tombstone"):
            raise Refusal("thread_not_found")
        thread = root.thread_ts or root.ts
        said = [one for one in _between(channel, given) if thread in {one.ts, one.thread_ts}]
        if root.ts == thread and root not in said:
            said.insert(0, root)
        page = self._paged("messages", [self._shown(channel, one, given) for one in said], given)
        return page | {"has_more": bool(page["response_metadata"]["next_cursor"])}

    def _readable(self, team: Team, id: str) -> Channel:
        channel = self.seen(team, id, _HISTORY)
        if not channel.bot:
            raise Refusal("not_in_channel")
        return channel

    def _shown(self, channel: Channel, one: Message, given: dict[str, Any]) -> dict[str, Any]:
        shown = one.shown(metadata=bool(given.get("include_all_metadata")))
        replies = [r for r in channel.messages.values() if r.thread_ts == one.ts and r.ts != one.ts and not r.deleted]
        if replies and one.thread_ts in {None, one.ts}:
            shown |= {"thread_ts": one.ts, "reply_count": len(replies), "latest_reply": replies[-1].ts}
        return shown

    def _paged(self, key: str, items: Sequence[Any], given: dict[str, Any]) -> dict[str, Any]:
        if not (given.get("cursor") or "0").isdigit():
            raise Refusal("invalid_cursor")
        begin, size = int(given.get("cursor") or 0), min(int(given.get("limit") or 100), self.page)
        more = str(begin + size) if begin + size < len(items) else ""
        return {key: list(items[begin : begin + size]), "response_metadata": {"next_cursor": more}}

    # --- people

    async def _user(self, team: Team, given: dict[str, Any]) -> dict[str, Any]:
        user = self.users.get(given["user"])
        if user is None or not self._visible(team, user):
            raise Refusal("user_not_found")
        return {"user": user.shown()}

    def _visible(self, team: Team, user: User) -> bool:
        met = any(user.id in channel.members for channel in self.channels.values() if channel.team == team.id)
        return user.team == team.id or met or bool(user.flags.get("is_stranger"))

    async def _users(self, team: Team, given: dict[str, Any]) -> dict[str, Any]:
        own = [user.shown() for user in self.users.values() if user.team == team.id]
        return self._paged("members", own, given)

    # --- reactions

    async def _react(self, team: Team, given: dict[str, Any]) -> dict[str, Any]:
        users = self._marked(team, given).reactions.setdefault(given["name"], [])
        if team.bot_user in users:
            raise Refusal("already_reacted")
        users.append(team.bot_user)
        return {}

    async def _unreact(self, team: Team, given: dict[str, Any]) -> dict[str, Any]:
        message = self._marked(team, given)
        if team.bot_user not in message.reactions.get(given["name"], []):
            raise Refusal("no_reaction")
        message.reactions[given["name"]].remove(team.bot_user)
        if not message.reactions[given["name"]]:
            del message.reactions[given["name"]]
        return {}

    def _marked(self, team: Team, given: dict[str, Any]) -> Message:
        message = self.channel_of(team, given["channel"]).messages.get(given["timestamp"])
        if message is None or message.deleted:
            raise Refusal("message_not_found")
        return message

    # --- views

    async def _view_open(self, _team: Team, given: dict[str, Any]) -> dict[str, Any]:
        begun = self.triggers.pop(str(given["trigger_id"]), None)
        if begun is None:
            raise Refusal("invalid_trigger_id")
        if asyncio.get_running_loop().time() - begun > 3:
            raise Refusal("expired_trigger_id")
        _check_view(given["view"])
        id = f"V{len(self.views.modals) + 1}"
        self.views.modals[id] = given["view"] | {"id": id}
        return {"view": self.views.modals[id]}

    async def _view_update(self, _team: Team, given: dict[str, Any]) -> dict[str, Any]:
        id = str(given.get("view_id"))
        if id not in self.views.modals:
            raise Refusal("not_found")
        _check_view(given["view"])
        self.views.modals[id] = given["view"] | {"id": id}
        return {"view": self.views.modals[id]}

    async def _view_publish(self, _team: Team, given: dict[str, Any]) -> dict[str, Any]:
        _check_view(given["view"])
        if given["user_id"] not in self.users:
            raise Refusal("user_not_found")
        self.views.home[given["user_id"]] = given["view"]
        return {"view": given["view"] | {"id": f"VH{given['user_id']}"}}


def _check_view(view: dict[str, Any]) -> None:
    if code := wrong_view(view):
        raise Refusal(code)


def _between(channel: Channel, given: dict[str, Any]) -> list[Message]:
    """Return the messages of a time that are there, oldest first."""
    oldest, latest = float(given.get("oldest") or 0), float(given.get("latest") or 1e12)
    inclusive = bool(given.get("inclusive"))
    return [
        one
        for ts, one in sorted(channel.messages.items())
        if (oldest < float(ts) < latest or (inclusive and float(ts) in {oldest, latest}))
        and (not one.deleted or one.subtype == "tombstone")
    ]
