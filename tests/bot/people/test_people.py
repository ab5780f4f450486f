"""What platforms tell about people and places is written down as it is, and forgotten as soon as it is over."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.access import FRESH, LOCAL, Access, Kind, PlaceKind, Role
from bot.chat import Person, Place
from bot.db import open_database
from bot.people.register import People, UnknownAccount, UnknownPerson, UnknownPlace
from bot.tables import MEMBERSHIPS, PEOPLE
from tests.bot.clocks import Hands

ANNA, ANNA_AT_HOME, BEN, GUS = "slack:T1:anna", "discord:G1:anna", "slack:T1:ben", "slack:T1:gus"
GENERAL, BOARD = "slack:T1:general", "slack:T1:board"


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    async with open_database(f"sqlite+aiosqlite:///{tmp_path / 'twin.db'}") as opened:
        yield opened


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
async def people(engine: AsyncEngine, hands: Hands) -> People:
    people = People(engine, clock=hands)
    for account, kind in ((ANNA, Kind.MEMBER), (BEN, Kind.MEMBER), (GUS, Kind.GUEST)):
        await people.met(account, tenant="T1", kind=kind, name=account.rpartition(":")[2])
    await people.placed(GENERAL, tenant="T1", kind=PlaceKind.PUBLIC, name="general")
    await people.members(GENERAL, [ANNA, BEN])
    await people.placed(BOARD, tenant="T1", kind=PlaceKind.PRIVATE)
    await people.members(BOARD, [ANNA])
    return people


@pytest.fixture
def access(engine: AsyncEngine, hands: Hands) -> Access:
    return Access(engine, clock=hands)


async def sees(access: Access, place: str, account: str) -> set[str]:
    """Return which of the two places a reply may use."""
    person = await access.person(account)
    return {GENERAL, BOARD} & (await access.audience(Place(place), person)).scopes


async def reads(access: Access, account: str) -> set[str]:
    person = await access.person(account)
    return {place for place in (GENERAL, BOARD) if await access.may_read(Place(place), person)}


# --- accounts


async def test_a_person_keeps_the_id_they_had_before_they_were_met(people: People, access: Access) -> None:
    stranger = await access.person("slack:T1:zoe")
    assert await people.met("slack:T1:zoe", tenant="T1", kind=Kind.MEMBER) == stranger
    assert await access.person("slack:T1:zoe") == stranger


async def test_meeting_somebody_again_makes_nobody_new_and_takes_what_changed(
    people: People, access: Access, engine: AsyncEngine
) -> None:
    anna = await access.person(ANNA)
    assert await people.met(ANNA, tenant="T1", kind=Kind.GUEST, name="Anna B.") == anna
    assert await access.role(anna, Place(GENERAL)) == Role.GUEST
    async with engine.connect() as connection:
        named = select(PEOPLE.c.name).where(PEOPLE.c.id == anna.id)
        assert (await connection.execute(named)).scalars().all() == ["Anna B."]


async def test_a_deactivated_account_reads_nothing_at_once_and_may_come_back(people: People, access: Access) -> None:
    assert await reads(access, ANNA) == {GENERAL, BOARD}
    await people.gone(ANNA)
    await people.gone(ANNA)
    assert await reads(access, ANNA) == set()
    await people.met(ANNA, tenant="T1", kind=Kind.MEMBER)
    assert await reads(access, ANNA) == {GENERAL, BOARD}


async def test_an_account_that_nobody_has_met_cannot_go(people: People) -> None:
    await people.gone("slack:T1:nobody")


@pytest.mark.parametrize("id", ["local", "everyone", "guide", "person:anna"])
async def test_no_platform_can_take_a_name_that_means_something_else(people: People, id: str) -> None:
    with pytest.raises(ValueError, match="meaning of its own"):
        await people.met(id, tenant="T1", kind=Kind.MEMBER)
    with pytest.raises(ValueError, match="meaning of its own"):
        await people.placed(id, tenant="T1", kind=PlaceKind.PUBLIC)
    with pytest.raises(ValueError, match="meaning of its own"):
        await people.joined(GENERAL, id)


# --- places


async def test_a_new_place_is_not_believed_before_its_members_are_known(people: People, access: Access) -> None:
    await people.placed("slack:T1:new", tenant="T1", kind=PlaceKind.PUBLIC)
    assert not await access.may_read(Place("slack:T1:new"), await access.person(ANNA))
    assert await sees(access, "slack:T1:new", ANNA) == set()
    await people.members("slack:T1:new", [])
    assert await access.may_read(Place("slack:T1:new"), await access.person(ANNA))
    assert await sees(access, "slack:T1:new", ANNA) == {GENERAL}


async def test_the_list_of_members_replaces_the_one_before(people: People, access: Access) -> None:
    for _ in range(2):
        await people.members(BOARD, [BEN, GUS])
        assert [await reads(access, account) for account in (ANNA, BEN, GUS)] == [{GENERAL}, {GENERAL, BOARD}, {BOARD}]


async def test_a_place_of_thousands_is_written_down_whole(people: People, engine: AsyncEngine) -> None:
    crowd = [f"slack:T1:c{n}" for n in range(2_000)]
    await people.members(GENERAL, crowd)
    await people.members(GENERAL, crowd[:1_200])
    async with engine.connect() as connection:
        count = select(func.count()).select_from(MEMBERSHIPS).where(MEMBERSHIPS.c.place_id == GENERAL)
        assert (await connection.execute(count)).scalar() == 1_200


async def test_who_joins_reads_and_who_leaves_does_not(people: People, access: Access) -> None:
    for _ in range(2):
        await people.joined(BOARD, BEN)
        assert await reads(access, BEN) == {GENERAL, BOARD}
    for _ in range(2):
        await people.left(BOARD, BEN)
        assert await reads(access, BEN) == {GENERAL}


async def test_somebody_unknown_who_joins_narrows_what_is_seen_until_they_are_known(people: People, access: Access) -> None:
    assert await sees(access, BOARD, ANNA) == {GENERAL, BOARD}
    await people.joined(BOARD, "slack:T1:zoe")
    assert await sees(access, BOARD, ANNA) == {BOARD}
    await people.met("slack:T1:zoe", tenant="T1", kind=Kind.MEMBER)
    assert await sees(access, BOARD, ANNA) == {GENERAL, BOARD}


async def test_a_closed_place_is_not_read_and_an_opened_one_not_before_its_members_are_known(
    people: People, access: Access
) -> None:
    await people.closed(BOARD)
    assert await reads(access, ANNA) == {GENERAL}
    await people.members(BOARD, [ANNA])
    assert await reads(access, ANNA) == {GENERAL}
    await people.reopened(BOARD)
    assert await reads(access, ANNA) == {GENERAL}
    await people.members(BOARD, [ANNA])
    await people.reopened(BOARD)
    assert await reads(access, ANNA) == {GENERAL, BOARD}


async def test_a_public_place_that_becomes_private_is_closed_to_who_is_not_in_it(people: People, access: Access) -> None:
    await people.members(GENERAL, [ANNA])
    await people.placed(GENERAL, tenant="T1", kind=PlaceKind.PRIVATE)
    assert [await reads(access, account) for account in (ANNA, BEN)] == [{GENERAL, BOARD}, set()]


async def test_chat_is_learned_only_where_it_was_switched_on(people: People, access: Access) -> None:
    assert not await access.learns(Place(GENERAL))
    assert not await access.learns(Place("slack:T1:nowhere"))
    await people.learning(GENERAL, True)
    await people.placed(GENERAL, tenant="T1", kind=PlaceKind.PUBLIC, name="renamed")
    assert await access.learns(Place(GENERAL))
    await people.closed(GENERAL)
    assert not await access.learns(Place(GENERAL))
    await people.reopened(GENERAL)
    await people.learning(GENERAL, False)
    assert not await access.learns(Place(GENERAL))


async def test_nothing_is_written_of_a_place_that_is_unknown(people: People) -> None:
    await people.left("slack:T1:nowhere", ANNA)
    await people.closed("slack:T1:nowhere")
    for done in (people.members("slack:T1:nowhere", []), people.joined("slack:T1:nowhere", ANNA)):
        with pytest.raises(UnknownPlace, match="Invite me"):
            await done
    with pytest.raises(UnknownPlace):
        await people.learning("slack:T1:nowhere", True)


# --- what was confirmed


async def test_as_long_as_no_event_is_missed_what_is_known_goes_on_being_believed(
    people: People, access: Access, hands: Hands
) -> None:
    for _ in range(4):
        hands.move(FRESH)
        await people.unchanged("T1")
    assert await reads(access, ANNA) == {GENERAL, BOARD}
    await people.unchanged("G1")
    hands.move(FRESH + timedelta(seconds=1))
    assert await reads(access, ANNA) == set()


async def test_what_has_become_doubtful_is_not_believed_again_by_itself(people: People, access: Access, hands: Hands) -> None:
    hands.move(FRESH + timedelta(seconds=1))
    await people.unchanged("T1")
    assert await reads(access, ANNA) == set()
    await people.met(ANNA, tenant="T1", kind=Kind.MEMBER)
    await people.members(BOARD, [ANNA])
    assert await reads(access, ANNA) == {BOARD}


# --- people


async def test_linked_accounts_are_one_person_with_all_roles_and_accounts_of_both(people: People, access: Access) -> None:
    at_home = await people.met(ANNA_AT_HOME, tenant="G1", kind=Kind.MEMBER)
    await people.met("discord:G2:anna", tenant="G2", kind=Kind.MEMBER)
    await people.linked("discord:G2:anna", at_home)
    await people.placed("discord:G1:den", tenant="G1", kind=PlaceKind.PRIVATE)
    await people.members("discord:G1:den", [ANNA_AT_HOME])
    await people.granted(at_home, "G1", Role.OWNER)

    anna = await access.person(ANNA)
    assert await people.linked(ANNA_AT_HOME, anna) == at_home
    assert {await access.person(one) for one in (ANNA, ANNA_AT_HOME, "discord:G2:anna")} == {anna}
    assert await access.role(anna, Place("discord:G1:den")) == Role.OWNER
    assert {GENERAL, BOARD, "discord:G1:den", f"person:{anna.id}"} <= (await access.alone(anna)).scopes
    assert await people.linked(ANNA_AT_HOME, anna) is None
    assert await people.met(ANNA_AT_HOME, tenant="G1", kind=Kind.MEMBER) == anna


async def test_roles_that_both_have_are_had_once(people: People, access: Access) -> None:
    at_home = await people.met(ANNA_AT_HOME, tenant="T1", kind=Kind.MEMBER)
    anna = await access.person(ANNA)
    for person in (anna, at_home):
        await people.granted(person, "T1", Role.TEACHER)
    await people.linked(ANNA_AT_HOME, anna)
    assert await access.role(anna, Place(GENERAL)) == Role.TEACHER
    await people.revoked(anna, "T1", Role.TEACHER)
    assert await access.role(anna, Place(GENERAL)) == Role.MEMBER


async def test_the_owner_at_the_terminal_may_have_accounts(people: People, access: Access) -> None:
    await people.linked(ANNA, Person(LOCAL))
    assert await access.person(ANNA) == Person(LOCAL)
    assert await access.role(await access.person(ANNA), Place(GENERAL)) == Role.OWNER


async def test_nobody_unknown_is_linked_or_given_a_role(people: People, access: Access) -> None:
    anna = await access.person(ANNA)
    with pytest.raises(UnknownAccount, match="Say something to me"):
        await people.linked("slack:T1:nobody", anna)
    with pytest.raises(UnknownPerson):
        await people.linked(ANNA, Person("nobody"))
    with pytest.raises(UnknownPerson):
        await people.granted(Person("nobody"), "T1", Role.OWNER)


async def test_a_role_is_granted_and_revoked_as_often_as_one_likes(people: People, access: Access) -> None:
    anna = await access.person(ANNA)
    for _ in range(2):
        await people.granted(anna, "T1", Role.TEACHER)
        assert await access.role(anna, Place(GENERAL)) == Role.TEACHER
    for _ in range(2):
        await people.revoked(anna, "T1", Role.TEACHER)
        assert await access.role(anna, Place(GENERAL)) == Role.MEMBER
    with pytest.raises(ValueError, match="not granted"):
        await people.granted(anna, "T1", Role.MEMBER)
