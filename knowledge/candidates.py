"""The passages that the arms of a search found, put into one order (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from knowledge import fusion
from knowledge.fusion import DOCUMENTS, MESSAGES, Scale, Scores
from knowledge.index.base import Arms, Hit, Vector

MESSAGE = "message"
"""The kind of a passage that is a chat message."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Passages, best first, with the raw scores of both arms and the scores that order them.

    `priors` is what people think of some of them, -1 to 1.
    """

    hits: tuple[Hit, ...]
    dense: Scores
    lexical: Scores
    scores: Scores
    priors: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, arms: Arms, *, limit: int) -> Self:
        """Fuse two arms that were asked for `limit` passages each.

        A passage that an arm did not return is no better there than the arm's last one; and shares no term with the question
        if the lexical arm ended before the limit.
        """
        hits = tuple({hit.id: hit for hit in (*arms.dense, *arms.lexical)}.values())
        dense = _filled(hits, arms.dense, arms.dense[-1].score if arms.dense else 0.0)
        lexical = _filled(hits, arms.lexical, arms.lexical[-1].score if len(arms.lexical) >= limit else 0.0)
        share = np.array([profile(hit).dense for hit in hits], np.float64)
        scores = fusion.fused(Scale.of(dense).standardised(dense), Scale.of(lexical).standardised(lexical), share)
        return cls(hits, dense, lexical, scores)._sorted()

    @classmethod
    def of_one(cls, arms: Arms) -> Self:
        """Keep the order of the only arm that was asked."""
        hits = arms.dense or arms.lexical
        raw = np.array([hit.score for hit in hits], np.float64)
        nothing = np.zeros_like(raw)
        dense, lexical = (raw, nothing) if arms.dense else (nothing, raw)
        return cls(hits, dense, lexical, Scale.of(raw).standardised(raw))

    def refined(self, question: Vector, vectors: Mapping[str, Vector]) -> Self:
        """Order anew, by what they say of each other, those candidates whose vectors are given; the others come after them."""
        known = np.array([hit.id in vectors for hit in self.hits], np.bool_)
        if known.sum() < 2:
            return self
        pool, rest = self._at(np.flatnonzero(known)), self._at(np.flatnonzero(~known))
        matrix = np.array([vectors[hit.id] for hit in pool.hits])
        profiles = [profile(hit) for hit in pool.hits]
        share, beside = (np.array([getattr(of, name) for of in profiles]) for name in ("dense", "beside"))
        dense = Scale.of(self.dense).standardised(fusion.moved(question, matrix))
        scores = fusion.fused(dense, Scale.of(self.lexical).standardised(pool.lexical), share)
        scores = fusion.smoothed(fusion.supported(scores, _beside(pool.hits), beside), matrix)
        first = type(self)(pool.hits, (matrix @ question).astype(np.float64), pool.lexical, scores)._sorted()
        return type(self)(
            (*first.hits, *rest.hits),
            np.concatenate((first.dense, rest.dense)),
            np.concatenate((first.lexical, rest.lexical)),
            np.concatenate((first.scores, np.minimum(rest.scores, scores.min()))),
        )

    def swayed(self, priors: Mapping[str, float]) -> Self:
        """Order anew: what people have an opinion of goes a little higher or lower; without any, nothing changes."""
        if not priors:
            return self
        opinions = np.array([priors.get(hit.id, 0.0) for hit in self.hits], np.float64)
        return replace(replace(self, scores=fusion.swayed(self.scores, opinions))._sorted(), priors=priors)

    def _sorted(self) -> Self:
        """Put the best first; equals in the order of their ids, so that nothing depends on the order of arrival."""
        return self._at(np.array(sorted(range(len(self.hits)), key=lambda n: (-self.scores[n], self.hits[n].id)), np.intp))

    def _at(self, places: NDArray[np.intp]) -> Self:
        hits = tuple(self.hits[place] for place in places)
        return type(self)(hits, self.dense[places], self.lexical[places], self.scores[places])


def profile(hit: Hit) -> fusion.Profile:
    """Return what counts for this passage: one search may find documents and messages."""
    return MESSAGES if hit.kind == MESSAGE else DOCUMENTS


def _filled(hits: tuple[Hit, ...], arm: tuple[Hit, ...], missing: float) -> Scores:
    scores = {hit.id: hit.score for hit in arm}
    return np.array([scores.get(hit.id, missing) for hit in hits], np.float64)


def _beside(hits: tuple[Hit, ...]) -> NDArray[np.bool_]:
    """Tell which passages stand next to each other in the same version of a document."""
    n = np.array([hit.n for hit in hits])
    version = np.array([hit.version for hit in hits])
    return np.asarray((np.abs(n[:, None] - n) == 1) & (version[:, None] == version))
