"""XML trees parsed without entities, external files or network, and what documents share in them."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from lxml import etree

from knowledge.errors import Unreadable
from knowledge.extract import sentences

Element = etree._Element
_DOCTYPE = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
_DC = "{http://purl.org/dc/elements/1.1/}"


def parse(data: bytes) -> Element | None:
    """Parse a part of an office document; None when there is nothing in it.

    Raises `Unreadable` when it declares a document type: office programs never do, attacks do.
    """
    if _DOCTYPE.search(data) or _DOCTYPE.search(data.replace(b"\0", b"")):
        raise Unreadable(sentences.ENTITIES)
    return _tree(data, huge=True)


def parse_free(data: bytes) -> Element | None:
    """Parse any XML as well as possible; entities it declares are left out."""
    return _tree(data, huge=False)


def _tree(data: bytes, *, huge: bool) -> Element | None:
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        recover=True,
        huge_tree=huge,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def local(element: Element) -> str:
    """Return an element's name without its namespace; empty for what is no element."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def attribute(element: Element, name: str) -> str | None:
    """Return an attribute by its local name, whatever its namespace."""
    direct = element.get(name)
    if direct is not None:
        return direct
    return next((str(value) for key, value in element.attrib.items() if str(key).endswith("}" + name)), None)


def child(element: Element | None, *names: str) -> Element | None:
    """Return the element at a path of local names below this one, or None."""
    for name in names:
        if element is None:
            return None
        element = next((below for below in element if local(below) == name), None)
    return element


def every(element: Element | None, name: str) -> Iterator[Element]:
    """Yield the descendants of a local name in document order."""
    return iter(()) if element is None else element.iter("{*}" + name)


def text_of(element: Element | None) -> str:
    """Return all text below an element."""
    return "" if element is None else "".join(str(part) for part in element.itertext("*"))


def dublin_core(meta: Element | None, name: str) -> list[str]:
    """Return the non-empty values of a Dublin Core field."""
    found = () if meta is None else meta.iter(_DC + name)
    return [text for element in found if (text := text_of(element).strip())]


def moment(text: str | None) -> datetime | None:
    """Read an ISO 8601 date or time; UTC when it names no zone; None when it is neither."""
    try:
        value = datetime.fromisoformat((text or "").strip())
    except ValueError:
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)
