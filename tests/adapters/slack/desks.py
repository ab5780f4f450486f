"""A desk that keeps what is handed in."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.chat import Message, Moved, Place, Removal


@dataclass
class Desk:
    """Keeps everything; `fails` has the next deliveries not kept."""

    messages: list[Message] = field(default_factory=list)
    removals: list[Removal] = field(default_factory=list)
    moves: list[Moved] = field(default_factory=list)
    stops: list[tuple[str, str, str]] = field(default_factory=list)
    anew: list[tuple[str, str, str]] = field(default_factory=list)
    speakers: set[tuple[str, str, str]] = field(default_factory=set)
    fails: int = 0

    async def receive(self, message: Message) -> None:
        if self.fails:
            self.fails -= 1
            raise OSError("the disk is full")
        self.messages.append(message)

    async def remove(self, removal: Removal) -> None:
        self.removals.append(removal)

    async def move(self, moved: Moved) -> None:
        self.moves.append(moved)

    async def again(self, event: str, message_id: str, *, place: Place, account: str) -> None:
        self.anew.append((message_id, place.id, account))

    async def stop(self, event: str, place: Place, thread: str, account: str) -> None:
        self.stops.append((place.id, thread, account))

    async def engaged(self, place: Place, thread: str, account: str) -> bool:
        return (place.id, thread, account) in self.speakers

    async def thread(self, place: Place, message: str) -> str | None:
        return next((one.thread for one in self.messages if (one.place, one.id) == (place.id, message)), None)


@dataclass(frozen=True)
class Learned:
    """A message that something was learned from."""

    place: str
    message: str
    changed_at: datetime
    thread: str | None = None


@dataclass
class Record:
    """What was learned, and when something was heard last."""

    learned: list[Learned] = field(default_factory=list)
    heard: datetime | None = None

    async def taught(self, tenant: str) -> AsyncIterator[Learned]:
        for one in self.learned:
            if one.place.startswith(f"{tenant}:"):
                yield one

    async def places(self, tenant: str) -> list[str]:
        return list({one.place: None for one in self.learned if one.place.startswith(f"{tenant}:")})

    async def last_heard(self, tenant: str) -> datetime | None:
        return self.heard


def now() -> datetime:
    return datetime.now(UTC)
