"""A text being written block by block, so that every block's span indexes the final text exactly."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from knowledge.errors import Unreadable
from knowledge.extract import sentences
from knowledge.extract.characters import clean, one_line, tidy
from knowledge.extract.text import Attached, Block, BlockKind, Extracted

MAX_CHARACTERS = 20_000_000
CELL = " | "
_TABLE_CHARACTERS = 600


class Draft:
    """Collect headings, paragraphs, items, tables and code in reading order.

    `page` is given to every block added from then on. Raises `Unreadable` beyond `MAX_CHARACTERS`.
    """

    def __init__(self) -> None:
        self.page: int | None = None
        self.first_heading: str | None = None
        self._parts: list[str] = []
        self._blocks: list[Block] = []
        self._length = 0
        self._headings: list[tuple[int, str]] = []

    def __len__(self) -> int:
        return self._length

    @property
    def path(self) -> tuple[str, ...]:
        """Return the headings above whatever comes next."""
        return tuple(text for _, text in self._headings)

    def heading(self, text: str, level: int) -> None:
        """Add a heading; it ends those of its own and of deeper levels."""
        text = one_line(text)
        if text:
            self.under(level)
            self._add("heading", text, self.path)
            self.first_heading = self.first_heading or text
            self._headings.append((level, text))

    def under(self, level: int, text: str = "") -> None:
        """End the headings of this and deeper levels; with a text, begin one that is not itself in the file."""
        while self._headings and self._headings[-1][0] >= level:
            self._headings.pop()
        if text := one_line(text):
            self._headings.append((level, text))

    def paragraph(self, text: str) -> None:
        """Add a paragraph of running text."""
        self._add("paragraph", tidy(text), self.path)

    def item(self, text: str) -> None:
        """Add an item of a list."""
        self._add("item", tidy(text), self.path)

    def code(self, text: str) -> None:
        """Add text whose blanks and line ends matter."""
        lines = (line.rstrip() for line in clean(text).split("\n"))
        self._add("code", "\n".join(lines).strip("\n"), self.path)

    def table(self, rows: Iterable[Sequence[str]], header: bool = True) -> None:
        """Add a table, a line for each row; the first row is repeated when `header`."""
        lines = [line for row in rows if (line := row_line(row))]
        if lines:
            self._add("table", "\n".join(lines), self.path, lines[0] if header and len(lines) > 1 else "")

    def rows(self, rows: Iterable[tuple[int, Sequence[str]]], header: str = "") -> None:
        """Add the numbered rows of a sheet in groups, each under "rows a–b" and led by the line `header`."""
        group: list[str] = []
        first = last = size = 0

        def close() -> None:
            lines = group if not header or group[:1] == [header] else [header, *group]
            self._add("table", "\n".join(lines), (*self.path, _span(first, last)), header)
            group.clear()

        for number, row in rows:
            line = row_line(row)
            if not line:
                continue
            if group and size + len(line) > _TABLE_CHARACTERS:
                close()
            if not group:
                first, size = number, len(header)
            last = number
            group.append(line)
            size += len(line) + 1
        if group:
            close()

    def append(self, other: Extracted) -> None:
        """Add the blocks of another text under the present headings."""
        for block in other.blocks:
            path = (*self.path, *block.path)
            self._add(block.kind, other.text[block.start : block.end], path, block.repeat)

    def _add(self, kind: BlockKind, text: str, path: tuple[str, ...], repeat: str = "") -> None:
        if not text:
            return
        if self._parts:
            close = kind == "item" == self._blocks[-1].kind
            self._parts.append("\n" if close else "\n\n")
            self._length += len(self._parts[-1])
        start = self._length
        self._parts.append(text)
        self._length += len(text)
        if self._length > MAX_CHARACTERS:
            raise Unreadable(sentences.TOO_MUCH)
        self._blocks.append(Block(kind, start, self._length, self.page, path, repeat))

    def finish(
        self,
        kind: str,
        *,
        title: str | None = None,
        authors: Iterable[str | None] = (),
        created_at: datetime | None = None,
        pages: int | None = None,
        attached: Iterable[Attached] = (),
        notes: Iterable[str] = (),
    ) -> Extracted:
        """Return what was written, with what the file says of itself."""
        names = dict.fromkeys(name for author in authors for name in _names(author))
        return Extracted(
            kind=kind,
            text="".join(self._parts),
            blocks=tuple(self._blocks),
            title=one_line(title or "")[:300] or None,
            authors=tuple(names),
            created_at=created_at,
            pages=pages,
            attached=tuple(attached),
            notes=tuple(notes),
        )


def row_line(row: Sequence[str]) -> str:
    """Return a row of cells as one line; empty when every cell is."""
    cells = [one_line(cell) for cell in row]
    while cells and not cells[-1]:
        cells.pop()
    return " ".join(CELL.join(cells).split())  # empty cells leave two blanks


def unwrap(text: str) -> str:
    """Join the lines of a paragraph that was broken at a fixed width; leave verses, addresses and lists alone."""
    lines = [line.strip() for line in text.strip().split("\n")]
    longest = max(map(len, lines))
    wrapped = len(lines) > 1 and longest >= 50 and all(len(line) > longest * 0.6 for line in lines[:-1])
    return (" " if wrapped else "\n").join(lines)


def relabel(extracted: Extracted, kind: str) -> Extracted:
    """Return the same text under another kind."""
    return replace(extracted, kind=kind)


def _span(first: int, last: int) -> str:
    return f"row {first}" if first == last else f"rows {first}–{last}"


def _names(author: str | None) -> Iterable[str]:
    return (name[:200] for part in re.split("[;\n]", author or "") if (name := one_line(part)))
