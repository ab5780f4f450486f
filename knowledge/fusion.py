"""How the two rankings of a search become one (pure). Every array has one entry, or row, per candidate."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from knowledge.index.base import Vector, Vectors

Scores = NDArray[np.float64]

REFERENCE = 100
"""How many of the best scores say what is usual for a question: as many as each arm is asked for."""

# All on wide plateaus, see docs/benchmarks.md.
_CENTRING = 0.5
_FEEDBACK = 0.2
_SMOOTHING = 0.4
_SHARPNESS = 16
_STEPS = 8  # what is left of the first after them is below a thousandth
_OPINION = 0.25  # standard deviations, at most: see `swayed`


@dataclass(frozen=True, slots=True)
class Profile:
    """What counts for one kind of text: the share of the dense arm (BM25 has the rest), and that of the passages beside."""

    dense: float
    beside: float


# Chosen by measurement, see docs/benchmarks.md. Names, dates and the speaker carry chat, so words weigh more there; and a
# message answers the one before it, so its neighbours speak for it.
DOCUMENTS = Profile(dense=0.5, beside=0.05)
MESSAGES = Profile(dense=0.3, beside=0.4)


@dataclass(frozen=True, slots=True)
class Scale:
    """What is usual among the best scores of a question: their mean, and their standard deviation (0 if they are all alike)."""

    mean: float
    spread: float

    @classmethod
    def of(cls, scores: Scores) -> Self:
        """Measure the best `REFERENCE` scores."""
        best = np.sort(scores)[::-1][:REFERENCE]
        if not len(best):
            return cls(0.0, 0.0)
        alike = best[0] == best[-1]  # the mean of equal numbers is rounded, and need not be equal to them
        return cls(float(best.mean()), 0.0 if alike else float(best.std()))

    def standardised(self, scores: Scores) -> Scores:
        """Return scores as distances from the mean, in standard deviations.

        This makes cosines and BM25 scores comparable whatever the question's length and the collection (Montague and Aslam,
        "Relevance score normalization for metasearch", CIKM 2001).
        """
        return (scores - self.mean) / self.spread if self.spread > 0 else np.zeros_like(scores)


def fused(dense: Scores, lexical: Scores, share: Scores) -> Scores:
    """Return the convex combination of two standardised rankings; `share` is the dense one's, for each candidate.

    Scores say more than ranks (Bruch, Gai and Ingber, "An analysis of fusion functions for hybrid retrieval", TOIS 2023).
    """
    return share * dense + (1 - share) * lexical


def moved(question: Vector, vectors: Vectors) -> Scores:
    """Return the cosines of candidates with a question that moved a step towards the first of them, as far apart as before.

    Rocchio's feedback (1971) with one passage taken for relevant: a moved question's cosines are, up to a factor, the sum of
    its own and that passage's. Part of what all candidates have in common, and the question with them, is taken away first,
    so that the step is towards what sets the passage apart. Mean and spread stay, so that the arm keeps its share.
    """
    cosines: Scores = (vectors @ question).astype(np.float64)
    common = _CENTRING * vectors.mean(axis=0)
    own = vectors - common
    own /= np.maximum(np.linalg.norm(own, axis=1, keepdims=True), 1e-12)
    asked = question - common
    asked /= max(float(np.linalg.norm(asked)), 1e-12)
    shifted: Scores = (own @ (asked + _FEEDBACK * own[0])).astype(np.float64)
    spread = float(shifted.std())
    return (shifted - shifted.mean()) / spread * cosines.std() + cosines.mean() if spread > 0 else cosines


def supported(scores: Scores, beside: NDArray[np.bool_], share: Scores) -> Scores:
    """Add to each score a share of the scores of the candidates beside it, which count from the lowest candidate up."""
    of_those_beside: Scores = beside @ (scores - scores.min())
    return scores + share * of_those_beside


def smoothed(scores: Scores, vectors: Vectors) -> Scores:
    """Bring the scores of candidates that resemble each other nearer to each other.

    What resembles each other tends to answer the same questions (van Rijsbergen's cluster hypothesis): scores are regularised
    on the graph of the candidates' cosines (Diaz, "Regularizing ad hoc retrieval scores", CIKM 2005), here by a random walk
    with restart.
    """
    links: Scores = np.maximum(vectors @ vectors.T, 0).astype(np.float64) ** _SHARPNESS
    np.fill_diagonal(links, 0)
    links /= np.maximum(links.sum(axis=1, keepdims=True), 1e-12)
    walked = scores
    for _ in range(_STEPS):
        walked = (1 - _SMOOTHING) * scores + _SMOOTHING * np.dot(links, walked)
    return walked


def swayed(scores: Scores, opinions: Scores) -> Scores:
    """Move each score by what people think of the passage, -1 to 1: a little, whatever they think.

    The best of a question usually leads by 0.7 standard deviations, and those after it stand 0.05 to 0.25 apart (medians of
    three collections). So a quarter makes neighbours change places, while two opinions as far apart as can be make up for a
    half: the worse passage never gets past one that stands out, and by `calibration` odds move by a factor of 1.6 at most.
    """
    return scores + _OPINION * np.clip(opinions, -1, 1)
