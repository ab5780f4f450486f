"""What is said of what was taught: how far it is, what became of it, and what it may replace or contradict."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.chat import Attachment
from bot.delivery import progress
from bot.delivery.progress import Card
from tests.bot.delivery.opened import BOB, CLOSED, HOURS, OPEN, Opened, opened
from tests.simulators.platform import said

LATER = b"# Opening\n\nThe canteen opens at half past eleven.\n"
POLICY = b"# Policy\n\nEmployees have 25 days of leave a year.\n"


@pytest.fixture
async def twin(tmp_path: Path) -> AsyncIterator[Opened]:
    async with opened(tmp_path / "data") as made:
        made.platform.files |= {"hours.md": HOURS, "policy.md": POLICY, "broken.pdf": b"%PDF-1.7 not"}
        yield made


async def test_files_of_one_message_are_learned_each_for_itself(twin: Opened) -> None:
    receipt = await twin.said(said("", 1, files=("hours.md", "broken.pdf", "gone.md", "policy.md")))
    first, second, third, fourth = receipt.split("\n\n")
    assert first.startswith("✅ Learned “Hours”: 1 passage")
    assert second.startswith("⚠️ I could not learn broken.pdf")
    assert third.startswith("⚠️ I could not learn gone.md")
    assert fourth.startswith("✅ Learned “Policy”")


async def test_what_contradicts_what_is_known_is_said(twin: Opened) -> None:
    await twin.said(said("", 1, files=("policy.md",)))
    twin.platform.files["new.md"] = POLICY.replace(b"25", b"30").replace(b"# Policy", b"# New policy")
    receipt = await twin.said(said("", 2, files=("new.md",), account=BOB))
    assert "❗ It may contradict “Policy”" in receipt
    assert "30 days" in receipt
    assert "25 days" in receipt


async def test_nobody_learns_from_a_receipt_what_they_may_not_see(twin: Opened) -> None:
    await twin.said(said("", 1, files=("policy.md",), place=CLOSED))
    twin.platform.files["policy.md"] = POLICY.replace(b"25", b"30")
    receipt = await twin.said(said("", 2, files=("policy.md",), account=BOB, place=OPEN))
    assert receipt.startswith("✅ Learned “Policy”")
    assert "contradict" not in receipt
    assert "older" not in receipt


async def test_an_older_file_of_the_same_name_is_named(twin: Opened) -> None:
    await twin.said(said("", 1, files=("hours.md",)))
    twin.platform.files["hours.md"] = LATER
    receipt = await twin.said(said("", 2, files=("hours.md",)))
    assert "There is an older “hours.md” here" in receipt
    assert "/twin forget" in receipt


async def test_what_is_known_already_is_not_learned_again(twin: Opened) -> None:
    await twin.said(said("", 1, files=("hours.md",)))
    twin.platform.files["copy.md"] = HOURS
    assert await twin.said(said("", 2, files=("copy.md",))) == "✅ I know “Hours” already."


async def test_a_lesson_that_takes_a_while_says_how_far_it_is(twin: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "MOMENT", 0.0)
    pages = "\n\n".join(f"## Hall {n}\n\nThe lamp of hall {n} is switched by panel {n}." for n in range(600))
    twin.platform.files["halls.md"] = f"# Halls\n\n{pages}\n".encode()
    message = said("", 1, files=("halls.md",))
    receipt = await twin.said(message)
    [post] = twin.platform.visible("1")
    assert receipt.startswith("✅ Learned “Halls”")
    assert any("of 600 passages" in text for text in post.history)
    assert post.finishes == 1


def test_a_card_has_a_line_for_each_file() -> None:
    one, other = Attachment("F1", "a.pdf"), Attachment("F2", "b.pdf")
    card = Card((one, other))
    card.far(one, "pages", 120, 1_000)
    card.ended(other, "⚠️ I could not learn b.pdf")
    assert list(card._lines.values()) == ["Reading “a.pdf”: 120 of 1,000 pages", "⚠️ I could not learn b.pdf"]
