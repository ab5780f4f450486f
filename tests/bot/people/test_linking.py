"""Two accounts become one person's by a code that is shown once, and everything follows."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.app import House, open_house
from bot.chat import Kind, Person, Place, PlaceKind
from bot.errors import TooFast
from bot.people.linking import GOOD_FOR, Linking, SamePerson, UnknownCode
from bot.people.register import UnknownAccount
from bot.settings import Settings
from knowledge import fault

HERE, THERE = "slack:T1:U1", "discord:G1:7"
HERE_ALONE, THERE_ALONE = Place("slack:T1:D1"), Place("discord:@me:D7")
NOTE = "My locker is number 42."


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(Settings(data_dir=tmp_path / "data")) as opened:
        for account, tenant, place in ((HERE, "slack:T1", HERE_ALONE), (THERE, "discord:G1", THERE_ALONE)):
            await opened.people.met(account, tenant=tenant, kind=Kind.MEMBER, name=f"Ada at {tenant}")
            await opened.people.placed(place.id, tenant=tenant, kind=PlaceKind.DIRECT)
            await opened.people.members(place.id, [account])
        yield opened
    fault.arm("")


async def linked(house: House) -> None:
    code = await house.twin.link_code(person=Person(HERE))
    await house.twin.link(code, account=THERE, person=Person(THERE))


async def test_what_was_remembered_in_one_account_is_known_in_the_other(house: House) -> None:
    await house.twin.remember(NOTE, place=THERE_ALONE, person=Person(THERE))
    code = await house.twin.link_code(person=Person(HERE))
    assert await house.twin.link_to(code.lower(), person=Person(THERE)) == "Ada at slack:T1"
    await house.twin.link(code, account=THERE, person=Person(THERE))
    assert await house.twin.person(THERE) == Person(HERE)
    assert [one.title for one in await house.twin.notes(person=Person(HERE))] == [f"Your note: {NOTE}"]
    await house.twin.forget_me(person=await house.twin.person(THERE))
    assert await house.twin.notes(person=Person(HERE)) == []


@pytest.mark.parametrize("point", ["link.used", "link.linked", "move.rows"])
async def test_a_kill_on_the_way_leaves_nothing_behind(house: House, point: str) -> None:
    await house.twin.remember(NOTE, place=THERE_ALONE, person=Person(THERE))
    fault.arm(f"{point}:raise:RuntimeError")
    with pytest.raises(RuntimeError):
        await linked(house)
    async for _ in house.twin.resume():
        pass
    assert await house.twin.person(THERE) == Person(HERE)
    assert len(await house.twin.notes(person=Person(HERE))) == 1


async def test_a_code_is_good_once(house: House) -> None:
    code = await house.twin.link_code(person=Person(HERE))
    await house.twin.link(code, account=THERE, person=Person(THERE))
    await house.people.met("slack:T1:U2", tenant="slack:T1", kind=Kind.MEMBER)
    with pytest.raises(UnknownCode):
        await house.twin.link(code, account="slack:T1:U2", person=Person("slack:T1:U2"))


async def test_a_code_is_good_for_ten_minutes_and_until_the_next(house: House) -> None:
    now = datetime(2026, 11, 25, tzinfo=UTC)
    linking = Linking(house.database, house.parts.knowledge, house.people, lambda: now)
    first = await linking.code(Person(HERE))
    second = await linking.code(Person(HERE))
    assert await linking.holder(second, Person(THERE))
    with pytest.raises(UnknownCode):
        await linking.holder(first, Person(THERE))
    now += GOOD_FOR + timedelta(seconds=1)
    with pytest.raises(UnknownCode):
        await linking.use(second, THERE, Person(THERE))


async def test_nobody_is_linked_to_themselves(house: House) -> None:
    with pytest.raises(SamePerson):
        await house.twin.link(await house.twin.link_code(person=Person(HERE)), account=HERE, person=Person(HERE))


async def test_codes_cannot_be_guessed_for_long(house: House) -> None:
    with pytest.raises(TooFast):
        for n in range(20):
            with pytest.raises(UnknownCode):
                await house.twin.link_to(f"AAAA-{n:04}", person=Person(THERE))


async def test_an_account_is_somebody_of_their_own_again(house: House) -> None:
    await house.twin.remember(NOTE, place=THERE_ALONE, person=Person(THERE))
    assert not await house.twin.unlink(account=THERE)
    await linked(house)
    assert await house.twin.unlink(account=THERE)
    assert await house.twin.person(THERE) == Person(THERE)
    assert await house.twin.notes(person=Person(THERE)) == []
    assert len(await house.twin.notes(person=Person(HERE))) == 1
    await linked(house)  # and back
    assert await house.twin.person(THERE) == Person(HERE)
    await house.twin.unlink(account=HERE)  # by whose name the person goes
    assert await house.twin.person(HERE) != await house.twin.person(THERE)


async def test_of_an_account_that_nobody_knows_that_is_said(house: House) -> None:
    with pytest.raises(UnknownAccount):
        await house.twin.unlink(account="slack:T1:U9")
