"""Small random worlds of people and places, and who may see what in them, told by the definition and nothing else."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import Table

from bot.tables import ACCOUNTS, MEMBERSHIPS, PEOPLE, PLACES
from knowledge.tables import CHUNKS, DOCUMENTS, FILES, SCOPES, VERSIONS

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
AGES = [timedelta(0)] * 5 + [timedelta(minutes=15), timedelta(minutes=15, microseconds=1), timedelta(hours=3)]
KINDS = ["member", "member", "member", "guest", "external", "bot"]
PLACE_KINDS = ["public", "public", "private", "private", "group", "direct", "shared"]


@dataclass(frozen=True)
class Account:
    id: str
    person: str
    tenant: str
    kind: str
    active: bool
    age: timedelta

    @property
    def believed(self) -> bool:
        return self.active and self.kind != "bot" and self.age <= timedelta(minutes=15)


@dataclass(frozen=True)
class Spot:
    id: str
    tenant: str
    kind: str
    closed: bool
    age: timedelta
    inside: frozenset[str]

    @property
    def believed(self) -> bool:
        return not self.closed and self.age <= timedelta(minutes=15)


@dataclass(frozen=True)
class World:
    accounts: list[Account]
    spots: list[Spot]
    documents: dict[str, frozenset[str]]  # their scopes

    @property
    def people(self) -> list[str]:
        return sorted({account.person for account in self.accounts})


def random_world(random: Random, name: str) -> World:
    """Make a world of two tenants; ids begin with its name, so that many worlds fit into one database."""
    tenants = [f"{name}:A", f"{name}:B"]
    people = [f"{name}:p{n}" for n in range(random.randint(1, 6))]
    kinds = random.choice([KINDS, ["member"], ["member", "guest"], ["external", "guest"]])
    ages = random.choice([AGES, [timedelta(0)]])
    accounts = [
        Account(
            f"{person}:{n}",
            person,
            random.choice(tenants),
            random.choice(kinds),
            random.random() < 0.9,
            random.choice(ages),
        )
        for person in people
        for n in range(random.choice([1, 1, 1, 2, 3]))
    ]
    spots = [_random_spot(random, f"{name}:c{n}", tenants, accounts, ages) for n in range(random.randint(1, 8))]
    scopes = [spot.id for spot in spots] * 2 + [f"person:{person}" for person in people]
    scopes += ["everyone", "guide", "local", f"{name}:nowhere"]
    documents = {f"{name}:d{n}": frozenset(random.choices(scopes, k=random.choice([1, 1, 2, 3]))) for n in range(5)}
    return World(accounts, spots, documents)


def _random_spot(random: Random, id: str, tenants: list[str], accounts: list[Account], ages: list[timedelta]) -> Spot:
    kind, crowded = random.choice(PLACE_KINDS), random.choice([0.0, 0.2, 0.5, 0.8, 1.0])
    inside = frozenset(account.id for account in accounts if random.random() < crowded)
    if kind == "direct" and random.random() < 0.8:
        inside = frozenset([random.choice(accounts).id])
    return Spot(id, random.choice(tenants), kind, random.random() < 0.08, random.choice(ages), inside)


# --- the definition


def may_see(world: World, place: str, asker: str) -> set[str]:
    """Return the scopes that a reply to somebody in a place may use, by trying each scope with each reader."""
    if place == asker == "local":
        return {"local", "person:local", "everyone", "guide"}
    if place == "local":
        return {scope for scope in _all_scopes(world, asker) if _may_read(world, asker, scope)} | {"guide"}
    here = next((spot for spot in world.spots if spot.id == place), None)
    own = {place, "guide"}
    if here is None or not here.believed or here.kind == "shared":
        return own
    readers = {account.person for account in world.accounts if account.id in here.inside and _can_look(account)}
    readers |= {asker} - {"local"}
    if here.kind == "public":
        readers.add(f"whoever is a member of {here.tenant}")
    if not readers:
        return own
    return own | {scope for scope in _all_scopes(world, asker) if all(_may_read(world, reader, scope) for reader in readers)}


def _can_look(account: Account) -> bool:
    return account.active and account.kind != "bot"


def _all_scopes(world: World, asker: str) -> set[str]:
    return {spot.id for spot in world.spots} | {f"person:{person}" for person in [*world.people, asker]} | {"everyone"}


def _may_read(world: World, reader: str, scope: str) -> bool:
    return any(scope in read for read in _what_is_read_by(world, reader))


def _what_is_read_by(world: World, reader: str) -> Iterator[set[str]]:
    yield {f"person:{reader}"}
    believed = [spot for spot in world.spots if spot.believed]
    for account in world.accounts:
        if account.person == reader and account.believed:
            yield {spot.id for spot in believed if account.id in spot.inside}
            if account.kind == "member":
                yield {"everyone"} | {spot.id for spot in believed if (spot.kind, spot.tenant) == ("public", account.tenant)}
    for tenant in {spot.tenant for spot in believed}:
        if reader == f"whoever is a member of {tenant}":
            yield {"everyone"} | {spot.id for spot in believed if (spot.kind, spot.tenant) == ("public", tenant)}


# --- in a database


def rows(worlds: list[World]) -> Iterator[tuple[Table, list[dict[str, Any]]]]:
    """Yield the rows of worlds, table by table."""
    accounts = [account for world in worlds for account in world.accounts]
    spots = [spot for world in worlds for spot in world.spots]
    documents = {id: scopes for world in worlds for id, scopes in world.documents.items()}
    people = [{"id": person, "name": "", "created_at": NOW} for world in worlds for person in world.people]
    yield PEOPLE, people
    yield ACCOUNTS, [_account(account) for account in accounts]
    yield PLACES, [_place(spot) for spot in spots]
    yield MEMBERSHIPS, [{"place_id": spot.id, "account_id": account} for spot in spots for account in sorted(spot.inside)]
    yield FILES, [{"sha256": "0" * 64, "size": 1}]
    yield DOCUMENTS, [_document(id) for id in documents]
    yield SCOPES, [{"document_id": id, "scope": scope} for id, scopes in documents.items() for scope in sorted(scopes)]
    yield VERSIONS, [_version(id) for id in documents]
    yield CHUNKS, [_passage(id) for id in documents]


def _account(account: Account) -> dict[str, Any]:
    row = {"id": account.id, "person_id": account.person, "tenant": account.tenant, "kind": account.kind}
    return {**row, "active": account.active, "confirmed_at": NOW - account.age}


def _place(spot: Spot) -> dict[str, Any]:
    row = {"id": spot.id, "tenant": spot.tenant, "kind": spot.kind, "name": "", "learns": False}
    return {**row, "closed": spot.closed, "confirmed_at": NOW - spot.age}


def _document(id: str) -> dict[str, Any]:
    return {"id": id, "source": id, "name": id, "url": "", "tags": [], "added_by": ""}


def _version(id: str) -> dict[str, Any]:
    row = {"id": id, "document_id": id, "number": 1, "sha256": "0" * 64, "state": "ready", "title": id, "kind": "text"}
    return {**row, "text": "x", "passages": 1, "authors": [], "added_at": NOW}


def _passage(id: str) -> dict[str, Any]:
    return {"id": id, "version_id": id, "n": 0, "start": 0, "end": 1, "text": "x", "context": ""}
