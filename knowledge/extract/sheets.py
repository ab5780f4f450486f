"""XLSX and CSV: every sheet in groups of rows, with the header row repeated and values as they are shown."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice

from knowledge.errors import Unreadable
from knowledge.extract import sentences
from knowledge.extract.characters import decode
from knowledge.extract.draft import Draft, row_line
from knowledge.extract.formats import Formats
from knowledge.extract.ooxml import Package
from knowledge.extract.source import Source
from knowledge.extract.text import Extracted
from knowledge.extract.trees import Element, child, every, local, text_of

_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_FIELD_CODES = re.compile(r'&(?:[LCRPNDTFAGUISXYBEOHZ]|"[^"]*"|[0-9]+|K[0-9A-F]{6})')
_MAX_COLUMNS = 512
_MAX_HEADER = 240  # characters: a longer one would leave little room for rows
_TICK = 2000

Row = tuple[int, Sequence[str]]


def extract(source: Source) -> Extracted:
    """Read an XLSX file."""
    package = Package(source)
    main = package.main("xl/workbook.xml")
    workbook = package.tree(main)
    if workbook is None:
        raise Unreadable(sentences.DAMAGED)
    shared = [_string(item) for _, tree in package.related(main, "sharedStrings") for item in every(tree, "si")]
    formats = Formats(next((tree for _, tree in package.related(main, "styles")), None), workbook)
    targets = {relation.id: relation for relation in package.relations(main)}
    draft, count = Draft(), 0
    for sheet in every(workbook, "sheet"):
        relation = targets.get(next((str(value) for key, value in sheet.attrib.items() if str(key).endswith("}id")), ""))
        tree = package.tree(relation.target) if relation else None
        if relation is None or tree is None:
            continue
        count += 1
        draft.under(1, sheet.get("name", f"Sheet {count}"))
        _sheet(draft, (_cells(row, number, shared, formats) for number, row in enumerate(every(tree, "row"), start=1)), source)
        _around(draft, package, relation.target, tree)
    title, authors, created = package.properties()
    return draft.finish("xlsx", title=title, authors=authors, created_at=created, pages=None, attached=package.embedded())


def extract_csv(source: Source) -> Extracted:
    """Read comma, semicolon, tab or pipe separated values."""
    text = decode(source.data)
    csv.field_size_limit(2**24)
    draft = Draft()
    rows = csv.reader(io.StringIO(text.replace("\0", ""), newline=""), delimiter=delimiter(text))
    try:
        _sheet(draft, enumerate(rows, start=1), source)
    except csv.Error as error:
        raise Unreadable("It is not a table: a cell in it never ends. Check its quotation marks.") from error
    return draft.finish("csv")


def delimiter(text: str) -> str:
    """Return the separator that divides the first lines most evenly."""
    lines = [line for line in text[:20_000].splitlines()[:20] if line.strip()]

    def evenness(mark: str) -> tuple[int, int]:
        counts = [line.count(mark) for line in lines]
        usual = max(set(counts), key=counts.count, default=0)
        return (counts.count(usual) if usual else 0, usual)

    return max(",;\t|", key=evenness)


def _sheet(draft: Draft, rows: Iterator[Row], source: Source) -> None:
    """Add rows; the first one that is not empty is the header when it names columns."""

    def counted() -> Iterator[Row]:
        for n, row in enumerate(rows):
            if n % _TICK == _TICK - 1:
                source.tick()
            yield row

    filled = (row for row in counted() if any(cell.strip() for cell in row[1]))
    first = list(islice(filled, 2))
    header = row_line(first[0][1]) if len(first) == 2 and _names_columns(first[0][1]) else ""
    draft.rows(chain(first, filled), header)
    source.tick()


def _names_columns(row: Sequence[str]) -> bool:
    named = [cell for cell in row if cell.strip()]
    return len(named) > 1 and not any(cell.strip()[:1].isdigit() for cell in named) and len(row_line(row)) <= _MAX_HEADER


def _cells(row: Element, number: int, shared: list[str], formats: Formats) -> Row:
    reference = row.get("r", "")
    cells: list[str] = []
    for cell in row:
        if local(cell) != "c":
            continue
        match = _REFERENCE.fullmatch(cell.get("r", ""))
        column = _column(match[1]) if match else len(cells)
        if len(cells) <= column < _MAX_COLUMNS:
            cells.extend([""] * (column - len(cells)))
            cells.append(_value(cell, shared, formats))
    return (int(reference) if reference.isascii() and reference.isdigit() else number), cells


def _value(cell: Element, shared: list[str], formats: Formats) -> str:
    kind, text = cell.get("t", "n"), text_of(child(cell, "v"))
    if kind == "s":
        return shared[int(text)] if text.isascii() and text.isdigit() and int(text) < len(shared) else ""
    if kind == "inlineStr":
        inline = child(cell, "is")
        return "" if inline is None else _string(inline)
    if kind == "b":
        return "TRUE" if text == "1" else "FALSE"
    return formats.show(text, cell.get("s", "0")) if kind == "n" else text


def _string(item: Element) -> str:
    """Join the runs of a string; phonetic guides stay out."""
    texts = (text for text in every(item, "t") if next(text.iterancestors("{*}rPh"), None) is None)
    return "".join(text_of(text) for text in texts)


def _around(draft: Draft, package: Package, part: str, tree: Element) -> None:
    """Add what stands around the cells: page headers and footers, comments, text boxes, charts."""
    for element in every(tree, "headerFooter"):
        for line in element:
            draft.paragraph(_FIELD_CODES.sub(" ", text_of(line)))
    for _, comments in package.related(part, "comments", "threadedComment"):
        for comment in comments.iter("{*}comment", "{*}threadedComment"):
            draft.paragraph(text_of(comment))
    for relation, drawing in package.related(part, "drawing"):
        for paragraph in every(drawing, "p"):
            draft.paragraph("".join(text_of(text) for text in every(paragraph, "t")))
        for words in package.drawings(relation.target):
            draft.paragraph(words)


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1
