"""Plain text in any usual encoding, and XML and JSON as the words in them."""

import re

from knowledge.extract import html
from knowledge.extract.characters import clean, decode
from knowledge.extract.draft import Draft, unwrap
from knowledge.extract.source import Source
from knowledge.extract.text import Extracted
from knowledge.extract.trees import Element, local, parse_free, text_of

_BLANK_LINE = re.compile(r"\n\s*\n")
_SPOKEN = ("title", "label", "alt", "description")
_STYLING = {"Style", "StyleMap", "script", "style", "styleUrl"}
_MARKUP = re.compile(
    r"</?(?:a|b|body|br|code|div|em|font|h[1-6]|html|i|img|li|ol|p|pre|span|strong|style|sub|sup|t[dhr]|table|u|ul)"
    r"(?:\s+[\w:-]+\s*=[^<>]*)?\s*/?>",
    re.IGNORECASE,
)
_ITEM = re.compile(r"(?m)^\s*(?:[-*•]|\d{1,3}[.)])\s+\S")


def extract(source: Source) -> Extracted:
    """Read plain text: paragraphs are divided by blank lines."""
    draft = Draft()
    write(draft, decode(source.data))
    return draft.finish("text")


def write(draft: Draft, text: str) -> None:
    """Add plain text to a draft."""
    for paragraph in _BLANK_LINE.split(clean(text)):
        if not paragraph.strip():
            continue
        starts = [match.start() for match in _ITEM.finditer(paragraph)]
        if len(starts) < 2:
            draft.paragraph(unwrap(paragraph))
            continue
        draft.paragraph(unwrap(paragraph[: starts[0]]) if paragraph[: starts[0]].strip() else "")
        for start, end in zip(starts, [*starts[1:], len(paragraph)], strict=True):
            draft.item(unwrap(paragraph[start:end]))


def extract_xml(source: Source) -> Extracted:
    """Read any XML: every element's own text, without markup that is quoted in it, and the attributes people read."""
    root = parse_free(source.data)
    if root is None:
        return extract(source)
    draft = Draft()
    _element(draft, root)
    return draft.finish("xml")


def _element(draft: Draft, root: Element) -> None:
    """Add an element: one paragraph when words stand between its children, else each child by itself."""
    waiting = [root]
    while waiting:
        element = waiting.pop()
        if local(element) in {"", "binData"} | _STYLING:
            continue
        for name in _SPOKEN:
            draft.paragraph(element.get(name, ""))
        if any((piece or "").strip() for piece in (element.text, *(below.tail for below in element))):
            _words(draft, text_of(element))
        else:
            waiting.extend(reversed(element))


def _words(draft: Draft, text: str) -> None:
    if _MARKUP.search(text):
        draft.append(html.read(f"<div>{text}</div>", whole=True))
    else:
        draft.paragraph(" ".join(text.split()))
