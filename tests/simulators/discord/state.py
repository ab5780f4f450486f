"""What there is in the simulated Discord, and how it tells of it."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import time
from typing import Any

EPOCH = 1_420_070_400_000
TEXT, DIRECT, VOICE, CATEGORY, PUBLIC_THREAD, PRIVATE_THREAD = 0, 1, 2, 4, 11, 12
EPHEMERAL, VOICE_MESSAGE = 1 << 6, 1 << 13
ALL = 0x3FFFFFFFFFFF
MEMBER = 1 << 10 | 1 << 11 | 1 << 16 | 1 << 6

_numbers = itertools.count(1)

Json = dict[str, Any]


def snowflake(at: float | None = None) -> int:
    """Return a new id, which says when it was made."""
    return (int((time() if at is None else at) * 1000) - EPOCH) << 22 | next(_numbers) & 0x3FFFFF


def moment(id: int) -> str:
    """Return when an id was made, as Discord writes it."""
    return datetime.fromtimestamp(((id >> 22) + EPOCH) / 1000, UTC).isoformat()


@dataclass
class User:
    """Somebody."""

    id: int
    name: str
    bot: bool = False

    def json(self) -> Json:
        return {
            "id": str(self.id),
            "username": self.name.lower(),
            "discriminator": "0",
            "global_name": self.name,
            "avatar": None,
            "bot": self.bot,
        }


@dataclass
class Guild:
    """A guild; `roles` and `members` by id, the role of everyone has the guild's."""

    id: int
    name: str
    owner: int
    roles: dict[int, tuple[str, int]] = field(default_factory=dict)
    members: dict[int, list[int]] = field(default_factory=dict)

    def role(self, id: int) -> Json:
        name, permissions = self.roles[id]
        return {
            "id": str(id),
            "name": name,
            "color": 0,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
            "hoist": False,
            "position": 0 if id == self.id else 1,
            "permissions": str(permissions),
            "managed": False,
            "mentionable": False,
            "flags": 0,
        }


@dataclass
class Channel:
    """A channel, a thread of one (`parent`), or a private chat (with `user`)."""

    id: int
    name: str
    guild: int | None = None
    kind: int = TEXT
    overwrites: list[Json] = field(default_factory=list)
    nsfw: bool = False
    parent: int | None = None
    user: int | None = None
    messages: dict[int, "Message"] = field(default_factory=dict)

    @property
    def is_thread(self) -> bool:
        return self.kind in {PUBLIC_THREAD, PRIVATE_THREAD}

    def json(self) -> Json:
        last = max(self.messages, default=None)
        told: Json = {"id": str(self.id), "type": self.kind, "last_message_id": last and str(last), "flags": 0}
        if self.kind == DIRECT:
            return told
        told |= {"name": self.name, "guild_id": str(self.guild), "parent_id": self.parent and str(self.parent)}
        told |= {"rate_limit_per_user": 0, "last_pin_timestamp": None}
        if self.is_thread:
            told |= {"owner_id": "1", "message_count": 0, "member_count": 1, "total_message_sent": 0}
            about = {"archived": False, "auto_archive_duration": 1440, "archive_timestamp": moment(self.id), "locked": False}
            return told | {"thread_metadata": about | {"create_timestamp": moment(self.id)}}
        told |= {"position": 0, "permission_overwrites": self.overwrites, "nsfw": self.nsfw, "topic": None}
        return told


@dataclass
class Message:
    """A message as it stands; `history` is everything that it said before."""

    id: int
    channel: Channel
    author: User
    content: str
    attachments: list[Json] = field(default_factory=list)
    reference: int | None = None
    components: list[Json] = field(default_factory=list)
    flags: int = 0
    edited: str | None = None
    nonce: str | None = None
    deleted: bool = False
    only_for: int | None = None
    mentions: list[User] = field(default_factory=list)
    reactions: dict[str, set[int]] = field(default_factory=dict)
    history: list[str] = field(default_factory=list)

    @property
    def buttons(self) -> dict[str, str]:
        """The ids of the buttons below it, by what stands on them."""
        found = {}
        for row in self.components:
            for one in row.get("components", ()):
                found[str(one.get("label") or one["emoji"]["name"])] = one["custom_id"]
        return found

    @property
    def is_whole(self) -> bool:
        """Whether the twin has more to say in it."""
        return not {"Stop", "Working on it"} & set(self.buttons)

    def json(self, *, nested: bool = True, hidden: bool = False) -> Json:
        told: Json = {
            "id": str(self.id),
            "channel_id": str(self.channel.id),
            "author": self.author.json(),
            "content": "" if hidden else self.content,
            "timestamp": moment(self.id),
            "edited_timestamp": self.edited,
            "tts": False,
            "mention_everyone": False,
            "mentions": [one.json() for one in self.mentions],
            "mention_roles": [],
            "attachments": [] if hidden else self.attachments,
            "embeds": [],
            "pinned": False,
            "type": 19 if self.reference else 0,
            "components": [] if hidden else self.components,
            "flags": self.flags,
        }
        if self.reference:
            told["message_reference"] = {"type": 0, "message_id": str(self.reference), "channel_id": str(self.channel.id)}
            if nested:
                before = self.channel.messages.get(self.reference)
                told["referenced_message"] = before.json(nested=False) if before and not before.deleted else None
        return told


def row_of(components: Sequence[Json]) -> list[Json]:
    """Return buttons as Discord keeps them: each gets a number."""
    kept = []
    for row in components:
        inside = [{"id": n, **one} for n, one in enumerate(row.get("components", ()), 2)]
        for one in inside:
            if emoji := one.get("emoji"):
                one["emoji"] = {name: value for name, value in emoji.items() if value is not None}
        kept.append({"id": 1, **row, "components": inside})
    return kept
