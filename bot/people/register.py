"""What platforms tell about people and places, written down: the side of `bot.access` that changes."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import uuid4

from sqlalchemy import Table, Update, and_, bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot import db
from bot.access import FRESH, LOCAL, is_reserved
from bot.chat import Account, Person
from bot.errors import TwinError
from bot.people.kinds import Kind, PlaceKind, Role
from bot.tables import ACCOUNTS, MEMBERSHIPS, PEOPLE, PLACES, ROLES

T = TypeVar("T")

NEVER = datetime(1970, 1, 1, tzinfo=UTC)  # when something was confirmed that was not
_SLICE = 500  # rows in one statement
_SAME_EVERYWHERE = {"discord"}  # platforms on which a user has the same id in all tenants


_ROSTER = update(ACCOUNTS).where(ACCOUNTS.c.id == bindparam("of"))
_NAMED = update(PEOPLE).where(
    PEOPLE.c.id == select(ACCOUNTS.c.person_id).where(ACCOUNTS.c.id == bindparam("of")).scalar_subquery()
)


class UnknownAccount(TwinError):
    """An account that no platform has told of."""

    def __init__(self, account: str) -> None:
        super().__init__(f"I do not know the account {account!r} yet. Say something to me from it first.")


class UnknownPerson(TwinError):
    """A person of whom no platform has told."""

    def __init__(self, person: Person) -> None:
        super().__init__(f"I do not know anybody called {person.id!r} yet. They have to say something to me first.")


class UnknownPlace(TwinError):
    """A place of which no platform has told."""

    def __init__(self, place: str) -> None:
        super().__init__(f"I know no place {place!r}. Invite me to it first.")


class People:
    """Writes down people, accounts, places, memberships and roles. Each method is one transaction, and may be repeated.

    What it says holds with the next question to `Access`, in every process. Nothing is believed that was not confirmed lately:
    an account by `met`, a place by `members`, and both by `unchanged` as long as no event of their platform was missed.
    """

    def __init__(self, engine: AsyncEngine, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._engine = engine
        self._clock = clock

    # --- accounts

    async def met(self, account: str, *, tenant: str, kind: Kind, name: str = "") -> Person:
        """Write down an active account as its platform shows it now; return whose it is, somebody new if need be."""
        _check(account)
        now = self._clock()
        known = {"tenant": tenant, "kind": kind, "active": True, "confirmed_at": now}
        async with self._engine.begin() as connection:
            changed = update(ACCOUNTS).where(ACCOUNTS.c.id == account).values(known).returning(ACCOUNTS.c.person_id)
            person = (await connection.execute(changed)).scalar()
            if person is None:
                person = account  # what is said of a person before and after the first meeting goes by one id
                await _add(connection, PEOPLE, [{"id": person, "name": name, "created_at": now}])
                await _add(connection, ACCOUNTS, [{"id": account, "person_id": person, **known}])
            if name:
                await connection.execute(update(PEOPLE).where(PEOPLE.c.id == person).values(name=name))
        return Person(person)

    async def roster(self, tenant: str, accounts: Sequence[Account]) -> None:
        """Write down many accounts of a tenant as its platform lists them now, those that are not active any more too."""
        for account in accounts:
            _check(account.id)
        now = self._clock()
        for some in _slices(accounts):
            async with self._engine.begin() as connection:
                there = select(ACCOUNTS.c.id).where(ACCOUNTS.c.id.in_([one.id for one in some]))
                known = set((await connection.execute(there)).scalars())
                new = [one for one in some if one.active and one.id not in known]
                whose = await _holders(connection, [one.same_as for one in new if one.same_as])
                own = [one for one in new if one.same_as not in whose]
                await _add(connection, PEOPLE, [{"id": one.id, "name": one.name, "created_at": now} for one in own])
                rows = [
                    {"id": one.id, "person_id": whose.get(one.same_as, one.id), **_account(one, tenant, now)} for one in new
                ]
                await _add(connection, ACCOUNTS, rows)
                await _change(connection, _ROSTER, [{"of": one.id, **_account(one, tenant, now)} for one in some])
                await _change(connection, _NAMED, [{"of": one.id, "name": one.name} for one in some if one.name and one.active])

    async def gone(self, account: str) -> None:
        """Write down that an account was deactivated: it reads nothing any more, and does nothing."""
        async with self._engine.begin() as connection:
            now = {"active": False, "confirmed_at": self._clock()}
            await connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.id == account).values(now))

    async def unchanged(self, tenant: str) -> None:
        """Confirm what is known of a tenant: its events have come without a gap. What was doubtful before stays doubtful."""
        now = self._clock()
        async with self._engine.begin() as connection:
            for table in (ACCOUNTS, PLACES):
                lately = (table.c.tenant == tenant, table.c.confirmed_at >= now - FRESH)
                await connection.execute(update(table).where(*lately).values(confirmed_at=now))

    # --- places

    async def placed(self, place: str, *, tenant: str, kind: PlaceKind, name: str = "") -> None:
        """Write down what a place is. A new one is only believed when its `members` are known."""
        _check(place)
        known = {"tenant": tenant, "kind": kind, "name": name}
        async with self._engine.begin() as connection:
            if (await connection.execute(update(PLACES).where(PLACES.c.id == place).values(known))).rowcount == 0:
                new = {"id": place, **known, "learns": False, "closed": False, "confirmed_at": NEVER}
                await _add(connection, PLACES, [new])

    async def members(self, place: str, accounts: Iterable[str]) -> None:
        """Write down everyone who is in a place, as its platform lists them now; raises `UnknownPlace`.

        In a public place too: those who are not full members of the tenant would not be known otherwise.
        """
        wanted = set(accounts)
        async with self._in(place) as (connection, tenant):
            there = select(MEMBERSHIPS.c.account_id).where(MEMBERSHIPS.c.place_id == place)
            before = set((await connection.execute(there)).scalars())
            await _enter(connection, place, tenant, sorted(wanted - before), self._clock())
            for left in _slices(sorted(before - wanted)):
                rows = (MEMBERSHIPS.c.place_id == place, MEMBERSHIPS.c.account_id.in_(left))
                await connection.execute(delete(MEMBERSHIPS).where(*rows))
            await connection.execute(update(PLACES).where(PLACES.c.id == place).values(confirmed_at=self._clock()))

    async def joined(self, place: str, account: str) -> None:
        """Write down that an account has come into a place; raises `UnknownPlace`."""
        async with self._in(place) as (connection, tenant):
            await _enter(connection, place, tenant, [account], self._clock())

    async def left(self, place: str, account: str) -> None:
        """Write down that an account has left a place, or was removed from it."""
        row = (MEMBERSHIPS.c.place_id == place, MEMBERSHIPS.c.account_id == account)
        async with self._engine.begin() as connection:
            await connection.execute(delete(MEMBERSHIPS).where(*row))

    async def reads(self, account: str, tenant: str, places: Iterable[str]) -> None:
        """Write down all places of a tenant that an account is in now; those that nobody has told of are left out."""
        mine = select(MEMBERSHIPS.c.place_id).join(PLACES, PLACES.c.id == MEMBERSHIPS.c.place_id)
        async with self._engine.begin() as connection:
            there = select(PLACES.c.id).where(PLACES.c.tenant == tenant)
            wanted = set(places) & set((await connection.execute(there)).scalars())
            held = mine.where(MEMBERSHIPS.c.account_id == account, PLACES.c.tenant == tenant)
            before = set((await connection.execute(held)).scalars())
            await _add(connection, MEMBERSHIPS, [{"place_id": one, "account_id": account} for one in sorted(wanted - before)])
            for left in _slices(sorted(before - wanted)):
                rows = (MEMBERSHIPS.c.account_id == account, MEMBERSHIPS.c.place_id.in_(left))
                await connection.execute(delete(MEMBERSHIPS).where(*rows))

    async def closed(self, place: str) -> None:
        """Write down that a place was archived or deleted, or that the twin is in it no longer."""
        async with self._engine.begin() as connection:
            await connection.execute(update(PLACES).where(PLACES.c.id == place).values(closed=True))

    async def doubted(self, place: str) -> None:
        """Write down that what is known of a place may be wrong; it is believed when its `members` are known anew."""
        async with self._engine.begin() as connection:
            await connection.execute(update(PLACES).where(PLACES.c.id == place).values(confirmed_at=NEVER))

    async def reopened(self, place: str) -> None:
        """Write down that a closed place is open again; it is believed when its `members` are known anew."""
        again = update(PLACES).where(PLACES.c.id == place, PLACES.c.closed.is_(True))
        async with self._engine.begin() as connection:
            await connection.execute(again.values(closed=False, confirmed_at=NEVER))

    async def learning(self, place: str, on: bool) -> None:
        """Switch on or off that chat is learned in a place; raises `UnknownPlace`."""
        async with self._in(place) as (connection, _):
            await connection.execute(update(PLACES).where(PLACES.c.id == place).values(learns=on))

    async def digesting(self, place: str, person: str) -> None:
        """Write down who wants a digest posted in a place each week, nobody when empty; raises `UnknownPlace`."""
        async with self._in(place) as (connection, _):
            await connection.execute(update(PLACES).where(PLACES.c.id == place).values(digest_by=person))

    async def digested(self) -> list[str]:
        """Return the open places where a digest is wanted each week."""
        query = select(PLACES.c.id).where(PLACES.c.digest_by != "", PLACES.c.closed.is_(False)).order_by(PLACES.c.id)
        async with self._engine.connect() as connection:
            return list((await connection.execute(query)).scalars())

    async def wants_digest(self, place: str) -> tuple[str, str] | None:
        """Return who wants the digest of a place, and the account by which they are there; nobody who is there no more."""
        account = (
            ACCOUNTS.c.person_id == PLACES.c.digest_by,
            ACCOUNTS.c.tenant == PLACES.c.tenant,
            ACCOUNTS.c.active.is_(True),
        )
        query = select(PLACES.c.digest_by, ACCOUNTS.c.id).join(ACCOUNTS, and_(*account))
        async with self._engine.connect() as connection:
            row = (await connection.execute(query.where(PLACES.c.id == place, PLACES.c.closed.is_(False)))).first()
        return None if row is None else (row.digest_by, row.id)

    @asynccontextmanager
    async def _in(self, place: str) -> AsyncIterator[tuple[AsyncConnection, str]]:
        """Begin a transaction that no other one in this place runs beside; the tenant comes with it."""
        query = select(PLACES.c.tenant).where(PLACES.c.id == place).with_for_update()
        async with self._engine.begin() as connection:
            tenant = (await connection.execute(query)).scalar()
            if tenant is None:
                raise UnknownPlace(place)
            yield connection, tenant

    # --- people

    async def linked(self, account: str, person: Person) -> Person | None:
        """Write down that an account is this person's, with everything else that is its present holder's.

        Returns who is now nobody of their own: what is kept elsewhere under their id is the caller's to move. The caller has
        made sure that both are one: what one of them may see and do, the other one may from now on. Raises `UnknownAccount` and
        `UnknownPerson`.
        """
        async with self._engine.begin() as connection:
            await _require_person(connection, person, self._clock())
            holder = select(ACCOUNTS.c.person_id).where(ACCOUNTS.c.id == account)
            old = (await connection.execute(holder)).scalar()
            if old is None:
                raise UnknownAccount(account)
            if old == person.id:
                return None
            roles = await connection.execute(select(ROLES.c.tenant, ROLES.c.role).where(ROLES.c.person_id == old))
            await _add(connection, ROLES, [{"person_id": person.id, **role} for role in roles.mappings()])
            await connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.person_id == old).values(person_id=person.id))
            await connection.execute(delete(PEOPLE).where(PEOPLE.c.id == old))  # and the roles that were copied
            return Person(old)

    async def unlinked(self, account: str) -> bool:
        """Write down that an account is somebody of their own again; tell whether its person had others. They lose its roles.

        Accounts of the same user of the platform, in other tenants of it, go with it. What is kept of the person stays with the
        other accounts. Raises `UnknownAccount`.
        """
        async with self._engine.begin() as connection:
            holder = select(ACCOUNTS.c.person_id).where(ACCOUNTS.c.id == account)
            held_by = (await connection.execute(holder)).scalar()
            if held_by is None:
                raise UnknownAccount(account)
            theirs = select(ACCOUNTS.c.id, ACCOUNTS.c.tenant).where(ACCOUNTS.c.person_id == held_by)
            rows = (await connection.execute(theirs)).all()
            mine = {row.id: row.tenant for row in rows if _user(row.id) == _user(account)}
            left = {row.tenant for row in rows if row.id not in mine}
            if not left:
                return False
            taken = (await connection.execute(select(PEOPLE.c.id).where(PEOPLE.c.id == account))).first()
            person = f"{account}/{uuid4().hex[:8]}" if taken else account
            await _add(connection, PEOPLE, [{"id": person, "name": "", "created_at": self._clock()}])
            await connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.id.in_(mine)).values(person_id=person))
            roles = (ROLES.c.person_id == held_by, ROLES.c.tenant.in_(set(mine.values()) - left))
            await connection.execute(delete(ROLES).where(*roles))
        return True

    async def granted(self, person: Person, tenant: str, role: Role) -> None:
        """Make a person an owner or a teacher of a tenant, for as long as they are a full member; raises `UnknownPerson`."""
        if role not in {Role.OWNER, Role.TEACHER}:
            raise ValueError(f"{role} is not granted: it follows from the account")
        async with self._engine.begin() as connection:
            await _require_person(connection, person, self._clock())
            await _add(connection, ROLES, [{"person_id": person.id, "tenant": tenant, "role": role}])

    async def revoked(self, person: Person, tenant: str, role: Role) -> None:
        """Take a role from a person."""
        row = (ROLES.c.person_id == person.id, ROLES.c.tenant == tenant, ROLES.c.role == role)
        async with self._engine.begin() as connection:
            await connection.execute(delete(ROLES).where(*row))


def _check(id: str) -> None:
    if is_reserved(id):
        raise ValueError(f"{id!r} has a meaning of its own and cannot be an account or a place of a platform")


async def _require_person(connection: AsyncConnection, person: Person, now: datetime) -> None:
    if person.id == LOCAL:
        await _add(connection, PEOPLE, [{"id": LOCAL, "name": "", "created_at": now}])
    elif (await connection.execute(select(PEOPLE.c.id).where(PEOPLE.c.id == person.id))).first() is None:
        raise UnknownPerson(person)


async def _enter(connection: AsyncConnection, place: str, tenant: str, accounts: Sequence[str], now: datetime) -> None:
    """Add members to a place. Accounts that were never met are entered as strangers: they read it, and nothing else."""
    for some in _slices(accounts):
        known = select(ACCOUNTS.c.id).where(ACCOUNTS.c.id.in_(some))
        new = sorted(set(some) - set((await connection.execute(known)).scalars()))
        for account in new:
            _check(account)
        await _add(connection, PEOPLE, [{"id": one, "name": "", "created_at": now} for one in new])
        stranger = {"tenant": tenant, "kind": Kind.EXTERNAL, "active": True, "confirmed_at": NEVER}
        await _add(connection, ACCOUNTS, [{"id": one, "person_id": one, **stranger} for one in new])
        await _add(connection, MEMBERSHIPS, [{"place_id": place, "account_id": one} for one in some])


async def _add(connection: AsyncConnection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows, and leave those alone that are there already."""
    if rows:
        await connection.execute(db.insert(connection.dialect, table).on_conflict_do_nothing(), rows)


async def _change(connection: AsyncConnection, change: Update, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        await connection.execute(change, rows)


async def _holders(connection: AsyncConnection, accounts: Sequence[str]) -> dict[str, str]:
    """Return whose some accounts are."""
    query = select(ACCOUNTS.c.id, ACCOUNTS.c.person_id).where(ACCOUNTS.c.id.in_(accounts))
    return {row.id: row.person_id for row in await connection.execute(query)} if accounts else {}


def _user(account: str) -> str:
    """Return what is the same in all accounts of a user: elsewhere than in Slack, where each workspace has ids of its own."""
    platform, _, rest = account.partition(":")
    return f"{platform}:{rest.rpartition(':')[2]}" if platform in _SAME_EVERYWHERE else account


def _account(account: Account, tenant: str, now: datetime) -> dict[str, Any]:
    return {"tenant": tenant, "kind": account.kind, "active": account.active, "confirmed_at": now}


def _slices(items: Sequence[T]) -> Iterable[Sequence[T]]:
    return (items[begin : begin + _SLICE] for begin in range(0, len(items), _SLICE))
