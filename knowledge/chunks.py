"""Text to passages that keep page, heading and position (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.extract.text import Extracted


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage before it is stored: the span `text[start:end]` of the document, and where it stands.

    `context` is title, heading path and table header; `tokens` counts context and span together, special tokens included.
    """

    n: int
    start: int
    end: int
    page: int | None
    heading: str | None
    context: str
    tokens: int


def split(document: Extracted, *, title: str, spans: Sequence[tuple[int, int]], window: int) -> tuple[Chunk, ...]:
    """Divide a document into passages of at most `window` tokens.

    `spans` are the character offsets of the tokens of `document.text` in the embedding model's tokenizer.
    """
    raise NotImplementedError
