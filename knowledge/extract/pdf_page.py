"""One PDF page: its lines with their places, and what readers wrote or filled in on it."""

import ctypes
import re
from collections.abc import Iterator

import pypdfium2
from pypdfium2 import raw

from knowledge.extract.characters import one_line
from knowledge.extract.layout import Line

_CONTROL = re.compile(r"[\x00-\x1f]")
_MAX_REMARKS = 2000
_HIDDEN = raw.FPDF_ANNOT_FLAG_HIDDEN | raw.FPDF_ANNOT_FLAG_NOVIEW
_WRITTEN = {
    raw.FPDF_ANNOT_TEXT,
    raw.FPDF_ANNOT_FREETEXT,
    raw.FPDF_ANNOT_HIGHLIGHT,
    raw.FPDF_ANNOT_UNDERLINE,
    raw.FPDF_ANNOT_SQUIGGLY,
    raw.FPDF_ANNOT_STRIKEOUT,
    raw.FPDF_ANNOT_CARET,
    raw.FPDF_ANNOT_STAMP,
}
_FILLED = {raw.FPDF_FORMFIELD_TEXTFIELD, raw.FPDF_FORMFIELD_COMBOBOX, raw.FPDF_FORMFIELD_LISTBOX}


def lines_of(page: pypdfium2.PdfPage) -> list[Line]:
    """Return the lines of a page in reading order, legible or not, each with the place and height of its type in points."""
    textpage = page.get_textpage()
    text = textpage.get_text_range()
    measured = len(text) == textpage.count_chars()
    lines, at = [], 0
    for piece in text.split("\r\n"):
        if piece.strip():
            place = _place(textpage, at, piece) if measured else None
            lines.append(Line(piece, *(place or (0.0, 0.0, 0.0))))
        at += len(piece) + 2
    textpage.close()
    return lines


def legible(piece: str) -> bool:
    """Say whether a line is made of characters: fonts that do not tell theirs yield the numbers of their shapes."""
    numbers = len(_CONTROL.findall(piece))
    return numbers * 4 <= len(piece) - piece.count(" ")


def _place(textpage: pypdfium2.PdfTextPage, at: int, piece: str) -> tuple[float, float, float] | None:
    """Return left edge, baseline side and height of the first letter of a line; None when it has none."""
    first = next((n for n, character in enumerate(piece) if not character.isspace()), None)
    box = raw.FS_RECTF()
    if first is None or not raw.FPDFText_GetLooseCharBox(textpage, at + first, ctypes.byref(box)):
        return None
    return box.left, box.bottom, abs(box.top - box.bottom)


def remarks_of(page: pypdfium2.PdfPage, text: str) -> list[str]:
    """Return comments and filled-in form fields of a page that its text does not show already."""
    remarks: dict[str, None] = {}
    for number in range(min(raw.FPDFPage_GetAnnotCount(page), _MAX_REMARKS)):
        annotation = raw.FPDFPage_GetAnnot(page, number)
        if annotation:
            remarks.update((said, None) for said in _said(page, annotation) if said and said not in text)
            raw.FPDFPage_CloseAnnot(annotation)
    return list(remarks)


def _said(page: pypdfium2.PdfPage, annotation: raw.FPDF_ANNOTATION) -> Iterator[str]:
    if raw.FPDFAnnot_GetFlags(annotation) & _HIDDEN:
        return
    kind = raw.FPDFAnnot_GetSubtype(annotation)
    if kind in _WRITTEN:
        yield one_line(_string(raw.FPDFAnnot_GetStringValue, annotation, b"Contents"))
    elif kind == raw.FPDF_ANNOT_WIDGET and page.formenv and raw.FPDFAnnot_GetFormFieldType(page.formenv, annotation) in _FILLED:
        yield one_line(_string(raw.FPDFAnnot_GetFormFieldValue, page.formenv, annotation))


def _string(function: "ctypes._FuncPointer", *arguments: object) -> str:
    """Call a PDFium function twice: for the size of its UTF-16 string, then for the string."""
    size = function(*arguments, None, 0)
    if not 2 < size < 2**20:
        return ""
    buffer = ctypes.create_string_buffer(size)
    function(*arguments, ctypes.cast(buffer, ctypes.POINTER(raw.FPDF_WCHAR)), size)
    return buffer.raw[: size - 2].decode("utf-16-le", "replace")
