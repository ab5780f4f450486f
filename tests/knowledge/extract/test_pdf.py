"""PDF files give their pages, headings and words, or say why not."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from knowledge.errors import Unreadable
from knowledge.extract import pdf as pdf_extractor
from knowledge.extract import sentences
from knowledge.extract.draft import Draft
from knowledge.extract.layout import Line, compose
from tests.knowledge.extract.samples import block_of, blocks, holds_together, locked_pdf, outlined_pdf, pdf, raw_pdf, read

PROSE = [
    "The twin learns from the files people give it, and it answers with",
    "sources that can be opened. Whoever asks may check every quota-",
    "tion against the page it was taken from.",
]


def test_every_block_knows_its_page() -> None:
    extracted = read(pdf([PROSE, ["The second page says this."], ["And the third page that."]]))
    assert extracted.pages == 3
    assert [block.page for block in extracted.blocks] == [1, 2, 3]
    assert holds_together(extracted)


def test_lines_become_paragraphs_and_divided_words_are_whole_again() -> None:
    (paragraph,) = blocks(read(pdf([PROSE])))
    assert "may check every quotation against the page" in paragraph


def test_a_hyphen_at_a_lines_end_stays_where_it_is_the_words_own() -> None:
    page = ["The tests that gain the least are bitops-bitwise-", "and, which is short, and a few others."]
    (paragraph,) = blocks(read(pdf([page])))
    assert "bitops-bitwise-and" in paragraph


def test_a_gap_begins_a_paragraph() -> None:
    extracted = read(pdf([["One thing is said here and it goes on for a while.", "", "", "Another thing."]]))
    assert blocks(extracted) == ["One thing is said here and it goes on for a while.", "Another thing."]


def test_bigger_type_makes_headings_and_the_biggest_the_title() -> None:
    extracted = read(pdf([[(24, "On Twins"), *PROSE, *PROSE, (15, "How they learn"), *PROSE, *PROSE]]))
    assert extracted.title == "On Twins"
    assert blocks(extracted, "heading") == ["On Twins", "How they learn"]
    assert extracted.blocks[-1].path == ("On Twins", "How they learn")


def test_type_that_is_big_but_no_title_makes_no_heading() -> None:
    extracted = read(pdf([[(24, "On Twins"), *PROSE, *PROSE, (15, "x7"), *PROSE, (15, "of letters"), *PROSE]]))
    assert blocks(extracted, "heading") == ["On Twins"]


def test_a_size_used_once_in_a_long_text_makes_no_heading() -> None:
    pages: list[list[str | tuple[int, str]]] = [[f"Page {word} is here.", *PROSE, *PROSE] for word in "abcdefgh"]
    pages[4].insert(0, (30, "KLDSC AASLS"))
    pages[5].insert(0, (20, "A real title"))
    pages[7].insert(0, (20, "Another one"))
    assert blocks(read(pdf(pages)), "heading") == ["A real title", "Another one"]


def test_a_heading_known_by_its_size_ends_after_ten_pages_without_another() -> None:
    pages: list[list[str | tuple[int, str]]] = [[f"Page {word} is here.", *PROSE] for word in "abcdefghijklmn"]
    pages[0].insert(0, (24, "On Twins"))
    paths = {block.page: block.path for block in read(pdf(pages)).blocks if block.kind == "paragraph"}
    assert paths[11] == ("On Twins",)
    assert paths[12] == ()


def test_a_big_initial_belongs_to_the_word_it_begins() -> None:
    lines = [
        Line("T", 10, 690, 30),
        Line("he twins learn.", 40, 707, 11),
        Line("A", 10, 590, 30),
        Line("long walk.", 40, 607, 11),
    ]
    draft = Draft()
    compose(draft, [lines], [[]], [])
    assert blocks(draft.finish("pdf")) == ["The twins learn.", "A long walk."]


def test_bookmarks_give_the_headings_where_there_are_some() -> None:
    plain = pdf([["First part", *PROSE], PROSE, ["Second part", *PROSE]])
    extracted = read(outlined_pdf(plain, [("First part", 0), ("An aside", 1), ("Second part", 2)]))
    assert blocks(extracted, "heading") == ["First part", "Second part"]
    assert [block.path for block in extracted.blocks if block.kind == "paragraph"] == [
        ("First part",),
        ("An aside",),
        ("Second part",),
    ]


def test_running_heads_are_said_once() -> None:
    pages = [
        ["Annual Report 2024", f"What page number {word} tells is its own.", f"Page {n}"] for n, word in enumerate("abcdef", 1)
    ]
    text = read(pdf(pages)).text
    assert text.count("Annual Report 2024") == 1
    assert text.count("Page ") == 1
    assert all(f"number {word} tells" in text for word in "abcdef")


def test_what_the_file_says_of_itself_is_kept() -> None:
    extracted = read(pdf([PROSE], "/Title(A Guide)/Author(Ada Lovelace; Alan Turing)/CreationDate(D:20240131120000+01'00')"))
    assert extracted.title == "A Guide"
    assert extracted.authors == ("Ada Lovelace", "Alan Turing")
    assert extracted.created_at == datetime(2024, 1, 31, 12, tzinfo=timezone(timedelta(hours=1)))


def test_a_title_that_is_a_file_name_is_none() -> None:
    assert read(pdf([PROSE], "/Title(Microsoft Word - report.doc)")).title is None


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("D:2024", datetime(2024, 1, 1, tzinfo=UTC)),
        ("20240229", datetime(2024, 2, 29, tzinfo=UTC)),
        ("D:20240131120000Z", datetime(2024, 1, 31, 12, tzinfo=UTC)),
        ("D:20240131120000-08'30'", datetime(2024, 1, 31, 12, tzinfo=timezone(-timedelta(hours=8, minutes=30)))),
        ("D:20241331", None),
        ("D:20240131120000+99'99'", None),
        ("yesterday", None),
    ],
)
def test_dates_are_read_or_left_out(text: str, moment: datetime | None) -> None:
    assert pdf_extractor.moment(text) == moment


def test_a_locked_file_says_so_and_an_empty_password_opens() -> None:
    with pytest.raises(Unreadable, match="protected by a password"):
        read(locked_pdf(pdf([PROSE]), "secret"))
    assert "learns from the files" in read(locked_pdf(pdf([PROSE]), "")).text


@pytest.mark.parametrize("keep", [40, 300])
def test_a_file_that_was_cut_off_is_mended_or_says_so(keep: int) -> None:
    with pytest.raises(Unreadable) as caught:
        read(pdf([PROSE])[:keep])
    assert str(caught.value) == sentences.CUT


def test_a_file_whose_table_of_objects_is_wrong_is_mended() -> None:
    head, _, tail = pdf([PROSE]).partition(b"0000000000 65535 f")
    assert "learns from the files" in read(head + b"rubbish" + tail).text


def test_a_file_whose_mark_is_missing_is_still_known_by_its_content() -> None:
    assert "learns from the files" in read(b"%" + pdf([PROSE])[5:]).text


def test_pages_that_contain_themselves_end() -> None:
    cyclic = raw_pdf(
        [
            "<</Type/Catalog/Pages 2 0 R>>",
            "<</Type/Pages/Kids[2 0 R 3 0 R]/Count 9>>",
            "<</Type/Pages/Kids[2 0 R]/Count 9>>",
            "<<>>",
        ]
    )
    assert read(cyclic).text == ""


def test_comments_and_filled_in_fields_are_read() -> None:
    page = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Annots[5 0 R 6 0 R 7 0 R]>>"
    extracted = read(
        raw_pdf(
            [
                "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[6 0 R]>>>>",
                "<</Type/Pages/Kids[3 0 R]/Count 1>>",
                page,
                "<<>>",
                "<</Type/Annot/Subtype/Text/Rect[9 9 30 30]/Contents(Please mend this.)>>",
                "<</Type/Annot/Subtype/Widget/FT/Tx/T(name)/V(Grace Hopper)/Rect[9 50 90 70]>>",
                "<</Type/Annot/Subtype/Text/F 2/Rect[9 9 30 30]/Contents(Nobody sees me.)>>",
            ]
        )
    )
    assert blocks(extracted) == ["Please mend this.", "Grace Hopper"]
    assert block_of(extracted, "Grace").page == 1


MUTE = "\x03\x04\x05\x06 \x07\x0e"


def test_lines_in_a_font_that_does_not_tell_its_letters_are_left_out() -> None:
    assert read(pdf([[MUTE, "These are letters."]])).text == "These are letters."


@pytest.mark.parametrize(("mute", "readable"), [(2, True), (3, False)])
def test_a_file_with_most_pages_in_such_a_font_says_so(mute: int, readable: bool) -> None:
    data = pdf([*[["A page with letters."]] * 2, *[[MUTE] * 9] * mute, []])
    if readable:
        assert "A page with letters." in read(data).text
    else:
        with pytest.raises(Unreadable, match="glyphs without letters"):
            read(data)
