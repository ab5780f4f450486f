"""Text to passages that keep page, heading and position (pure)."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import ceil

from knowledge.extract.text import Block, BlockKind, Extracted

PATH_SEPARATOR = " › "

_TARGET = 230  # tokens of a whole passage: enough for one thought, and about one sentence below MiniLM's 256
_FILL = 0.9  # the same for smaller windows, as a share of them
_OVERLAP = 0.06  # of the window, at most: more makes neighbours look alike and counts a match twice (docs/benchmarks.md)
_CONTEXT = 0.25  # of the window, at most, for title, headings and table header
_TINY = 64  # tokens: a text this short is one passage, whatever its structure
_NEAR = 16  # tokens below the window from which a passage is counted again, as a whole

_BLANK = re.compile(r"\n[^\S\n]*\n\s*")
_LINE = re.compile(r"\n")
_WORD = re.compile(r"\s+")
_SENTENCE = re.compile(
    r"(?<!\b[A-Z])(?<!\b(?:Dr|Mr|St|No|vs|al|cf|pp))(?<!\b(?:Mrs|Fig|e\.g|i\.e))(?<!\bProf)"
    r"[.!?…][\"'”’»)\]]*\s+(?=[^\sa-z])|\s[.!?]\s+|[。！？]\s*"
)
_PROSE = (_BLANK, _SENTENCE, _LINE, _WORD)
_CUTS: dict[BlockKind, tuple[re.Pattern[str], ...]] = {
    "heading": _PROSE,
    "paragraph": _PROSE,
    "item": _PROSE,
    "table": (_LINE, _SENTENCE, _WORD),
    "code": (_BLANK, _LINE, _WORD),
}


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage before it is stored: the span `text[start:end]` of the document, and where it stands.

    `context` is title, heading path and table header; `tokens` counts context and span together, special tokens included.
    """

    n: int
    start: int
    end: int
    page: int | None
    heading: str | None
    context: str
    tokens: int


def embedded_text(context: str, text: str) -> str:
    """Return what is embedded and indexed for a passage: the lines of its context, then its text."""
    return f"{context}\n{text}" if context else text


def split(
    document: Extracted, *, title: str, spans: Sequence[tuple[int, int]], window: int, count: Callable[[str], int]
) -> tuple[Chunk, ...]:
    """Divide a document into passages of at most `window` tokens, context and special tokens included.

    `spans` are the character offsets of the tokens of the whole `document.text` in the embedding model's tokenizer, without
    special tokens; `count` says how many tokens the model reads for a text, special tokens included. A single token is never
    divided. Every character but white space lies in at least one passage.
    """
    text = _Text(document.text, list(_blocks(document)), [start for start, _ in spans], [end for _, end in spans])
    contexts = _Contexts(title, window, count)
    chunks: list[Chunk] = []
    for section in _sections(text):
        atoms = list(_atoms(text, section, contexts))
        for start, end in _packed(text, atoms, section.path, contexts):
            for a, b, context, tokens in _checked(text, start, end, section.path, contexts):
                heading = PATH_SEPARATOR.join(name for name in section.path if _folded(name) != _folded(title)) or None
                chunks.append(Chunk(len(chunks), a, b, text.block(b - 1).page, heading, context, tokens))
    return tuple(chunks)


@dataclass(frozen=True, slots=True)
class _Text:
    """A text, its blocks, and the positions of its tokens."""

    value: str
    blocks: list[Block]
    starts: list[int]
    ends: list[int]

    def tokens(self, start: int, end: int) -> int:
        """Count the tokens that touch a span."""
        return max(0, bisect_left(self.starts, end) - bisect_right(self.ends, start))

    def block(self, position: int) -> Block:
        """Return the block that a position lies in."""
        return self.blocks[bisect_right(self.blocks, position, key=lambda block: block.start) - 1]

    def divide(self, start: int, end: int, cuts: tuple[re.Pattern[str], ...], most: int) -> Iterator[tuple[int, int]]:
        """Cut a span at the first kind of border that leaves at most `most` tokens, and between tokens if none does."""
        start, end = _trimmed(self.value, start, end)
        if start == end:
            return
        if self.tokens(start, end) <= most:
            yield start, end
        elif cuts:
            borders = [match.end() for match in cuts[0].finditer(self.value, start, end)]
            for a, b in pairwise((start, *borders, end)):
                yield from self.divide(a, b, cuts[1:], most)
        else:
            borders = self.starts[bisect_right(self.starts, start) : bisect_left(self.starts, end)]
            yield from ((a, b) for a, b in pairwise((start, *borders, end)) if a < b)


@dataclass(frozen=True, slots=True)
class _Section:
    """Blocks under one heading path and on one page, led by their headings."""

    path: tuple[str, ...]
    blocks: list[Block]


@dataclass(frozen=True, slots=True)
class _Atom:
    """A stretch that stays in one piece, and the block it is from."""

    start: int
    end: int
    block: Block


@dataclass(frozen=True, slots=True)
class _Contexts:
    """What is said before passages, made once for each heading path."""

    title: str
    window: int
    count: Callable[[str], int]
    known: dict[tuple[str, tuple[str, ...], str], tuple[str, int]] = field(default_factory=dict)

    def room(self, path: tuple[str, ...], repeat: str) -> tuple[int, int]:
        """Return how many tokens of text a passage should have, and how many it can have."""
        taken = self.fitted(self.title, path, repeat)[1]
        return max(1, min(_TARGET, int(self.window * _FILL)) - taken), max(1, self.window - taken)

    def fitted(self, title: str, path: tuple[str, ...], repeat: str) -> tuple[str, int]:
        """Return title, headings and table header within their share, and their tokens together with the special ones."""
        key = (title, path, repeat)
        if key not in self.known:
            share = int(self.window * _CONTEXT) + self.count("")
            context = _lines(title, path, repeat)
            while len(path) > 1 and self.count(context) > share:
                path = path[1:]  # the innermost heading says most
                context = _lines(title, path, repeat)
            if self.count(context) > share:
                parts = [part for part in (title, *path, repeat) if part]
                each = (share - self.count("")) // len(parts) + self.count("")
                context = "\n".join(self._clipped(part, each) for part in parts).strip()
            self.known[key] = context, self.count(context)
        return self.known[key]

    def _clipped(self, text: str, tokens: int) -> str:
        text = text[: 40 * tokens]  # what is far too long need not be counted whole
        length = bisect_right(range(1, len(text) + 1), tokens, key=lambda n: self.count(text[:n]))
        if length == len(text):
            return text
        words = [match.start() for match in _WORD.finditer(text, 0, length + 1)]
        return text[: words[-1] if words else length]


def _blocks(document: Extracted) -> Iterator[Block]:
    """Yield the blocks without white space at their ends; text that no block holds becomes a paragraph."""
    last = Block("paragraph", 0, 0)
    for block in (*document.blocks, Block("paragraph", len(document.text), len(document.text))):
        start, end = _trimmed(document.text, last.end, block.start)
        if start < end:
            yield Block("paragraph", start, end, last.page, last.path)
        start, end = _trimmed(document.text, block.start, block.end)
        if start < end:
            yield replace(block, start=start, end=end)
        last = block


def _sections(text: _Text) -> Iterator[_Section]:
    """Group blocks under one heading path and on one page; headings stay with what follows, and a tiny text stays whole.

    A page ends a passage, because what is quoted from it is cited with its page.
    """
    one_page = len({block.page for block in text.blocks}) == 1
    if one_page and text.tokens(0, len(text.value)) <= _TINY:
        yield _Section((), text.blocks)
        return
    group: list[Block] = []
    for block in text.blocks:
        body = bool(group) and group[-1].kind != "heading"
        if body and (block.kind == "heading" or (block.path, block.page) != (group[-1].path, group[-1].page)):
            yield _Section(group[-1].path, group)
            group = []
        group.append(block)
    if group:
        yield _Section(group[-1].path, group)


def _atoms(text: _Text, section: _Section, contexts: _Contexts) -> Iterator[_Atom]:
    """Yield the section's blocks, divided where one alone (or with the headings above it) is beyond the window."""
    headings = 0  # tokens of those that the block must share its passage with
    for block in section.blocks:
        size = text.tokens(block.start, block.end)
        most = contexts.room(section.path, "")[1]
        if size > most - headings:
            most = contexts.room(section.path, block.repeat)[1]
        for start, end in text.divide(block.start, block.end, _CUTS[block.kind], max(most - headings, most // 2)):
            yield _Atom(start, end, block)
        headings = headings + size if block.kind == "heading" else 0


def _packed(text: _Text, atoms: list[_Atom], path: tuple[str, ...], contexts: _Contexts) -> Iterator[tuple[int, int]]:
    """Put neighbouring atoms together to passages of about equal size near the target."""
    first = before = 0
    while first < len(atoms):
        target, most = contexts.room(path, _repeat(atoms[first].block, atoms[first].start))
        rest = text.tokens(atoms[first].start, atoms[-1].end)
        aim = rest / ceil(rest / target) if rest else target
        size, after = text.tokens(atoms[first].start, atoms[first].end), first + 1
        while after < len(atoms):
            larger = text.tokens(atoms[first].start, atoms[after].end)
            torn = (size + larger) / 2 > aim and atoms[after - 1].block.kind != "heading"
            if torn or larger > most:
                break
            size, after = larger, after + 1
        end = atoms[after - 1].end
        yield _overlapping(text, atoms[before + 1 : first], atoms[first], end, most), end
        before, first = first, after


def _overlapping(text: _Text, earlier: list[_Atom], first: _Atom, end: int, most: int) -> int:
    """Return where a passage starts when it says again the end of the running text it was cut from."""
    start = first.start
    if first.block.kind not in ("paragraph", "item"):
        return start
    for atom in reversed(earlier):
        again = text.tokens(atom.start, first.start)
        if atom.block is not first.block or again > most * _OVERLAP or text.tokens(atom.start, end) > most:
            break
        start = atom.start
    return start


def _checked(
    text: _Text, start: int, end: int, path: tuple[str, ...], contexts: _Contexts
) -> Iterator[tuple[int, int, str, int]]:
    """Yield a passage with its context and tokens; in halves when, read alone, it has more tokens than as part of the text."""
    block = text.block(start)
    title, unsaid = _unsaid(contexts.title, path, text.value[start:end])
    context, tokens = contexts.fitted(title, unsaid, _repeat(block, start))
    tokens += text.tokens(start, end)
    edges = text.value[max(start - 1, 0) : start], text.value[end : end + 1]
    if tokens > contexts.window - _NEAR or any(edge and not edge.isspace() for edge in edges):
        tokens = contexts.count(embedded_text(context, text.value[start:end]))
    pieces = list(text.divide(start, end, _CUTS[block.kind], text.tokens(start, end) // 2)) if tokens > contexts.window else []
    if len(pieces) < 2:
        yield start, end, context, tokens
        return
    middle = len(pieces) // 2
    yield from _checked(text, start, pieces[middle - 1][1], path, contexts)
    yield from _checked(text, pieces[middle][0], end, path, contexts)


def _repeat(block: Block, start: int) -> str:
    """Return what is to be said again when a passage starts here, inside a block."""
    return block.repeat if start > block.start else ""


def _unsaid(title: str, path: tuple[str, ...], text: str) -> tuple[str, tuple[str, ...]]:
    """Leave out of title and headings what the text itself begins with, and headings that repeat the title."""
    head = _folded(text[: 2 * len(title) + 2 * sum(map(len, path)) + 16])
    names = []
    for name in (title, *path):
        folded = _folded(name)
        if said := head.startswith(folded):
            head = head.removeprefix(folded)
        names.append("" if said else name)
    return names[0], tuple(name for name in names[1:] if name and _folded(name) != _folded(title))


def _folded(text: str) -> str:
    """Return the words of a text alone, to compare headings."""
    return "".join(f"{word} " for word in re.findall(r"\w+", text.casefold()))


def _lines(title: str, path: tuple[str, ...], repeat: str) -> str:
    return "\n".join(part for part in (title, PATH_SEPARATOR.join(path), repeat) if part)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Return a span without the white space at its ends."""
    piece = text[start:end]
    blank = len(piece) - len(piece.lstrip())
    return start + blank, start + max(blank, len(piece.rstrip()))
