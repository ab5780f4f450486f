"""Who may see and do what. The only place where an audience is made.

Each place is a scope. What belongs to one place is used in another when everyone who reads the other may read it too. A public
place is read by every full member of its tenant, whoever becomes one: what is used there must be open to them as such. Guests
and strangers read the places they are in. What the platform has not confirmed for a while lets nobody read anything; the people
it concerns still count as readers, so that not knowing never widens what is seen.
"""

from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot import db
from bot.chat import Person, Place
from bot.errors import TwinError
from bot.people import sight
from bot.people.kinds import Act, Kind, PlaceKind, Role
from bot.people.sight import EVERYONE, OWN
from bot.tables import ACCOUNTS, PLACES, ROLES
from knowledge import Audience

__all__ = ["EVERYONE", "FRESH", "GUIDE", "LOCAL", "Access", "Act", "Kind", "NotAllowed", "PlaceKind", "Role", "is_reserved"]

LOCAL = "local"  # the terminal, whoever sits at it, and what is taught there
GUIDE = "guide"  # what the twin says of itself; for all
FRESH = timedelta(minutes=15)  # how long what a platform confirmed is believed


class NotAllowed(TwinError):
    """Somebody may not do something; what they may not see reads as if it did not exist."""


def is_reserved(id: str) -> bool:
    """Say whether an id has a meaning of its own, so that no platform may use it."""
    return id in {LOCAL, EVERYONE, GUIDE} or id.startswith(OWN)


class Access:
    """Answers from the database as it is at the moment, never from memory: what is revoked is gone with the next question."""

    def __init__(self, engine: AsyncEngine, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._engine = engine.execution_options(reading=True)
        self._clock = clock

    async def person(self, account: str) -> Person:
        """Return whose account this is; an unknown one is somebody of whom nothing is known."""
        query = select(ACCOUNTS.c.person_id).where(ACCOUNTS.c.id == account)
        async with self._engine.connect() as connection:
            return Person((await connection.execute(query)).scalar() or account)

    # --- what is seen

    async def audience(self, place: Place, person: Person) -> Audience:
        """Return what everyone may see who can read a reply to this person in this place.

        It takes the person to be there: a place's own material is always used in it (see `may_read`).
        """
        if place.id == LOCAL and person.id == LOCAL:
            return Audience(frozenset({LOCAL, OWN + LOCAL, EVERYONE, GUIDE}))
        if place.id in {LOCAL, OWN + person.id}:
            return await self.alone(person)
        if is_reserved(place.id):
            return Audience(frozenset({GUIDE}))

        return await db.transaction(self._engine, lambda connection: self._among(connection, place, person))

    async def alone(self, person: Person) -> Audience:
        """Return what a person may see when nobody else reads along, whatever account they speak from."""
        return await db.transaction(self._engine, lambda connection: self._own(connection, person))

    async def both(self, place: Place, person: Person) -> tuple[Audience, Audience]:
        """Return what everyone may see who can read a reply to a person in a place, and what the person may see alone."""
        if is_reserved(place.id):
            return await self.audience(place, person), await self.alone(person)

        async def read(connection: AsyncConnection) -> tuple[Audience, Audience]:
            return await self._among(connection, place, person), await self._own(connection, person)

        return await db.transaction(self._engine, read)

    async def _among(self, connection: AsyncConnection, place: Place, person: Person) -> Audience:
        row = (await connection.execute(_PLACED, {"place": place.id})).one_or_none()
        if row is None or row.kind == PlaceKind.SHARED:
            return Audience(frozenset({place.id, GUIDE}))
        query = sight.IN_PUBLIC if row.kind == PlaceKind.PUBLIC else sight.AMONG_MEMBERS
        speaker = None if person.id == LOCAL else person.id  # the owner looks in from outside, and is not read by
        told = {"place": place.id, "tenant": row.tenant, "kind": row.kind, "person": speaker, "since": self._since()}
        return Audience(frozenset({place.id, GUIDE, *(await connection.execute(query, told)).scalars()}))

    async def _own(self, connection: AsyncConnection, person: Person) -> Audience:
        told = {"person": person.id, "since": self._since()}
        return Audience(frozenset({GUIDE, *(await connection.execute(sight.ALONE, told)).scalars()}))

    async def may_read(self, place: Place, person: Person) -> bool:
        """Say whether a person may read what is said in a place; the owner at the terminal may read everything."""
        if person.id == LOCAL or place.id == OWN + person.id:
            return True
        told = {"place": place.id, "person": person.id, "since": self._since()}
        async with self._engine.connect() as connection:
            return (await connection.execute(sight.READS, told)).first() is not None

    async def scope(self, place: Place, person: Person) -> str:
        """Return the scope of what a person teaches in a place: of a private chat it is the person's own."""
        if place.id == LOCAL:
            return LOCAL if person.id == LOCAL else OWN + person.id
        return OWN + person.id if await self.kind(place) == PlaceKind.DIRECT else place.id

    # --- what is done

    async def require(self, act: Act, person: Person, place: Place, *, there: bool = False) -> None:
        """Raise `NotAllowed` unless a person may do something in a place.

        `there` says that the platform itself has shown them in it: they spoke there. Without it they must be known to read it.
        """
        if not there and place.id != LOCAL and not await self.may_read(place, person):
            raise NotAllowed("I know no such place, or cannot tell that you are in it.")
        least = _LEAST.get(act)
        if least and not (await self.role(person, place)).is_at_least(least):
            raise NotAllowed(_REFUSALS[least])

    async def role(self, person: Person, place: Place) -> Role:
        """Return what a person is in the tenant of a place; in a place without one, at most a member."""
        if person.id == LOCAL:
            return Role.OWNER
        accounts = select(ACCOUNTS.c.kind).where(
            ACCOUNTS.c.person_id == person.id, ACCOUNTS.c.active.is_(True), ACCOUNTS.c.confirmed_at >= self._since()
        )
        tenant = select(PLACES.c.tenant).where(PLACES.c.id == place.id).scalar_subquery()
        granted = select(ROLES.c.role).where(ROLES.c.person_id == person.id, ROLES.c.tenant == tenant)
        if place.id not in {LOCAL, OWN + person.id}:
            accounts = accounts.where(ACCOUNTS.c.tenant == tenant)
        async with self._engine.connect() as connection:
            held = set((await connection.execute(accounts.union(granted))).scalars())
        if Kind.MEMBER not in held:  # a role is for as long as its holder is a full member
            return Role.GUEST if Kind.GUEST in held else Role.EXTERNAL
        return next(role for role in Role if role in held)

    # --- places

    async def kind(self, place: Place) -> PlaceKind | None:
        """Return what kind of place this is, if it is known; not whether it is open."""
        query = select(PLACES.c.kind).where(PLACES.c.id == place.id)
        async with self._engine.connect() as connection:
            kind = (await connection.execute(query)).scalar()
        return None if kind is None else PlaceKind(kind)

    async def learns(self, place: Place) -> bool:
        """Say whether an owner has switched on that chat is learned in a place."""
        return await self._is(place, PLACES.c.learns.is_(True), PLACES.c.closed.is_(False))

    async def learning(self, connection: AsyncConnection, places: Collection[str]) -> set[str]:
        """Return those of some places in which `learns` holds, within the transaction of a connection."""
        return set((await connection.execute(_LEARNING, {"places": list(places)})).scalars())

    async def digested(self, place: Place) -> bool:
        """Say whether a digest is posted in a place each week."""
        return await self._is(place, PLACES.c.digest_by != "", PLACES.c.closed.is_(False))

    async def closed(self, place: Place) -> bool:
        """Say whether a place is known to be archived or gone, or to be one that the twin is in no longer."""
        return await self._is(place, PLACES.c.closed.is_(True))

    async def _is(self, place: Place, *what: ColumnElement[bool]) -> bool:
        async with self._engine.connect() as connection:
            return (await connection.execute(select(PLACES.c.id).where(PLACES.c.id == place.id, *what))).first() is not None

    def _since(self) -> datetime:
        return self._clock() - FRESH


_PLACED = select(PLACES.c.tenant, PLACES.c.kind).where(PLACES.c.id == bindparam("place"))
_LEARNING = select(PLACES.c.id).where(
    PLACES.c.id.in_(bindparam("places", expanding=True)), PLACES.c.learns.is_(True), PLACES.c.closed.is_(False)
)
_LEAST = {
    Act.TEACH: Role.MEMBER,
    Act.TEACH_EVERYONE: Role.TEACHER,
    Act.FORGET_ANY: Role.TEACHER,
    Act.CONFIGURE: Role.OWNER,
    Act.STATS_ALL: Role.OWNER,
}

_REFUSALS = {
    Role.MEMBER: "Guests can ask me, but only full members can teach me.",
    Role.TEACHER: "Only teachers and owners can do that. An owner can make you a teacher.",
    Role.OWNER: "Only owners can do that.",
}
