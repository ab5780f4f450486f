"""How what is in Discord is called over all platforms (pure).

A guild is a tenant `discord:G1`, a channel a place `discord:G1:C2`, somebody in a guild an account `discord:G1:U3`. Private
messages are of the tenant `discord:@me`, with the account `discord:@me:U3`, by which somebody is known in all guilds. What is
told to one person alone within a channel has a place of its own, `discord:G1:C2~U3`.

A thread that all readers of its channel can read is within the place of that channel, and called `tT4` there; a private thread
is a place of its own.
"""

from dataclasses import dataclass

PLATFORM = "discord"
PRIVATE = "@me"  # where a guild would be named, as in Discord's own links


@dataclass(frozen=True, slots=True)
class Where:
    """A channel of a guild, or of private messages; with `alone`, what one user of it is told there and nobody else sees."""

    guild: str
    channel: str
    alone: str = ""

    @property
    def direct(self) -> bool:
        return self.guild == PRIVATE

    @property
    def place(self) -> str:
        return place(self.guild, self.channel, self.alone)

    @property
    def tenant(self) -> str:
        return tenant(self.guild)


def tenant(guild: str | int) -> str:
    """Name a guild."""
    return f"{PLATFORM}:{guild}"


def place(guild: str | int, channel: str | int, alone: str | int = "") -> str:
    """Name a channel, or what is said in it to one user alone."""
    return f"{PLATFORM}:{guild}:{channel}~{alone}" if alone else f"{PLATFORM}:{guild}:{channel}"


def account(guild: str | int, user: str | int) -> str:
    """Name a user as they are known in a guild."""
    return f"{PLATFORM}:{guild}:{user}"


def where(place: str) -> Where:
    """Read the name of a place back."""
    _, guild, channel = place.split(":")
    channel, _, alone = channel.partition("~")
    return Where(guild, channel, alone)


def user(account: str) -> str:
    """Return the user id."""
    return account.rpartition(":")[2]


def guild(name: str) -> str:
    """Return the guild that a tenant, a place or an account belongs to."""
    return name.split(":")[1]


def thread(channel: str | int) -> str:
    """Name a thread within the place of its channel."""
    return f"t{channel}"


def is_thread(thread: str | None) -> bool:
    """Say whether a conversation within a place is a thread of Discord."""
    return thread is not None and thread.startswith("t")


def channel(place: str, thread: str | None) -> int:
    """Return the channel that something is posted to: the thread, or else the channel of the place."""
    return int(thread[1:] if thread is not None and is_thread(thread) else where(place).channel)
