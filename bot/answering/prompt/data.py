"""Texts of others as data inside a prompt: marked line by line, with nothing in them that a template would obey (pure)."""

from collections.abc import Callable

from bot.answering import inert
from bot.answering.quoting import sentences

Count = Callable[[str], int]
"""Tells how many tokens a text has, or rather more."""

_TAG = 4  # characters of the marker that begin each line


def plain(text: str, marker: str) -> str:
    """Return a text without invisible characters, its template tokens and any likeness of the marker broken up."""
    return inert.broken(inert.visible(text), marker, f"{tag(marker)}|")


def tag(marker: str) -> str:
    """Return what every line of data begins with."""
    return marker[:_TAG]


def marked(text: str, marker: str) -> str:
    """Return a text with a mark before every line.

    No line of it can be taken for the end of its block or for a line of ours, at a few tokens a line. A mark between all words
    would tell the model more often, but doubles the tokens, and quotes could not be copied word for word.
    """
    return "\n".join(f"{tag(marker)}| {each}".rstrip() for each in plain(text, marker).split("\n"))


def packed(text: str, marker: str, tokens: int, count: Count) -> tuple[str, bool]:
    """Return as much of a text as fits, marked, and whether that is all of it."""
    whole = plain(text, marker).strip()
    said = fitted(whole, tokens, lambda part: count(marked(part, marker)))
    return (marked(said, marker) if said else "", said == whole)


def fitted(text: str, tokens: int, count: Count) -> str:
    """Return as many whole sentences of a text as fit, or whole words if not one does; what is left out is shown by `…`."""
    if tokens <= 0:
        return ""
    if count(text) <= tokens:
        return text
    most = _longest([end for _, end in sentences.spans(text)], text, tokens, count)
    if not most:
        most = _longest([at for at, letter in enumerate(text) if letter.isspace()], text, tokens, count)
    return f"{text[:most].rstrip()} …" if text[:most].strip() else ""


def _longest(ends: list[int], text: str, tokens: int, count: Count) -> int:
    low, high = 0, len(ends)
    while low < high:
        middle = (low + high) // 2
        if count(f"{text[: ends[middle]].rstrip()} …") <= tokens:
            low = middle + 1
        else:
            high = middle
    return ends[low - 1] if low else 0
