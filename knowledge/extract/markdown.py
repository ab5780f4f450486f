"""Markdown: headings, paragraphs, list items, tables and code; front matter gives title, author and date."""

import re

from knowledge.extract.characters import clean, decode
from knowledge.extract.draft import Draft, unwrap
from knowledge.extract.source import Source
from knowledge.extract.text import Extracted
from knowledge.extract.trees import moment

_FRONT = re.compile(r"\A---\n(.*?)\n(?:---|\.\.\.)(?:\n|\Z)", re.DOTALL)
_FIELD = re.compile(r"(?m)^(\w+):[ \t]*(\S.*)$")
_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_RULE = re.compile(r" {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})([^`]*)$")
_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+(?=\S)")
_ROW = re.compile(r"[ \t]*\|?.*\|")
_TABLE_RULE = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_CELL_END = re.compile(r"(?<!\\)\|")
_LINK = re.compile(r"!?\[([^\[\]\n]*)\]\((?:[^()\s]|\([^()\s]*\))*(?:\s+\"[^\"\n]*\")?\)")
_STRONG = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1")
_TAG = re.compile(r"<!--.*?-->|</?[a-zA-Z][^<>]*>", re.DOTALL)


def extract(source: Source) -> Extracted:
    """Read a Markdown file."""
    text = clean(decode(source.data))
    front = _FRONT.match(text)
    fields = {name.lower(): value.strip().strip("\"'") for name, value in _FIELD.findall(front[1])} if front else {}
    draft = Draft()
    write(draft, text[front.end() :] if front else text)
    return draft.finish(
        "markdown",
        title=fields.get("title") or draft.first_heading,
        authors=[fields.get("author")],
        created_at=moment(fields.get("date")),
    )


def write(draft: Draft, text: str) -> None:
    """Add Markdown text to a draft, block by block."""
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        at = _block(draft, lines, at)


def _block(draft: Draft, lines: list[str], at: int) -> int:
    """Add the block that begins at a line and return the line after it."""
    line = lines[at]
    if not line.strip() or _RULE.match(line):
        return at + 1
    if match := _HEADING.match(line):
        draft.heading(inline(match[2] or ""), len(match[1]))
        return at + 1
    if match := _FENCE.match(line):
        return _fenced(draft, lines, at, match[1])
    if at + 1 < len(lines) and "|" in line and "|" in lines[at + 1] and _TABLE_RULE.match(lines[at + 1]):
        return _table(draft, lines, at)
    if line.startswith(("    ", "\t")):
        return _indented(draft, lines, at)
    return _prose(draft, lines, at)


def _fenced(draft: Draft, lines: list[str], at: int, fence: str) -> int:
    end = at + 1
    while end < len(lines) and not (lines[end].strip().startswith(fence) and not lines[end].strip(" " + fence[0])):
        end += 1
    draft.code("\n".join(lines[at + 1 : end]))
    return end + 1


def _table(draft: Draft, lines: list[str], at: int) -> int:
    end = at + 2
    while end < len(lines) and _ROW.match(lines[end]):
        end += 1
    draft.table(_cells(line) for line in (lines[at], *lines[at + 2 : end]))
    return end


def _cells(line: str) -> list[str]:
    return [inline(cell.replace("\\|", "|")) for cell in _CELL_END.split(line.strip().removeprefix("|").removesuffix("|"))]


def _indented(draft: Draft, lines: list[str], at: int) -> int:
    end = at
    while end < len(lines) and (lines[end].startswith(("    ", "\t")) or not lines[end].strip()):
        end += 1
    draft.code("\n".join(line.removeprefix("\t") if line.startswith("\t") else line[4:] for line in lines[at:end]))
    return end


def _prose(draft: Draft, lines: list[str], at: int) -> int:
    """Add a paragraph, a list item with its continuation lines, or an underlined heading."""
    item = _ITEM.match(lines[at])
    end = at + 1
    while end < len(lines) and not _ends_prose(lines[end]):
        end += 1
    if not item and end < len(lines) and (match := _UNDERLINE.match(lines[end])):
        draft.heading(inline(" ".join(lines[at:end])), 1 if match[1][0] == "=" else 2)
        return end + 1
    text = inline("\n".join(line.lstrip(" \t>") if line.lstrip().startswith(">") else line for line in lines[at:end]))
    (draft.item if item else draft.paragraph)(unwrap(text) if text.strip() else "")
    return end


def _ends_prose(line: str) -> bool:
    stops = (_HEADING, _FENCE, _ITEM, _UNDERLINE, _RULE)
    return not line.strip() or any(stop.match(line) for stop in stops)


def inline(text: str) -> str:
    """Return running text without marks for links, pictures, emphasis and tags."""
    return _TAG.sub("", _STRONG.sub(r"\2", _LINK.sub(r"\1", text)))
