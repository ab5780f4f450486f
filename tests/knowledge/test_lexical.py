"""BM25 vectors: what is asked for and what is written must meet."""

from pathlib import Path

import pytest
from fastembed import SparseTextEmbedding
from hypothesis import given
from hypothesis import strategies as st

from knowledge.lexical import Lexical

LEXICAL = Lexical()


def ids(text: str) -> set[int]:
    return set(LEXICAL.query(text).indices)


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ("run", "running runs"),
        ("Mailboxes", "mailbox"),
        ("документов", "Документы"),
        ("договорами", "договор"),
        ("ёлка", "елка"),
        ("cafe naive", "Café naïve"),
        ("file", "the ﬁle"),  # a ligature, as PDF files contain them
        ("ABC", "ＡＢＣ"),
        ("company", "the company’s"),
        ("हिन्दी", "हिन्दी।"),
        ("emphasis", "_emphasis_"),
    ],
)
def test_forms_of_a_word_meet(asked: str, written: str) -> None:
    assert ids(asked)
    assert ids(asked) <= ids(written)


@pytest.mark.parametrize(
    "name",
    ["TWIN_DATA_DIR", "v2.3.1", "anna.k@example.com", "ABC-123", "camelCaseName", "report.pdf", "192.168.0.17", "/etc/hosts"],
)
def test_exact_names_are_found_in_running_text(name: str) -> None:
    assert ids(name)
    assert ids(name) <= ids(f"Please look at ({name}), it matters.")


@pytest.mark.parametrize(
    ("part", "name"),
    [("data", "TWIN_DATA_DIR"), ("example", "anna.k@example.com"), ("case", "camelCaseName"), ("hosts", "/etc/hosts")],
)
def test_a_name_is_found_by_its_parts(part: str, name: str) -> None:
    assert ids(part) <= ids(name)


def test_a_name_may_be_asked_for_in_small_letters() -> None:
    assert ids("abc-123 twin_data_dir") == ids("ABC-123 TWIN_DATA_DIR")


def test_marks_belong_to_their_letters() -> None:
    assert len(ids("हिन्दी")) == 1


def test_a_name_counts_for_more_than_the_same_words_apart() -> None:
    assert len(ids("ABC-123") & ids("see ABC-123")) > len(ids("ABC-123") & ids("see ABC and 123"))


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ("検索", "日本語の文章を検索する"),
        ("猫", "黒猫がいる"),
        ("分词", "中文分词测试"),
        ("세계", "안녕하세요 세계에서"),
        ("ภาษาไทย", "เรียนภาษาไทยง่าย"),
    ],
)
def test_scripts_without_spaces_are_searchable(asked: str, written: str) -> None:
    assert ids(asked)
    assert ids(asked) <= ids(written)


def test_scripts_may_be_mixed_in_one_word() -> None:
    assert ids("Python") < ids("Pythonで書く")


@pytest.mark.parametrize("text", ["", "   ", "the of and", "и в на", "🎉", "!?"])
def test_a_text_without_words_of_its_own_is_empty(text: str) -> None:
    assert not ids(text)
    assert LEXICAL.length(text) == 0
    assert LEXICAL.document(text).values == []


def test_english_ids_and_weights_are_those_of_fastembed(tmp_path: Path) -> None:
    text = "Engineers discovered leaking valves beneath seventeen reactors, reactors nobody inspected"
    stock = SparseTextEmbedding("Qdrant/bm25", specific_model_path=str(tmp_path), avg_len=LEXICAL.average_length)
    [theirs] = stock.embed([text])
    ours = LEXICAL.document(text)
    assert dict(zip(ours.indices, ours.values, strict=True)) == pytest.approx(
        dict(zip(theirs.indices.tolist(), theirs.values.tolist(), strict=True)), rel=1e-5
    )


@given(st.text(st.characters()))
def test_a_question_finds_what_is_written_in_the_same_words(text: str) -> None:
    document, query = LEXICAL.document(text), LEXICAL.query(text)
    assert document.indices == query.indices
    assert len(set(document.indices)) == len(document.indices) <= LEXICAL.length(text)
    assert all(value > 0 for value in [*document.values, *query.values])


def test_a_repeated_word_weighs_more_but_not_without_bound() -> None:
    once, twice, often = (LEXICAL.document("valve " * n).values[0] for n in (1, 2, 200))
    assert once < twice
    assert often < 2.2


def test_the_same_word_weighs_less_in_a_longer_passage() -> None:
    assert LEXICAL.document("valve").values[0] > LEXICAL.document("valve " + "other words here " * 30).values[0]


def test_the_average_length_is_what_a_passage_is_compared_with() -> None:
    text = "valves leak beneath reactors"
    assert Lexical(average_length=2).document(text).values[0] < Lexical(average_length=200).document(text).values[0]


def test_a_word_asked_twice_weighs_more_than_once_and_less_than_double() -> None:
    assert LEXICAL.query("valve").values == [1.0]
    assert 1 < LEXICAL.query("valve valve").values[0] < 2
