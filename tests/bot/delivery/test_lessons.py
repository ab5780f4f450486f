"""What is said of what was taught: how far it is, what became of it, and what it may replace or contradict."""

from collections import deque
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.chat import Kind, Message
from bot.delivery import progress
from knowledge import fault
from tests.bot.delivery.opened import ADA, BOB, CLOSED, HOURS, OPEN, Opened, opened
from tests.simulators.platform import said

LATER = b"# Opening\n\nThe canteen opens at half past eleven.\n"
POLICY = b"# Policy\n\nEmployees have 25 days of leave a year.\n"
GUEST = "sim:T1:U3"
LEARNED_BY = """
    SELECT v.kind, accounts.id FROM documents JOIN document_versions v ON v.document_id = documents.id
    JOIN accounts ON accounts.person_id = documents.added_by
"""


@pytest.fixture
async def twin(tmp_path: Path) -> AsyncIterator[Opened]:
    async with opened(tmp_path / "data") as made:
        made.platform.files |= {"hours.md": HOURS, "policy.md": POLICY, "broken.pdf": b"%PDF-1.7 not"}
        yield made
    fault.arm("")


def marks(twin: Opened, message: str) -> list[str]:
    return twin.platform.marks.get(message, [])


def taught(text: str, n: int, by: str = BOB, *, files: tuple[str, ...] = (), at: float = 0.0, event: str = "") -> Message:
    """Make a message of Ada's that somebody had learned."""
    message = said(text, n, addressed=False, files=files, at=at, event=event or f"taught {n} {at}")
    return replace(message, taught_by=by)


# --- files


async def test_files_of_one_message_are_learned_each_for_itself(twin: Opened) -> None:
    receipt = await twin.said(said("", 1, files=("hours.md", "broken.pdf", "gone.md", "policy.md")))
    first, second, third, fourth = receipt.split("\n\n")
    assert first.startswith("✅ Learned “Hours”: 1 passage")
    assert second.startswith("⚠️ I could not learn broken.pdf")
    assert third.startswith("⚠️ I could not learn gone.md")
    assert fourth.startswith("✅ Learned “Policy”")
    await twin.quiet()
    assert marks(twin, "1") == ["received", "failed"]


async def test_a_message_bears_the_mark_of_how_far_its_lesson_is(twin: Opened) -> None:
    await twin.said(said("", 1, files=("hours.md",)))
    await twin.quiet()
    assert marks(twin, "1") == ["received", "learned"]


async def test_without_marks_a_lesson_is_learned_all_the_same(twin: Opened) -> None:
    twin.platform.faults["mark"] = deque([403, "reset"])
    assert (await twin.said(said("", 1, files=("hours.md",)))).startswith("✅ Learned “Hours”")


@pytest.mark.parametrize("point", ["learn.download.after", "learn.notify.before", "outbox.finish.after"])
async def test_a_lesson_that_is_begun_again_has_one_receipt_and_nothing_is_known_already(twin: Opened, point: str) -> None:
    fault.arm(f"{point}:raise:RuntimeError")
    receipt = await twin.said(said("", 1, files=("hours.md",)))
    await twin.quiet()
    assert receipt.startswith("✅ Learned “Hours”")
    assert len(twin.platform.visible("1")) == 1
    assert marks(twin, "1")[-1] == "learned"


async def test_what_is_known_already_is_not_learned_again(twin: Opened) -> None:
    await twin.said(said("", 1, files=("hours.md",)))
    twin.platform.files["copy.md"] = HOURS
    receipt = await twin.said(said("", 2, files=("copy.md",)))
    assert receipt.startswith("✅ I know copy.md already, as “Hours”, taught on ")


# --- what else is known


async def test_what_contradicts_what_is_known_is_said(twin: Opened) -> None:
    await twin.said(said("", 1, files=("policy.md",)))
    twin.platform.files["new.md"] = POLICY.replace(b"25", b"30").replace(b"# Policy", b"# New rules")
    receipt = await twin.said(said("", 2, files=("new.md",), account=BOB))
    assert (
        "❗ May contradict “Policy”: here “Employees have 30 days of leave a year.”, "
        "there “Employees have 25 days of leave a year.”"
    ) in receipt


@pytest.mark.parametrize("first", ["1", "2"])
async def test_of_what_is_forgotten_no_receipt_says_anything_any_more(twin: Opened, first: str) -> None:
    older, newer = "25 days of leave", "30 days of leave"
    twin.platform.files["policy (1).md"] = POLICY.replace(b"25", b"30")
    await twin.said(said("", 1, files=("policy.md",)))
    receipt = await twin.said(said("", 2, files=("hours.md", "policy (1).md"), account=ADA))
    assert older in receipt and newer in receipt and "policy.md" in receipt
    await twin.quiet()
    await twin.forget("policy.md" if first == "1" else "policy (1).md")
    [mine], [theirs] = twin.platform.visible("1"), twin.platform.visible("2")
    assert "days of leave" not in theirs.text
    assert "policy.md" not in theirs.text
    assert "✅ Learned “Hours”" in theirs.text
    assert ("↩️ Forgotten." in mine.text, "↩️ Forgotten." in theirs.text) == (first == "1", first == "2")
    assert await twin.rows("SELECT count(*) FROM quotes WHERE line LIKE '%days of leave%'") == [(0,)]


async def test_what_is_forgotten_while_a_receipt_is_shown_stands_in_none(twin: Opened) -> None:
    await twin.said(said("", 1, files=("hours.md",)))
    twin.platform.files["hours (1).md"] = LATER
    fault.arm("outbox.finish.after:sleep:1.5")
    await twin.desk.receive(said("", 2, files=("hours (1).md",)))
    await twin.platform.until(lambda: any("older" in post.text for post in twin.platform.visible("2")))
    fault.arm("")
    await twin.forget("hours.md")
    await twin.platform.until(lambda: all("older" not in post.text for post in twin.platform.visible("2")))


async def test_chat_tables_and_reports_of_other_years_contradict_nothing(twin: Opened) -> None:
    table = b"# Rules\n\n| Who | Leave |\n|---|---|\n| Employees have a year | 25 days of leave |\n"
    twin.platform.files |= {"table.md": table, "leave 2025.md": POLICY}
    await twin.said(taught("Employees have 20 days of leave a year.", 1))
    await twin.said(said("", 2, files=("table.md",)))
    await twin.said(said("", 3, files=("leave 2025.md",)))
    twin.platform.files["leave 2026.md"] = POLICY.replace(b"25", b"30")
    assert "contradict" not in await twin.said(said("", 4, files=("leave 2026.md",)))


async def test_nobody_learns_from_a_receipt_what_they_may_not_see(twin: Opened) -> None:
    await twin.said(said("", 1, files=("policy.md",), place=CLOSED))
    twin.platform.files["policy.md"] = POLICY.replace(b"25", b"30")
    receipt = await twin.said(said("", 2, files=("policy.md",), account=BOB, place=OPEN))
    assert receipt.startswith("✅ Learned “Policy”")
    assert "contradict" not in receipt
    assert "older" not in receipt


async def test_an_older_file_of_the_same_name_is_named(twin: Opened) -> None:
    await twin.said(said("", 1, files=("hours.md",)))
    twin.platform.files["hours (1).md"] = LATER
    receipt = await twin.said(said("", 2, files=("hours (1).md",)))
    assert "There is an older “hours.md” here" in receipt
    assert "/twin forget" in receipt


async def test_what_comes_in_one_message_is_not_older_than_itself(twin: Opened) -> None:
    twin.platform.files["hours.txt"] = LATER
    assert "older" not in await twin.said(said("", 1, files=("hours.md", "hours.txt")))


# --- progress


async def test_a_lesson_that_takes_a_while_says_how_far_it_is(twin: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "MOMENT", 0.0)
    pages = "\n\n".join(f"## Hall {n}\n\nThe lamp of hall {n} is switched by panel {n}." for n in range(600))
    twin.platform.files["halls.md"] = f"# Halls\n\n{pages}\n".encode()
    receipt = await twin.said(said("", 1, files=("gone.md", "halls.md")))
    [post] = twin.platform.visible("1")
    assert "✅ Learned “Halls”" in receipt
    far = [text for text in post.history if "Reading “halls.md”: " in text and "of 600 passages" in text]
    assert far
    assert all(text.startswith("⚠️ I could not learn gone.md") for text in far)
    assert post.finishes == 1


async def test_what_is_learned_in_a_moment_has_its_receipt_at_once(twin: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "MOMENT", 3_600.0)
    receipt = await twin.said(said("", 1, files=("hours.md",)))
    assert twin.platform.visible("1")[0].history == [receipt]


# --- a message that somebody had learned


async def test_a_message_is_learned_by_whoever_wants_that_and_goes_with_it(twin: Opened) -> None:
    receipt = await twin.said(taught("The canteen opens at half past twelve.", 1))
    await twin.quiet()
    assert receipt == "✅ Learned this message."
    assert marks(twin, "1") == ["received", "learned"]
    assert await twin.rows(LEARNED_BY) == [("message", BOB)]
    assert "half past twelve" in await twin.said(said("When does the canteen open?", 2))

    await twin.desk.receive(said("", 1, at=9, deleted=True))
    await twin.quiet()
    assert await twin.rows(LEARNED_BY) == []
    assert twin.platform.visible("1") == []


async def test_an_edit_of_a_message_that_was_taught_is_learned_too(twin: Opened) -> None:
    await twin.said(taught("The canteen opens at half past twelve.", 1))
    await twin.desk.receive(said("The canteen opens at half past eleven.", 1, at=9, addressed=False))
    await twin.quiet()
    answer = await twin.said(said("When does the canteen open?", 2))
    assert "half past eleven" in answer
    assert "half past twelve" not in answer
    assert twin.platform.visible("1")[0].text == "✅ Learned this message."


async def test_a_message_whose_lesson_is_begun_again_is_not_known_already(twin: Opened) -> None:
    fault.arm("learn.notify.before:raise:RuntimeError")
    assert await twin.said(taught("The canteen opens at half past twelve.", 1)) == "✅ Learned this message."


async def test_files_of_a_message_are_learned_with_its_text_and_its_question_is_none_of_the_twin(twin: Opened) -> None:
    receipt = await twin.said(taught("Has the canteen new hours?", 1, files=("hours.md",)))
    await twin.quiet()
    assert receipt.split("\n\n")[0] == "✅ Learned this message."
    assert receipt.split("\n\n")[1].startswith("✅ Learned “Hours”")
    assert len(twin.platform.visible("1")) == 1


async def test_a_message_without_words_is_not_learned(twin: Opened) -> None:
    assert (await twin.said(taught("", 1))).startswith("⚠️ There is no text in this message")
    await twin.quiet()
    assert marks(twin, "1") == ["received", "failed"]


@pytest.mark.parametrize("by", [GUEST, "sim:T1:U9"])
async def test_only_full_members_teach(twin: Opened, by: str) -> None:
    await twin.house.people.met(GUEST, tenant="sim:T1", kind=Kind.GUEST, name="Gus")
    await twin.house.people.members(OPEN, [ADA, BOB, GUEST])
    assert await twin.said(taught("The canteen is closed.", 1, by)) == (
        "⚠️ Guests can ask me, but only full members can teach me."
    )
    assert (await twin.said(said("", 2, files=("hours.md",), account=by))).startswith("⚠️ Guests can ask me")
    await twin.quiet()
    assert marks(twin, "1")[-1] == marks(twin, "2")[-1] == "failed"
    assert await twin.rows("SELECT scope FROM document_scopes WHERE scope != 'guide'") == []
