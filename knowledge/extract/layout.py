"""Lines of printed pages to headings and paragraphs: by the outline, the height of the type, and the gaps (pure)."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from knowledge.extract.characters import one_line
from knowledge.extract.draft import Draft

_HYPHEN = "\ufffe"  # how PDFium writes a hyphen that ends a line
_LETTERS = re.compile(r"[^\W\d_]")
_PAGE_NUMBER = re.compile(r"^\d{1,4}(?!\d)|(?<!\d)\d{1,4}$|(?<=page)\d+")
_BULLET = re.compile(r"\s*(?:[•‣▪●○◦■□–—\uf0b7]|\(?(?:\d{1,2}|[a-zA-Z])[.)])\s+\S")
_SENTENCE_END = (".", "!", "?", ":", "。", "！", "？", "”", '"', ")")
_NUMBERED = re.compile(r"\d{1,2}((?:\.\d{1,2}){1,3})\.?\s+[^\W\d_a-z][^.:;]{2,80}")
_BIGGER = 1.15
_LEVELS = 3
_HEADING_CHARACTERS = 120
_TITLE_CHARACTERS = 240


@dataclass(frozen=True, slots=True)
class Line:
    """A printed line: its text, left edge, bottom and height of its first letter in points (0 when unknown)."""

    text: str
    left: float = 0.0
    bottom: float = 0.0
    height: float = 0.0


def compose(
    draft: Draft, pages: Sequence[list[Line]], remarks: Sequence[list[str]], outline: Sequence[tuple[int, int, str]]
) -> str | None:
    """Write pages into the draft and return the biggest heading of the first page.

    `remarks` are said after their page; `outline` holds page index, level and title.
    """
    pages = _without_running_heads(pages)
    sizes = [] if outline else _heading_sizes(pages)
    title: str | None = None
    for number, lines in enumerate(pages):
        draft.page = number + 1
        marks = {_key(text): (level, text) for page, level, text in outline if page == number}
        _page(draft, lines, marks, sizes)
        if number == 0:
            title = _biggest(lines)
        for remark in remarks[number]:
            draft.paragraph(remark)
    return title


def _page(draft: Draft, lines: list[Line], marks: dict[str, tuple[int, str]], sizes: list[float]) -> None:
    printed = {_key(line.text) for line in lines}
    for key, (depth, text) in marks.items():
        if key not in printed:  # a bookmark whose words are not on the page stands above it
            draft.under(depth, text)
    waiting: list[Line] = []
    above: int | None = None  # the level of the heading whose lines are waiting; None for those of a paragraph
    for line in lines:
        mark = marks.get(_key(line.text))
        level = _level(line, sizes) if mark is None else mark[0]
        if waiting and not (above == level and (_same_heading(line, waiting) if level else not _begins(line, waiting))):
            _close(draft, waiting, above)
        waiting.append(line)
        above = level
    _close(draft, waiting, above)


def _close(draft: Draft, lines: list[Line], level: int | None) -> None:
    text = join(line.text for line in lines)
    lines.clear()
    if level is not None and len(text) <= _TITLE_CHARACTERS:
        draft.heading(text, level)
    elif _BULLET.match(text):
        draft.item(text)
    else:
        draft.paragraph(text)


def join(lines: Iterable[str]) -> str:
    """Join the lines of a paragraph; a word divided at the line's end is whole again."""
    text = ""
    for line in map(str.strip, lines):
        if text.endswith((_HYPHEN, "-", "\N{HYPHEN}", "\xad")) and text[-2:-1].isalpha():
            text = text[:-1] + ("" if line[:1].islower() else "-") + line
        else:
            text = f"{text} {line}" if text else line
    return re.sub(f"{_HYPHEN}(?=[^\\W\\d_A-Z])", "", text).replace(_HYPHEN, "-")


def _same_heading(line: Line, waiting: list[Line]) -> bool:
    """Say whether a heading goes on in this line: the same size, right below."""
    last = waiting[-1]
    near = 0 <= last.bottom - line.bottom < 2 * last.height
    return near and abs(line.height - last.height) < 0.3 and not _NUMBERED.match(line.text)


def _begins(line: Line, paragraph: list[Line]) -> bool:
    """Say whether a line begins a paragraph: a bullet, a gap, a new size, or an indent after a short last line."""
    last = paragraph[-1]
    if _BULLET.match(line.text):
        return True
    ended = last.text.rstrip().endswith(_SENTENCE_END)
    if not line.height or not last.height:
        return ended and len(last.text) < 0.7 * max(len(known.text) for known in paragraph)
    step = last.bottom - line.bottom
    usual = paragraph[0].bottom - paragraph[1].bottom if len(paragraph) > 1 else 1.6 * last.height
    if abs(line.height - last.height) > 0.2 * last.height and _LETTERS.search(line.text):
        return abs(step) > 0.5 * last.height
    if step < -2 * last.height or step > 1.35 * max(usual, 0.9 * last.height):
        return not _runs_on(last.text, line.text)
    return ended and line.left - min(known.left for known in paragraph) > 0.8 * line.height


def _runs_on(before: str, after: str) -> bool:
    """Say whether a sentence goes on over a column's or a page's end."""
    return not before.rstrip().endswith(_SENTENCE_END) and after.lstrip()[:1].islower()


def _level(line: Line, sizes: list[float]) -> int | None:
    if len(line.text) > _HEADING_CHARACTERS or not sizes or not _LETTERS.search(line.text):
        return None
    if match := _NUMBERED.fullmatch(line.text.strip()):
        return len(sizes) + match[1].count(".")
    return next((level for level, size in enumerate(sizes, start=1) if abs(line.height - size) < 0.3), None)


def _heading_sizes(pages: Sequence[list[Line]]) -> list[float]:
    """Return the heights of type of headings, biggest first: bigger than the body's and seldom."""
    letters: Counter[float] = Counter()
    for lines in pages:
        for line in lines:
            letters[round(line.height, 1)] += len(line.text)
    letters.pop(0.0, None)
    if not letters:
        return []
    total = letters.total()
    body = letters.most_common(1)[0][0]
    bigger = sorted((size for size in letters if size > _BIGGER * body and letters[size] < 0.1 * total), reverse=True)
    return bigger[:_LEVELS]


def _biggest(lines: list[Line]) -> str | None:
    """Return the words in the biggest type of a page, when it is much bigger than the rest."""
    tallest = max((line.height for line in lines), default=0.0)
    chosen = [line for line in lines if tallest and abs(line.height - tallest) < 0.3]
    title = one_line(join(line.text for line in chosen))
    return title if len(chosen) < len(lines) and 3 <= len(title) <= 200 and _LETTERS.search(title) else None


def _without_running_heads(pages: Sequence[list[Line]]) -> list[list[Line]]:
    """Drop first and last lines that stand on most pages (page numbers aside), all but the first time."""
    if len(pages) < 4:
        return list(pages)
    edges = Counter(key for lines in pages for key in {_running_key(line) for line in (*lines[:2], *lines[-2:])})
    running = {key for key, count in edges.items() if count > len(pages) / 2}
    seen: set[str] = set()
    kept = []
    for lines in pages:
        edge = {id(line) for line in (*lines[:2], *lines[-2:]) if _running_key(line) in running}
        left = [line for line in lines if id(line) not in edge or _running_key(line) not in seen]
        seen.update(_running_key(line) for line in lines if id(line) in edge)
        kept.append(left or lines)
    return kept


def _running_key(line: Line) -> str:
    """Return a line without its page number."""
    return _PAGE_NUMBER.sub("#", _key(line.text))


def _key(text: str) -> str:
    return "".join(text.casefold().split())
