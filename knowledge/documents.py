"""The words of this package: documents, passages, receipts, and the audience a search is for."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from knowledge.errors import NoAudience


@dataclass(frozen=True, slots=True)
class Audience:
    """The scopes that every reader of a reply may see; only `bot.access` makes one.

    Raises `NoAudience` when it would be empty: a search for nobody is a mistake, not a search of everything.
    """

    scopes: frozenset[str]

    def __post_init__(self) -> None:
        if not self.scopes or not all(self.scopes):
            raise NoAudience()


class State(StrEnum):
    """Where a document version is in its life; only `READY` ones are found."""

    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"
    SUPERSEDED = "superseded"


class Outcome(StrEnum):
    """What became of something that was to be learned."""

    LEARNED = "learned"
    DUPLICATE = "duplicate"
    UPDATED = "updated"
    FAILED = "failed"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Document:
    """One document as people know it, in its newest version."""

    id: str
    name: str
    title: str
    kind: str
    state: State
    version: int
    scopes: tuple[str, ...]
    tags: tuple[str, ...]
    size: int
    sha256: str
    added_at: datetime
    url: str
    pages: int | None = None
    passages: int = 0
    language: str | None = None
    authors: tuple[str, ...] = ()
    created_at: datetime | None = None
    error: str | None = None
    added_by: str = ""


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a document's stored text: `text == stored_text[start:end]`, in characters.

    `context` (title, heading path, table header) is embedded with the text but is no part of it.
    """

    id: str
    document_id: str
    title: str
    kind: str
    n: int
    start: int
    end: int
    text: str
    context: str
    url: str
    page: int | None = None
    heading: str | None = None


@dataclass(frozen=True, slots=True)
class Filters:
    """What a search is narrowed to; an empty field narrows nothing. Times are of the document's own date."""

    documents: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A passage with its calibrated score in 0..1 and the raw signals behind it.

    `prior` is what people think of it, -1 to 1: see `Priors`.
    """

    passage: Passage
    score: float
    dense: float
    lexical: float
    prior: float = 0.0


class Reason(StrEnum):
    """Why a passage was considered but is not among what was found."""

    REPEATS = "repeats"
    RANKED_LOWER = "ranked lower"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A passage that its audience may see and that was left out: it repeats a better one, or others were ranked before it."""

    passage_id: str
    document_id: str
    score: float
    dense: float
    lexical: float
    prior: float
    reason: Reason


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one file or text: shown to the person who taught it."""

    name: str
    outcome: Outcome
    document: Document | None = None
    error: str | None = None
    supersedes: int | None = None
    attached: tuple["Receipt", ...] = field(default=())
