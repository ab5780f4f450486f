"""HTML: the main text by trafilatura, the whole page when that finds too little; nothing is fetched."""

import re
from datetime import UTC, datetime

from lxml import etree
from lxml import html as lxml_html
from trafilatura import bare_extraction

from knowledge.errors import Unreadable
from knowledge.extract.characters import decode
from knowledge.extract.draft import Draft
from knowledge.extract.source import Source
from knowledge.extract.text import Extracted
from knowledge.extract.trees import Element, child, local, text_of

_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]{2,40})""", re.IGNORECASE)
_HIDDEN = re.compile(
    r"(?i)display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?:px|pt|em|rem|%)?\s*(?:;|$)|opacity\s*:\s*0(?:\.0*)?\s*(?:;|$)"
)
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_UNREAD = {
    "script",
    "style",
    "noscript",
    "template",
    "iframe",
    "object",
    "svg",
    "canvas",
    "audio",
    "video",
    "select",
    "nav",
    "button",
}
_BLOCKS = {
    "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "dialog", "div", "dl", "dt", "fieldset",
    "figcaption", "figure", "footer", "form", "header", "hgroup", "hr", "html", "main", "p", "section", "summary", "quote",
    "doc", "caption", "list", "ul", "ol", "menu",
}  # fmt: skip
_HEADINGS = {f"h{level}" for level in range(1, 7)} | {"head"}
_ITEMS = {"li", "item"}
_LEAVES = _HEADINGS | _ITEMS | {"pre", "code", "table"}
_ENOUGH = 200
_SHARE = 0.15
_SMALL = 1500


def extract(source: Source) -> Extracted:
    """Read an HTML page."""
    return read(text_with_declared_charset(source.data))


def text_with_declared_charset(data: bytes) -> str:
    """Decode a page, believing its meta tag only where UTF-8 does not fit."""
    match = _CHARSET.search(data[:4096])
    return decode(data, match[1].decode("ascii", "ignore") if match else None)


def read(markup: str, *, whole: bool = False) -> Extracted:
    """Read markup; `whole` takes everything visible instead of the main text."""
    try:
        tree = lxml_html.document_fromstring(
            _DECLARATION.sub("", markup) or "<p></p>",
            parser=lxml_html.HTMLParser(remove_comments=True, no_network=True, huge_tree=True),
        )
    except (etree.ParserError, ValueError) as error:
        raise Unreadable("There is no text in it: the page is empty.") from error
    heading = next((text_of(title).strip() for title in tree.iter("title")), "") or None
    _drop_hidden(tree)
    everything = Draft()
    _walk(everything, child(tree, "body"))
    if whole or len(everything) < _SMALL:
        return everything.finish("html", title=heading)
    found = bare_extraction(tree, include_comments=False, include_tables=True, with_metadata=True)
    if found is None or isinstance(found, dict):
        return everything.finish("html", title=heading)
    main = Draft()
    _walk(main, found.body)
    if len(main) < max(_ENOUGH, _SHARE * len(everything)):
        main = everything
    return main.finish("html", title=found.title or heading, authors=[found.author], created_at=_day(found.date))


def _drop_hidden(tree: Element) -> None:
    """Remove what a reader of the page would not see."""
    for element in list(tree.iter(etree.Element)):
        hidden = (
            element.get("hidden") is not None
            or element.get("aria-hidden") == "true"
            or _HIDDEN.search(element.get("style", ""))
        )
        parent = element.getparent()
        if (hidden or local(element) in _UNREAD) and parent is not None and local(element) != "body":
            previous, tail = element.getprevious(), element.tail or ""
            if previous is not None:
                previous.tail = (previous.tail or "") + " " + tail
            else:
                parent.text = (parent.text or "") + " " + tail
            parent.remove(element)


def _walk(draft: Draft, root: Element | None) -> None:
    """Add a tree's blocks; text between blocks becomes paragraphs of its own."""
    if root is None:
        return
    loose: list[str] = []

    def close() -> None:
        text = "".join(loose).strip()
        loose.clear()
        if text:
            draft.paragraph(text)

    def visit(element: Element, depth: int) -> None:
        name = local(element)
        if name in _UNREAD or not name:
            return
        block = name in _BLOCKS or name in _LEAVES
        if block:
            close()
        if name in _LEAVES and (name != "code" or "\n" in text_of(element).strip()) and not _holds_blocks(element, name):
            _leaf(draft, element, name)
            return
        if name in {"br", "lb"}:
            loose.append("\n")
        loose.append(_squeeze(element.text))
        for below in element:
            if depth < 200:
                visit(below, depth + 1)
            else:
                loose.append(_squeeze(text_of(below)))
            loose.append(_squeeze(below.tail))
        if block:
            close()

    visit(root, 0)
    close()


def _holds_blocks(element: Element, name: str) -> bool:
    """Say whether an item or a layout table is a container of headings and paragraphs."""
    if name == "table":
        return any(local(below) == "table" for below in element.iterdescendants()) or _columns(element) < 2
    return name in _ITEMS and any(local(below) in _LEAVES - {"code"} for below in element.iterdescendants())


def _columns(table: Element) -> int:
    return max((sum(1 for cell in row if local(cell) in {"td", "th", "cell"}) for row in table.iter("tr", "row")), default=0)


def _leaf(draft: Draft, element: Element, name: str) -> None:
    if name in _HEADINGS:
        level = element.get("rend", "h2") if name == "head" else name
        draft.heading(_flat(element), int(level[1]) if level[1:2].isdigit() else 2)
    elif name in _ITEMS:
        draft.item(_flat(element))
    elif name == "table":
        rows = [[_flat(cell) for cell in row if local(cell) in {"td", "th", "cell"}] for row in element.iter("tr", "row")]
        for caption in element.iter("caption"):
            draft.paragraph(_flat(caption))
        draft.table(rows)
    else:
        draft.code(text_of(element))


def _flat(element: Element) -> str:
    """Return the words of an element on one line, with a blank where blocks or line breaks divide them."""
    pieces = [element.text or ""]
    for below in element:
        if local(below) and local(below) not in _UNREAD:
            gap = " " if local(below) in _BLOCKS or local(below) in {"br", "lb"} else ""
            pieces += [gap, _flat(below), gap]
        pieces.append(below.tail or "")
    return _squeeze("".join(pieces))


def _squeeze(text: str | None) -> str:
    return re.sub(r"\s+", " ", text or "")


def _day(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None
    except ValueError:
        return None
