"""Sentences end where a reader would say they do, and nothing of the text is lost."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answering.quoting.sentences import is_item, is_row, spans, trimmed

PIECES = st.sampled_from(
    [
        "Dr.",
        "e.g.",
        "U.S.",
        "3.14",
        "1.",
        "- ",
        "a | b",
        "\n",
        "\n\n",
        " ",
        "Word",
        "word",
        ".",
        "!",
        "?",
        "…",
        '"',
        ")",
        "。",
        "\t",
        "[1]",
    ]
)


def divided(text: str) -> list[str]:
    return [text[slice(*trimmed(text, span))] for span in spans(text)]


@given(st.lists(PIECES).map("".join) | st.text())
def test_the_spans_partition_any_text(text: str) -> None:
    found = spans(text)
    assert "".join(text[start:end] for start, end in found) == text
    assert all(start < end for start, end in found)
    assert all(before[1] == after[0] for before, after in pairwise(found))


@given(st.text(), st.integers(0, 50), st.integers(0, 50))
def test_a_trimmed_span_has_no_white_space_at_its_ends(text: str, start: int, length: int) -> None:
    span = (min(start, len(text)), min(start + length, len(text)))
    a, b = trimmed(text, span)
    assert text[a:b] == text[slice(*span)].strip()


@pytest.mark.parametrize(
    "text",
    [
        "Dr. Anna Berg met Mr. Smith in St. Louis.",
        "It costs 3.50 EUR, i.e. much less than No. 5 did.",
        "J. Robert Oppenheimer and W. E. B. Du Bois never met.",
        "The U.S. Defense Secretary spoke of it.",
        "See Fig. 3 and pp. 12-14 of Vol. 2.",
        "Die Frist endet z. B. am 31. März bzw. Ende Nr. 4.",
        "Он живёт на ул. Ленина в г. Москве.",
        "The file setup.cfg is read by v2.3.1 of the program.",
        "1. Open the portal and sign in.",
        "What a strange title, Who's Afraid of Virginia Woolf? it was.",
        "They waited... and waited.",
    ],
)
def test_a_full_stop_inside_a_sentence_does_not_end_it(text: str) -> None:
    assert divided(text) == [text]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It rains. Take a coat! Why? Because.", ["It rains.", "Take a coat!", "Why?", "Because."]),
        ("He lives in the U.S. The house is red.", ["He lives in the U.S.", "The house is red."]),
        ("Take vitamin C. It helps.", ["Take vitamin C.", "It helps."]),
        ('He said: "Stop." Then he left.', ['He said: "Stop."', "Then he left."]),
        ("It is so.[2] It is proven.[citation needed] Yes.", ["It is so.[2]", "It is proven.[citation needed]", "Yes."]),
        ("これは本です。あれは何ですか？", ["これは本です。", "あれは何ですか？"]),
        ("Отпуск 28 дней. Заявление подаётся заранее.", ["Отпуск 28 дней.", "Заявление подаётся заранее."]),
        ("Er kam am Montag. Die Tür war zu.", ["Er kam am Montag.", "Die Tür war zu."]),
    ],
)
def test_sentences_are_told_apart(text: str, expected: list[str]) -> None:
    assert divided(text) == expected


def test_headings_items_and_rows_stand_alone() -> None:
    text = "Leave\n\nYou need:\n- a form\n- a pen. And ink.\n\nCity | Phone\nOslo | 12. 34"
    assert divided(text) == ["Leave", "You need:", "- a form", "- a pen.", "And ink.", "City | Phone", "Oslo | 12. 34"]


def test_a_line_broken_by_the_page_goes_on() -> None:
    text = "This line was broken because the page was too narrow for all of\nIts words. The next\nsentence as well."
    assert divided(text) == [text[: text.index(" The next")], "The next\nsentence as well."]


def test_items_and_rows_are_recognised() -> None:
    assert all(map(is_item, ["- a", "• a", "1. a", "(2) a", "b) c"]))
    assert not any(map(is_item, ["a - b", "1984 was a year", "-5 degrees", ""]))
    assert is_row("a | b")
    assert not is_row("either|or")
