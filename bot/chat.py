"""The shared words: who speaks, where, and what is answered."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere a conversation happens: a channel, a private chat, the terminal. `id` is its scope, e.g. `slack:T1:C9`."""

    id: str


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who speaks with the twin, by the twin's own id."""

    id: str


@dataclass(frozen=True, slots=True)
class Source:
    """What a statement rests on; `quote` stands word for word in the document's stored text."""

    n: int
    document_id: str
    title: str
    page: int | None
    heading: str | None
    quote: str
    url: str
    score: float


@dataclass(frozen=True, slots=True)
class Timings:
    """How long an answer took, in milliseconds since the question."""

    retrieve: float = 0.0
    first_token: float = 0.0
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the twin says: Markdown with `[n]` pointing into `sources`, or an abstention that names what it does know."""

    text: str
    sources: tuple[Source, ...]
    abstained: bool
    provider: str
    model: str
    conversation_id: str = ""
    message_id: str = ""
    timings_ms: Timings = Timings()


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of an answer as it is being written; the whole `Answer` follows as the last thing."""

    text: str


def printable(text: str) -> str:
    """Return a text that can be stored and shown: bytes that came as no characters are shown as unknown."""
    return text.encode("utf-8", "replace").decode("utf-8")
