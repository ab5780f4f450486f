"""The kinds of accounts and places there are, what people are, and what they do."""

from enum import StrEnum

from bot.chat import Kind, PlaceKind

__all__ = ["Act", "Kind", "PlaceKind", "Role"]


class Role(StrEnum):
    """What a person is in a tenant, the most first."""

    OWNER = "owner"
    TEACHER = "teacher"
    MEMBER = "member"
    GUEST = "guest"
    EXTERNAL = "external"

    def is_at_least(self, other: "Role") -> bool:
        """Say whether this role may do what the other one may."""
        order = list(Role)
        return order.index(self) <= order.index(other)


class Act(StrEnum):
    """What somebody may want to do."""

    ASK = "ask"
    SEARCH = "search"
    TEACH = "teach"
    TEACH_EVERYONE = "teach everyone"
    FORGET_ANY = "forget what others taught"
    FEEDBACK = "give feedback"
    CONFIGURE = "configure"
    STATS_ALL = "see the figures of all"
