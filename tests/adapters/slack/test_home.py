"""The home of the app: what somebody sees of what the twin knows, and what they can have forgotten there."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from adapters.slack.home import FORGET, FORGET_ME, Home, view
from adapters.slack.settings import CHANNEL, SETTINGS
from bot.app import House, open_house
from bot.chat import Place
from bot.people.kinds import Role
from bot.settings import Settings
from tests.adapters.slack.clicking import HANDBOOK, Office, office
from tests.simulators.slack.reading import reads

in_one_loop = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True)
class Document:
    id: str
    title: str = "Handbook"
    kind: str = "pdf"
    state: str = "ready"
    scopes: tuple[str, ...] = ("slack:T1:C9",)
    added_at: datetime = datetime(2026, 3, 1, tzinfo=UTC)
    added_by: str = "bob"
    pages: int | None = 12
    passages: int = 48


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_house(Settings(data_dir=tmp_path_factory.mktemp("house"))) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def here(house: House) -> AsyncIterator[Office]:
    async with office(house) as opened:
        yield opened


def home(*documents: Document, may_all: bool = False) -> Home:
    return Home(documents, "ada", may_all, 2, "I quote my sources.", "In the last 7 days: 1 question.")


def buttons(shown: dict[str, Any], action: str) -> list[str]:
    found = [*(e for block in shown["blocks"] for e in block.get("elements", ()))]
    found += [block["accessory"] for block in shown["blocks"] if "accessory" in block]
    return [one["value"] for one in found if one["action_id"] == action]


async def shown(here: Office, user: str, word: str) -> str:
    """Wait until somebody's home has a word in it, and return what they read there."""
    await here.slack.until(lambda: word in str(here.slack.views.home.get(user)), 15)
    return reads(here.slack.views.home[user]["blocks"])


def test_the_newest_files_are_named_with_their_length_day_and_place() -> None:
    read = reads(view(home(Document("d1"), Document("d2", "Notes", pages=None, scopes=("person:ada",))))["blocks"])
    assert "*Handbook*\n12 pages, 48 passages, 1 March 2026, in <#C9>" in read
    assert "*Notes*\n48 passages, 1 March 2026, for you alone" in read
    assert "*2 documents*" in read


def test_what_was_said_in_chat_notes_and_what_was_replaced_are_no_files() -> None:
    others = [
        Document("m", "Hello", kind="message"),
        Document("n", "Locker", kind="note"),
        Document("o", "Old", state="failed"),
    ]
    read = reads(view(home(Document("d1"), *others))["blocks"])
    assert "*1 document*" in read
    assert not any(word in read for word in ("Hello", "Locker", "Old"))


def test_only_what_one_may_have_forgotten_is_offered_to_be() -> None:
    documents = Document("d1"), Document("d2", added_by="ada")
    assert buttons(view(home(*documents)), FORGET) == ["d2"]
    assert buttons(view(home(*documents, may_all=True)), FORGET) == ["d1", "d2"]


def test_a_title_is_shown_as_it_is_and_calls_nobody() -> None:
    read = reads(view(home(Document("d1", "<!channel> *now* `x`")))["blocks"])
    assert "<!channel>" not in read
    assert "&lt;!channel&gt; ∗now∗ 'x'" in read


def test_it_stays_within_what_slack_takes_however_much_there_is() -> None:
    many = [Document(f"d{n}", "&" * 5_000) for n in range(3_000)]
    made = view(home(*many, may_all=True))
    assert len(made["blocks"]) <= 100
    assert all(len(block["text"]["text"]) <= 3_000 for block in made["blocks"] if "text" in block)
    assert all(len(block["accessory"]["confirm"]["text"]["text"]) <= 300 for block in made["blocks"] if "accessory" in block)
    assert "2,990 more" in reads(made["blocks"])


# --- in Slack


@in_one_loop
async def test_everybody_sees_what_they_may_see(here: Office, tmp_path: Path) -> None:
    await here.taught(tmp_path, "handbook.md", HANDBOOK, "P1")
    await here.slack.home("U1")
    assert "*Handbook*" in await shown(here, "U1", "What I can do")
    await here.slack.home("U2")
    assert "*Handbook*" not in await shown(here, "U2", "What I can do")


@in_one_loop
async def test_what_is_forgotten_there_is_gone_from_it_at_once(here: Office, tmp_path: Path) -> None:
    id = await here.taught(tmp_path, "menu.md", "# Menu\n\nOn Fridays there is fish.\n")
    await here.slack.home("U1")
    assert "*Menu*" in await shown(here, "U1", "What I can do")
    await here.slack.click("U1", here.slack.views.home["U1"], FORGET, id)
    assert "*Menu*" not in await shown(here, "U1", "Forgotten: “Menu”")


@in_one_loop
async def test_what_cannot_be_forgotten_is_told_there(here: Office, tmp_path: Path) -> None:
    id = await here.taught(tmp_path, "rooms.md", "# Rooms\n\nRoom nine has a projector.\n")
    await here.slack.home("U1")
    await shown(here, "U1", "*Rooms*")
    await here.slack.click("U2", here.slack.views.home["U1"], FORGET, id)
    assert "*Rooms*" in await shown(here, "U2", "Only teachers and owners")


@in_one_loop
async def test_an_owner_is_offered_to_have_forgotten_what_others_taught(here: Office, tmp_path: Path) -> None:
    id = await here.taught(tmp_path, "lockers.md", "# Lockers\n\nThe lockers are downstairs.\n")
    owner = await here.person("U2")
    await here.house.people.granted(owner, "slack:T1", Role.OWNER)
    await here.slack.home("U2")
    await shown(here, "U2", "*Lockers*")
    await here.slack.click("U2", here.slack.views.home["U2"], FORGET, id)
    assert "*Lockers*" not in await shown(here, "U2", "Forgotten: “Lockers”")
    await here.house.people.revoked(owner, "slack:T1", Role.OWNER)


@in_one_loop
async def test_a_person_has_themselves_forgotten(here: Office) -> None:
    person = await here.person("U1")
    await here.house.twin.remember("My locker is number 42.", place=Place("slack:T1:C1"), person=person)
    await here.slack.home("U1")
    assert "I keep one note of yours" in await shown(here, "U1", "What I can do")
    await here.slack.click("U1", here.slack.views.home["U1"], FORGET_ME)
    assert "I keep no notes of yours" in await shown(here, "U1", "Forgotten: 1 note")
    assert await here.house.twin.notes(person=person) == []


@in_one_loop
async def test_what_is_new_for_somebody_is_shown_in_a_modal(here: Office, tmp_path: Path) -> None:
    await here.taught(tmp_path, "parking.md", "# Parking\n\nVisitors park in lot B.\n")
    await here.slack.home("U2")
    await shown(here, "U2", "What I can do")
    await here.slack.click("U2", here.slack.views.home["U2"], "home_digest")
    told = await here.modal()
    assert "Parking" in told
    assert "Handbook" not in told  # of the private channel


@in_one_loop
async def test_a_private_chat_begins_with_questions_that_can_be_answered(here: Office, tmp_path: Path) -> None:
    await here.taught(tmp_path, "lots.md", "# Lots\n\nVisitors park in lot B.\n")
    await here.slack.open_dm("U2")
    await here.slack.until(lambda: here.slack.prompts, 15)
    prompts = [one["message"] for one in here.slack.prompts[0]["prompts"]]
    assert prompts[:2] == ["What is in “Lots”?", "What can you do?"]
    assert len(prompts) <= 4


# --- settings


async def opened(here: Office, user: str) -> dict[str, Any]:
    """Open the settings from the home, and return the modal once it shows them."""
    here.slack.views.modals.clear()
    await here.slack.home(user)
    await shown(here, user, "What I can do")
    await here.slack.click(user, here.slack.views.home[user], SETTINGS)
    return await _modal(here, "our private chat")


async def _modal(here: Office, word: str) -> dict[str, Any]:
    await here.slack.until(lambda: any(word in str(one) for one in here.slack.views.modals.values()), 15)
    [modal] = here.slack.views.modals.values()
    return dict(modal)


async def saved(here: Office, user: str, modal: dict[str, Any], *chosen: str, model: str = "extractive") -> Any:
    options = [{"value": one} for one in chosen]
    values = {"what": {"what": {"selected_options": options}}, "model": {"model": {"value": model}}}
    return await here.slack.submit(user, modal, values)


@in_one_loop
async def test_a_digest_to_oneself_is_switched_on_and_off_by_whoever_wants_it(here: Office) -> None:
    place, person = Place(f"slack:T1:{here.slack.direct('U2')}"), await here.person("U2")
    for wanted in (["digest"], []):
        assert not (await saved(here, "U2", await opened(here, "U2"), *wanted)).get("errors")
        assert await here.house.twin.weekly(place=place, person=person) is bool(wanted)
        assert ("initial_options" in str(await opened(here, "U2"))) is bool(wanted)


@in_one_loop
async def test_what_is_set_for_a_channel_is_for_owners(here: Office) -> None:
    modal = await opened(here, "U1")
    await here.slack.click("U1", modal, CHANNEL, "C1")
    modal = await _modal(here, "<#C1>")
    refused = await saved(here, "U1", modal, "digest", "learn")
    assert "owners" in refused["errors"]["what"]
    owner = await here.person("U1")
    await here.house.people.granted(owner, "slack:T1", Role.OWNER)
    assert "errors" not in await saved(here, "U1", modal, "digest", "learn")
    there, twin = Place("slack:T1:C1"), here.house.twin
    assert await twin.weekly(place=there, person=owner)
    assert await twin.learning(place=there, person=owner)
    refused = await saved(here, "U1", modal, "digest", "learn", model="gpt")
    assert list(refused["errors"]) == ["model"]
    assert "errors" not in await saved(here, "U1", modal)
    assert not await twin.weekly(place=there, person=owner)
    await here.house.people.revoked(owner, "slack:T1", Role.OWNER)


@in_one_loop
async def test_of_a_channel_that_one_is_not_in_nothing_is_told(here: Office) -> None:
    modal = await opened(here, "U2")
    await here.slack.click("U2", modal, CHANNEL, "P1")
    assert "<#P1>" not in str(await _modal(here, "cannot tell that you are in it"))
