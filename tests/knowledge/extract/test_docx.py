"""DOCX files give headings, lists, tables, notes and what stands beside the text."""

import io
from datetime import UTC, datetime

import pytest
from docx import Document
from docx.document import Document as Written

from knowledge.errors import Unreadable
from knowledge.extract import sentences
from knowledge.extract.text import Extracted
from tests.knowledge.extract.samples import block_of, blocks, holds_together, raw_docx, read, zipped


def saved(document: Written) -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


@pytest.fixture(scope="module")
def handbook() -> Extracted:
    document = Document()
    document.core_properties.title = "The Handbook"
    document.core_properties.author = "Ada Lovelace"
    document.core_properties.created = datetime(2024, 1, 31, 12)  # noqa: DTZ001 - what python-docx takes
    document.sections[0].header.paragraphs[0].text = "For internal use"
    document.add_heading("Holidays", 1)
    document.add_paragraph("Everyone has thirty days.")
    document.add_heading("Asking for them", 2)
    for step in ("Ask the team.", "Tell the office."):
        document.add_paragraph(step, style="List Number")
    table = document.add_table(rows=2, cols=2)
    for row, words in zip(table.rows, (("Year", "Days"), ("2024", "30")), strict=True):
        for cell, word in zip(row.cells, words, strict=True):
            cell.text = word
    document.add_heading("Illness", 1)
    document.add_paragraph("Call before nine.")
    return read(saved(document))


def test_headings_are_the_path_of_what_follows(handbook: Extracted) -> None:
    assert blocks(handbook, "heading") == ["Holidays", "Asking for them", "Illness"]
    assert block_of(handbook, "Everyone").path == ("Holidays",)
    assert block_of(handbook, "Ask the team").path == ("Holidays", "Asking for them")
    assert block_of(handbook, "Call").path == ("Illness",)
    assert holds_together(handbook)


def test_list_items_keep_their_numbers(handbook: Extracted) -> None:
    assert blocks(handbook, "item") == ["1. Ask the team.", "2. Tell the office."]


def test_tables_keep_their_rows_and_repeat_the_first(handbook: Extracted) -> None:
    assert blocks(handbook, "table") == ["Year | Days\n2024 | 30"]
    assert block_of(handbook, "2024").repeat == "Year | Days"


def test_what_the_file_says_of_itself_is_kept(handbook: Extracted) -> None:
    assert (handbook.title, handbook.authors) == ("The Handbook", ("Ada Lovelace",))
    assert handbook.created_at == datetime(2024, 1, 31, 12, tzinfo=UTC)


def test_page_headers_come_after_the_text(handbook: Extracted) -> None:
    assert block_of(handbook, "For internal use").path == ("Header",)
    assert handbook.text.endswith("For internal use")


def test_hidden_and_deleted_words_are_not_taken() -> None:
    body = """<w:p><w:r><w:t>Seen</w:t></w:r><w:r><w:rPr><w:vanish/></w:rPr><w:t> hidden</w:t></w:r>
    <w:r><w:rPr><w:vanish w:val="false"/></w:rPr><w:t xml:space="preserve"> and shown</w:t></w:r>
    <w:del><w:r><w:delText> deleted</w:delText></w:r></w:del><w:ins><w:r><w:t>, inserted.</w:t></w:r></w:ins></w:p>"""
    assert read(raw_docx(body)).text == "Seen and shown, inserted."


def test_text_boxes_are_read_once() -> None:
    box = "<w:txbxContent><w:p><w:r><w:t>In the box.</w:t></w:r></w:p></w:txbxContent>"
    mc = "xmlns:mc='http://schemas.openxmlformats.org/markup-compatibility/2006'"
    both = f"<mc:AlternateContent {mc}><mc:Choice>{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback></mc:AlternateContent>"
    assert read(raw_docx(f"<w:p><w:r><w:t>Before.</w:t>{both}</w:r></w:p>")).text == "Before.\n\nIn the box."


def test_a_table_of_one_column_is_a_frame_around_paragraphs() -> None:
    cell = "<w:tc><w:p><w:r><w:t>First.</w:t></w:r></w:p><w:p><w:r><w:t>Second.</w:t></w:r></w:p></w:tc>"
    assert blocks(read(raw_docx(f"<w:tbl><w:tr>{cell}</w:tr></w:tbl>"))) == ["First.", "Second."]


LAUGHS = (
    """<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>"""
)
OUTSIDE = """<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>"""


@pytest.mark.parametrize("prolog", [LAUGHS, OUTSIDE])
def test_entities_are_refused(prolog: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read(raw_docx("<w:p><w:r><w:t>&a;</w:t></w:r></w:p>", prolog))
    assert str(caught.value) == sentences.ENTITIES


def test_entities_are_refused_in_any_encoding() -> None:
    with pytest.raises(Unreadable) as caught:
        read(zipped({"[Content_Types].xml": "<x/>", "word/document.xml": (OUTSIDE + "<x>&a;</x>").encode("utf-16")}))
    assert str(caught.value) == sentences.ENTITIES


def test_a_file_that_was_cut_off_says_so() -> None:
    with pytest.raises(Unreadable) as caught:
        read(saved(Document())[:2000])
    assert str(caught.value) == sentences.CUT


def test_embedded_documents_are_documents_of_their_own() -> None:
    extracted = read(raw_docx("<w:p/>", more={"word/embeddings/figures.xlsx": "data", "word/embeddings/ole.bin": "data"}))
    assert [inner.name for inner in extracted.attached] == ["figures.xlsx"]
