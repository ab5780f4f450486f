"""Fits the probability that a passage found is relevant, and shows whether it means what it says."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log

import numpy as np

from benchmarks.regression import Floats, Truths, logistic
from benchmarks.taught import ANYONE, Question
from knowledge import calibration
from knowledge.documents import Filters
from knowledge.retrieval import Results, Retrieval

_MOST = 300  # questions of a collection, so that small and large ones weigh about alike
_BANDS = np.array([0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])


@dataclass(frozen=True, slots=True)
class Observed:
    """Passages found in a collection: the signals of each, the score it was given, and whether it is relevant."""

    name: str
    signals: Floats
    scores: Floats
    relevant: Truths


async def observe(retrieval: Retrieval, name: str, questions: Sequence[Question], strangers: Sequence[Question]) -> Observed:
    """Ask questions that the collection answers, and half as many that it does not."""
    draw = np.random.default_rng(0)
    known = _some(draw, questions, _MOST)
    signals, scores, relevant = [], [], []
    for question in [*known, *_some(draw, strangers, len(known) // 2)]:
        where = Filters(documents=question.documents)
        results = await retrieval.search(question.text, audience=ANYONE, where=where)
        signals += _signals(results)
        for one in results.found:
            scores.append(one.score)
            relevant.append(not question.judged.keys().isdisjoint((one.passage.id, one.passage.document_id)))
    return Observed(name, np.array(signals), np.array(scores), np.array(relevant))


def _some(draw: np.random.Generator, questions: Sequence[Question], most: int) -> list[Question]:
    return [questions[n] for n in draw.permutation(len(questions))[:most]]


def _signals(results: Results) -> list[tuple[float, float, float]]:
    """Return the signals that the scores were made of: highest cosine, standing, and distance to the best standing."""
    odds = [log(one.score / (1 - one.score)) - calibration.BIAS - calibration.DENSE * results.dense for one in results.found]
    best = odds[0] / calibration.STANDING if odds else 0.0
    fall = calibration.STANDING - calibration.BEHIND
    behind = [(odds[0] - one) / fall for one in odds]
    return [(results.dense, best - distance, distance) for distance in behind]


def fitted(observed: Sequence[Observed]) -> str:
    """Return the constants of `knowledge.calibration`, every collection weighing the same."""
    signals = np.concatenate([one.signals for one in observed])
    relevant = np.concatenate([one.relevant for one in observed])
    weights = np.concatenate([np.full(len(one.relevant), 1000 / len(one.relevant)) for one in observed])
    dense, standing, behind, bias = logistic(signals, relevant, weights)
    return f"BIAS = {bias:.2f}\nDENSE = {dense:.2f}\nSTANDING = {standing:.2f}\nBEHIND = {behind:.2f}"


def reliability(observed: Sequence[Observed]) -> str:
    """Return a table: of the passages whose score is in a band, how many are relevant, over all and for each collection."""
    lines = ["| score | " + " | ".join(["all", *(one.name for one in observed)]) + " |", "|---" * (len(observed) + 2) + "|"]
    for low, high in pairwise(_BANDS):
        shares = []
        for one in observed:
            inside = (one.scores >= low) & (one.scores < high)
            shares.append(float(one.relevant[inside].mean()) if inside.sum() >= 20 else np.nan)
        cells = ["–" if np.isnan(share) else f"{share:.2f}" for share in (_mean(shares), *shares)]
        lines.append(f"| {low:.2f}–{high:.2f} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _mean(shares: Sequence[float]) -> float:
    return float(np.nanmean(shares)) if not np.all(np.isnan(shares)) else np.nan
