"""Who may see and do what."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.access import EVERYONE, FRESH, GUIDE, LOCAL, Access, Act, Kind, NotAllowed, PlaceKind, Role
from bot.chat import Person, Place
from bot.db import open_database
from bot.people.register import People
from knowledge.catalogue import Catalogue
from tests.bot.clocks import Hands
from tests.bot.people.worlds import NOW, World, may_see, random_world, rows

HERE, MYSELF = Place(LOCAL), Person(LOCAL)
GENERAL, HELP, BOARD, TRIO = "slack:T1:general", "slack:T1:help", "slack:T1:board", "slack:T1:trio"
CHAT, PARTNERS, FAR = "slack:T1:anna-and-twin", "slack:T1:partners", "slack:T2:general"

# account: tenant, kind, where it is
ACCOUNTS: dict[str, tuple[str, Kind, Sequence[str]]] = {
    "olga": ("T1", Kind.MEMBER, (GENERAL, BOARD, TRIO, PARTNERS)),
    "anna": ("T1", Kind.MEMBER, (GENERAL, BOARD, CHAT, PARTNERS)),
    "ben": ("T1", Kind.MEMBER, (GENERAL, TRIO)),
    "solo": ("T1", Kind.GUEST, (HELP,)),
    "gus": ("T1", Kind.GUEST, (HELP, TRIO)),
    "eve": ("T2", Kind.EXTERNAL, (PARTNERS,)),
    "dora": ("T1", Kind.MEMBER, (GENERAL, BOARD)),
    "botty": ("T1", Kind.BOT, (GENERAL, BOARD, TRIO, CHAT)),
}
PLACES = {
    GENERAL: PlaceKind.PUBLIC,
    HELP: PlaceKind.PUBLIC,
    BOARD: PlaceKind.PRIVATE,
    TRIO: PlaceKind.GROUP,
    CHAT: PlaceKind.DIRECT,
    PARTNERS: PlaceKind.SHARED,
    FAR: PlaceKind.PUBLIC,
}


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    async with open_database(f"sqlite+aiosqlite:///{tmp_path / 'twin.db'}") as opened:
        yield opened


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
async def people(engine: AsyncEngine, hands: Hands) -> People:
    """Two tenants with all kinds of people and places; Dora's account was deactivated."""
    people = People(engine, clock=hands)
    for account, (tenant, kind, _) in ACCOUNTS.items():
        await people.met(account, tenant=tenant, kind=kind)
    for place, place_kind in PLACES.items():
        await people.placed(place, tenant=place.split(":")[1], kind=place_kind)
        await people.members(place, [account for account, (*_, places) in ACCOUNTS.items() if place in places])
    await people.gone("dora")
    await people.granted(Person("olga"), "T1", Role.OWNER)
    return people


@pytest.fixture
def access(engine: AsyncEngine, hands: Hands, people: People) -> Access:
    return Access(engine, clock=hands)


# --- the terminal


async def test_at_the_terminal_the_owner_sees_what_was_taught_there_and_what_is_open_to_all(access: Access) -> None:
    assert (await access.audience(HERE, MYSELF)).scopes == {LOCAL, f"person:{LOCAL}", EVERYONE, GUIDE}


async def test_a_person_asking_at_the_terminal_sees_what_they_may_see_in_private(access: Access) -> None:
    here = await access.audience(HERE, Person("anna"))
    assert here == await access.alone(Person("anna"))
    assert here.scopes == {"person:anna", EVERYONE, GUIDE, GENERAL, HELP, BOARD, CHAT, PARTNERS}


async def test_the_owner_at_the_terminal_sees_in_a_place_what_the_place_sees(access: Access) -> None:
    assert (await access.audience(Place(BOARD), MYSELF)).scopes == {BOARD, EVERYONE, GUIDE, GENERAL, HELP, PARTNERS}


async def test_the_owner_at_the_terminal_may_read_and_do_everything(access: Access) -> None:
    for place in (LOCAL, BOARD, CHAT, "slack:T1:nowhere"):
        assert await access.may_read(Place(place), MYSELF)
        for act in Act:
            await access.require(act, MYSELF, Place(place))


async def test_a_person_at_the_terminal_may_not_read_what_the_owner_said_there(access: Access) -> None:
    assert not await access.may_read(HERE, Person("anna"))
    assert not await access.may_read(Place("person:anna"), Person("ben"))
    assert await access.may_read(Place("person:anna"), Person("anna"))


# --- six kinds of people in six kinds of places

MATRIX = {  # who is asking: the places they may read
    "olga": {GENERAL, HELP, BOARD, TRIO, PARTNERS},
    "anna": {GENERAL, HELP, BOARD, CHAT, PARTNERS},
    "solo": {HELP},
    "gus": {HELP, TRIO},
    "eve": {PARTNERS},
    "dora": set[str](),
}


@pytest.mark.parametrize("person", MATRIX)
@pytest.mark.parametrize("place", [GENERAL, HELP, BOARD, TRIO, CHAT, PARTNERS, FAR])
async def test_a_person_reads_the_places_that_are_theirs_to_read(access: Access, person: str, place: str) -> None:
    assert await access.may_read(Place(place), Person(person)) == (place in MATRIX[person])


@pytest.mark.parametrize("person", MATRIX)
async def test_alone_a_person_sees_what_they_may_read_and_what_is_theirs(access: Access, person: str) -> None:
    open_to_all = {EVERYONE} if person in {"olga", "anna"} else set()
    assert (await access.alone(Person(person))).scopes == MATRIX[person] | open_to_all | {f"person:{person}", GUIDE}


@pytest.mark.parametrize(
    ("place", "also"),
    [
        (GENERAL, {EVERYONE, HELP}),  # what every full member may read
        (HELP, set()),  # two guests read along, who share nothing else
        (BOARD, {EVERYONE, GENERAL, HELP, PARTNERS}),  # Dora is gone, the bot does not count
        (TRIO, set()),  # Gus, a guest, is not in anything else that the others are in but the help, which they may read
        (CHAT, {EVERYONE, GENERAL, HELP, BOARD, PARTNERS, "person:anna"}),
        (PARTNERS, set()),  # strangers read along
        (FAR, {EVERYONE}),
    ],
)
async def test_a_place_uses_what_everyone_who_reads_it_may_read(access: Access, place: str, also: set[str]) -> None:
    asker = {BOARD: "anna", CHAT: "anna", PARTNERS: "anna", FAR: LOCAL}.get(place, "olga")
    also = also | ({HELP} if place == TRIO else set())
    assert (await access.audience(Place(place), Person(asker))).scopes == {place, GUIDE} | also


async def test_who_asks_reads_along_even_if_nothing_is_known_of_them(access: Access) -> None:
    for person, shared in (("stranger", set[str]()), ("dora", set[str]()), ("solo", {HELP}), ("eve", {PARTNERS})):
        assert (await access.audience(Place(BOARD), Person(person))).scopes == {BOARD, GUIDE} | shared
    assert (await access.audience(Place(GENERAL), Person("gus"))).scopes == {GENERAL, GUIDE, HELP}


async def test_two_in_a_private_chat_share_only_what_both_may_see(access: Access, people: People) -> None:
    await people.joined(CHAT, "ben")
    assert (await access.audience(Place(CHAT), Person("anna"))).scopes == {CHAT, GUIDE, EVERYONE, GENERAL, HELP}


async def test_a_private_place_where_everybody_of_the_tenant_is_stays_out_of_public_ones(
    access: Access, people: People
) -> None:
    everybody = [account for account, (tenant, *_) in ACCOUNTS.items() if tenant == "T1"]
    await people.members(BOARD, everybody)
    assert BOARD not in (await access.audience(Place(GENERAL), Person("anna"))).scopes


async def test_a_place_that_nobody_is_known_to_read_uses_only_its_own(access: Access, people: People) -> None:
    for there in ([], ["botty"], ["dora"]):
        await people.members(BOARD, there)
        assert (await access.audience(Place(BOARD), MYSELF)).scopes == {BOARD, GUIDE}


async def test_what_is_no_place_of_a_platform_gives_nothing_away_by_its_name(access: Access) -> None:
    for place in (EVERYONE, GUIDE, "person:anna"):
        assert (await access.audience(Place(place), Person("eve"))).scopes == {GUIDE}
    assert await access.audience(Place("person:anna"), Person("anna")) == await access.alone(Person("anna"))


# --- what changes, and what is not known


async def test_revocation_takes_effect_with_the_next_question(access: Access, people: People) -> None:
    assert BOARD in (await access.alone(Person("anna"))).scopes
    await people.left(BOARD, "anna")
    assert BOARD not in (await access.alone(Person("anna"))).scopes
    await people.joined(BOARD, "anna")
    await people.met("anna", tenant="T1", kind=Kind.GUEST)
    assert (await access.alone(Person("anna"))).scopes == {GUIDE, "person:anna", GENERAL, BOARD, CHAT, PARTNERS}
    await people.closed(BOARD)
    await people.gone("anna")
    assert (await access.alone(Person("anna"))).scopes == {GUIDE, "person:anna"}


async def test_an_unknown_place_uses_only_its_own(access: Access) -> None:
    assert (await access.audience(Place("slack:T1:nowhere"), Person("anna"))).scopes == {"slack:T1:nowhere", GUIDE}


async def test_what_was_not_confirmed_lately_opens_nothing(access: Access, hands: Hands) -> None:
    hands.move(FRESH)
    assert BOARD in (await access.audience(Place(CHAT), Person("anna"))).scopes
    hands.move(timedelta(microseconds=1))
    for place in PLACES:
        assert (await access.audience(Place(place), Person("anna"))).scopes == {place, GUIDE}
        assert not await access.may_read(Place(place), Person("anna"))
    assert (await access.alone(Person("anna"))).scopes == {GUIDE, "person:anna"}


async def test_one_place_that_was_not_confirmed_lately_is_used_nowhere_else(
    access: Access, people: People, hands: Hands
) -> None:
    hands.move(FRESH + timedelta(seconds=1))
    for account, (tenant, kind, _) in ACCOUNTS.items():
        await people.met(account, tenant=tenant, kind=kind)
    await people.members(GENERAL, ["anna"])
    await people.members(HELP, [])
    assert (await access.audience(Place(GENERAL), Person("anna"))).scopes == {GENERAL, GUIDE, EVERYONE, HELP}
    assert (await access.alone(Person("anna"))).scopes == {GUIDE, EVERYONE, "person:anna", GENERAL, HELP}


async def test_a_reader_who_was_not_confirmed_lately_may_read_nothing_but_reads_along(
    access: Access, people: People, hands: Hands
) -> None:
    hands.move(FRESH + timedelta(seconds=1))
    await people.met("anna", tenant="T1", kind=Kind.MEMBER)
    for place in (GENERAL, BOARD):
        await people.members(place, ["anna"])
        assert EVERYONE in (await access.audience(Place(place), Person("anna"))).scopes
        await people.members(place, ["anna", "ben"])
        assert (await access.audience(Place(place), Person("anna"))).scopes == {place, GUIDE}


async def test_linked_accounts_open_in_private_what_each_of_them_may_read(access: Access, people: People) -> None:
    await people.met("slack:T2:anna", tenant="T2", kind=Kind.MEMBER)
    await people.linked("slack:T2:anna", Person("anna"))
    assert await access.person("slack:T2:anna") == Person("anna")
    assert (await access.audience(Place(CHAT), Person("anna"))).scopes >= {FAR, BOARD}
    assert FAR not in (await access.audience(Place(BOARD), Person("anna"))).scopes


# --- roles and acts

MAY = {
    "olga": set(Act),
    "tom": set(Act) - {Act.CONFIGURE, Act.STATS_ALL},
    "ben": {Act.ASK, Act.SEARCH, Act.FEEDBACK, Act.TEACH},
    "gus": {Act.ASK, Act.SEARCH, Act.FEEDBACK},
    "eve": {Act.ASK, Act.SEARCH, Act.FEEDBACK},
    "dora": set[Act](),
    "stranger": set[Act](),
}
ROLES = {"olga": Role.OWNER, "tom": Role.TEACHER, "ben": Role.MEMBER, "gus": Role.GUEST, "eve": Role.EXTERNAL}


@pytest.mark.parametrize("person", MAY)
async def test_each_role_may_do_what_is_its_own_and_nothing_more(access: Access, people: People, person: str) -> None:
    await people.met("tom", tenant="T1", kind=Kind.MEMBER)
    await people.granted(Person("tom"), "T1", Role.TEACHER)
    place = Place(PARTNERS if person == "eve" else HELP)
    assert await access.role(Person(person), place) == ROLES.get(person, Role.EXTERNAL)
    for act in Act:
        if act in MAY[person]:
            await access.require(act, Person(person), place)
        else:
            with pytest.raises(NotAllowed):
                await access.require(act, Person(person), place)


async def test_a_place_that_may_not_be_seen_reads_as_if_it_did_not_exist(access: Access, people: People) -> None:
    await people.closed(HELP)
    said = set()
    for place in (BOARD, HELP, FAR, "slack:T1:nowhere", EVERYONE, GUIDE, "person:anna"):
        for act in Act:
            with pytest.raises(NotAllowed) as refusal:
                await access.require(act, Person("ben"), Place(place))
            said.add(str(refusal.value))
    assert len(said) == 1


async def test_whom_the_platform_shows_in_a_place_may_ask_there_and_is_still_only_what_is_known_of_them(access: Access) -> None:
    for person, place in (("stranger", "slack:T1:nowhere"), ("dora", GENERAL), ("eve", BOARD)):
        await access.require(Act.ASK, Person(person), Place(place), there=True)
        with pytest.raises(NotAllowed, match="full members"):
            await access.require(Act.TEACH, Person(person), Place(place), there=True)
        with pytest.raises(NotAllowed, match="Only owners"):
            await access.require(Act.CONFIGURE, Person(person), Place(place), there=True)


async def test_a_role_holds_in_its_tenant_and_for_as_long_as_its_holder_is_a_full_member(
    access: Access, people: People, hands: Hands
) -> None:
    olga = Person("olga")
    assert await access.role(olga, Place(FAR)) == Role.EXTERNAL
    await people.met("olga", tenant="T1", kind=Kind.GUEST)
    assert await access.role(olga, Place(GENERAL)) == Role.GUEST
    await people.met("olga", tenant="T1", kind=Kind.MEMBER)
    assert await access.role(olga, Place(GENERAL)) == Role.OWNER
    hands.move(FRESH + timedelta(seconds=1))
    assert await access.role(olga, Place(GENERAL)) == Role.EXTERNAL


async def test_without_a_tenant_a_person_is_at_most_a_member(access: Access) -> None:
    for person, role in (("olga", Role.MEMBER), ("gus", Role.GUEST), ("eve", Role.EXTERNAL), ("stranger", Role.EXTERNAL)):
        for place in (LOCAL, f"person:{person}"):
            assert await access.role(Person(person), Place(place)) == role


async def test_what_is_taught_in_private_is_the_persons_own_and_elsewhere_the_places(access: Access) -> None:
    assert await access.scope(HERE, MYSELF) == LOCAL
    assert await access.scope(HERE, Person("anna")) == "person:anna"
    assert await access.scope(Place(CHAT), Person("anna")) == "person:anna"
    assert await access.scope(Place(BOARD), Person("anna")) == BOARD


# --- a thousand worlds


async def fill(engine: AsyncEngine, worlds: list[World]) -> None:
    async with engine.begin() as connection:
        for table, values in rows(worlds):
            await connection.execute(insert(table), values)


async def test_in_a_thousand_random_worlds_nothing_leaks_and_nothing_is_missed(engine: AsyncEngine) -> None:
    random = Random(20_260_302)  # noqa: S311 - the same worlds every time
    worlds = [random_world(random, f"w{n}") for n in range(1_000)]
    await fill(engine, worlds)
    access, catalogue = Access(engine, clock=lambda: NOW), Catalogue(engine)
    leaked, missed, shared = [], [], 0
    for world in worlds:
        for _ in range(4):
            place = random.choice([*(spot.id for spot in world.spots), *(spot.id for spot in world.spots), LOCAL, "nowhere"])
            asker = random.choice([*world.people, *world.people, LOCAL, "stranger"])
            allowed = may_see(world, place, asker)
            audience = await access.audience(Place(place), Person(asker))
            seen = set(await catalogue.passages(list(world.documents), audience))
            visible = {document for document, scopes in world.documents.items() if scopes & allowed}
            leaked += [(place, asker, what) for what in (audience.scopes - allowed) | (seen - visible)]
            missed += [(place, asker, what) for what in (allowed - audience.scopes) | (visible - seen)]
            shared += len(allowed - {place, GUIDE}) > 0
    assert (leaked, missed) == ([], [])
    assert shared > 1_000  # in so many cases there was something to share from elsewhere, or the worlds prove little
