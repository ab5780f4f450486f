"""Who and what platforms have told of, to be looked through by whoever runs the twin. Rows never leave it."""

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.people.register import UnknownAccount
from bot.tables import ACCOUNTS, MEMBERSHIPS, PEOPLE, PLACES, ROLES

_ACCOUNT = [ACCOUNTS.c[name] for name in ("id", "person_id", "tenant", "kind", "active")]


@dataclass(frozen=True, slots=True)
class Account:
    """An account of a platform; `tenant` is its workspace or guild."""

    id: str
    person: str
    tenant: str
    kind: str
    active: bool


@dataclass(frozen=True, slots=True)
class Someone:
    """A person with their accounts, and the roles that an owner has granted, as tenant and role."""

    id: str
    name: str
    accounts: tuple[Account, ...]
    roles: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Somewhere:
    """A place; `members` are those who are known to be in it, `learns` that chat is learned there."""

    id: str
    name: str
    tenant: str
    kind: str
    learns: bool
    closed: bool
    members: int


class Directory:
    """Lists people and places."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine.execution_options(reading=True)

    async def people(self) -> list[Someone]:
        """Return everyone, by name."""
        async with self._engine.connect() as connection:
            people = (await connection.execute(select(PEOPLE.c.id, PEOPLE.c.name).order_by(PEOPLE.c.name, PEOPLE.c.id))).all()
            accounts = (await connection.execute(select(*_ACCOUNT).order_by(ACCOUNTS.c.id))).all()
            roles = (await connection.execute(select(ROLES).order_by(ROLES.c.tenant, ROLES.c.role))).all()
        held, granted = defaultdict[str, list[Account]](list), defaultdict[str, list[tuple[str, str]]](list)
        for account in accounts:
            held[account.person_id].append(Account(*account))
        for role in roles:
            granted[role.person_id].append((role.tenant, role.role))
        return [Someone(id, name, tuple(held[id]), tuple(granted[id])) for id, name in people]

    async def account(self, account: str) -> Account:
        """Return an account; raises `UnknownAccount`."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(select(*_ACCOUNT).where(ACCOUNTS.c.id == account))).first()
        if row is None:
            raise UnknownAccount(account)
        return Account(*row)

    async def places(self) -> list[Somewhere]:
        """Return every place, by tenant and name."""
        members = select(func.count()).where(MEMBERSHIPS.c.place_id == PLACES.c.id).scalar_subquery()
        columns = [PLACES.c[name] for name in ("id", "name", "tenant", "kind", "learns", "closed")]
        query = select(*columns, members.label("members")).order_by(PLACES.c.tenant, PLACES.c.name, PLACES.c.id)
        async with self._engine.connect() as connection:
            return [Somewhere(**place) for place in (await connection.execute(query)).mappings()]
