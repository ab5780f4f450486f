"""What there is in the simulated Slack."""

from dataclasses import dataclass, field
from typing import Any

SCOPES = (
    "app_mentions:read,assistant:write,channels:history,channels:read,chat:write,commands,files:read,files:write,"
    "groups:history,groups:read,im:history,im:read,im:write,mpim:read,mpim:history,reactions:write,team:read,users:read"
)


@dataclass
class Team:
    """A workspace with the app in it."""

    id: str
    token: str
    bot_user: str = "U0TWIN"
    bot_id: str = "B0TWIN"
    app_id: str = "A1"
    app_token: str = "xapp-1"  # noqa: S105
    name: str = "Acme"
    scopes: str = SCOPES
    installed: bool = True


@dataclass
class User:
    """Somebody in a workspace; `flags` as Slack names them (is_restricted, is_stranger, deleted, …)."""

    id: str
    name: str
    team: str
    flags: dict[str, Any] = field(default_factory=dict)

    def shown(self) -> dict[str, Any]:
        """Return the user as the Web API shows it."""
        profile = {"real_name": self.name, "display_name": self.name}
        base = {"id": self.id, "team_id": self.team, "name": self.name.lower(), "real_name": self.name, "profile": profile}
        return {**base, "deleted": False, "is_bot": False, "is_restricted": False, "is_ultra_restricted": False, **self.flags}


@dataclass
class Message:
    """A message, as it is now; `edits` are the texts it had."""

    ts: str
    channel: str
    user: str
    text: str = ""
    thread_ts: str | None = None
    blocks: list[dict[str, Any]] = field(default_factory=list)
    metadata: dict[str, Any] | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)
    files: list[dict[str, Any]] = field(default_factory=list)
    edits: list[str] = field(default_factory=list)
    subtype: str | None = None
    bot_id: str | None = None
    streaming: bool = False
    stopped: bool = False
    began: float = 0.0
    recipient: str = ""
    deleted: bool = False
    edited: str | None = None
    app_id: str | None = None

    def shown(self, *, metadata: bool = False) -> dict[str, Any]:
        """Return the message as the Web API shows it."""
        said: dict[str, Any] = {"type": "message", "ts": self.ts, "user": self.user, "text": self.text}
        optional = {
            "thread_ts": self.thread_ts,
            "blocks": self.blocks or None,
            "files": self.files or None,
            "subtype": self.subtype,
            "bot_id": self.bot_id,
            "app_id": self.app_id,
            "metadata": self.metadata if metadata else None,
            "edited": {"user": self.user, "ts": self.edited} if self.edited else None,
            "reactions": [{"name": n, "users": u, "count": len(u)} for n, u in self.reactions.items()] or None,
        }
        return said | {name: value for name, value in optional.items() if value is not None}


@dataclass
class Channel:
    """A channel; `flags` as Slack names them (is_private, is_im, is_ext_shared, …)."""

    id: str
    name: str
    team: str
    members: list[str]
    bot: bool = True
    flags: dict[str, Any] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)

    def is_(self, flag: str) -> bool:
        return bool(self.flags.get(f"is_{flag}"))

    def shown(self) -> dict[str, Any]:
        """Return the channel as the Web API shows it."""
        base = {"id": self.id, "name": self.name, "is_channel": not self.is_("im"), "is_private": False, "is_archived": False}
        kinds = {"is_im": False, "is_mpim": False, "is_ext_shared": False, "is_org_shared": False, "is_shared": False}
        return {**base, **kinds, "is_member": self.bot, "num_members": len(self.members), **self.flags}

    @property
    def type(self) -> str:
        if self.is_("im"):
            return "im"
        if self.is_("mpim"):
            return "mpim"
        return "group" if self.is_("private") else "channel"


@dataclass
class File:
    """A file, with its bytes."""

    id: str
    name: str
    data: bytes
    user: str
    about: dict[str, Any]
    team: str = "T1"
    channels: list[str] = field(default_factory=list)
    deleted: bool = False


@dataclass
class Delivery:
    """How events are delivered: so many times too often, in another order, or not at all while `lost`.

    Over HTTP also with a signature that is not Slack's, or one that is so many seconds old.
    """

    duplicates: int = 0
    reorder: bool = False
    lost: bool = False
    bad_signature: bool = False
    seconds_old: int = 0


class Refusal(Exception):
    """What a method answers with instead of doing something."""

    def __init__(self, code: str, **more: Any) -> None:
        super().__init__(code)
        self.code = code
        self.more = more
