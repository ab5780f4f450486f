"""How what is in Slack is called over all platforms (pure).

A workspace is a tenant `slack:T1`, a channel a place `slack:T1:C2`, somebody in a workspace an account `slack:T1:U3`. What the
twin says to one person alone within a channel has a place of its own, `slack:T1:C2~U3`: a private chat that stands there.
"""

from dataclasses import dataclass

PLATFORM = "slack"


@dataclass(frozen=True, slots=True)
class Where:
    """A channel of a workspace; with `alone`, what one user of it is told there and nobody else sees."""

    team: str
    channel: str
    alone: str = ""

    @property
    def place(self) -> str:
        return place(self.team, self.channel, self.alone)


def tenant(team: str) -> str:
    """Name a workspace."""
    return f"{PLATFORM}:{team}"


def place(team: str, channel: str, alone: str = "") -> str:
    """Name a channel, or what is said in it to one user alone."""
    return f"{PLATFORM}:{team}:{channel}~{alone}" if alone else f"{PLATFORM}:{team}:{channel}"


def account(team: str, user: str) -> str:
    """Name a user as they are known in a workspace."""
    return f"{PLATFORM}:{team}:{user}"


def where(place: str) -> Where:
    """Read the name of a place back."""
    _, team, channel = place.split(":")
    channel, _, alone = channel.partition("~")
    return Where(team, channel, alone)


def user(account: str) -> str:
    """Return the user id within the workspace."""
    return account.rpartition(":")[2]


def team(name: str) -> str:
    """Return the workspace that a tenant, a place or an account belongs to."""
    return name.split(":")[1]
