"""Code in Markdown, written so that every reader takes the same stretches for code (pure)."""

import re

_FENCE = re.compile(r"^(?P<indent>[ \t]*)(?P<mark>`{3,}|~{3,})[ \t]*(?P<kind>[\w+#.-]{0,20})[^\n`]*(?:\n|\Z)", re.MULTILINE)
_SPAN = re.compile(r"(?<![`\\])(`{1,3})(?!`)([^\n]{1,1000}?)(?<!`)\1(?!`)")
_TICKS = re.compile(r"`{3,}|^(?:[ \t]*)~{3,}", re.MULTILINE)  # some programs end a fence with ticks anywhere


def opening(text: str) -> re.Match[str] | None:
    """Return the first line of a text that opens a fence."""
    return _FENCE.search(text)


def closing(text: str, fence: re.Match[str]) -> re.Match[str] | None:
    """Return the line that closes a fence, with its line break."""
    mark = fence["mark"]
    return re.compile(rf"^[ \t]*{mark[0]}{{{len(mark)},}}[ \t]*(?:\n|\Z)", re.MULTILINE).search(text, fence.end())


def parts(text: str) -> list[tuple[bool, str]]:
    """Divide a text into what is code and what is not, one after the other; code comes in one plain form.

    That is a fence of three backticks that is closed, or one backtick on each side on one line. No other backtick stays.
    """
    found: list[tuple[bool, str]] = []
    at = 0
    while fence := _FENCE.search(text, at):
        found += _spans(text[at : fence.start()])
        end = closing(text, fence)
        inside = text[fence.end() : end.start() if end else len(text)]
        found.append((True, _fenced(fence, inside, "\n" if end and end.group().endswith("\n") else "")))
        at = end.end() if end else len(text)
    return [*found, *_spans(text[at:])]


def _fenced(fence: re.Match[str], inside: str, after: str) -> str:
    indent = fence["indent"].replace("\t", "  ")[:3]
    inside = _TICKS.sub("'''", inside)
    inside += "" if not inside or inside.endswith("\n") else "\n"
    return f"{indent}```{fence['kind']}\n{inside}{indent}```{after}"


def _spans(text: str) -> list[tuple[bool, str]]:
    if not text:
        return []
    if "`" not in text:
        return [(False, text)]
    found: list[tuple[bool, str]] = []
    at = 0
    for span in _SPAN.finditer(text):
        found += [(False, _unticked(text[at : span.start()])), (True, _spanned(span[2]))]
        at = span.end()
    return [*found, (False, _unticked(text[at:]))]


def _spanned(inside: str) -> str:
    inside = inside.replace("`", "'")
    if "|" in inside:  # in a table that would end the cell, and the code with it
        inside = re.sub(r"<(?=\S)", "< ", inside)
    return f"`{inside}`"


def _unticked(text: str) -> str:
    return text.replace("`", "'")
