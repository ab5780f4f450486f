"""ODT, and its sisters ODS and ODP: headings, paragraphs, lists, tables, notes, slides."""

import re
from collections.abc import Iterator, Sequence

from knowledge.errors import Unreadable
from knowledge.extract import sentences
from knowledge.extract.draft import Draft, row_line
from knowledge.extract.source import Source
from knowledge.extract.text import Extracted
from knowledge.extract.trees import Element, attribute, child, dublin_core, every, local, moment, parse, text_of
from knowledge.extract.zips import Zip

_UNREAD = {
    "tracked-changes",
    "ruby-text",
    "sequence-decls",
    "forms",
    "title-style",
    "event-listeners",
    "annotation-end",
    "binary-data",
}
_ASIDE = {"note", "annotation", "frame", "custom-shape", "rect", "text-box"}
_MAX_REPEAT = 100


def extract(source: Source) -> Extracted:
    """Read an OpenDocument text, spreadsheet or presentation."""
    container = Zip(source.data)
    if b"encryption-data" in (container.get("META-INF/manifest.xml") or b""):
        raise Unreadable(sentences.LOCKED)
    content = container.get("content.xml")
    root = parse(content) if content else None
    body = child(root, "body")
    if body is None or len(body) == 0:
        raise Unreadable(sentences.DAMAGED)
    draft = Draft()
    kind = {"spreadsheet": "ods", "presentation": "odp"}.get(local(body[0]), "odt")
    for number, below in enumerate(body[0], start=1):
        if kind == "ods" and local(below) == "table":
            _sheet(draft, below)
        elif kind == "odp" and local(below) == "page":
            _slide(draft, below)
        else:
            _block(draft, below)
        if number % 100 == 0 or kind != "odt":
            source.tick()
    _running_heads(draft, container)
    meta = parse(container.get("meta.xml") or b"<x/>")
    created = next((moment(text_of(element)) for element in every(meta, "creation-date")), None)
    return draft.finish(
        kind,
        title=next(iter(dublin_core(meta, "title")), None),
        authors=[*(text_of(element) for element in every(meta, "initial-creator")), *dublin_core(meta, "creator")],
        created_at=created,
        pages=draft.page,
    )


def _block(draft: Draft, element: Element, in_list: bool = False) -> None:
    name = local(element)
    if name in _UNREAD or not name:
        return
    if name == "h":
        level = attribute(element, "outline-level") or "1"
        draft.heading(_text(element), int(level) if level.isdigit() else 1)
        _asides(draft, element)
    elif name == "p":
        (draft.item if in_list else draft.paragraph)(_text(element))
        _asides(draft, element)
    elif name == "table":
        rows = [row for _, row in _rows(element)]
        if max(map(len, rows), default=0) > 1:
            draft.table(rows)
        else:
            for cell in every(element, "table-cell"):
                _blocks(draft, cell)
    else:
        _blocks(draft, element, in_list or name == "list")


def _blocks(draft: Draft, parent: Element, in_list: bool = False) -> None:
    for below in parent:
        _block(draft, below, in_list)


def _asides(draft: Draft, paragraph: Element) -> None:
    """Add notes, comments and text boxes anchored in a paragraph, after it."""
    for below in paragraph:
        if local(below) in _ASIDE:
            _blocks(draft, below)
        elif local(below) not in _UNREAD:
            _asides(draft, below)


def _text(element: Element) -> str:
    return "".join(_pieces(element))


def _pieces(element: Element) -> Iterator[str]:
    yield element.text or ""
    for below in element:
        name = local(below)
        if name == "s":
            yield " " * min(int(attribute(below, "c") or 1), 100)
        elif name in {"tab", "line-break"}:
            yield "\t" if name == "tab" else "\n"
        elif name and name not in _UNREAD and name not in _ASIDE:
            yield from _pieces(below)
        yield below.tail or ""


def _rows(table: Element) -> Iterator[tuple[int, Sequence[str]]]:
    number = 1
    for row in every(table, "table-row"):
        cells: list[str] = []
        for cell in row:
            if local(cell) in {"table-cell", "covered-table-cell"}:
                text = " ".join(_text(paragraph) for paragraph in every(cell, "p"))
                cells.extend([text] * (_repeated(cell, "number-columns-repeated") if text or len(cells) < 50 else 1))
        if row_line(cells):
            yield number, cells
        number += _repeated(row, "number-rows-repeated", 2**21)


def _repeated(element: Element, name: str, most: int = _MAX_REPEAT) -> int:
    text = attribute(element, name) or "1"
    return min(int(text), most) if re.fullmatch(r"[0-9]{1,9}", text) else 1


def _sheet(draft: Draft, table: Element) -> None:
    draft.under(1, attribute(table, "name") or "Sheet")
    rows = list(_rows(table))
    header = row_line(rows[0][1]) if len(rows) > 1 and len(rows[0][1]) > 1 else ""
    draft.rows(rows, header)


def _slide(draft: Draft, page: Element) -> None:
    draft.page = (draft.page or 0) + 1
    draft.under(1)
    frames = list(page)
    for frame in frames:
        if attribute(frame, "class") == "title":
            draft.heading(" ".join(_text(paragraph) for paragraph in every(frame, "p")), 1)
        elif local(frame) == "notes":
            draft.under(2, "Notes")
            _blocks(draft, frame)
        else:
            _block(draft, frame)


def _running_heads(draft: Draft, container: Zip) -> None:
    """Add page headers and footers once, at the end."""
    styles = container.get("styles.xml")
    root = parse(styles) if styles else None
    draft.under(1)
    seen: set[str] = set()
    for region in (
        ()
        if root is None
        else root.iter("{*}header", "{*}footer", "{*}header-left", "{*}footer-left", "{*}header-first", "{*}footer-first")
    ):
        for paragraph in every(region, "p"):
            text = _text(paragraph).strip()
            if text and text not in seen:
                seen.add(text)
                draft.paragraph(text)
