"""Which stretches of a Markdown text are code (pure)."""

import re

FENCE = re.compile(
    r"^(?P<indent>[ \t]{0,20})(?P<mark>`{3,8}(?!`)|~{3,8}(?!~))[ \t]*(?P<kind>[\w+#.-]{0,20})[^`\n]*$", re.MULTILINE
)
"""A line that opens a block of code."""

_SPAN = re.compile(r"(?<![`\\])(?P<ticks>`{1,8})(?!`)[^\n]+?(?<!`)(?P=ticks)(?!`)")


def closes(line: str, mark: str) -> bool:
    """Say whether a line closes the block of code that a mark has opened."""
    line = line.strip()
    return len(line) >= len(mark) and not line.strip(mark[0])


def stretches(text: str) -> list[tuple[bool, str]]:
    """Divide a text into what is code, its marks included, and what is not; joined, they are the text."""
    found: list[tuple[bool, str]] = []
    at = 0
    while fence := FENCE.search(text, at):
        found += _spans(text[at : fence.start()])
        end = _end(text, fence)
        found.append((True, text[fence.start() : end]))
        at = end
    return [*found, *_spans(text[at:])]


def _end(text: str, fence: re.Match[str]) -> int:
    at = fence.end() + 1
    while at < len(text):
        newline = text.find("\n", at)
        end = len(text) if newline < 0 else newline
        if closes(text[at:end], fence["mark"]):
            return end
        at = end + 1
    return len(text)


def _spans(text: str) -> list[tuple[bool, str]]:
    found: list[tuple[bool, str]] = []
    at = 0
    for span in _SPAN.finditer(text):
        found += [(False, text[at : span.start()]), (True, span.group())]
        at = span.end()
    return [*found, (False, text[at:])]
