"""DOCX: headings, paragraphs, lists, tables, text boxes, notes and comments, in reading order."""

import re
from collections.abc import Iterator

from knowledge.errors import Unreadable
from knowledge.extract import sentences
from knowledge.extract.draft import Draft
from knowledge.extract.numbering import Numbering
from knowledge.extract.ooxml import Package, on
from knowledge.extract.source import Source
from knowledge.extract.text import Extracted
from knowledge.extract.trees import Element, attribute, child, every, local, text_of

_HEADING = re.compile(
    r"(?:heading|überschrift|titre|título|titolo|kop|rubrik|overskrift|nagłówek|заголовок)\s*([1-9])", re.IGNORECASE
)
_ASIDE = (
    ("footnotes", "Footnotes"),
    ("endnotes", "Endnotes"),
    ("comments", "Comments"),
    ("header", "Header"),
    ("footer", "Footer"),
)
_BREAKS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "ptab": "\t"}
_UNREAD = {"del", "moveFrom", "instrText", "delText", "rt", "pPr", "rPr", "sectPr", "Fallback", "binData"}
_WRAPPERS = {"sdt", "sdtContent", "customXml", "smartTag", "ins", "moveTo", "AlternateContent", "Choice", "body", "altChunk"}


def extract(source: Source) -> Extracted:
    """Read a DOCX file."""
    package = Package(source)
    main = package.main("word/document.xml")
    body = child(package.tree(main), "body")
    if body is None:
        raise Unreadable(sentences.DAMAGED)
    reading = _Reading(package, main)
    reading.blocks(body)
    reading.asides()
    title, authors, created = package.properties()
    return reading.draft.finish(
        "docx", title=title or reading.title, authors=authors, created_at=created, attached=package.embedded()
    )


class _Reading:
    """One walk through a document."""

    def __init__(self, package: Package, main: str) -> None:
        self.draft = Draft()
        self.title: str | None = None
        self._package = package
        self._main = main
        styles = next((tree for _, tree in package.related(main, "styles")), None)
        self._styles = {attribute(style, "styleId") or "": style for style in every(styles, "style")}
        self._numbering = Numbering(next((tree for _, tree in package.related(main, "numbering")), None))

    def blocks(self, parent: Element) -> None:
        """Add everything that stands in a body, a cell or a text box."""
        for element in parent:
            name = local(element)
            if name == "p":
                self._paragraph(element)
            elif name == "tbl":
                self._table(element)
            elif name in _WRAPPERS:
                self.blocks(element)

    def asides(self) -> None:
        """Add what stands outside the running text: drawings, notes, comments, headers and footers."""
        for words in self._package.drawings(self._main):
            self.draft.paragraph(words)
        for kind, label in _ASIDE:
            seen: set[str] = set()
            self.draft.under(1, label)
            for relation, tree in self._package.related(self._main, kind):
                for paragraph in every(tree, "p"):
                    text = self._text(paragraph).strip()
                    if text and text not in seen:
                        seen.add(text)
                        self.draft.paragraph(text)
                for words in self._package.drawings(relation.target):
                    self.draft.paragraph(words)
        self.draft.under(1)

    def _paragraph(self, paragraph: Element) -> None:
        text = self._text(paragraph)
        chain = list(self._style(paragraph))
        level = self._level(paragraph, chain)
        label = self._numbering.label(_first(paragraph, chain, "numPr"), chain) if text.strip() else None
        if level == 0:
            self.title = self.title or text.strip() or None
            self.draft.heading(text, 1)
        elif level:
            self.draft.heading(f"{label} {text}" if label else text, level)
        elif label is not None:
            self.draft.item(f"{label} {text}")
        else:
            self.draft.paragraph(text)
        for box in every(paragraph, "txbxContent"):
            if not any(local(above) in {"Fallback", "txbxContent"} for above in box.iterancestors()):
                self.blocks(box)

    def _style(self, paragraph: Element) -> Iterator[Element]:
        """Yield the paragraph's style and those it is based on."""
        name = _value(child(paragraph, "pPr", "pStyle"))
        for _ in range(12):
            style = self._styles.get(name or "")
            if style is None:
                return
            yield style
            name = _value(child(style, "basedOn"))

    def _level(self, paragraph: Element, chain: list[Element]) -> int | None:
        """Return 0 for the title, 1-9 for a heading, None for other paragraphs."""
        for style in chain:
            name = _value(child(style, "name")) or ""
            if name.lower() == "title":
                return 0
            if match := _HEADING.fullmatch(name.strip()):
                return int(match[1])
        outline = _value(_first(paragraph, chain, "outlineLvl")) or ""
        return int(outline) + 1 if outline in set("01234567") else None

    def _table(self, table: Element) -> None:
        rows = []
        for row in every(table, "tr"):
            if next(row.iterancestors("{*}tbl"), None) is table:
                cells = [cell for cell in every(row, "tc") if next(cell.iterancestors("{*}tr"), None) is row]
                rows.append([" ".join(self._text(paragraph) for paragraph in every(cell, "p")) for cell in cells])
        if max(map(len, rows), default=0) > 1:
            self.draft.table(rows)
        else:  # a frame drawn with a table
            for cell in every(table, "tc"):
                if next(cell.iterancestors("{*}tbl"), None) is table:
                    self.blocks(cell)

    def _text(self, element: Element) -> str:
        return "".join(self._pieces(element))

    def _pieces(self, element: Element) -> Iterator[str]:
        for below in element:
            name = local(below)
            if name == "t":
                yield text_of(below)
            elif name in _BREAKS:
                yield _BREAKS[name]
            elif name in _UNREAD or name == "txbxContent" or (name == "r" and self._hidden(below)):
                continue
            elif len(below):
                yield from self._pieces(below)

    def _hidden(self, run: Element) -> bool:
        properties = child(run, "rPr")
        if on(child(properties, "vanish")):
            return True
        style = self._styles.get(_value(child(properties, "rStyle")) or "")
        return style is not None and child(properties, "vanish") is None and on(child(style, "rPr", "vanish"))


def _first(paragraph: Element, chain: list[Element], name: str) -> Element | None:
    """Return a paragraph property from the paragraph itself or the nearest style that has it."""
    found = (child(holder, "pPr", name) for holder in (paragraph, *chain))
    return next((element for element in found if element is not None), None)


def _value(element: Element | None) -> str | None:
    return None if element is None else attribute(element, "val")
