"""Whether what was found may hold the answer at all, told by cheap signals before a language model is asked (pure)."""

import re
from collections.abc import Sequence
from itertools import pairwise
from math import exp, log1p

from bot.answering.quoting import words
from bot.answering.quoting.question import Question
from knowledge import Results

# What speaks for an answer among the passages, as log-odds: fitted by `python -m benchmarks.support DATA fit`.
SIGNALS = ("cosine", "words", "pairs", "absent", "few")
_WORTH = (22.24, 7.11, 3.29, -1.76, 6.51)
_BIAS = -12.26

ENOUGH = 0.1
"""Below this support the question has nothing to do with what is known, and no model needs to be asked."""
SURE = 0.5
"""Below this support an answer is worth a word of doubt: it may be about something else."""

_MANY = 8  # passages
_BEST = 3  # passages, where names and numbers are looked for
_LIKE = 0.8  # how surely a word stands for another to be taken for the same name
_UNTOLD = 0.5  # of a question without a telling word, so much counts as said
_NAME = re.compile(r"\w[\w’'-]*")
_QUOTED = re.compile(r"[\"“„«]([^\"”“»]{2,60})[\"”“»]")
_WORD = re.compile(r"\w+")
_PLAIN = "the of and to is are do does did has have what which who how when where why many much you"
_ENGLISH = frozenset(_PLAIN.split())
_FEW_WORDS = 2  # telling ones, of a question that leans on what it points at
_POINTS = re.compile(
    r"\b(?:it|this|these|those|they|documents?|files?|texts?|pages?|summar\w+|you know|das|dies\w*|dokument\w*|datei(?:en)?"
    r"|zusammenfass\w*|это\w*|документ\w*|файл\w*)\b",
    re.IGNORECASE,
)

Said = list[list[float]]
"""How surely each passage says each term of the question, 0 to 1."""


def support(question: str, results: Results) -> float:
    """Return how likely it is that the passages found hold the answer, 0 to 1; 0 when nothing was found.

    It tells the questions of another field, and hardly those that are about the right thing and ask what is not said of it.
    A question that words and vectors cannot judge has at least `ENOUGH`: "What is this about?", and one in another language.
    """
    if not results.found:
        return 0.0
    odds = _BIAS + sum(worth * signal for worth, signal in zip(_WORTH, signals(question, results), strict=True))
    likely = 1 / (1 + exp(-min(max(odds, -30.0), 30.0)))
    return ENOUGH if likely < ENOUGH and (_points(question) or _foreign(question, results)) else likely


def signals(question: str, results: Results) -> tuple[float, ...]:
    """Return `SIGNALS`, of at least one passage; all but the cosine are 0 to 1.

    They are the highest cosine; the share of the question's words, by what they tell, that the best passage says; the share
    of its neighbouring words that stand together in a passage; the share of its names and numbers that the best passages do
    not have; and how few passages there are, as a search of eight or more leaves them: what is near is so less by chance.
    """
    asked = Question(question)
    passages = [hit.passage for hit in results.found[:_MANY]]
    texts = [words.content(f"{passage.title}\n{passage.context}\n{passage.text}") for passage in passages]
    said = _said(asked.terms, texts)
    together = max(len(asked.pairs.intersection(pairwise(text))) for text in texts) / max(len(asked.pairs), 1)
    return (results.dense, _covered(asked.terms, said), together, _absent(asked, said), 1 - len(passages) / _MANY)


def _points(question: str) -> bool:
    """Tell whether a question says hardly more than that it is about "this", or about the documents as such."""
    return bool(_POINTS.search(question)) and len(set(words.content(question))) <= _FEW_WORDS


def _foreign(question: str, results: Results) -> bool:
    """Tell whether a question and the passages have no word in common, not even a common one, and are not both English."""
    asked = set(_WORD.findall(question.lower()))
    if len(asked) <= _FEW_WORDS:
        return False
    said = {
        word for hit in results.found[:_MANY] for word in _WORD.findall(f"{hit.passage.context}\n{hit.passage.text}".lower())
    }
    return asked.isdisjoint(said) and (asked.isdisjoint(_ENGLISH) or said.isdisjoint(_ENGLISH))


def _said(terms: Sequence[str], texts: Sequence[Sequence[str]]) -> Said:
    vocabularies = [set(text) for text in texts]
    kin = words.kin(terms, set().union(*vocabularies))
    said = [[0.0] * len(terms) for _ in texts]
    for row, vocabulary in zip(said, vocabularies, strict=True):
        for word in kin.keys() & vocabulary:
            for n, likeness in kin[word]:
                row[n] = max(row[n], likeness)
    return said


def _covered(terms: Sequence[str], said: Said) -> float:
    """Return how much of the question the best passage says; words that are long, or rare in the passages, tell more."""
    if not terms:
        return _UNTOLD
    weights = []
    for term, column in zip(terms, zip(*said, strict=True), strict=True):
        there = sum(column)
        length = 3.0 if term[0].isdigit() else min(1.0 + 0.35 * len(term), 4.0)
        weights.append(max(length + log1p((len(said) - there + 0.5) / (there + 0.5)), 0.05))
    return sum(weight * likeness for weight, likeness in zip(weights, said[0], strict=True)) / sum(weights)


def _absent(asked: Question, said: Said) -> float:
    """Return the share of the names, numbers and quoted words of the question that no good passage has; 0 if it has none."""
    exact = _exact(asked.text)
    places = [n for n, term in enumerate(asked.terms) if term in exact]
    missing = [n for n in places if all(row[n] < _LIKE for row in said[:_BEST])]
    return len(missing) / max(len(places), 1)


def _exact(text: str) -> set[str]:
    """Return the stems of what has to occur as it is: words with a digit or, inside a sentence, a capital; and quotations."""
    found = _NAME.findall(text)
    numbers = [word for word in found if any(map(str.isdigit, word))]
    names = [word for word in found[1:] if word[0].isupper() and not text.isupper()]
    return set(words.content(" ".join([*numbers, *names, *_QUOTED.findall(text)])))
