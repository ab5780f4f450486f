"""Lines of printed pages to headings and paragraphs: by the outline, the height of the type, and the gaps (pure)."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from knowledge.extract.characters import one_line
from knowledge.extract.draft import Draft
from knowledge.extract.hyphens import Words

_LETTERS = re.compile(r"[^\W\d_]")
_PAGE_NUMBER = re.compile(r"^\d{1,4}(?!\d)|(?<!\d)\d{1,4}$|(?<=page)\d+")
_BULLET = re.compile(r"\s*(?:[•‣▪●○◦■□–—\uf0b7]|\(?(?:\d{1,2}|[a-zA-Z])[.)])\s+\S")
_SENTENCE_END = (".", "!", "?", ":", "。", "！", "？", "”", '"', ")")
_NUMBERED = re.compile(r"\d{1,2}((?:\.\d{1,2}){1,3})\.?\s+[^\W\d_a-z][^.:;]{2,80}")
_WORD_OF_A_TITLE = re.compile(r"[^\W\d_]{3}|[\u2e80-\ufaff]")
_BIGGER = 1.15
_INITIAL = 1.5
_LEVELS = 3
_HEADING_CHARACTERS = 120
_TITLE_CHARACTERS = 240
_LONG = 8
_HELD = 10


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
    words = Words(line.text for lines in pages for line in lines)
    pages = [_with_initials(lines, words) for lines in _without_running_heads(pages)]
    sizes = [] if outline else _heading_sizes(pages)
    title: str | None = None
    latest = 0
    for number, lines in enumerate(pages):
        draft.page = number + 1
        marks = {_key(text): (level, text) for page, level, text in outline if page == number}
        if not outline and number - latest > _HELD:
            draft.under(0)  # a heading guessed from its size is hardly that of so many pages
        if _page(draft, lines, marks, sizes, words):
            latest = number
        if number == 0:
            title = _biggest(lines, words)
        for remark in remarks[number]:
            draft.paragraph(remark)
    return title


def _page(draft: Draft, lines: list[Line], marks: dict[str, tuple[int, str]], sizes: list[float], words: Words) -> bool:
    """Write a page and say whether there was a heading among its lines."""
    printed = {_key(line.text) for line in lines}
    for key, (depth, text) in marks.items():
        if key not in printed:  # a bookmark whose words are not on the page stands above it
            draft.under(depth, text)
    waiting: list[Line] = []
    above: int | None = None  # the level of the heading whose lines are waiting; None for those of a paragraph
    headed = False
    for line in lines:
        mark = marks.get(_key(line.text))
        level = _level(line, sizes) if mark is None else mark[0]
        if waiting and not (above == level and (_same_heading(line, waiting) if level else not _begins(line, waiting))):
            headed |= _close(draft, words.join(known.text for known in waiting), above, sure=bool(marks))
            waiting.clear()
        waiting.append(line)
        above = level
    return _close(draft, words.join(known.text for known in waiting), above, sure=bool(marks)) or headed


def _close(draft: Draft, text: str, level: int | None, *, sure: bool) -> bool:
    """Write a heading, an item or a paragraph; say whether it was a heading. A bookmark's is sure to be one."""
    if level is not None and len(text) <= _TITLE_CHARACTERS and (sure or _titular(text)):
        draft.heading(text, level)
        return True
    if _BULLET.match(text):
        draft.item(text)
    else:
        draft.paragraph(text)
    return False


def _titular(text: str) -> bool:
    """Say whether words look like a title: one of three letters or more, mostly letters, no small letter first."""
    letters = _LETTERS.findall(text)
    return bool(_WORD_OF_A_TITLE.search(text)) and 2 * len(letters) > len("".join(text.split())) and not letters[0].islower()


def _with_initials(lines: list[Line], words: Words) -> list[Line]:
    """Put a big initial letter back at the head of the line it begins."""
    whole: list[Line] = []
    for line in lines:
        initial = whole[-1] if whole else line
        if (
            len(letter := initial.text.strip()) == 1
            and letter.isupper()
            and initial.height > _INITIAL * line.height > 0
            and line.left > initial.left
            and abs(initial.bottom + initial.height - line.bottom - line.height) < line.height
        ):
            rest = line.text.lstrip()
            head = letter + re.split(r"\W", rest, maxsplit=1)[0]
            apart = letter in "AIO" and head not in words
            whole[-1] = replace(line, text=f"{letter}{' ' * apart}{rest}")
        else:
            whole.append(line)
    return whole


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
    """Return the heights of type of headings, biggest first: bigger than the body's, seldom, but not once in a long text."""
    letters: Counter[float] = Counter()
    found: dict[float, set[int]] = {}
    for number, lines in enumerate(pages):
        for line in lines:
            height = round(line.height, 1)
            letters[height] += len(line.text)
            found.setdefault(height, set()).add(number)
    letters.pop(0.0, None)
    if not letters:
        return []
    total = letters.total()
    body = letters.most_common(1)[0][0]
    least = 2 if len(pages) >= _LONG else 1
    bigger = {size for size, count in letters.items() if size > _BIGGER * body and count < 0.1 * total}
    usual = [size for size in bigger if len(found[size]) >= least or (size == max(bigger) and 0 in found[size])]
    return sorted(usual, reverse=True)[:_LEVELS]


def _biggest(lines: list[Line], words: Words) -> str | None:
    """Return the words in the biggest type of a page, when it is much bigger than the rest."""
    tallest = max((line.height for line in lines), default=0.0)
    chosen = [line for line in lines if tallest and abs(line.height - tallest) < 0.3]
    title = one_line(words.join(line.text for line in chosen))
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
