"""Whether the evidence carries an answer, and whether what is cited stands where it is said to (pure)."""

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bot.answering.quoting.evidence import FEATURES, Matrix
from bot.chat import Answer
from knowledge import Found

# What the evidence amounts to, as log-odds: fitted by `python -m benchmarks.answers fit DATA`.
SIGNALS = ("score", "cosine", "passage coverage", "few")
_WORTH = np.array([0.8, 4.97, 3.34, 6.7])
_BIAS = -15.1
_MANY = 8  # passages
ENOUGH = 0.5
"""Below this confidence "I don't know" is the better answer."""
SURE = 0.75
"""From this confidence on nothing needs to be said about it."""

# Sentences that only resemble the question by chance, in passages that hardly do, are no evidence: with many passages to
# choose from, 0.2 % of the questions that have an answer fall below the first two.
_PROBABLE = 0.12  # the probability of the best passage
_RESEMBLING = 0.6  # the cosine of the best sentence
_PHRASED = 0.5  # the share of the question's neighbouring words that stand together in a sentence: that is no chance

_NEAREST = 3  # passages
_NEAR = 0.27  # the cosine from which on a passage is near enough to be named
_PROBABLY_NEAR = 0.15  # the probability that also does
_ROWS = re.compile(r"rows \d")  # what a group of a sheet's rows is headed by: it says nothing of what they are about
_MARK = re.compile(r"\s*(?:— \*\*)?\[(\d+)\](?:\*\*)?")


def signals(features: Matrix, scores: Matrix, found: Sequence[Found]) -> Matrix:
    """Return `SIGNALS` from rows of `evidence.FEATURES`, what each row scored, and the passages they are from.

    These are the score, cosine and coverage of the best sentences, and how few passages there are: the best of few is less
    likely to be good by chance.
    """
    cosine, coverage = (features[:, FEATURES.index(name)].max() for name in ("cosine", "passage coverage"))
    return np.array([scores.max(), cosine, coverage, max(0, _MANY - len(found)) / _MANY])


def confidence(features: Matrix, scores: Matrix, found: Sequence[Found]) -> float:
    """Return how likely it is that these sentences answer the question, 0 to 1."""
    if not len(features):
        return 0.0
    if _by_chance(features, found):
        return 0.0
    return float(1 / (1 + np.exp(-(signals(features, scores, found) @ _WORTH + _BIAS))))


def _by_chance(features: Matrix, found: Sequence[Found]) -> bool:
    """Tell whether what resembles the question among many passages is not more than chance brings."""
    cosine, pairs = (features[:, FEATURES.index(name)].max() for name in ("cosine", "pairs"))
    improbable = max(hit.score for hit in found) < _PROBABLE
    return len(found) >= _MANY and improbable and bool(cosine < _RESEMBLING and pairs < _PHRASED)


def unknown(found: Sequence[Found], *, provider: str, model: str) -> Answer:
    """Say that the answer is not known, and name what is near, if anything is: documents, and the headings in them."""
    nearest: dict[str, list[str]] = {}
    for hit in found[:_NEAREST]:
        if hit.score < _PROBABLY_NEAR and hit.dense < _NEAR:
            continue
        headings = nearest.setdefault(hit.passage.title, [])
        heading = (hit.passage.heading or "").rsplit("›", 1)[-1].strip()
        if heading and heading != hit.passage.title and f"“{heading}”" not in headings and not _ROWS.match(heading):
            headings.append(f"“{heading}”")
    named = [f"**{title}** ({_listed(headings)})" if headings else f"**{title}**" for title, headings in nearest.items()]
    text = "I don't know: nothing I have been taught answers that."
    if named:
        text += f" The nearest I have is {_listed(named)}."
    elif not found:
        text = "I don't know: I have been taught nothing about that yet."
    return Answer(text, (), True, provider, model)


def checked(answer: Answer, found: Sequence[Found]) -> Answer:
    """Leave out every citation whose quote does not stand in a passage found; without any left, nothing is known."""
    kept = tuple(source for source in answer.sources if any(_holds(source.quote, source.document_id, hit) for hit in found))
    if answer.abstained or len(kept) == len(answer.sources):
        return answer
    if not kept:
        return unknown(found, provider=answer.provider, model=answer.model)
    numbers = {source.n for source in kept}
    text = _MARK.sub(lambda mark: mark.group() if int(mark.group(1)) in numbers else "", answer.text)
    return replace(answer, text=text, sources=kept)


def _holds(quote: str, document_id: str, hit: Found) -> bool:
    return bool(quote) and hit.passage.document_id == document_id and quote in hit.passage.text


def _listed(names: Sequence[str]) -> str:
    *rest, last = names
    return f"{', '.join(rest)} and {last}" if rest else last
