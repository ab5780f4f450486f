"""The words of a conversation: what was said, what was considered for an answer, and what became of it."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.chat import Source

ABSTAINED = "I don't know."  # without the titles it named: they may be forgotten, and nobody would look for them here
FORGOTTEN = "(This answer rested on a document that was forgotten.)"
WITHHELD = "(This answer rested on something that may not be shown here now.)"

Visible = Callable[[Iterable[str]], Awaitable[set[str]]]
"""Tells which of some documents exist and may be seen now."""


class Fate(StrEnum):
    """What became of a passage that was considered for an answer."""

    CITED = "cited"
    READ = "read"  # it stood in the prompt, and the answer does not cite it
    SAID = "said before"  # what was said before rests on it, and stood in the prompt
    HEARD = "said in the thread"  # a message of somebody else, named by its origin: it stood in the prompt
    NO_ROOM = "no room"
    REPEATS = "repeats a better one"
    LOWER = "ranked lower"


RESTS_ON = (Fate.CITED, Fate.READ, Fate.SAID)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage that was considered, with its scores: calibrated, cosine, BM25, and what people thought of it before."""

    passage_id: str
    document_id: str
    score: float
    dense: float
    lexical: float
    prior: float
    fate: Fate


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a conversation, as it may be shown now."""

    id: str
    role: str
    person: str
    text: str
    said_at: datetime
    n: int
    superseded: bool = False
    abstained: bool = False
    query: str | None = None
    provider: str | None = None
    model: str | None = None
    notice: str = ""
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class Recent:
    """What a conversation was about so far: a summary of its beginning, and its latest messages, oldest first.

    `documents` are those on which it rests, and with it whatever is made of it.
    """

    summary: str
    said: tuple[Said, ...]
    documents: frozenset[str] = frozenset()

    def is_within(self, later: "Recent") -> bool:
        """Tell whether nothing of this is missing later."""
        said = {one.id for one in self.said} <= {one.id for one in later.said}
        return said and self.summary in {"", later.summary} and self.documents <= later.documents


NOTHING_SAID = Recent("", ())
