from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.terminal import outgoing
from bot.chat import Answer, Source


@dataclass(frozen=True)
class Document:
    id: str = "3f2a9c0d11"
    name: str = "handbook.pdf"
    title: str = "Handbook"
    version: int = 1
    state: str = "ready"
    pages: int | None = 12
    passages: int = 48


@dataclass(frozen=True)
class Receipt:
    outcome: str
    name: str = "handbook.pdf"
    document: Document | None = None
    error: str | None = None
    attached: "tuple[Receipt, ...]" = ()


@dataclass(frozen=True)
class Passage:
    title: str = "Handbook"
    page: int | None = 3
    heading: str | None = "Leave"
    text: str = "Thirty days."


@dataclass(frozen=True)
class Found:
    passage: Passage
    score: float


def source(n: int, page: int | None, heading: str | None) -> Source:
    return Source(n, "d1", "Handbook", page, heading, "Thirty days.", "file:///handbook.pdf", 0.9)


def answer(*sources: Source) -> Answer:
    return Answer("Thirty days. [1]", sources, False, "extractive", "extractive")


def test_sources_are_numbered_and_say_where_and_how_to_open_them() -> None:
    shown = outgoing.sources(answer(source(1, 3, "Leave"), source(2, None, "Leave"), source(3, 7, None), source(4, None, None)))
    assert shown.splitlines() == [
        "Sources",
        "  [1] Handbook, page 3 · Leave",
        "      file:///handbook.pdf",
        "  [2] Handbook · Leave",
        "      file:///handbook.pdf",
        "  [3] Handbook, page 7",
        "      file:///handbook.pdf",
        "  [4] Handbook",
        "      file:///handbook.pdf",
    ]


def test_an_answer_without_sources_shows_no_heading_for_them() -> None:
    assert outgoing.sources(answer()) == ""


@pytest.mark.parametrize(
    ("receipt", "sentence"),
    [
        (Receipt("learned", document=Document()), "Learned “Handbook”: 12 pages, 48 passages."),
        (Receipt("learned", document=Document(pages=1, passages=1)), "Learned “Handbook”: 1 page, 1 passage."),
        (Receipt("learned", document=Document(pages=None)), "Learned “Handbook”: 48 passages."),
        (
            Receipt("updated", document=Document()),
            "Learned the new version of “Handbook”: 12 pages, 48 passages. The old one is no longer found.",
        ),
        (Receipt("duplicate", document=Document()), "“Handbook” is known already."),
        (Receipt("failed", error="It is damaged."), "Could not learn handbook.pdf: It is damaged."),
        (Receipt("failed", document=Document(), error="It is damaged."), "Could not learn handbook.pdf: It is damaged."),
        (Receipt("unsupported", error="It is a film."), "Left out handbook.pdf: It is a film."),
    ],
)
def test_a_receipt_is_a_sentence(receipt: Receipt, sentence: str) -> None:
    assert outgoing.learned(receipt) == sentence


def test_what_came_inside_a_file_stands_indented_below_it() -> None:
    inside = Receipt("failed", name="scan.pdf", error="It looks scanned.")
    archive = Receipt(
        "learned",
        document=Document(pages=None, passages=0),
        attached=(Receipt("learned", document=Document(), attached=(inside,)),),
    )
    assert outgoing.learned(archive).splitlines()[1:] == [
        "  Learned “Handbook”: 12 pages, 48 passages.",
        "    Could not learn scan.pdf: It looks scanned.",
    ]


def test_documents_are_listed_with_the_beginning_of_their_id_and_how_they_are() -> None:
    listed = outgoing.documents([Document(), Document(state="failed", pages=None, passages=0)])
    assert listed.splitlines() == [
        "  3f2a9c0d  Handbook (12 pages, 48 passages)",
        "  3f2a9c0d  Handbook (failed, 0 passages)",
    ]


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (Document(), []),
        (Document(name="Handbook"), []),
        (Document(title="The quick brown fox"), ["handbook.pdf"]),
        (Document(version=2), ["v2"]),
        (Document(state="superseded"), ["v1", "replaced"]),
        (Document(title="Leave", version=3, state="failed"), ["handbook.pdf", "v3", "failed"]),
    ],
)
def test_documents_of_one_title_are_told_apart(document: Document, told: list[str]) -> None:
    assert outgoing.remarks(document) == told


def test_a_long_list_of_documents_ends_with_how_many_more_there_are() -> None:
    assert len(outgoing.documents([Document()] * 20).splitlines()) == 20
    listed = outgoing.documents([Document()] * 23).splitlines()
    assert len(listed) == 21
    assert listed[-1] == "  … and 3 more: `twin docs list`"


def test_an_empty_shelf_says_how_to_fill_it() -> None:
    assert outgoing.documents([]) == "Nothing yet. Type or drop the path of a file to teach it."


def test_found_passages_are_ranked_with_score_place_and_beginning() -> None:
    long = Passage(page=None, heading=None, text="word " * 200)
    first, second, third, fourth = outgoing.passages([Found(Passage(), 0.914), Found(long, 0.5)]).splitlines()
    assert (first, second) == ("  1. Handbook, page 3 · Leave (0.91)", "     Thirty days.")
    assert third == "  2. Handbook (0.50)"
    assert len(fourth) <= 245
    assert fourth.endswith("word …")


def test_finding_nothing_is_said() -> None:
    assert outgoing.passages([]) == "Nothing found."


def test_only_a_terminal_gets_colours() -> None:
    assert "\x1b" not in outgoing.documents([Document()])
    assert "\x1b" in outgoing.documents([Document()], outgoing.ANSI)


def flowed(pieces: list[str], width: int, style: outgoing.Style = outgoing.PLAIN) -> str:
    flow = outgoing.Flow(width, style)
    return "".join([*map(flow.add, pieces), flow.end()])


def test_streamed_text_breaks_between_words() -> None:
    assert flowed(["Thirty d", "ays of lea", "ve."], 12) == "Thirty days\nof leave."


def test_a_streamed_word_is_shown_as_soon_as_it_is_whole() -> None:
    flow = outgoing.Flow(80)
    assert [flow.add("Thir"), flow.add("ty days"), flow.end()] == ["", "Thirty", " days"]


def test_on_a_terminal_names_are_bold_and_quotations_have_a_bar_on_every_line() -> None:
    style = outgoing.Style(strong="<b>", end="</b>", bar="|")
    shown = flowed(["**Hand", "book** says:\n\n> Thirty days", " of leave. [1]\n\n", "**A B** > c"], 15, style)
    assert shown == "<b>Handbook</b> says:\n\n| Thirty days\n| of leave. [1]\n\n<b>A B</b> > c"


def test_elsewhere_markdown_stays_as_it_is() -> None:
    markdown = "**Handbook** says:\n\n> Thirty days.\n"
    assert flowed([markdown], 0) == markdown


texts = st.text(st.sampled_from("abcdé \n"), max_size=120)


@given(st.lists(texts), st.integers(1, 40))
def test_flowing_keeps_every_word_and_no_line_is_wider_than_asked_unless_one_word_is(pieces: list[str], width: int) -> None:
    shown = flowed(pieces, width)
    assert shown.split() == "".join(pieces).split()
    for line in shown.split("\n"):
        assert len(line) <= width or len(line.split()) == 1


@given(st.lists(st.text(st.sampled_from("ab>* \n"))))
def test_without_a_width_text_flows_as_it_is(pieces: list[str]) -> None:
    whole = "".join(pieces)
    assert flowed(pieces, 0) == "\n".join(line.rstrip() for line in whole.split("\n"))
