"""Citation marks as models write them, and as they are shown (pure)."""

import re
from collections.abc import Callable, Iterable, Sequence

# Models write [1], [1, 2], [1-3], [^1], [source 1] and 【1†source】. A number in round brackets is more often a list.
_WORDS = r"(?:\^|(?:sources?|src|refs?|references?|docs?|documents?|passages?|quellen?|источник\w*|fuentes?|#)[\s:#]*)?"
_MARK = re.compile(
    rf"(?P<gap>[^\S\n]*)(?:\[{_WORDS}(?P<square>\d{{1,3}}(?:\s*(?:,|;|-|–|and|und|&)\s*{_WORDS}\d{{1,3}})*)\]"
    rf"|【{_WORDS}(?P<black>\d{{1,3}})[^】\n]{{0,40}}】)",
    re.IGNORECASE,
)
_LEADING = re.compile(rf"(?:{_MARK.pattern})+(?:\s+|\Z)", re.IGNORECASE)
_RANGE = re.compile(r"(\d+)\s*[-–]\s*(\d+)|\d+")
_MOST = 10  # numbers in one mark

# While a sentence is worked on, a mark that holds stands as these around its number: no text can contain them.
_OPEN, _CLOSE = "\ue000", "\ue001"
_HELD = re.compile(f"{_OPEN}(\\d+){_CLOSE}")
_FREE = re.compile(f"[{_OPEN}{_CLOSE}]")


def leading(text: str, at: int) -> int:
    """Return where the marks that stand at a place end, and the white space after them; the place itself without any."""
    found = _LEADING.match(text, at)
    return found.end() if found else at


def numbers(text: str) -> list[int]:
    """Return the numbers that are cited, in order."""
    return list(dict.fromkeys(n for mark in _MARK.finditer(text) for n in _numbers(mark)))


def without(text: str) -> str:
    """Return a text without marks."""
    return _MARK.sub("", text)


def clean(text: str) -> str:
    """Return a text in which nothing can be taken for a mark that holds."""
    return _FREE.sub("", text)


def hold(text: str, shown: Callable[[int], int | None]) -> str:
    """Put the number that is shown for each cited one, and leave out those that do not hold."""

    def held(mark: re.Match[str]) -> str:
        kept = [n for each in _numbers(mark) if (n := shown(each)) is not None]
        return mark["gap"] + held_marks(kept) if kept else ""

    return _MARK.sub(held, text)


def held_marks(shown: Iterable[int]) -> str:
    """Return marks for some numbers, as they stand while a sentence is worked on."""
    return "".join(f"{_OPEN}{n}{_CLOSE}" for n in dict.fromkeys(shown))


def written(text: str) -> str:
    """Return a text with its marks as they are shown; a blank keeps them from becoming links and images."""
    text = re.sub(f"!(?={_OPEN})|{_CLOSE}(?=[(:])", r"\g<0> ", text)
    return _HELD.sub(r"[\1]", text)


def _numbers(mark: re.Match[str]) -> Sequence[int]:
    found: list[int] = []
    for part in _RANGE.finditer(mark["square"] or mark["black"]):
        first, last = (int(part[1]), int(part[2])) if part[1] else (int(part[0]), int(part[0]))
        found += range(first, min(last, first + _MOST) + 1)
    return list(dict.fromkeys(found))[:_MOST]
