"""What is gone from a platform is forgotten whatever else is under way, and after a kill in the middle of it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat import Gone, Kind, Person, PlaceKind, Removal
from bot.delivery.removals import without
from bot.people.kinds import Role
from knowledge import fault
from tests.bot.delivery.opened import ADA, BOB, CLOSED, DIRECT, HOURS, OPEN, Opened, opened
from tests.bot.delivery.test_desk import holding
from tests.simulators.platform import said

QUESTION = "When does the canteen open?"
FOUND = "half past twelve"
LIBRARY = b"# Library\n\nThe library lends books for eleven days.\n"


@pytest.fixture
async def twin(tmp_path: Path) -> AsyncIterator[Opened]:
    async with opened(tmp_path / "data") as made:
        made.platform.files |= {"hours.md": HOURS, "library.md": LIBRARY}
        yield made
    fault.arm("")


async def gone(twin: Opened, what: Gone, id: str, place: str = "") -> None:
    await twin.desk.remove(Removal(f"{what} {id}", what, id, "sim:T1", place))
    await twin.quiet()


async def scopes(twin: Opened) -> set[object]:
    return {scope for (scope,) in await twin.rows("SELECT scope FROM document_scopes")} - {"guide"}


# --- files


async def test_of_a_file_that_is_deleted_nothing_is_read_in_the_receipt_of_others(twin: Opened) -> None:
    receipt = await twin.said(said("", 1, files=("hours.md", "library.md")))
    assert "“Hours”" in receipt
    await gone(twin, Gone.FILE, "hours.md")
    await twin.platform.until(lambda: "Hours" not in twin.platform.visible("1")[0].text)
    assert twin.platform.visible("1")[0].text.startswith("✅ Learned “Library”")
    [(attachments,)] = await twin.rows("SELECT attachments FROM posts WHERE message = '1'")
    assert "hours" not in str(attachments)
    assert "library" in str(attachments)


async def test_the_receipt_of_a_file_goes_with_it(twin: Opened) -> None:
    await twin.said(said("", 1, files=("hours.md",)))
    await gone(twin, Gone.FILE, "hours.md")
    assert twin.platform.visible("1") == []
    await twin.platform.until(lambda: holding(twin.folder, b"Hours") == [])


async def test_a_file_that_is_deleted_while_it_is_learned_is_not_learned(twin: Opened) -> None:
    fault.arm("learn.download.after:sleep:0.3")
    await twin.desk.receive(said("", 1, files=("hours.md",)))
    await twin.platform.until(lambda: twin.platform.calls["fetch"] == 1)
    await gone(twin, Gone.FILE, "hours.md")
    assert await scopes(twin) == set()
    assert twin.platform.visible("1") == []


async def test_a_file_that_is_gone_before_its_message_comes_is_not_learned(twin: Opened) -> None:
    del twin.platform.files["hours.md"]
    await gone(twin, Gone.FILE, "hours.md")
    assert (await twin.said(said("", 1, files=("hours.md",)))).startswith("⚠️ I could not learn hours.md")
    assert await scopes(twin) == set()


async def test_after_a_kill_a_file_is_forgotten_to_the_end(twin: Opened) -> None:
    await twin.said(said("", 1, files=("hours.md", "library.md")))
    fault.arm("remove.file.forgotten:raise:RuntimeError")
    await gone(twin, Gone.FILE, "hours.md")
    await twin.platform.until(lambda: "Hours" not in twin.platform.visible("1")[0].text)
    assert await scopes(twin) == {OPEN}
    assert await twin.rows("SELECT message FROM posts WHERE attachments LIKE '%hours%'") == []


@settings(max_examples=30)
@given(st.integers(1, 5), st.booleans(), st.data())
def test_a_receipt_without_a_file_says_of_the_others_what_it_said(count: int, taught: bool, data: st.DataObject) -> None:
    files = tuple(f"f{n}" for n in range(count))
    lines = [f"✅ Learned “{file}”.\n- ✅ Learned “inside {file}”." for file in files]
    gone_file = data.draw(st.sampled_from(files))
    first = ["✅ Learned this message."] if taught else []
    message = said("", 1, files=files)
    left = [line for line in lines if gone_file not in line]
    assert without("\n\n".join(first + lines), message, gone_file) == "\n\n".join(first + left)


def test_a_receipt_that_was_cut_short_is_not_quoted_without_one_of_its_files() -> None:
    message = said("", 1, files=("a", "b", "c"))
    assert "“a”" not in without("✅ Learned “a”.\n…", message, "b")


# --- places


async def test_of_a_place_nothing_is_left_however_often_forgetting_it_is_broken_off(twin: Opened) -> None:
    await twin.said(said("", 1, place=CLOSED, files=("hours.md",)))
    await twin.said(said("Where is the wolpertinger?", 2, place=CLOSED))
    assert FOUND in await twin.said(said(QUESTION, 3, place=DIRECT))
    fault.arm(",".join(f"remove.place.{moment}:raise:bot.chat.TryLater" for moment in ("closed", "unsaid", "unlearned")))
    await gone(twin, Gone.PLACE, CLOSED)
    await twin.platform.until(lambda: FOUND not in twin.platform.visible("3")[0].text)
    assert await scopes(twin) == set()
    for word in (b"half past twelve", b"wolpertinger", b"hours.md"):
        await twin.platform.until(lambda word=word: holding(twin.folder, word) == [])


async def test_what_comes_late_from_a_place_that_is_gone_is_not_learned(twin: Opened) -> None:
    await twin.house.people.learning(CLOSED, True)
    await gone(twin, Gone.PLACE, CLOSED)
    receipt = await twin.said(said("", 1, place=CLOSED, files=("hours.md",)))
    assert receipt == "⚠️ I am not here any more, and learn nothing."
    await twin.desk.receive(said("The canteen opens at half past twelve.", 2, place=CLOSED, addressed=False))
    await twin.quiet()
    assert await scopes(twin) == set()


async def test_what_is_being_answered_in_a_place_that_goes_is_not_kept(twin: Opened) -> None:
    fault.arm("answer.before:sleep:0.3")
    await twin.desk.receive(said("Where is the wolpertinger?", 1, place=CLOSED))
    await twin.platform.until(lambda: twin.platform.calls["open"] == 1)
    await gone(twin, Gone.PLACE, CLOSED)
    assert await twin.rows("SELECT id FROM messages") == []
    await twin.platform.until(lambda: holding(twin.folder, b"wolpertinger") == [])


async def test_what_is_told_in_a_place_to_one_alone_goes_with_it(twin: Opened) -> None:
    alone = f"{CLOSED}~U1"
    await twin.house.people.placed(alone, tenant="sim:T1", kind=PlaceKind.DIRECT)
    await twin.house.people.members(alone, [ADA])
    await twin.said(said("Where is the wolpertinger?", 1, place=alone))
    await gone(twin, Gone.PLACE, CLOSED)
    assert await twin.rows("SELECT id FROM conversations") == []
    await twin.platform.until(lambda: holding(twin.folder, b"wolpertinger") == [])


async def test_how_a_place_wanted_to_be_answered_goes_with_it(twin: Opened) -> None:
    await twin.house.parts.models.use(CLOSED, Person(ADA), persona="You are the wolpertinger.")
    await gone(twin, Gone.PLACE, CLOSED)
    await twin.platform.until(lambda: holding(twin.folder, b"wolpertinger") == [])


# --- accounts and tenants


async def test_whoever_has_another_account_keeps_what_is_theirs(twin: Opened) -> None:
    await twin.house.people.met("sim:T2:U1", tenant="sim:T2", kind=Kind.MEMBER)
    await twin.house.people.linked("sim:T2:U1", Person(ADA))
    await twin.said(said("", 1, place=DIRECT, files=("hours.md",)))
    await twin.house.parts.memory.remember("The wolpertinger is due in May.", Person(ADA))
    await gone(twin, Gone.ACCOUNT, ADA)
    assert len(await twin.house.parts.memory.notes(Person(ADA))) == 2
    await gone(twin, Gone.ACCOUNT, "sim:T2:U1")
    assert await twin.house.parts.memory.notes(Person(ADA)) == []
    await twin.platform.until(lambda: holding(twin.folder, b"wolpertinger") == [])


async def test_with_the_last_account_goes_what_was_said_in_private(twin: Opened) -> None:
    await twin.said(said("Where is the wolpertinger?", 1, place=DIRECT))
    await twin.said(said("Where is the jackalope?", 2, place=OPEN))
    await gone(twin, Gone.ACCOUNT, ADA)
    await twin.platform.until(lambda: holding(twin.folder, b"wolpertinger") == [])
    assert len(await twin.rows("SELECT id FROM messages WHERE text LIKE '%jackalope%'")) == 1


async def test_nobody_has_a_role_in_a_tenant_that_is_gone(twin: Opened) -> None:
    await twin.house.people.granted(Person(BOB), "sim:T1", Role.OWNER)
    await twin.said(said("Where is the wolpertinger?", 1, place="sim:T1:C9"))  # of which the platform has not told
    await gone(twin, Gone.TENANT, "sim:T1")
    assert await twin.rows("SELECT person_id FROM roles") == []
    await twin.platform.until(lambda: holding(twin.folder, b"wolpertinger") == [])
