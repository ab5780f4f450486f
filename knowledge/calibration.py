"""What a passage's place in a ranking means as a probability (pure)."""

from math import exp

# Log-odds that a passage is relevant, fitted by `python -m benchmarks.retrieval DATA --fit`.
BIAS = -8.0
DENSE = 6.0
COVERAGE = 3.0
STANDING = 0.5


def probability(dense: float, coverage: float, standing: float) -> float:
    """Return how likely a passage is to be relevant, 0 to 1.

    `dense` is the best cosine among all that was found and `coverage` the best share of the question's terms: whether there
    is an answer at all. `standing` is the passage's own fused score: how far it stands out for this question.
    """
    odds = BIAS + DENSE * dense + COVERAGE * coverage + STANDING * standing
    return 1 / (1 + exp(-min(max(odds, -40.0), 40.0)))
