"""Markdown divided into messages of limited length (pure)."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from adapters.common.markdown import FENCE, closes

_BEGINS = re.compile(r"\s*(?:[-*+]\s|\d{1,9}[.)]\s|#{1,6}\s|>|`{3}|~{3})")
_DELIMITER = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
_DELIMITER_SO_FAR = re.compile(r"[ \t|:-]*")
_SENTENCE = re.compile(r"[.!?…][\"'”’)\]]*(?:\s*\[\d+\])*\s+")  # its citations stay with it
_WORD = re.compile(r"\s+")
_WHOLE = re.compile(
    r"(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`)|!?\[[^\[\]]*\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*\)|<[^<>\s]+>"
    r"|`[^`]*\Z|!?\[[^\[\]]*(?:\](?:\([^)]*)?)?\Z|<[^<>\s]*\Z"  # or what may be one, and is not at its end yet
)
_ENTITY = re.compile(r"&#?\w{0,8}\Z")
_JOINS = "\u200d\ufe0e\ufe0f"


class _Rank(IntEnum):
    """How good a place for a cut is, the best first."""

    PARAGRAPH = 1
    BLOCK = 2
    LINE = 3
    INSIDE = 4  # between the rows of a table or the lines of code
    SENTENCE = 5
    WORD = 6
    TORN = 7  # within a link or inline code


@dataclass(frozen=True, slots=True)
class _Cut:
    """A place for a cut; `close` ends what is before it, `reopen` begins what is after it."""

    at: int
    rank: _Rank
    close: str = ""
    reopen: str = ""


@dataclass(slots=True)
class _Inside:
    """What a line stands in: a block of code (`mark`, and the line that `opened` it), or a table (`header`)."""

    mark: str = ""
    indent: str = ""
    opened: str = ""
    header: str = ""

    @property
    def close(self) -> str:
        return f"\n{self.indent}{self.mark}" if self.mark else ""


def parts(text: str, most: int) -> list[str]:
    """Divide Markdown into parts of at most so many characters (a hundred or more), each of which is Markdown by itself.

    A cut is made at the end of a paragraph, or else before a list item, at the end of a line, a sentence or a word. Code is
    closed and opened again, a table gets its header again, links and inline code stay whole where they fit.

    Where the first cut is depends on no more than the first `most` + 1 characters. So a part does not change any more when
    text is added at the end, once another part follows it.
    """
    found = []
    rest = text.lstrip("\n").rstrip()
    while len(rest) > most:
        part, rest = _divided(rest, most)
        if part:
            found.append(part)
    return [*found, rest]


def _divided(text: str, most: int) -> tuple[str, str]:
    window = text[: most + 1]
    inside = _Inside()
    cuts = [cut for cut in _cuts(window, inside) if cut.at > len(cut.reopen) and _length(window, cut) <= most]
    cut = _best(cuts, most) or _anywhere(window, inside, most)
    after = text[cut.at :]
    return window[: cut.at].rstrip() + cut.close, cut.reopen + (after if cut.close else after.lstrip("\n"))


def _length(window: str, cut: _Cut) -> int:
    return len(window[: cut.at].rstrip()) + len(cut.close)


def _best(cuts: list[_Cut], most: int) -> _Cut | None:
    """Return the last of the best cuts that leave the part at least half full, or else the last cut of all."""
    full = [cut for cut in cuts if cut.at >= most // 2]
    if full:
        rank = min(cut.rank for cut in full)
        return max((cut for cut in full if cut.rank == rank), key=lambda cut: cut.at)
    return max(cuts, key=lambda cut: cut.at, default=None)


def _cuts(window: str, inside: _Inside) -> Iterator[_Cut]:
    """Yield the places for a cut; what the end of the window stands in is in `inside` then."""
    lines = window.split("\n")
    at = 0
    for n, line in enumerate(lines[:-1]):
        at += len(line) + 1
        after = lines[n + 1]
        if inside.mark:
            yield from _in_code(line, after, at, inside)
        elif fence := FENCE.fullmatch(line):
            inside.mark, inside.indent, inside.header = fence["mark"], fence["indent"], ""
            inside.opened = f"{fence['indent']}{fence['mark']}{fence['kind']}\n"
        else:
            yield from _in_text(lines, n, at, inside)
    if not inside.header:
        yield from _in_line(lines[-1], at, inside)


def _in_code(line: str, after: str, at: int, inside: _Inside) -> Iterator[_Cut]:
    if closes(line, inside.mark):
        inside.mark = inside.indent = inside.opened = ""
        yield _Cut(at, _Rank.BLOCK)
    elif not closes(after, inside.mark):
        yield _Cut(at, _Rank.INSIDE, inside.close, inside.opened)


def _in_text(lines: list[str], n: int, at: int, inside: _Inside) -> Iterator[_Cut]:
    line, after = lines[n], lines[n + 1]
    is_last = n + 2 == len(lines)
    if "|" in line and not inside.header:
        if "|" in after and not is_last and _DELIMITER.fullmatch(after):
            inside.header = f"{line}\n{after}\n"
            return
        if is_last and _DELIMITER_SO_FAR.fullmatch(after):
            return  # perhaps the header of a table
    if inside.header and "|" in line and ("|" in after or is_last):
        if "|" in after and inside.header != f"{lines[n - 1]}\n{line}\n":
            yield _Cut(at, _Rank.INSIDE, "", inside.header)
        return
    inside.header = ""
    yield _Cut(at, _Rank.PARAGRAPH if not line.strip() else _Rank.BLOCK if _BEGINS.match(after) else _Rank.LINE)


def _in_line(line: str, at: int, inside: _Inside) -> Iterator[_Cut]:
    if inside.mark:
        yield from (_Cut(at + word.end(), _Rank.WORD, inside.close, inside.opened) for word in _WORD.finditer(line))
        return
    whole = [(span.start(), span.end()) for span in _WHOLE.finditer(line)]
    for pattern, rank in ((_SENTENCE, _Rank.SENTENCE), (_WORD, _Rank.WORD)):
        for place in pattern.finditer(line):
            torn = any(start < place.end() < end for start, end in whole)
            yield _Cut(at + place.end(), _Rank.TORN if torn else rank)


def _anywhere(window: str, inside: _Inside, most: int) -> _Cut:
    """Return a cut within a word, but not within an entity or a character that is made of several."""
    end = most - len(inside.close)
    at = end
    if entity := _ENTITY.search(window, max(0, at - 9), at):
        at = entity.start()
    while at > end - 20 and (unicodedata.combining(window[at]) or window[at] in _JOINS or window[at - 1] == "\u200d"):
        at -= 1
    return _Cut(at, _Rank.WORD, inside.close, inside.opened)
