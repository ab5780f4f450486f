"""The questions to the database behind `bot.access`: which places people may read, all of them together, as of one moment.

Each is one statement, so that somebody who moves from place to place meanwhile is seen in one of them, never in a mixture.
What they are told: `place`, with `tenant` and `kind` as they were read, `person`, and `since` when what counts was confirmed.
"""

from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    Exists,
    FromClause,
    Select,
    String,
    and_,
    bindparam,
    distinct,
    func,
    literal,
    or_,
    select,
    union,
    union_all,
)

from bot.people.kinds import Kind, PlaceKind
from bot.tables import ACCOUNTS, MEMBERSHIPS, PLACES
from knowledge.columns import UtcDateTime

EVERYONE = "everyone"
OWN = "person:"  # before a person's id: what is theirs alone

_PLACE, _TENANT, _KIND, _PERSON = (bindparam(name, type_=String) for name in ("place", "tenant", "kind", "person"))
_SINCE = bindparam("since", type_=UtcDateTime)

_Id = ColumnElement[str]


def _live(place: FromClause) -> ColumnElement[bool]:
    return and_(place.c.closed.is_(False), place.c.confirmed_at >= _SINCE)


def _counts(account: FromClause) -> ColumnElement[bool]:
    """Say whether an account lets its person read anything."""
    return and_(account.c.active.is_(True), account.c.kind != Kind.BOT, account.c.confirmed_at >= _SINCE)


def _full(person: _Id, account: FromClause) -> Select[tuple[str]]:
    """Return the tenants that a person is a full member of."""
    return select(account.c.tenant).where(account.c.person_id == person, account.c.kind == Kind.MEMBER, _counts(account))


def _is_full(person: _Id, tenant: _Id, *outer: FromClause) -> ColumnElement[bool]:
    # As a list, so that SQLite looks among the few accounts of the person and not among the thousands of the tenant.
    return tenant.in_(_full(person, ACCOUNTS.alias()).correlate(*outer))


def _listed(person: _Id, member: FromClause) -> Select[tuple[str]]:
    """Return the places that a person is in."""
    account = ACCOUNTS.alias()
    query = select(member.c.place_id).join_from(account, member, account.c.id == member.c.account_id)
    return query.where(account.c.person_id == person, _counts(account))


def _is_listed(person: _Id, place: _Id, *outer: FromClause) -> Exists:
    member = MEMBERSHIPS.alias()
    return _listed(person, member).where(member.c.place_id == place).correlate(*outer).exists()


def _reads(person: _Id, place: FromClause, *outer: FromClause) -> ColumnElement[bool]:
    full = _is_full(person, place.c.tenant, *outer)
    return or_(and_(place.c.kind == PlaceKind.PUBLIC, full), _is_listed(person, place.c.id, *outer))


# --- who reads a place


def _present(*but: ColumnElement[bool], account: FromClause) -> CTE:
    """Return who is listed in the place, confirmed lately or not, and who speaks there."""
    listed = select(account.c.person_id.label("person")).join_from(
        MEMBERSHIPS, account, account.c.id == MEMBERSHIPS.c.account_id
    )
    listed = listed.where(MEMBERSHIPS.c.place_id == _PLACE, account.c.active.is_(True), account.c.kind != Kind.BOT, *but)
    return union(listed, _speaker()).cte("present")


def _speaker() -> Select[Any]:
    return select(_PERSON.label("person")).where(_PERSON.is_not(None))


def _members() -> CTE:
    return _present(account=ACCOUNTS.alias())


def _odd() -> CTE:
    """Return who reads a public place without being known for a full member of its tenant."""
    account = ACCOUNTS.alias()
    certain = and_(account.c.kind == Kind.MEMBER, account.c.tenant == _TENANT, account.c.confirmed_at >= _SINCE)
    present = _present(~certain, account=account)
    return select(present.c.person).where(~_is_full(present.c.person, _TENANT, present)).cte("odd")


# --- what all of them may read


def _readers(people: CTE) -> CTE:
    """Return people with the number of tenants that they are full members of."""
    account = ACCOUNTS.alias()
    full = _full(people.c.person, account).with_only_columns(func.count(distinct(account.c.tenant)))
    return select(people.c.person, full.correlate(people).scalar_subquery().label("tenants")).cte("readers")


def _fewest(readers: CTE) -> ColumnElement[str]:
    """Return a reader who may read little: only what they read need be tried with the others."""
    return select(readers.c.person).order_by(readers.c.tenants, readers.c.person).limit(1).scalar_subquery()


def _outsider(readers: CTE) -> Exists:
    """Say whether a reader is a full member of nothing."""
    return select(readers.c.person).where(readers.c.tenants == 0).exists()


def _common(readers: CTE) -> CTE:
    """Return the tenants that all readers are full members of."""
    account, reader = ACCOUNTS.alias(), readers.alias()
    lacking = select(reader.c.person).where(~_is_full(reader.c.person, account.c.tenant, reader, account))
    return _full(_fewest(readers), account).where(~lacking.correlate(account).exists()).distinct().cte("common")


def _candidates(where: ColumnElement[bool], place: FromClause) -> CTE:
    """Return places of some kind, to be tried with each reader."""
    query = select(place.c.id, place.c.kind, place.c.tenant).where(where, _live(place))
    # Postgres would try all places with all readers first, and look afterwards which of them are candidates.
    return query.cte("candidates").prefix_with("MATERIALIZED", dialect="postgresql")


def _read_by_all(people: CTE) -> CompoundSelect[Any]:
    """Return the scopes that all of these people may read; none when there is nobody."""
    readers = _readers(people)
    few, tenants = _fewest(readers), select(_common(readers).c.tenant)
    public, other, place, reader = PLACES.alias(), PLACES.alias(), PLACES.alias(), readers.alias()
    elsewhere = and_(other.c.tenant.in_(_full(few, ACCOUNTS.alias())), other.c.tenant.not_in(tenants))
    as_member = select(other.c.id).where(other.c.kind == PlaceKind.PUBLIC, elsewhere)
    is_common = and_(place.c.kind == PlaceKind.PUBLIC, place.c.tenant.in_(tenants))
    tried = _candidates(and_(place.c.id.in_(union(_listed(few, MEMBERSHIPS.alias()), as_member)), ~is_common), place)
    withheld = select(reader.c.person).where(~_reads(reader.c.person, tried, reader, tried)).correlate(tried)
    return union_all(
        select(literal(EVERYONE).label("scope")).where(select(readers.c.person).exists(), ~_outsider(readers)),
        select(literal(OWN) + func.min(readers.c.person)).having(func.count() == 1),
        select(public.c.id).where(public.c.kind == PlaceKind.PUBLIC, public.c.tenant.in_(tenants), _live(public)),
        select(tried.c.id).where(~withheld.exists()),
    )


def _open_to(odd: CTE) -> CompoundSelect[Any]:
    """Return the scopes that every full member of the tenant may read, now or in future, and these people too."""
    readers = _readers(odd)
    place, reader = PLACES.alias(), readers.alias()
    public = and_(place.c.kind == PlaceKind.PUBLIC, place.c.tenant == _TENANT)
    listed = place.c.id.in_(_listed(_fewest(readers), MEMBERSHIPS.alias()))
    tried = _candidates(and_(public, or_(~select(readers.c.person).exists(), listed)), place)
    withheld = select(reader.c.person).where(~_is_listed(reader.c.person, tried.c.id, reader, tried)).correlate(tried)
    return union_all(
        select(literal(EVERYONE).label("scope")).where(~_outsider(readers)),
        select(tried.c.id).where(~withheld.exists()),
    )


def _while_it_is_so(scopes: CompoundSelect[Any]) -> Select[tuple[str]]:
    """Return nothing when the place is not what it was read to be."""
    found = scopes.subquery()
    same = and_(PLACES.c.id == _PLACE, PLACES.c.tenant == _TENANT, PLACES.c.kind == _KIND, _live(PLACES))
    return select(found.c.scope).where(select(PLACES.c.id).where(same).exists())


IN_PUBLIC = _while_it_is_so(_open_to(_odd()))
AMONG_MEMBERS = _while_it_is_so(_read_by_all(_members()))
ALONE = _read_by_all(_speaker().cte("present"))
READS = select(PLACES.c.id).where(PLACES.c.id == _PLACE, _live(PLACES), _reads(_PERSON, PLACES, PLACES))
