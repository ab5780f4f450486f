"""Which sentences of the passages found bear on a question, and how strongly (pure)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bot.answering.quoting import sentences, words
from bot.answering.quoting.question import SHAPES, Question
from knowledge import Found

Kind = Literal["sentence", "item", "row", "heading"]
Matrix = NDArray[np.float32]

_PASSAGES = 8  # are read, from the best down
_QUESTION = re.compile(r"[?？؟][\"'”’»)\]*_]*$")
_NEARBY = 0.6  # of a question's word counts when it stands in the sentence beside, or in the heading

_PRONOUN = re.compile(
    r"(?:it|its|he|she|his|her|they|their|this|these|those|that|such|er|sie|es|dies\w*|он|она|они|это|эт[аио])\b", re.IGNORECASE
)

# Features of a sentence, and what each is worth: fitted by `python -m benchmarks.answers fit DATA`.
FEATURES = (
    "cosine", "passage cosine", "rank", "coverage", "passage coverage", "new words", "pairs", "length",
    "when", "number", "who", "where", "why", "what", "pronoun",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Unit:
    """A sentence, list item, table row or heading: `found[passage].passage.text[start:end]`, the `n`-th of its passage."""

    passage: int
    n: int
    paragraph: int
    start: int
    end: int
    text: str
    kind: Kind


def units(found: Sequence[Found]) -> list[Unit]:
    """Divide the best passages into what can be quoted; what overlapping passages share is taken once."""
    result: list[Unit] = []
    seen: set[tuple[str, int]] = set()
    for p, hit in enumerate(found[:_PASSAGES]):
        passage, paragraph = hit.passage, 0
        for n, (start, end) in enumerate(sentences.spans(passage.text)):
            a, b = sentences.trimmed(passage.text, (start, end))
            place = (passage.document_id, passage.start + b)
            if a < b and place not in seen:
                seen.add(place)
                text = passage.text[a:b]
                result.append(Unit(p, n, paragraph, a, b, text, _kind(text, passage.text[b:end], hit)))
            paragraph += "\n\n" in passage.text[b:end]
    return result


def _kind(text: str, after: str, hit: Found) -> Kind:
    named = {name.strip().casefold() for name in (hit.passage.title, *(hit.passage.heading or "").split("›"))}
    if text.lstrip("# ").casefold() in named or text.startswith("#") or _QUESTION.search(text):
        return "heading"  # a question answers none, but what follows it may
    if sentences.is_row(text):
        return "row"
    if sentences.is_item(text):
        return "item"
    plain = len(text) <= 60 and not re.search(r"[\d:@=]|[.!?…。！？]\W*$", text)
    return "heading" if plain and "\n\n" in after else "sentence"


class Evidence:
    """The units of the passages found, and what speaks for each as an answer to a question."""

    def __init__(self, question: Question, found: Sequence[Found]) -> None:
        self.question = question
        self.found = found[:_PASSAGES]
        self.units = units(self.found)
        self.leads = leads(self.units, self.found)
        contents = [words.content(unit.text) for unit in self.units]
        around = [words.content(f"{hit.passage.title}\n{hit.passage.context}") for hit in self.found]
        kin = words.kin(question.terms, {word for content in (*contents, *around) for word in content})
        self._before = [self._read_after(n) for n in range(len(self.units))]
        self._place = [unit.passage for unit in self.units]
        self._own = _matrix(contents, kin, len(question.terms))
        self._context = _matrix(around, kin, len(question.terms))
        self._weights = _weights(question.terms, self._own)
        self._coverage = self._share(np.maximum(self._own, _NEARBY * self._nearby()))
        self._pairs = [len(question.pairs & set(pairwise(content))) / max(len(question.pairs), 1) for content in contents]

    def strongest(self, most: int) -> list[int]:
        """Return which units, at most so many, say most of what the question says; in reading order."""
        return sorted(map(int, np.argsort(-self._coverage, kind="stable")[:most]))

    def features(self, query: Matrix, vectors: Matrix) -> Matrix:
        """Return what speaks for each unit, a row of `FEATURES` each.

        `vectors` holds one row per unit: of length 1, or zeros for a unit that is not worth embedding.
        """
        context = self._context[self._place]
        passages = self._context.copy()
        np.maximum.at(passages, self._place, self._own)
        asked = [self.question.shape if self.question.answered_by(unit.text) else None for unit in self.units]
        columns = (
            self._windows(query, vectors),
            [self.found[p].dense for p in self._place],
            [1 / (1 + p) for p in self._place],
            self._coverage,
            self._share(passages)[self._place],
            self._share(np.maximum(self._own, context)) - self._share(context),
            self._pairs,
            [min(len(unit.text), 360) / 180 for unit in self.units],
            *([shape == name for shape in asked] for name in SHAPES),
            [bool(_PRONOUN.match(unit.text)) for unit in self.units],
        )
        return np.array(columns, np.float32).T

    def _read_after(self, n: int) -> int | None:
        """Return the unit that this one is read after: what leads its list or table, or the one before it."""
        unit, lead = self.units[n], self.leads[n]
        if unit.kind in ("item", "row"):
            return lead if lead != n else None
        return n - 1 if unit.n and n and self.units[n - 1].passage == unit.passage else None

    def _share(self, matrix: Matrix) -> Matrix:
        """Return how much of the question each row covers, 0 to 1; without telling words one cannot tell: 0.5."""
        return matrix @ self._weights if len(self._weights) else np.full(len(matrix), 0.5, np.float32)

    def _nearby(self) -> Matrix:
        """Return the words that stand in the heading, beside a sentence, or in what leads a list or table."""
        nearby = self._context[self._place]
        for at, before in enumerate(self._before):
            if before is not None:
                nearby[at] = np.maximum(nearby[at], self._own[before])
                if self.units[at].kind == "sentence":
                    nearby[before] = np.maximum(nearby[before], self._own[at])
        return nearby

    def _windows(self, query: Matrix, vectors: Matrix) -> Matrix:
        """Return how near each unit is to the question, alone or read after what it belongs to, whichever is nearer."""
        cosine = vectors @ query
        for at, before in enumerate(self._before):
            if before is not None and vectors[at].any():
                both = vectors[at] + vectors[before]
                cosine[at] = max(cosine[at], both @ query / max(float(np.linalg.norm(both)), 1e-6))
        return cosine


def _matrix(contents: Sequence[Sequence[str]], kin: words.Kin, terms: int) -> Matrix:
    matrix = np.zeros((len(contents), terms), np.float32)
    for row, content in zip(matrix, contents, strict=True):
        for word in content:
            for n, likeness in kin.get(word, ()):
                row[n] = max(row[n], likeness)
    return matrix


def _weights(terms: Sequence[str], own: Matrix) -> Matrix:
    """Weigh the question's words: rare in what was found, and long, means telling. They add up to 1."""
    there = own.sum(axis=0)
    rarity = np.log1p((len(own) - there + 0.5) / (there + 0.5))
    length = np.array([3.0 if term[0].isdigit() else min(1.0 + 0.35 * len(term), 4.0) for term in terms])
    weights = np.maximum(rarity + length, 0.05)
    return np.asarray(weights / weights.sum(), np.float32)


def leads(units: Sequence[Unit], found: Sequence[Found]) -> list[int]:
    """Return for each unit the one it is to be read after: what leads in its list, the head of its table; else itself."""
    result: list[int] = []
    for at, unit in enumerate(units):
        before = units[at - 1] if at and units[at - 1].passage == unit.passage else None
        if before and before.kind == unit.kind in ("item", "row") and not (unit.kind == "row" and table_head(unit, found)):
            result.append(result[-1])
        elif before and unit.kind == "item":
            result.append(at - 1)
        else:
            result.append(at)
    return result


def table_head(row: Unit, found: Sequence[Found]) -> str:
    """Return the head of a table that began before the passage, which stands in its context; empty if the passage has it."""
    passage = found[row.passage].passage
    head = passage.context.rsplit("\n", 1)[-1]
    began = all(map(sentences.is_row, (head, *passage.text[: row.start].splitlines())))
    return head if began and head not in passage.text else ""
