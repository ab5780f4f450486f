"""Markdown divided into messages: nothing is lost, nothing is broken, and what is shown already stays."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.common.markdown import stretches
from adapters.common.parts import parts

MOST = 120

WORDS = st.text("abcdefgh é<&*_[]()", min_size=1, max_size=30)
LINES = st.one_of(
    WORDS,
    WORDS.map(lambda words: f"- {words}"),
    WORDS.map(lambda words: f"## {words}"),
    st.just(""),
    st.sampled_from(["It was due. Nobody knew why [1]. And then?", "see [the plan](https://a.example/b) and `a b c`"]),
    st.lists(st.text("abc =()", min_size=1, max_size=40), max_size=8).map(lambda code: "\n".join(["```python", *code, "```"])),
    st.integers(1, 9).map(lambda rows: "\n".join(["| a | b |", "|---|---|", *[f"| {n} | cell |" for n in range(rows)], ""])),
    st.text("x", min_size=100, max_size=300),
)
TEXTS = st.lists(LINES, max_size=14).map("\n".join)
WILD = st.lists(
    st.sampled_from(["`", "```", "~~~", "|", "-", "| - |", "[a](", "](b)", "<", "&lt;", " ", "\n", "word. ", "x" * 50])
).map("".join)


def said(text: str) -> str:
    """Return what a text says, without blanks and without what opens and closes."""
    text = re.sub(r"^[ \t]*```\w*$", "", text, flags=re.MULTILINE)
    return re.sub(r"\| a \| b \|\n\|---\|---\|\n", "", text + "\n").replace("\n", "").replace(" ", "")


def fences(text: str) -> int:
    return len(re.findall(r"^[ \t]*```", text, re.MULTILINE))


@settings(max_examples=80, deadline=None)
@given(TEXTS)
def test_nothing_is_lost_and_no_part_is_too_long(text: str) -> None:
    found = parts(text, MOST)
    assert all(len(part) <= MOST for part in found)
    assert "".join(map(said, found)) == said(text)


@settings(max_examples=80, deadline=None)
@given(TEXTS)
def test_every_part_opens_and_closes_its_code(text: str) -> None:
    assert all(fences(part) % 2 == 0 for part in parts(text, MOST))


@settings(max_examples=80, deadline=None)
@given(WILD)
def test_whatever_is_written_the_words_stay(text: str) -> None:
    found = parts(text, MOST)
    assert all(0 < len(part) <= MOST for part in found[1:])
    assert sum(part.count("word") for part in found) >= text.count("word")


@settings(max_examples=80, deadline=None)
@given(TEXTS | WILD, TEXTS | WILD)
def test_a_part_that_another_follows_does_not_change_when_the_text_grows(text: str, more: str) -> None:
    before, after = parts(text, MOST), parts(text + more, MOST)
    assert after[: len(before) - 1] == before[:-1]


@given(st.text(max_size=300))
def test_stretches_of_code_and_text_are_the_text(text: str) -> None:
    assert "".join(stretch for _, stretch in stretches(text)) == text


def test_a_text_that_fits_is_one_part() -> None:
    assert parts("Hello.\n\nWorld.\n", MOST) == ["Hello.\n\nWorld."]
    assert parts("", MOST) == [""]


def test_a_paragraph_is_the_best_place_for_a_cut() -> None:
    first, second = "One thing. " * 7, "Another thing. " * 5
    assert parts(f"{first}\n\n{second}", MOST) == [first.rstrip(), second.rstrip()]


def test_a_list_is_cut_between_its_items() -> None:
    items = [f"- item {n} has a few words" for n in range(7)]
    cut = parts("\n".join(items), MOST)
    assert [line for part in cut for line in part.split("\n")] == items


def test_code_is_closed_and_opened_again() -> None:
    code = "\n".join(f"    line_{n} = {n}" for n in range(12))
    cut = parts(f"So:\n```python\n{code}\n```\nThat is it.", MOST)
    assert cut[0].endswith("\n```")
    assert all(part.startswith("```python\n") for part in cut[1:])
    assert cut[-1].endswith("```\nThat is it.")


def test_a_table_gets_its_header_again() -> None:
    head = "| name | when |\n| --- | :-: |"
    rows = [f"| audit {n} | Monday {n} |" for n in range(12)]
    cut = parts("\n".join([head, *rows]), MOST)
    assert all(part.startswith(head) for part in cut)
    assert [line for part in cut for line in part.split("\n")[2:]] == rows


@pytest.mark.parametrize("whole", ["[the plan of the year](https://a.example/plan)", "`rm -r every thing here`"])
@pytest.mark.parametrize("before", range(80, 118, 5))
def test_links_and_inline_code_stay_whole(whole: str, before: int) -> None:
    text = f"{'word ' * (before // 5)}{whole} and so on, {'word ' * 10}"
    assert any(whole in part for part in parts(text, MOST))


def test_a_sentence_takes_its_citations_along() -> None:
    text = f"{'a' * 40} {'b' * 40}. [1] [2] {'c' * 60}"
    assert parts(text, MOST)[0].endswith("[1] [2]")


def test_a_character_made_of_several_and_an_entity_stay_whole() -> None:
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    assert all(part.count("\u200d") % 2 == 0 for part in parts(family * 60, MOST))
    assert all(part.count("&") == part.count("&lt;") for part in parts("&lt;" * 100, MOST))
