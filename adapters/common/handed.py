"""What the adapter is handed: the twin, seen from a platform."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from adapters.common.orders import Ordered
from bot.chat import Account, Kind, Message, Moved, Person, Place, PlaceKind, Removal

__all__ = ["Desk", "People", "Sweep", "Taught", "Twin", "Vault"]


class Desk(Protocol):
    """Where everything is handed in that must survive a kill; when a method returns, it does. All may be repeated."""

    async def receive(self, message: Message) -> object:
        """Take in a message: said, edited or deleted."""

    async def remove(self, removal: Removal) -> None:
        """Take in that something is gone."""

    async def move(self, moved: Moved) -> None:
        """Take in that a place has another id now."""

    async def again(self, event: str, message_id: str, *, place: Place, account: str) -> None:
        """Have the question of an answer answered anew, where the answer stands."""

    async def stop(self, event: str, place: Place, thread: str, account: str) -> None:
        """Stop what is being answered to somebody in a thread."""

    async def engaged(self, place: Place, thread: str, account: str) -> bool:
        """Say whether somebody has spoken to the twin in a thread."""

    async def thread(self, place: Place, message: str) -> str | None:
        """Return the thread that a message is of, as long as it is remembered."""


class People(Protocol):
    """Writes down who is where; see `bot.people.register`."""

    async def met(self, account: str, *, tenant: str, kind: Kind, name: str = "") -> Person:
        """Write down an active account as it is now; return whose it is."""

    async def roster(self, tenant: str, accounts: Sequence[Account]) -> None:
        """Write down many accounts as they are now, in one transaction."""

    async def gone(self, account: str) -> None:
        """Write down that an account was deactivated."""

    async def placed(self, place: str, *, tenant: str, kind: PlaceKind, name: str = "") -> None:
        """Write down what a place is."""

    async def members(self, place: str, accounts: Iterable[str]) -> None:
        """Write down everyone who is in a place now."""

    async def joined(self, place: str, account: str) -> None:
        """Write down that somebody has come into a place."""

    async def left(self, place: str, account: str) -> None:
        """Write down that somebody has left a place."""

    async def reads(self, account: str, tenant: str, places: Iterable[str]) -> None:
        """Write down all places of a tenant that an account is in now."""

    async def closed(self, place: str) -> None:
        """Write down that a place was archived."""

    async def doubted(self, place: str) -> None:
        """Write down that a place is believed only when its members are known anew."""

    async def reopened(self, place: str) -> None:
        """Write down that a closed place is open again."""


class Twin(Ordered, Protocol):
    """Does what people ask for beside answering and learning."""

    async def may_teach(self, *, place: Place, person: Person) -> None:
        """Raise, with a sentence for people, unless somebody may teach the twin in a place."""

    async def may_forget_any(self, *, place: Place, person: Person) -> bool:
        """Say whether somebody may have forgotten what others taught."""


class Taught(Protocol):
    """A message that something was learned from."""

    @property
    def place(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def changed_at(self) -> datetime: ...
    @property
    def thread(self) -> str | None: ...


class Sweep(Protocol):
    """What the twin holds of a tenant, to be compared with what is there still."""

    def taught(self, tenant: str) -> AsyncIterator[Taught]:
        """Yield every message that something living was learned from."""

    async def places(self, tenant: str) -> list[str]:
        """Return the places of a tenant in which something was said to the twin, the latest first."""

    async def last_heard(self, tenant: str) -> datetime | None:
        """Return when the last delivery of a tenant was received."""


class Vault(Protocol):
    """Keeps secrets encrypted."""

    async def put(self, name: str, secret: Mapping[str, object]) -> None:
        """Keep a secret under a name, in place of what was there."""

    async def get(self, name: str) -> Mapping[str, object] | None:
        """Return a secret."""

    async def delete(self, name: str) -> bool:
        """Let go of a secret; say whether it was there, which is said once."""

    async def names(self, prefix: str) -> list[str]:
        """Return the names that begin so, in their order."""

    async def sealed(self) -> bool:
        """Say whether secrets can be kept: a key is set."""
