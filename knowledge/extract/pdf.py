"""PDF: page by page through PDFium, with outline, headings, form fields and comments; pypdf mends what PDFium refuses."""

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pypdf
import pypdfium2
from pypdf.errors import FileNotDecryptedError, PyPdfError
from pypdf.generic import DecodedStreamObject, EncodedStreamObject
from pypdfium2 import PdfiumError, raw

from knowledge.errors import Unreadable
from knowledge.extract import sentences
from knowledge.extract.characters import one_line
from knowledge.extract.draft import Draft
from knowledge.extract.layout import Line, compose
from knowledge.extract.pdf_page import legible, lines_of, remarks_of
from knowledge.extract.source import Source
from knowledge.extract.text import Attached, Extracted

_DATE = re.compile(r"(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?\s*(?:([+\-Z])(\d\d)?'?(\d\d)?)?")
_NOT_A_TITLE = re.compile(
    r"(?i)(untitled.*|.*\.(docx?|pdf|tex|dvi|indd|qxd|pptx?|xlsx?|rtf|wpd|txt|html?)|microsoft word.*|slide 1|\W*)"
)
_MAX_ATTACHED = 32 * 2**20


def extract(source: Source) -> Extracted:
    """Read a PDF file; one that opens with an empty password counts as open."""
    document = _opened(source.data)
    document.init_forms()
    pages: list[list[Line]] = []
    remarks: list[list[str]] = []
    printed = mute = 0
    for number in range(len(document)):
        lines, said = _page(document, number)
        letters = [line for line in lines if legible(line.text)]
        printed += bool(lines)
        mute += 2 * _length(letters) < _length(lines)
        pages.append(letters)
        remarks.append(said)
        source.tick()
    if 2 * mute > printed:
        raise Unreadable(sentences.GLYPHS)
    draft = Draft()
    heading = compose(draft, pages, remarks, list(_outline(document)))
    meta = document.get_metadata_dict()
    stated = one_line(meta.get("Title", ""))
    return draft.finish(
        "pdf",
        title=heading if _NOT_A_TITLE.fullmatch(stated) else stated,
        authors=[meta.get("Author")],
        created_at=moment(meta.get("CreationDate", "")),
        pages=len(document),
        attached=_attached(document),
    )


def _page(document: pypdfium2.PdfDocument, number: int) -> tuple[list[Line], list[str]]:
    """Return a page's lines and remarks; a page that cannot be opened has none."""
    try:
        page = document[number]
    except PdfiumError:
        return [], []
    try:
        lines = lines_of(page)
        return lines, remarks_of(page, " ".join(line.text for line in lines))
    except PdfiumError:
        return [], []
    finally:
        page.close()


def _length(lines: list[Line]) -> int:
    return sum(len(line.text) for line in lines)


def _outline(document: pypdfium2.PdfDocument) -> Iterator[tuple[int, int, str]]:
    """Yield page number (from 0), level (from 1) and title of every bookmark that leads to a page."""
    for bookmark in document.get_toc(max_depth=6):
        target = bookmark.get_dest()
        index = None if target is None else target.get_index()
        title = one_line(bookmark.get_title())
        if index is not None and not _NOT_A_TITLE.fullmatch(title):
            yield index, bookmark.level + 1, title


def _attached(document: pypdfium2.PdfDocument) -> Iterator[Attached]:
    left = _MAX_ATTACHED
    for number in range(min(document.count_attachments(), 100)):
        try:
            attachment = document.get_attachment(number)
            data = bytes(attachment.get_data())
        except PdfiumError:
            continue
        left -= len(data)
        if data and left >= 0:
            yield Attached(attachment.get_name(), data)


def _opened(data: bytes) -> pypdfium2.PdfDocument:
    try:
        document = pypdfium2.PdfDocument(data)
    except PdfiumError as error:
        if getattr(error, "err_code", None) == raw.FPDF_ERR_PASSWORD:
            raise Unreadable(sentences.LOCKED) from error
        document = None
    try:
        return document or pypdfium2.PdfDocument(_mended(data))
    except PdfiumError as error:
        raise Unreadable(sentences.CUT) from error


def _mended(data: bytes) -> bytes:
    """Rewrite a file that PDFium refuses with pypdf, which finds lost objects again and knows more compressions."""
    try:
        reader = pypdf.PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable(sentences.LOCKED)
        writer = pypdf.PdfWriter(clone_from=reader)
        for number, thing in enumerate(writer._objects):
            if isinstance(thing, EncodedStreamObject) and "/BrotliDecode" in str(thing.get("/Filter")):
                writer._objects[number] = _unpacked(thing)
        written = io.BytesIO()
        writer.write(written)
    except (FileNotDecryptedError, NotImplementedError) as error:
        raise Unreadable(sentences.LOCKED) from error
    except (PyPdfError, ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError) as error:
        raise Unreadable(sentences.CUT) from error
    return written.getvalue()


def _unpacked(stream: EncodedStreamObject) -> DecodedStreamObject:
    unpacked = DecodedStreamObject()
    unpacked.update({key: value for key, value in stream.items() if key not in {"/Filter", "/DecodeParms", "/Length"}})
    unpacked.set_data(stream.get_data())
    return unpacked


def moment(text: str) -> datetime | None:
    """Read a PDF date such as D:20240131120000+01'00'; UTC when it names no zone."""
    match = _DATE.match(text.removeprefix("D:").strip())
    if match is None:
        return None
    year, month, day, hour, minute, second = (
        int(part) if part else default for part, default in zip(match.groups()[:6], (0, 1, 1, 0, 0, 0), strict=True)
    )
    sign, hours, minutes = match.groups()[6:]
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0)) * (-1 if sign == "-" else 1)
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=timezone(offset) if offset else UTC)
    except ValueError:
        return None
