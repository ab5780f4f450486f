"""Why an answer says what it says: what was searched for, what was considered, and what became of it (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.chat import Answer
from bot.record.said import Candidate, Fate
from knowledge import Passage


@dataclass(frozen=True, slots=True)
class Considered:
    """A passage that was considered; `score` is the calibrated probability, the others are what it was made of."""

    title: str
    page: int | None
    heading: str | None
    document_id: str
    score: float
    dense: float
    lexical: float
    prior: float
    fate: Fate


@dataclass(frozen=True, slots=True)
class Why:
    """How an answer came about. Passages that may not be seen now are left out without a trace."""

    answer: Answer
    query: str
    considered: tuple[Considered, ...]


def explained(answer: Answer, query: str, candidates: Sequence[Candidate], living: Mapping[str, Passage]) -> Why:
    """Put together what is known of an answer and the passages that may be shown."""
    return Why(
        answer,
        query,
        tuple(
            Considered(p.title, p.page, p.heading, p.document_id, c.score, c.dense, c.lexical, c.prior, c.fate)
            for c in candidates
            if (p := living.get(c.passage_id))
        ),
    )
