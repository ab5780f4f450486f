"""What is said of a place in its digest: what was learned there, what was asked, and what nobody could answer."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from bot.access import NotAllowed
from bot.app import House, open_house
from bot.chat import Account, Answer, Kind, Person, Place, PlaceKind
from bot.people.register import UnknownPlace
from bot.record.digest import Digest, Teacher
from bot.settings import Settings

ADA, BOB = Person("slack:T1:ada"), Person("slack:T1:bob")
OPEN, OTHER, SECRET = Place("slack:T1:open"), Place("slack:T1:other"), Place("slack:T1:secret")
ALONE = Place("slack:T1:D-bob")
UNKNOWN = "Which enzyme unwinds the double helix during replication?"
PRIVATE = "Which reef did the lighthouse keeper chart in winter?"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """Ada and Bob work together, and Ada alone is in the secret channel; something was taught and asked everywhere."""
    folder = tmp_path_factory.mktemp("digest")
    async with open_house(Settings(data_dir=folder / "data")) as opened:
        people = opened.people
        await people.roster("slack:T1", [Account(one.id, Kind.MEMBER, one.id[-3:].title()) for one in (ADA, BOB)])
        kinds = {OPEN: PlaceKind.PUBLIC, OTHER: PlaceKind.PUBLIC, SECRET: PlaceKind.PRIVATE, ALONE: PlaceKind.DIRECT}
        there = {OPEN: [ADA, BOB], OTHER: [ADA, BOB], SECRET: [ADA], ALONE: [BOB]}
        for place, kind in kinds.items():
            await people.placed(place.id, tenant="slack:T1", kind=kind)
            await people.members(place.id, [one.id for one in there[place]])
        for name, scope, by in (("hours", OPEN, ADA), ("menu", OPEN, ADA), ("rooms", OTHER, BOB), ("plans", SECRET, ADA)):
            await taught(opened, folder / f"{name}.md", scope.id, by)
        await asked(opened, "When does hours open?", OPEN, ADA)
        await asked(opened, UNKNOWN, OPEN, BOB)
        await asked(opened, UNKNOWN, OPEN, ADA)
        await asked(opened, PRIVATE, SECRET, ADA)
        yield opened


async def taught(house: House, file: Path, scope: str, by: Person) -> None:
    file.write_text(f"# {file.stem.title()}\n\nThe {file.stem} opens at half past twelve in building {file.stem}.\n")
    async with aclosing(house.twin.learn([file], scope=scope, by=by)) as receipts:
        assert [receipt.error async for _, receipt in receipts] == [None]


async def asked(house: House, question: str, place: Place, person: Person) -> Answer:
    async with aclosing(house.twin.ask(question, place=place, person=person)) as pieces:
        [answer] = [piece async for piece in pieces if isinstance(piece, Answer)]
        return answer


async def titles(house: House, place: Place, person: Person, since: datetime | None = None) -> set[str]:
    return {one.title for one in (await house.twin.digest(place=place, person=person, since=since)).learned}


async def test_it_names_what_was_learned_in_the_place_and_by_whom_and_nothing_from_elsewhere(house: House) -> None:
    digest = await house.twin.digest(place=OPEN, person=BOB)
    assert {one.title for one in digest.learned} == {"Hours", "Menu"}
    assert digest.teachers == (Teacher("Ada", 2),)
    assert await titles(house, OTHER, BOB) == {"Rooms"}


async def test_it_counts_what_was_asked_and_names_once_what_nobody_could_answer_there(house: House) -> None:
    digest = await house.twin.digest(place=OPEN, person=BOB)
    assert (digest.asked, digest.answered, digest.open) == (3, 1, (UNKNOWN,))


async def test_what_was_asked_in_a_private_place_is_in_the_digest_of_that_place_alone(house: House) -> None:
    assert (await house.twin.digest(place=SECRET, person=ADA)).open == (PRIVATE,)
    for place, person in ((OPEN, ADA), (OPEN, BOB), (OTHER, ADA), (ALONE, BOB)):
        assert PRIVATE not in str(await house.twin.digest(place=place, person=person))


async def test_who_may_not_read_a_place_gets_no_digest_of_it(house: House) -> None:
    with pytest.raises(NotAllowed):
        await house.twin.digest(place=SECRET, person=BOB)
    with pytest.raises(NotAllowed):
        await house.twin.digest(place=Place("slack:T1:nowhere"), person=BOB)


async def test_a_place_that_there_is_not_is_said_to_be_none_to_whoever_runs_the_twin(house: House) -> None:
    with pytest.raises(UnknownPlace):
        await house.twin.digest(place=Place("slack:T1:nowhere"), person=Person("local"))


async def test_alone_one_is_told_of_everything_new_that_one_may_see(house: House) -> None:
    assert await titles(house, ALONE, BOB) == {"Hours", "Menu", "Rooms"}


async def test_what_is_older_is_left_out(house: House) -> None:
    later = datetime.now(UTC) + timedelta(minutes=1)
    digest = await house.twin.digest(place=OPEN, person=ADA, since=later)
    assert digest == Digest(OPEN.id, later, (), 0, (), 0, 0, ())


async def test_a_question_that_was_taken_back_is_in_it_no_longer(house: House) -> None:
    question = "Who feeds the wombats of the embassy on Sundays?"
    await asked(house, question, OTHER, BOB)
    assert (await house.twin.digest(place=OTHER, person=ADA)).open == (question,)
    await house.twin.forget_me(person=BOB)
    digest = await house.twin.digest(place=OTHER, person=ADA)
    assert (digest.asked, digest.open) == (0, ())


async def test_a_question_that_is_asked_again_stands_where_it_was_asked_last(house: House) -> None:
    first, second = "Who feeds the wombats of the consulate on Mondays?", "Who waters the cactus of the consulate on Tuesdays?"
    for question in (first, second, first):
        await asked(house, question, OTHER, BOB)
    digest = await house.twin.digest(place=OTHER, person=ADA)
    assert [one for one in digest.open if one in {first, second}] == [first, second]
