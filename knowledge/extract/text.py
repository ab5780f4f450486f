"""What an extractor returns: the text, its blocks, and what the file says of itself."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

BlockKind = Literal["heading", "paragraph", "item", "table", "code"]


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch `text[start:end]` that belongs together; blocks are in order and do not overlap.

    `page` counts from 1 (PDF page, slide number). `path` is the heading path above the block. `repeat` is what is to be said
    again before every part of the block when it must be divided (a table's header row).
    """

    kind: BlockKind
    start: int
    end: int
    page: int | None = None
    path: tuple[str, ...] = ()
    repeat: str = ""


@dataclass(frozen=True, slots=True)
class Attached:
    """A file found inside another (mail attachment, archive member), to be learned as a document of its own."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Extracted:
    """The whole text of a file with its structure and metadata."""

    kind: str
    text: str
    blocks: tuple[Block, ...]
    title: str | None = None
    authors: tuple[str, ...] = ()
    created_at: datetime | None = None
    language: str | None = None
    pages: int | None = None
    attached: tuple[Attached, ...] = ()
    notes: tuple[str, ...] = ()
