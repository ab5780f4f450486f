"""Passages as the sources of an answer (pure)."""

from bot.answering import inert
from bot.chat import Source
from knowledge import Found


def source(hit: Found, quote: str, n: int) -> Source:
    """Return the n-th source of an answer: a quote that stands word for word in a passage."""
    passage = hit.passage
    heading = inert.line(passage.heading) if passage.heading else passage.heading
    title = inert.line(passage.title)
    return Source(n, passage.document_id, title, passage.page, heading, quote, url(hit), hit.score, passage.id)


def url(hit: Found) -> str:
    """Return where a passage can be opened: a viewer opens a PDF at the page that the fragment names (RFC 8118)."""
    passage = hit.passage
    return f"{passage.url}#page={passage.page}" if passage.kind == "pdf" and passage.page else passage.url
