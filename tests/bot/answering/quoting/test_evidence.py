"""A question is read for its words and its kind; a passage is divided into what can be quoted."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answering.quoting import words
from bot.answering.quoting.evidence import FEATURES, Evidence, table_head, units
from bot.answering.quoting.question import Question
from knowledge import Found, Passage
from tests.bot.answering.passages import embed, passage


def hit(text: str, *, title: str = "Handbook", n: int = 0, heading: str | None = None) -> Found:
    return Found(passage(text, title=title, n=n, heading=heading), 0.5, 0.5, 1.0)


@pytest.mark.parametrize(
    ("question", "answer", "other"),
    [
        ("When was the treaty signed?", "It was signed in 1648.", "It was signed in Münster."),
        ("Wann beginnt das Fest?", "Es beginnt am 3. Oktober.", "Es beginnt pünktlich."),
        ("Когда отпуск?", "В августе.", "Не скоро."),
        ("How many rooms are there?", "There are twelve rooms.", "There are some rooms."),
        ("How many days of leave?", "Everybody has thirty days.", "Leave of some days is asked for."),
        ("How much is 1 litre?", "It costs 1.80 EUR.", "A litre is 1 litre."),
        ("Who approves travel?", "All is signed by Anna Berg.", "All is signed by the board."),
        ("Where is the office?", "The office is in Oslo.", "The office is large."),
        ("Why was it closed?", "Because nobody came.", "It was closed in May."),
    ],
)
def test_a_text_is_known_to_hold_the_kind_of_thing_that_is_asked_for(question: str, answer: str, other: str) -> None:
    assert Question(question).answered_by(answer)
    assert not Question(question).answered_by(other)


def test_what_the_question_says_itself_does_not_answer_it() -> None:
    assert not Question("When in 1648 did Anna Berg leave?").answered_by("Anna Berg left in 1648.")
    assert not Question("Who is Anna Berg?").answered_by("It is Anna Berg.")


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ("approve", "approval"),
        ("Urlaub", "Urlaubstage"),
        ("отпуска", "отпуск"),
        ("signing", "signed"),
        ("company's", "companies"),
    ],
)
def test_words_of_one_kin_are_recognised(asked: str, written: str) -> None:
    [(term, likeness)] = words.kin(words.content(asked), words.content(written))[words.content(written)[0]]
    assert term == 0
    assert 0 < likeness <= 1


@given(st.text(max_size=60), st.text(max_size=60))
def test_kin_is_sure_only_of_equal_words(asked: str, written: str) -> None:
    terms = words.content(asked)
    for word, alike in words.kin(terms, words.content(written)).items():
        assert all((likeness == 1) == (terms[n] == word) for n, likeness in alike)
        assert all(0 < likeness <= 1 for _, likeness in alike)


def test_scripts_without_blanks_are_compared_by_pairs_of_characters() -> None:
    assert words.content("年次休暇") == ["年次", "次休", "休暇"]


def test_headings_items_rows_and_sentences_are_told_apart() -> None:
    found = [hit("Leave\n\nYou need:\n- a form\n\nCity | Phone\nOslo | 12", heading="Handbook › Leave")]
    assert [unit.kind for unit in units(found)] == ["heading", "sentence", "item", "row", "row"]
    assert all(found[unit.passage].passage.text[unit.start : unit.end] == unit.text for unit in units(found))


def test_a_short_line_with_a_fact_is_no_heading() -> None:
    kinds = [unit.kind for unit in units([hit("Opening hours\n\nPhone: 12 34\n\nWe never close.")])]
    assert kinds == ["heading", "sentence", "sentence"]


def test_a_question_is_only_the_heading_of_what_follows_it() -> None:
    assert [unit.kind for unit in units([hit("Who signs? (“Who?”) Anna Berg does.")])] == ["heading", "heading", "sentence"]


def test_what_overlapping_passages_share_is_taken_once() -> None:
    one = hit("First here. Second there.")
    again = replace(one, passage=replace(one.passage, id="x", text="Second there. Third.", start=one.passage.start + 12))
    assert [unit.text for unit in units([one, again])] == ["First here.", "Second there.", "Third."]


def test_items_are_read_after_what_leads_them_and_rows_after_their_head() -> None:
    evidence = Evidence(Question("?"), [hit("You need:\n- a form\n- a pen\n\nCity | Phone\nOslo | 12\nLyon | 34")])
    assert evidence.leads == [0, 0, 0, 3, 3, 3]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Oslo | 12\nLyon | 34", "City | Phone"),  # the table began before the passage
        ("City | Phone\nOslo | 12\nLyon | 34", ""),  # it begins here
        ("Text.\n\nName | Age\nLyon | 34", ""),  # another table
    ],
)
def test_a_table_that_began_before_the_passage_has_its_head_in_the_context(text: str, expected: str) -> None:
    found = [hit(text, heading="City | Phone")]
    assert table_head(units(found)[-1], found) == expected


async def test_only_the_sentences_that_say_most_are_worth_embedding() -> None:
    evidence = Evidence(
        Question("Who approves travel?"), [hit("Nothing here. Anna approves travel. Nothing there. Travel is fun.")]
    )
    assert evidence.strongest(1) == [1]
    assert evidence.strongest(99) == [0, 1, 2, 3]
    vectors = np.zeros((4, 512), np.float32)
    query, vectors[1] = await embed(["Who approves travel?", evidence.units[1].text])
    features = evidence.features(query, vectors)
    assert features.shape == (4, len(FEATURES))
    assert features[:, FEATURES.index("cosine")].argmax() == 1
    assert features[0, FEATURES.index("cosine")] == 0


def test_a_passage_without_any_text_gives_nothing_to_quote() -> None:
    empty: Passage = replace(passage("x"), text="", end=0)
    evidence = Evidence(Question("Who?"), [Found(empty, 0, 0, 0)])
    assert evidence.units == []
    assert evidence.features(np.zeros(4, np.float32), np.zeros((0, 4), np.float32)).shape == (0, len(FEATURES))
