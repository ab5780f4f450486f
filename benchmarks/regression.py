"""Two small regressions, in numpy: which of a group is right, and whether one thing is so."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Truths = NDArray[np.bool_]


def listwise(groups: Sequence[tuple[Floats, Truths]], steps: int = 400, rate: float = 0.15, ridge: float = 1e-3) -> Floats:
    """Fit the worth of features so that a softmax over each group puts its weight on the rows that are right.

    A group has a row of features for each of its members and says which are right; at least one has to be.
    """
    x = np.concatenate([features for features, _ in groups]).astype(np.float64)
    right = np.concatenate([truths for _, truths in groups])
    sizes = np.array([len(features) for features, _ in groups])
    starts = np.cumsum([0, *sizes])[:-1]
    scale = x.std(axis=0) + 1e-9
    z = x / scale
    worth = np.zeros(x.shape[1])
    drift, spread = np.zeros_like(worth), np.zeros_like(worth)
    for step in range(1, steps + 1):  # Adam
        scores = z @ worth
        odds = np.exp(scores - np.repeat(np.maximum.reduceat(scores, starts), sizes))
        share = odds / np.repeat(np.add.reduceat(odds, starts), sizes)
        wanted = odds * right / np.repeat(np.add.reduceat(odds * right, starts), sizes)
        slope = z.T @ (share - wanted) / len(groups) + ridge * worth
        drift, spread = 0.9 * drift + 0.1 * slope, 0.99 * spread + 0.01 * slope**2
        worth -= rate * (drift / (1 - 0.9**step)) / (np.sqrt(spread / (1 - 0.99**step)) + 1e-8)
    return np.asarray(worth / scale)


def logistic(signals: Floats, right: Truths, weights: Floats, steps: int = 30, ridge: float = 1e-3) -> Floats:
    """Fit a logistic regression by Newton's method; the last number is the constant."""
    x = np.column_stack([signals, np.ones(len(signals))])
    worth = np.zeros(x.shape[1])
    for _ in range(steps):
        p = 1 / (1 + np.exp(-x @ worth))
        slope = x.T @ (weights * (p - right)) + ridge * worth
        curve = (x.T * (weights * p * (1 - p))) @ x + ridge * np.eye(len(worth))
        worth = worth - np.linalg.solve(curve, slope)
    return worth
