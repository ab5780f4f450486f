"""Who is where in the world, told to the twin as platforms tell it, and who could see what at which moment."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random

from bot.access import FRESH, Kind, PlaceKind
from bot.people.register import People
from tests.bot.people.worlds import Account, Spot, World, may_see

TENANT = "sim:T1"
MEMBERS = tuple(f"sim:T1:U{n}" for n in range(1, 5))
GUEST = "sim:T1:G1"
PUBLIC, OTHER, CLOSED, SECRET, DIRECT = "sim:T1:C1", "sim:T1:C2", "sim:T1:P1", "sim:T1:P2", "sim:T1:D1"
LEARNING = (OTHER, SECRET)
_KINDS = {
    PUBLIC: PlaceKind.PUBLIC,
    OTHER: PlaceKind.PUBLIC,
    CLOSED: PlaceKind.PRIVATE,
    SECRET: PlaceKind.PRIVATE,
    DIRECT: PlaceKind.DIRECT,
}


@dataclass(frozen=True)
class _Moment:
    """Who is where, from one tick to another; when accounts and places were confirmed, in seconds."""

    inside: dict[str, frozenset[str]]
    confirmed: dict[str, float]
    since: int
    until: int | None = None


class Crowd:
    """The people and places of a world, with everything that changed."""

    def __init__(self, random: Random, tick: Callable[[], int]) -> None:
        self._random = random
        self._tick = tick
        inside = {
            PUBLIC: frozenset(MEMBERS),
            OTHER: frozenset(MEMBERS[:3]),
            CLOSED: frozenset(MEMBERS[:2]),
            SECRET: frozenset({MEMBERS[0], MEMBERS[2]}),
            DIRECT: frozenset({MEMBERS[0]}),
        }
        self._moments = [_Moment(inside, {}, 0)]
        self._changing = asyncio.Lock()

    @property
    def inside(self) -> dict[str, frozenset[str]]:
        return self._moments[-1].inside

    def members(self, place: str) -> list[str]:
        return sorted(self.inside[place])

    async def told(self, people: People, now: float) -> None:
        """Have the twin know of everyone and everything, confirmed at this moment."""
        async with self._changing:
            began = self._begin(self.inside, dict.fromkeys((*MEMBERS, GUEST, *_KINDS), now))
            for account in (*MEMBERS, GUEST):
                await people.met(account, tenant=TENANT, kind=Kind.GUEST if account == GUEST else Kind.MEMBER, name=account)
            for place, kind in _KINDS.items():
                await people.placed(place, tenant=TENANT, kind=kind)
                await people.members(place, self.inside[place])
                await people.learning(place, place in LEARNING)
            self._end(began)

    async def listed(self, people: People, now: float) -> None:
        """Have the twin know who is where, as adapters do when they come back: what they missed they do not know."""
        async with self._changing:
            began = self._begin(self.inside, {**self._moments[-1].confirmed, **dict.fromkeys(_KINDS, now)})
            for place in _KINDS:
                await people.members(place, self.inside[place])
            self._end(began)

    async def confirmed(self, people: People, now: float) -> None:
        """Confirm what is known, as far as it is fresh."""
        async with self._changing:
            last = self._moments[-1].confirmed
            fresh = {name: now if now - then <= FRESH.total_seconds() else then for name, then in last.items()}
            began = self._begin(self.inside, fresh)
            await people.unchanged(TENANT)
            self._end(began)

    async def moves(self, people: People, place: str = "", account: str = "") -> None:
        """Have somebody come into a place, or leave it."""
        async with self._changing:
            place = place or self._random.choice([PUBLIC, OTHER, CLOSED, SECRET, SECRET, CLOSED])
            account = account or self._random.choice([*MEMBERS, GUEST])
            there = account in self.inside[place]
            after = self.inside[place] - {account} if there else self.inside[place] | {account}
            if not after:
                return
            began = self._begin({**self.inside, place: after}, self._moments[-1].confirmed)
            await (people.left(place, account) if there else people.joined(place, account))
            self._end(began)

    def _begin(self, inside: dict[str, frozenset[str]], confirmed: dict[str, float]) -> _Moment:
        moment = _Moment(inside, confirmed, self._tick())
        self._moments.append(moment)
        return moment

    def _end(self, began: _Moment) -> None:
        """Note that a change is known; what was before it holds no longer."""
        now = self._tick()
        before = [replace(one, until=now) if one.until is None else one for one in self._moments[:-1]]
        self._moments = [*before, began]

    def scopes(self, place: str, person: str, since: int, now: float) -> set[str]:
        """Return what all readers of a reply could see at some moment since a tick."""
        held = [one for one in self._moments if one.until is None or one.until >= since]
        return {scope for one in held for scope in may_see(_world(one, now), place, person)}


def _world(moment: _Moment, now: float) -> World:
    def age(name: str) -> timedelta:
        return timedelta(seconds=now - moment.confirmed.get(name, -1e9))

    accounts = [
        Account(account, account, TENANT, "guest" if account == GUEST else "member", True, age(account))
        for account in (*MEMBERS, GUEST)
    ]
    spots = [
        Spot(place, TENANT, kind.value, False, age(place), moment.inside.get(place, frozenset()))
        for place, kind in _KINDS.items()
    ]
    return World(accounts, spots, {})


def own(person: str) -> str:
    """Return the scope of what is a person's alone."""
    return f"person:{person}"


def scope_of(place: str, person: str) -> str:
    """Return the scope of what a person teaches in a place."""
    return own(person) if place == DIRECT else place
