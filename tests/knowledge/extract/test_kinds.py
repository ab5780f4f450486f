"""What a file is told from its content; a name only chooses between flavours of text."""

import pytest

from knowledge.errors import Unreadable, Unsupported
from knowledge.extract import sentences
from knowledge.extract.kinds import EXTRACTORS, kind_of
from knowledge.extract.source import Source
from tests.knowledge.extract.samples import pdf, raw_docx, zipped

TYPES = "[Content_Types].xml"


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (pdf([["x"]]), "report.txt", "pdf"),
        (b"\n\njunk\n" + pdf([["x"]]), "blob", "pdf"),
        (raw_docx("<w:p/>"), "a.zip", "docx"),
        (zipped({TYPES: "", "ppt/presentation.xml": ""}), "a", "pptx"),
        (zipped({TYPES: "", "xl/workbook.xml": ""}), "a.docx", "xlsx"),
        (zipped({"a.txt": "x"}), "a.docx", "zip"),
        (zipped({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": ""}), "a", "odt"),
        (zipped({"mimetype": "application/epub+zip"}), "a", "epub"),
        (b"{\\rtf1 x}", "a.doc", "rtf"),
        (b"<!DOCTYPE html><p>x", "a.txt", "html"),
        (b"<html><p>x", "blob", "html"),
        (b"<?xml version='1.0'?><html xmlns='x'><body/></html>", "blob", "html"),
        (b"<?xml version='1.0'?><data>x</data>", "blob", "xml"),
        (b"<?xml version='1.0'?><data><![CDATA[<html>x]]></data>", "blob", "xml"),
        (b"From: a@b.c\nTo: d@e.f\nSubject: x\n\nbody", "blob", "email"),
        (b"From a@b.c Mon Jan  1 00:00:00 2024\nFrom: a@b.c\n\nbody", "blob", "mbox"),
        (b"# Title\n", "a.md", "markdown"),
        (b"# Title\n", "a.txt", "text"),
        (b"a,b\n1,2", "a.csv", "csv"),
        (b"a,b\n1,2", "a", "text"),
        (b"import os\n", "a.py", "code"),
        (b'{"a": 1}', "a.json", "code"),
        ("Ünïcödé".encode("utf-16"), "a", "text"),
        (b"a < b and <c> d", "a", "text"),
        (b"Dear all: this\nis no mail.", "a", "text"),
    ],
)
def test_the_kind_is_told_from_the_content(data: bytes, name: str, kind: str) -> None:
    assert kind_of(Source(data, name)) == kind
    assert kind in EXTRACTORS


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "Portable Network Graphics"),
        (b"\x7fELF\x02\x01\x01" + bytes(60), "ELF"),
        (bytes(range(256)) * 4, "This type of file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old Office format"),
        (zipped({TYPES: "", "xl/workbook.bin": ""}), "binary Excel"),
    ],
)
def test_what_is_not_read_is_told_what_is(data: bytes, said: str) -> None:
    with pytest.raises(Unsupported) as caught:
        kind_of(Source(data, "a.pdf"))
    assert said in str(caught.value)
    assert ".docx" in str(caught.value) or ".xlsx" in str(caught.value)


@pytest.mark.parametrize("data", [b"", b" \n\t", bytes(100)])
def test_an_empty_file_says_so(data: bytes) -> None:
    with pytest.raises(Unreadable) as caught:
        kind_of(Source(data, "a.txt"))
    assert str(caught.value) == sentences.EMPTY


def test_a_locked_office_file_says_so() -> None:
    with pytest.raises(Unreadable, match="protected by a password"):
        kind_of(Source(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500) + "EncryptedPackage".encode("utf-16-le"), "a.docx"))
