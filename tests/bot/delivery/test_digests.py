"""The weekly digest: posted once where it is wanted, and without what is forgotten since."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.access import NotAllowed
from bot.chat import Person, Place
from bot.people.kinds import Role
from knowledge import fault
from tests.bot.delivery.opened import ADA, BOB, CLOSED, DIRECT, HOURS, OPEN, Opened, opened
from tests.simulators.platform import said

UNKNOWN = "Who feeds the wombats of the embassy on Sundays?"
WEEK = "2026-W48"


@pytest.fixture
async def twin(tmp_path: Path) -> AsyncIterator[Opened]:
    async with opened(tmp_path / "data") as made:
        made.platform.files["hours.md"] = HOURS
        owner = await made.house.twin.person(ADA)
        await made.house.people.granted(owner, "sim:T1", Role.OWNER)
        yield made
    fault.arm("")


async def wanted(twin: Opened, place: str = OPEN, account: str = ADA, *, on: bool = True) -> bool:
    person = await twin.house.twin.person(account)
    return await twin.house.twin.weekly(on, place=Place(place), person=person)


def digests(twin: Opened) -> list[str]:
    return [post.text for post in twin.platform.visible() if post.to == "" and post.final]


async def test_it_tells_what_was_learned_and_what_nobody_could_answer(twin: Opened) -> None:
    await twin.said(said("", 1, files=("hours.md",)))
    await twin.said(said(UNKNOWN, 2, account=BOB))
    await wanted(twin)
    await twin.desk.digests(WEEK)
    await twin.quiet()
    [digest] = digests(twin)
    assert "- Hours (1 passage)" in digest
    assert f"- {UNKNOWN}" in digest


async def test_each_week_has_one_however_often_it_is_told_of_and_whatever_dies(twin: Opened) -> None:
    await twin.said(said("", 1, files=("hours.md",)))
    await wanted(twin)
    fault.arm("outbox.finish.after:raise:RuntimeError")
    for week in (WEEK, WEEK, "2026-W49"):
        await twin.desk.digests(week)
    await twin.quiet()
    await twin.desk.digests(WEEK)
    await twin.quiet()
    assert len(digests(twin)) == 2


async def test_where_nothing_happened_nothing_is_posted(twin: Opened) -> None:
    await twin.said(said("", 1, files=("hours.md",), place=CLOSED))
    await wanted(twin)
    await twin.desk.digests(WEEK)
    await twin.quiet()
    assert digests(twin) == []


async def test_where_nobody_wants_it_nothing_is_posted(twin: Opened) -> None:
    await twin.said(said("", 1, files=("hours.md",)))
    assert await wanted(twin)
    assert not await wanted(twin, on=False)
    await twin.desk.digests(WEEK)
    await twin.quiet()
    assert digests(twin) == []


async def test_one_whose_wish_it_was_is_not_there_any_more(twin: Opened) -> None:
    await twin.said(said("", 1, files=("hours.md",)))
    await wanted(twin)
    await twin.house.people.gone(ADA)
    await twin.desk.digests(WEEK)
    await twin.quiet()
    assert digests(twin) == []


async def test_only_owners_have_it_posted_to_others_and_everybody_to_themselves(twin: Opened) -> None:
    with pytest.raises(NotAllowed, match="owners"):
        await wanted(twin, OPEN, BOB)
    with pytest.raises(NotAllowed):
        await wanted(twin, DIRECT, BOB)
    assert await wanted(twin, DIRECT, ADA)
    await twin.said(said("", 1, files=("hours.md",), place=CLOSED))
    await twin.desk.digests(WEEK)
    await twin.quiet()
    [digest] = digests(twin)
    assert "Hours" in digest  # of a place that not all read, to one who does


async def test_what_is_forgotten_or_taken_back_goes_from_it(twin: Opened) -> None:
    await twin.said(said("", 1, files=("hours.md",)))
    await twin.said(said(UNKNOWN, 2, account=BOB))
    await wanted(twin)
    await twin.desk.digests(WEEK)
    await twin.quiet()
    await twin.forget("hours.md")
    assert "Hours" not in digests(twin)[0]
    assert UNKNOWN in digests(twin)[0]
    await twin.desk.receive(said("", 2, account=BOB, deleted=True, at=60.0, event="gone"))
    await twin.quiet()
    assert UNKNOWN not in digests(twin)[0]
    assert await twin.rows("SELECT count(*) FROM quotes") == [(0,)]


async def test_what_somebody_asked_goes_from_it_with_them(twin: Opened) -> None:
    await twin.said(said(UNKNOWN, 2, account=BOB))
    await wanted(twin)
    await twin.desk.digests(WEEK)
    await twin.quiet()
    await twin.house.twin.forget_me(person=await twin.house.twin.person(BOB))
    assert UNKNOWN not in digests(twin)[0]


async def test_who_sits_at_the_terminal_is_told_whether_it_is_posted(twin: Opened) -> None:
    await wanted(twin)
    assert await twin.house.twin.weekly(place=Place(OPEN), person=Person("local"))
