"""What is ordered beside asking, on a twin with its engines: the words are the same on every platform."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.common.orders import HELP, Order, obey, parsed
from adapters.common.texts import line
from bot.access import NotAllowed
from bot.app import House, open_house
from bot.chat import Account, Answer, Kind, Person, Place, PlaceKind
from bot.people.kinds import Role
from bot.settings import Settings
from knowledge.errors import UnknownDocument

ADA, BOB, EVE, OWNER = (Person(f"slack:T1:{name}") for name in ("ada", "bob", "eve", "owner"))
OPEN, SECRET = Place("slack:T1:open"), Place("slack:T1:secret")
HOURS = "# Hours\n\n## Canteen\n\nThe canteen opens at half past twelve.\n"
PLANS = "# Plans\n\n## Codename\n\nThe codename of the merger is Kingfisher, and it is signed in Lisbon.\n"

in_one_loop = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """Ada, Bob and an owner work together, Eve is a guest; Ada alone is in the secret channel."""
    folder = tmp_path_factory.mktemp("orders")
    async with open_house(Settings(data_dir=folder / "data")) as opened:
        people = opened.people
        kinds = {ADA: Kind.MEMBER, BOB: Kind.MEMBER, OWNER: Kind.MEMBER, EVE: Kind.GUEST}
        await people.roster("slack:T1", [Account(one.id, kind) for one, kind in kinds.items()])
        await people.granted(OWNER, "slack:T1", Role.OWNER)
        for place, kind, members in ((OPEN, PlaceKind.PUBLIC, list(kinds)), (SECRET, PlaceKind.PRIVATE, [ADA])):
            await people.placed(place.id, tenant="slack:T1", kind=kind)
            await people.members(place.id, [one.id for one in members])
        for person in kinds:
            alone = order("", person).alone.id
            await people.placed(alone, tenant="slack:T1", kind=PlaceKind.DIRECT)
            await people.members(alone, [person.id])
        await taught(opened, folder / "hours.md", HOURS, OPEN.id, ADA)
        await taught(opened, folder / "plans.md", PLANS, SECRET.id, ADA)
        yield opened


async def taught(house: House, file: Path, text: str, scope: str, by: Person) -> str:
    file.write_text(text)
    async with aclosing(house.twin.learn([file], scope=scope, by=by)) as receipts:
        [document] = [receipt.document async for _, receipt in receipts]
    assert document
    return document.id


def order(said: str, person: Person = ADA, here: Place = OPEN) -> Order:
    word, rest = parsed(said)
    return Order(word, rest, here, Place(f"{OPEN.id}~{person.id[-3:]}"), person, person.id)


async def told(house: House, said: str, person: Person = ADA, here: Place = OPEN) -> str:
    return (await obey(house.twin, order(said, person, here))).text


# --- words


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("", ("", "")),
        ("  Search   the audit ", ("search", "the audit")),
        ("remember\nline one\nline two", ("remember", "line one\nline two")),
        ("DOCS", ("docs", "")),
    ],
)
def test_the_first_word_is_the_order_and_the_rest_what_it_is_about(said: str, meant: tuple[str, str]) -> None:
    assert parsed(said) == meant


@given(st.text(alphabet="ab`*[]()_ \n<>@!&", max_size=40))
@settings(max_examples=200)
def test_a_title_within_a_line_is_neither_code_nor_bold_nor_a_link(text: str) -> None:
    shown = line(text)
    assert not any(form in shown for form in ("`", "*", "](", "\n"))


@in_one_loop
async def test_an_order_that_there_is_not_is_told_what_there_is_and_what_may_be_meant(house: House) -> None:
    assert await told(house, "help") == await told(house, "") == f"This is what I can do:\n\n{HELP}"
    assert (await told(house, "serch audit")).startswith("I do not know the order `serch`. Is `search` meant?")
    assert (await told(house, "`x`")).startswith("I do not know the order `'x'`. This is what I can do:")


@in_one_loop
@pytest.mark.parametrize(
    "said", ["ask", "search", "forget", "forget a b c", "remember", "stats -1", "stats many", "learn maybe"]
)
async def test_an_order_without_what_it_needs_is_told_how_it_is_given(house: House, said: str) -> None:
    assert f"`/twin {said.split(maxsplit=1)[0]} " in await told(house, said)


@in_one_loop
async def test_help_names_every_order(house: House) -> None:
    for word in (
        "ask",
        "search",
        "docs",
        "forget",
        "teach",
        "remember",
        "notes",
        "digest",
        "learn",
        "link",
        "unlink",
        "model",
        "stats",
    ):
        assert f"/twin {word}" in HELP
        assert "I do not know" not in await told(house, word)


# --- two accounts of one person


@in_one_loop
async def test_a_code_that_is_shown_elsewhere_makes_one_person_of_two_once_they_say_so(house: House) -> None:
    await house.people.met("slack:T2:ada", tenant="slack:T2", kind=Kind.MEMBER)
    other = Person("slack:T2:ada")
    code = (await told(house, "link")).split("`")[1].removeprefix("/twin link ")
    asked = await obey(house.twin, order(f"link {code}", other))
    assert "is yours too" not in asked.text
    assert asked.confirm == f"link {code} yes"
    assert await house.twin.person(other.id) == other
    assert "yours now" in await told(house, asked.confirm, other)
    assert await house.twin.person(other.id) == ADA
    assert (await obey(house.twin, order("unlink", other))).confirm == "unlink yes"
    assert "of their own again" in await told(house, "unlink yes", other)
    assert "no other one" in await told(house, "unlink yes", other)


# --- what is seen


@in_one_loop
async def test_what_is_listed_and_found_is_what_the_person_may_see(house: House) -> None:
    assert {"Hours", "Plans"} <= set((await told(house, "docs")).split())
    assert "Plans" not in await told(house, "docs", BOB)
    assert "Kingfisher" in await told(house, "search codename of the merger")
    assert "Kingfisher" not in await told(house, "search codename of the merger", BOB)


@in_one_loop
async def test_the_digest_is_of_the_place_where_it_is_ordered(house: House) -> None:
    assert "Hours" in await told(house, "digest")
    assert "Plans" not in await told(house, "digest")
    assert "Plans" in await told(house, "digest", here=SECRET)
    with pytest.raises(NotAllowed):
        await told(house, "digest", BOB, here=SECRET)


@in_one_loop
async def test_an_owner_has_it_posted_every_monday_and_anybody_else_is_told_who_may(house: House) -> None:
    assert "every Monday" in await told(house, "digest on", OWNER)
    assert "no digest" in await told(house, "digest off", OWNER)
    assert "sums up the last week" in await told(house, "digest weekly")
    with pytest.raises(NotAllowed):
        await told(house, "digest on", BOB)


# --- forgetting


@in_one_loop
async def test_forgetting_a_document_asks_first_and_is_for_who_taught_it(house: House, tmp_path: Path) -> None:
    id = await taught(house, tmp_path / "rooms.md", "# Rooms\n\nRoom nine has a projector.\n", OPEN.id, ADA)
    asked = await obey(house.twin, order(f"forget {id[:12]}"))
    assert "cannot be undone" in asked.text
    assert asked.confirm == f"forget {id} yes"
    with pytest.raises(NotAllowed):
        await told(house, asked.confirm, BOB)
    assert await told(house, asked.confirm) == "Forgotten: “Rooms”. Nothing of it is left."
    assert "Rooms" not in await told(house, "docs")


@in_one_loop
async def test_what_somebody_may_not_see_cannot_be_told_from_what_is_not_there(house: House) -> None:
    [plans] = [one for one in await house.twin.documents(**order("").in_private) if one.title == "Plans"]
    with pytest.raises(UnknownDocument):
        await told(house, f"forget {plans.id}", BOB)


@in_one_loop
async def test_a_note_is_for_its_person_alone_and_goes_with_everything_else_of_them(house: House) -> None:
    assert "tell nobody but you" in await told(house, "remember My locker is number 42.", BOB)
    assert "locker is number 42" in await told(house, "notes", BOB)
    assert await told(house, "notes") == "None yet. `/twin remember TEXT` keeps one for you."
    async with aclosing(house.twin.ask("When does the canteen open?", **order("", BOB).in_private)) as pieces:
        assert [piece async for piece in pieces if isinstance(piece, Answer)]
    assert "1 question" in await told(house, "stats 30", BOB)
    asked = await obey(house.twin, order("forget me", BOB))
    assert asked.confirm == "forget me yes"
    assert "1 note or message, 1 question" in await told(house, asked.confirm, BOB)
    assert (await told(house, "notes", BOB)).startswith("None yet.")


# --- settings


@in_one_loop
async def test_owners_have_chat_learned_in_a_place_and_everybody_may_ask_whether_it_is(house: House) -> None:
    assert (await told(house, "learn", BOB)).startswith("I learn only what I am asked to learn here.")
    with pytest.raises(NotAllowed):
        await told(house, "learn on", BOB)
    assert (await told(house, "learn on", OWNER)).startswith("I learn what is said and posted here.")
    assert (await told(house, "LEARN", BOB)).startswith("I learn what is said and posted here.")
    assert (await told(house, "learn off", OWNER)).startswith("I learn only")


@in_one_loop
async def test_owners_have_another_model_write_in_a_place_and_it_goes_back(house: House) -> None:
    assert "no language model writes here" in await told(house, "model", BOB)
    with pytest.raises(NotAllowed):
        await told(house, "model ollama:llama3.2", BOB)
    assert "written by ollama:llama3.2" in await told(house, "model ollama:llama3.2", OWNER)
    assert "written by ollama:llama3.2" in await told(house, "model", BOB)
    assert "written by" not in await told(house, "model", here=SECRET)
    assert "no language model writes here" in await told(house, "model reset", OWNER)
