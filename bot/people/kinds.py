"""The kinds of accounts and places there are, what people are, and what they do."""

from enum import StrEnum


class Kind(StrEnum):
    """What an account is in its tenant (workspace or guild)."""

    MEMBER = "member"
    GUEST = "guest"
    EXTERNAL = "external"
    BOT = "bot"


class PlaceKind(StrEnum):
    """Who reads a place.

    Every full member of the tenant (`public`), those in it (`private`, `group`), one person (`direct`), or those in it of whom
    some are strangers to the tenant (`shared`).
    """

    PUBLIC = "public"
    PRIVATE = "private"
    GROUP = "group"
    DIRECT = "direct"
    SHARED = "shared"


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
