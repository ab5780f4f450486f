"""How the two rankings of a search become one (pure). Every array has one entry, or row, per candidate."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]
Matrix = NDArray[np.float32]

REFERENCE = 100
"""How many of the best scores say what is usual for a question: as many as each arm is asked for."""

# Each on a plateau between half and twice its value, on every collection: see docs/benchmarks.md.
_FEEDBACK = 0.15
_SMOOTHING = 0.3
_SHARPNESS = 16


@dataclass(frozen=True, slots=True)
class Profile:
    """What counts for one kind of text: the share of the dense arm (BM25 has the rest), and that of the passages beside."""

    dense: float
    beside: float


# Chosen by measurement, see docs/benchmarks.md. Names, dates and the speaker carry chat, so words weigh more there; and a
# message answers the one before it, so its neighbours speak for it.
DOCUMENTS = Profile(dense=0.5, beside=0.1)
MESSAGES = Profile(dense=0.3, beside=0.4)


def standardised(scores: Scores) -> Scores:
    """Return scores as distances from the mean of the best `REFERENCE`, in their standard deviations.

    This makes cosines and BM25 scores comparable whatever the question's length and the collection (Montague and Aslam,
    "Relevance score normalization for metasearch", CIKM 2001).
    """
    best = np.sort(scores)[::-1][:REFERENCE]
    spread = float(best.std()) if len(best) else 0.0
    return (scores - best.mean()) / spread if spread > 0 else np.zeros_like(scores)


def fused(dense: Scores, lexical: Scores, share: Scores) -> Scores:
    """Return the convex combination of two standardised rankings; `share` is the dense one's, for each candidate.

    Scores say more than ranks (Bruch, Gai and Ingber, "An analysis of fusion functions for hybrid retrieval", TOIS 2023).
    """
    return share * dense + (1 - share) * lexical


def moved(dense: Scores, cosines: Scores, likeness: Scores) -> Scores:
    """Return what the standardised dense scores become when the question moves a step towards the best candidate.

    Rocchio's feedback (1971) with one passage taken for relevant. A moved question's cosines are, up to a factor, the sum of
    its own and the best candidate's (`likeness`). Mean and spread stay, so that the arm keeps its share.
    """
    shifted = cosines + _FEEDBACK * likeness
    spread = float(shifted.std())
    return (shifted - shifted.mean()) / spread * dense.std() + dense.mean() if spread > 0 else dense


def supported(scores: Scores, beside: NDArray[np.bool_], share: Scores) -> Scores:
    """Add to each score a share of the scores of the candidates beside it, which count from the lowest candidate up."""
    of_those_beside: Scores = beside @ (scores - scores.min())
    return scores + share * of_those_beside


def smoothed(scores: Scores, vectors: Matrix) -> Scores:
    """Bring the scores of candidates that resemble each other nearer to each other.

    What resembles each other tends to answer the same questions (van Rijsbergen's cluster hypothesis): scores are regularised
    on the graph of the candidates' cosines (Diaz, "Regularizing ad hoc retrieval scores", CIKM 2005), here by a random walk
    with restart in closed form.
    """
    links: Scores = np.maximum(vectors @ vectors.T, 0).astype(np.float64) ** _SHARPNESS
    np.fill_diagonal(links, 0)
    links /= np.maximum(links.sum(axis=1, keepdims=True), 1e-12)
    walk = np.eye(len(scores)) - _SMOOTHING * links
    return np.asarray((1 - _SMOOTHING) * np.linalg.solve(walk, scores))
