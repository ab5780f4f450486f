"""What is said of what was taught, in words for people and no more than a message holds."""

from datetime import UTC, datetime

import pytest

from bot.delivery.receipts import has_failed, of_file, of_message, together
from knowledge import Comparison, Document, Outcome, Receipt, State
from knowledge.compare import Conflict


def document(title: str = "Handbook", *, name: str = "handbook.pdf", pages: int | None = 1_000) -> Document:
    day = datetime(2026, 5, 3, 12, tzinfo=UTC)
    return Document(
        "4f2a9c1b77", name, title, "pdf", State.READY, 1, ("sim:T1:C1",), (), 9, "0" * 64, day, "", pages, passages=9_000
    )


def failed(name: str, error: str = "It is protected by a password.") -> Receipt:
    return Receipt(name, Outcome.FAILED, error=error)


@pytest.mark.parametrize(
    ("receipt", "said"),
    [
        (Receipt("handbook.pdf", Outcome.LEARNED, document()), "✅ Learned “Handbook”: 1,000 pages, 9,000 passages."),
        (
            Receipt("copy.pdf", Outcome.DUPLICATE, document()),
            "✅ I know copy.pdf already, as “Handbook”, taught on 3 May 2026.",
        ),
        (failed("locked.pdf"), "⚠️ I could not learn locked.pdf: It is protected by a password."),
        (Receipt("a.exe", Outcome.UNSUPPORTED, error="It is not read."), "⚠️ I could not learn a.exe: It is not read."),
    ],
)
def test_one_line_says_what_became_of_a_file(receipt: Receipt, said: str) -> None:
    assert of_file(receipt) == said


def test_a_new_version_says_that_the_old_one_is_found_no_more() -> None:
    said = of_file(Receipt("handbook.pdf", Outcome.UPDATED, document(pages=None), supersedes=1))
    assert said == "✅ Learned the new version of “Handbook”: 9,000 passages. The old one is no longer found."


def test_of_many_files_inside_one_ten_are_named_those_that_failed_first() -> None:
    inside = [Receipt(f"{n}.md", Outcome.LEARNED, document(f"Page {n}")) for n in range(30)]
    deeper = Receipt("inner.zip", Outcome.LEARNED, document("inner.zip"), attached=(*inside, failed("locked.pdf")))
    left_out = failed("all.zip", "huge.bin was left out: it is too large.")
    head, *lines = of_file(Receipt("all.zip", Outcome.LEARNED, document("all.zip"), attached=(left_out, deeper))).split("\n- ")
    assert head.startswith("✅ Learned “all.zip”")
    assert lines[:2] == [
        "⚠️ huge.bin was left out: it is too large.",
        "⚠️ I could not learn locked.pdf: It is protected by a password.",
    ]
    assert len(lines) == 11
    assert lines[-1] == "… and 23 more"


def test_what_may_be_replaced_or_contradicted_is_said_with_what_to_do() -> None:
    conflict = Conflict("d2", "Travel policy", 2, "Hotels are paid up to 120 euros.", "Hotels are paid up to 150 euros.")
    compared = Comparison((document(name="travel.pdf"),), (conflict,))
    _, older, contradicts = of_file(Receipt("travel.pdf", Outcome.LEARNED, document()), compared).split("\n- ")
    assert older == (
        "There is an older “travel.pdf” here, of 3 May 2026. I use both; `/twin forget 4f2a9c1b` forgets that one."
    )
    assert contradicts == (
        "❗ May contradict “Travel policy” (p. 2): here “Hotels are paid up to 120 euros.”, "
        "there “Hotels are paid up to 150 euros.”"
    )


def test_what_files_are_called_neither_links_nor_calls_anybody() -> None:
    said = of_file(failed("[pay](https://evil.example) <!channel>", "<@U1>, see https://evil.example"))
    assert "https" not in said
    assert "<" not in said


def test_a_receipt_of_much_is_short_and_still_names_every_file_and_every_failure() -> None:
    inside = tuple(failed(f"locked {n} {'long ' * 30}.pdf") for n in range(12))
    files = [of_file(Receipt(f"{n}.zip", Outcome.LEARNED, document(f"Archive {n}"), attached=inside)) for n in range(20)]
    said = together(files)
    assert len(said) <= 2_500
    assert all(f"“Archive {n}”" in said for n in range(20))
    assert len(said.split("\n\n")) == 20
    assert has_failed(together(files[:3]))


def test_only_what_failed_counts_as_failed_whatever_titles_say() -> None:
    learned = of_file(Receipt("a.md", Outcome.LEARNED, document("⚠️ Danger")))
    assert not has_failed(learned)
    assert has_failed(together([learned, of_file(failed("b.pdf"))]))
    assert has_failed(of_message(failed("a message", "There is no text in it.")))
