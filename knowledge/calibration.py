"""What a passage's place in a ranking means as a probability (pure)."""

from math import exp

# Log-odds that a passage is relevant, fitted by `python -m benchmarks.retrieval DATA --fit` with the packaged embedding model.
BIAS = -5.44
DENSE = 7.10
STANDING = 0.42
BEHIND = -0.55


def probability(dense: float, standing: float, best: float) -> float:
    """Return how likely a passage is to be relevant, 0 to 1.

    `dense`, the highest cosine among all that was found, tells whether there is an answer at all. `standing` is the passage's
    fused score, how far it stands out from what is usual for the question, and `best` the fused score of the best one.
    """
    odds = BIAS + DENSE * dense + STANDING * standing + BEHIND * (best - standing)
    return 1 / (1 + exp(-min(max(odds, -30.0), 30.0)))
