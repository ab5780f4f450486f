"""PPTX files give slides with numbers, titles, tables and notes."""

import io

import pytest
from pptx import Presentation
from pptx.util import Inches

from knowledge.extract.text import Extracted
from tests.knowledge.extract.samples import block_of, blocks, holds_together, read


@pytest.fixture(scope="module")
def talk() -> Extracted:
    presentation = Presentation()
    presentation.core_properties.title = "The Talk"
    presentation.core_properties.author = "Grace Hopper"
    first = presentation.slides.add_slide(presentation.slide_layouts[1])
    first.shapes.title.text = "Why we compile"
    first.placeholders[1].text = "Machines can read for us.\nPeople can think instead."
    first.notes_slide.notes_text_frame.text = "Pause here."
    second = presentation.slides.add_slide(presentation.slide_layouts[5])
    second.shapes.title.text = "What it costs"
    table = second.shapes.add_table(2, 2, Inches(1), Inches(1), Inches(4), Inches(1)).table
    for (row, column), words in {(0, 0): "Year", (0, 1): "Cost", (1, 0): "1952", (1, 1): "9"}.items():
        table.cell(row, column).text = words
    out = io.BytesIO()
    presentation.save(out)
    return read(out.getvalue())


def test_every_block_knows_its_slide_and_its_title(talk: Extracted) -> None:
    assert talk.pages == 2
    assert block_of(talk, "Machines").page == 1
    assert block_of(talk, "Machines").path == ("Why we compile",)
    assert block_of(talk, "1952").page == 2
    assert holds_together(talk)


def test_titles_are_headings_and_lines_are_items(talk: Extracted) -> None:
    assert blocks(talk, "heading") == ["Why we compile", "What it costs"]
    assert blocks(talk, "item") == ["Machines can read for us.", "People can think instead."]


def test_notes_stand_under_their_slide(talk: Extracted) -> None:
    assert block_of(talk, "Pause").path == ("Why we compile", "Notes")


def test_tables_repeat_their_first_row(talk: Extracted) -> None:
    assert block_of(talk, "1952").repeat == "Year | Cost"


def test_what_the_file_says_of_itself_is_kept(talk: Extracted) -> None:
    assert (talk.kind, talk.title, talk.authors) == ("pptx", "The Talk", ("Grace Hopper",))
