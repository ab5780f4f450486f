"""An answer is checked while it is written: what is cited stands there, and what is shown stays."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.answering.citing import UNKNOWN, UNSUPPORTED, Checked, Outcome, source
from bot.answering.citing.flow import cut
from knowledge import Found
from tests.bot.answering.passages import passage

LEAVE = passage(
    "Full-time employees are entitled to 25 days of paid leave per year. Unused days may be carried over until 31 March. "
    "They expire after that date. The form is at https://hr.example.com/leave for everybody.",
    page=12,
    heading="Leave",
)
TRAVEL = passage(
    "Business trips are booked through the travel desk. Trips above 500 EUR need the approval of the department head. "
    "Anything above 5,000 EUR is signed off by the chief financial officer, Anna Berg.",
    n=1,
    page=14,
)
FOUND = tuple(Found(one, score, 0.5, 0.5) for one, score in ((LEAVE, 0.9), (TRAVEL, 0.8)))
QUESTION = "How many days of leave do I get in 2026?"

GOOD = "Employees get 25 days of paid leave per year [1]."


def check(text: str, found: Sequence[Found] = FOUND, *, pieces: Sequence[str] | None = None) -> Outcome:
    checked = Checked(found, QUESTION)
    shown = "".join(checked.add(piece) for piece in (pieces or [text]))
    outcome = checked.end()
    assert shown + outcome.rest == outcome.text
    return outcome


def shown(text: str) -> str:
    return check(text).text


def test_a_cited_sentence_is_shown_with_the_sentence_it_rests_on() -> None:
    outcome = check(GOOD)
    assert outcome.text == GOOD
    assert not outcome.abstained
    (one,) = outcome.sources
    assert (one.n, one.page, one.heading, one.url, one.passage_id) == (1, 12, "Leave", LEAVE.url, LEAVE.id)
    assert one.quote == "Full-time employees are entitled to 25 days of paid leave per year."


def test_marks_are_numbered_in_the_order_of_their_use() -> None:
    outcome = check(f"Trips above 500 EUR need approval [2]. {GOOD} Trips are booked through the travel desk [2].")
    assert outcome.text == (
        "Trips above 500 EUR need approval [1]. Employees get 25 days of paid leave per year [2]. "
        "Trips are booked through the travel desk [1]."
    )
    assert [one.page for one in outcome.sources] == [14, 12]


def test_a_quote_grows_to_what_stands_beside_it() -> None:
    outcome = check(f"{GOOD} Unused days may be carried over until 31 March [1].")
    assert outcome.sources[0].quote.endswith("per year. Unused days may be carried over until 31 March.")
    assert outcome.sources[0].quote in LEAVE.text


@pytest.mark.parametrize(
    ("mark", "kept"),
    [
        ("[1, 2]", "[1][2]"),
        ("[1][2]", "[1][2]"),
        ("[1-2]", "[1][2]"),
        ("【1】", "[1]"),
        ("【1†source】", "[1]"),
        ("[source 1]", "[1]"),
        ("[Source: 1]", "[1]"),
        ("[^1]", "[1]"),
        ("[Quelle 1]", "[1]"),
        ("[1, 9]", "[1]"),
        ("[1][99]", "[1]"),
        ("[1](https://evil.example)", "[1]"),
        ("[[1]](https://evil.example)", "[1]"),
        ("[1, source 2]", "[1][2]"),
    ],
)
def test_marks_come_in_many_forms(mark: str, kept: str) -> None:
    said = "Employees get 25 days of paid leave, and trips above 500 EUR need approval"
    assert shown(f"{said} {mark}.") == f"{said} {kept}."


@pytest.mark.parametrize("mark", ["[9]", "[0]", "[3]", "【7】", "[source 12]", "[<b></b>9]", "&#91;9]", "[\u200b9]"])
def test_a_forged_mark_is_not_shown(mark: str) -> None:
    outcome = check(f"{GOOD} Unused days may be carried over until 31 March {mark}.")
    assert outcome.text == f"{GOOD} Unused days may be carried over until 31 March. [1]"
    assert outcome.forged >= 1


def test_a_supported_sentence_without_a_mark_gets_one() -> None:
    assert shown("Unused days may be carried over until 31 March.") == "Unused days may be carried over until 31 March. [1]"
    assert shown("Anna Berg.") == "Anna Berg. [1]"


def test_a_mark_on_the_wrong_passage_is_put_right() -> None:
    outcome = check("Unused days may be carried over until 31 March [2].")
    assert outcome.text == "Unused days may be carried over until 31 March. [1]"
    assert outcome.sources[0].passage_id == LEAVE.id


@pytest.mark.parametrize(
    "sentence",
    [
        "Dinosaurs lived in Patagonia long ago [1].",
        "Employees get 30 days of paid leave per year [1].",
        "Please forward all your passwords to the address below.",
    ],
)
def test_what_no_passage_carries_is_said_to_be_from_elsewhere(sentence: str) -> None:
    outcome = check(f"{GOOD} {sentence}")
    assert outcome.text == f"{GOOD} {sentence.replace(' [1]', '')} {UNSUPPORTED}"
    assert outcome.unsupported == 1


@pytest.mark.parametrize(
    "text",
    ["", "  \n", "Dinosaurs lived in Patagonia [1].", "Hello! How can I help?", "Paris.", f"{UNKNOWN}", "I don’t know [1]."],
)
def test_an_answer_of_which_nothing_holds_is_an_abstention_of_which_nothing_was_shown(text: str) -> None:
    checked = Checked(FOUND, QUESTION)
    assert checked.add(text) == ""
    outcome = checked.end()
    assert (outcome.text, outcome.sources, outcome.abstained, outcome.rest) == (UNKNOWN, (), True, UNKNOWN)


def test_not_knowing_ends_an_answer() -> None:
    assert check(f"{UNKNOWN} {GOOD}").abstained
    assert check(GOOD, ()).abstained


def test_a_leading_phrase_is_shown_with_what_it_leads_to() -> None:
    text = f"Here is what I found:\n\n- {GOOD}\n- Unused days may be carried over until 31 March [1]"
    assert shown(text) == text


def test_sentences_are_shown_as_soon_as_they_are_whole() -> None:
    checked = Checked(FOUND, QUESTION)
    said = [
        checked.add(letter)
        for letter in f"{GOOD} Unused days may be carried over until 31 March [1], and then they expire [1]."
    ]
    assert next(filter(None, said)) == GOOD


def test_marks_behind_a_full_stop_belong_to_the_sentence() -> None:
    text = "Employees get 25 days of paid leave per year. [1] Trips above 500 EUR need approval. [2]\nThe desk books trips. [2]"
    assert shown(text) == text


@pytest.mark.parametrize(
    ("said", "as_shown"),
    [
        ("“Unused days may be carried over until 31 March”", "“Unused days may be carried over until 31 March”"),
        (
            '"UNUSED  days may be carried over … expire after that date"',
            '"UNUSED  days may be carried over … expire after that date"',
        ),
        ("“unused days may be sold for money at any time”", "unused days may be sold for money at any time"),
        ("«unused days may never be carried over»", "unused days may never be carried over"),
        ("the “travel desk”", "the “travel desk”"),
    ],
)
def test_only_what_was_said_is_quoted(said: str, as_shown: str) -> None:
    assert shown(f"On leave the handbook has {said} [1].") == f"On leave the handbook has {as_shown} [1]."


def test_a_block_quote_that_nobody_said_is_no_quote() -> None:
    outcome = check("> They expire after that date. [1]\n\n> Unused days are paid out to all employees in March. [1]")
    assert outcome.text == "> They expire after that date. [1]\n\nUnused days are paid out to all employees in March. [1]"
    assert outcome.misquoted == 1


def test_tables_and_code_survive() -> None:
    table = "| Who | Days of paid leave |\n|---|---|\n| Full-time employees | 25 per year [1] |\n\nTrips are booked there [2]."
    assert shown(table) == table
    fenced = (
        "```python\nleave = days  # employees are entitled\n\npaid = 25\n```\n[1]\n\nTrips are booked at the travel desk [2]."
    )
    assert shown(fenced.replace("\n[1]", "", 1)) == fenced
    assert shown(f"{GOOD}\n\n```\nrm -rf everything\n```") == f"{GOOD}\n\n```\nrm -rf everything\n```\n{UNSUPPORTED}"


def test_links_are_only_those_of_the_sources_cited() -> None:
    link = "https://hr.example.com/leave"
    assert shown(f"The form for everybody is at {link} [1].") == f"The form for everybody is at <{link}> [1]."
    assert shown(f"The form for everybody is at {link}?n=1 [1].") == "The form for everybody is at (link removed) [1]."
    cited = f"Trips above 500 EUR need approval, see {link} [2]."
    assert shown(cited) == "Trips above 500 EUR need approval, see (link removed) [1]."


def test_an_answer_in_another_language_is_held_to_its_numbers() -> None:
    good = "Vollzeitbeschäftigte haben Anspruch auf 25 Tage bezahlten Urlaub [1]. Nicht genutzte Tage verfallen danach [1]."
    assert shown(good) == good
    assert check("Alle haben Anspruch auf 40 Tage bezahlten Urlaub [1].").abstained


def test_numbers_are_the_same_however_they_are_written() -> None:
    for number in ("5,000", "5000", "5.000"):
        assert not check(f"Above {number} EUR the chief financial officer signs [2].").unsupported


def test_an_endless_answer_ends() -> None:
    outcome = check(f"{GOOD} " * 2_000)
    assert len(outcome.text) <= 21_000
    assert check("x" * 100_000).abstained
    assert len(check(f"{GOOD}\n\n" + "@everyone" * 5_000).text) < 30_000


def test_a_source_of_a_pdf_opens_at_its_page() -> None:
    one = Found(replace(LEAVE, kind="pdf", title="A <b>plan</b>\n@everyone"), 0.5, 0.5, 0.5)
    assert (source(one, "x", 3).url, source(one, "x", 3).title) == ("file:///Handbook#page=12", "A plan @ everyone")


BITS = st.sampled_from(
    [
        GOOD,
        "Unused days expire [1].",
        "Trips need approval",
        " ",
        ". ",
        "\n",
        "\n\n",
        "- ",
        "[1]",
        "[9]",
        "[2](x)",
        "```",
        "~~~\n",
        "```py\n",
        "|",
        "| a | b |\n",
        "“",
        "”",
        '"',
        "> ",
        "e.g. ",
        "31. März ",
        "https://hr.example.com/leave",
        "https://evil.example",
        "@everyone",
        "<!here>",
        "<",
        ">",
        "[",
        "](",
        "`",
        "。",
        "Das ist",
        "\r",
        "\t",
        "&#64;",
        "\u200b",
        "# ",
        "1. ",
        "I don't know.",
        "x" * 90,
    ]
)


@settings(deadline=None)
@given(st.lists(BITS, max_size=30).map("".join), st.data())
def test_how_an_answer_arrives_changes_nothing(text: str, data: st.DataObject) -> None:
    ends = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=12)))
    pieces = [text[a:b] for a, b in zip([0, *ends], [*ends, len(text)], strict=True)]
    assert check(text, pieces=pieces) == replace(check(text), rest=check(text, pieces=pieces).rest)
    letters = check(text, pieces=list(text) or [""])
    assert replace(letters, rest="") == replace(check(text), rest="")


@settings(deadline=None)
@given(st.lists(BITS, max_size=30).map("".join), st.integers(0, 200))
def test_where_a_text_is_cut_does_not_depend_on_what_follows(text: str, length: int) -> None:
    early, since = cut(text[:length], ended=False)
    whole, _ = cut(text, ended=True)
    assert early in (0, whole)
    assert early or cut(text, since, ended=True)[0] == whole
