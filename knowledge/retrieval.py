"""Finds passages: two searches of the index become one, checked against the database, with scores that mean something."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, Protocol

from knowledge import calibration
from knowledge.candidates import Candidates
from knowledge.documents import Audience, Filters, Found, Passage
from knowledge.duplicates import distinct
from knowledge.fusion import REFERENCE
from knowledge.index.base import Arms, Index, Sparse, Vector

Mode = Literal["hybrid", "dense", "lexical"]

_REFINED = 50  # candidates whose vectors are fetched: with twice as many nothing measurable changes
_SPARE = 8  # passages read at once beyond those asked for, instead of what is folded or was forgotten meanwhile


class Embeds(Protocol):
    """Makes the dense vector of a question."""

    async def query(self, text: str) -> Vector:
        """Return a vector of length 1."""


class Weighs(Protocol):
    """Makes the BM25 vector of a question."""

    def query(self, text: str) -> Sparse:
        """Return the terms that are looked for; none if all are stop words."""


class Store(Protocol):
    """The database as it is now."""

    async def passages(self, ids: Sequence[str], audience: Audience) -> dict[str, Passage]:
        """Return those passages that exist and that the audience may see."""

    async def stretch(self, passage: Passage, start: int, end: int) -> str:
        """Return `stored_text[start:end]` of the version that a passage belongs to."""


@dataclass(frozen=True, slots=True)
class Results:
    """What was found, best first, and the best of each signal among it: what a decision to abstain wants to know.

    `dense` is a cosine, `lexical` a BM25 score.
    """

    found: tuple[Found, ...] = ()
    dense: float = 0.0
    lexical: float = 0.0


class Retrieval:
    """Hybrid search; the database has the last word on what is found."""

    def __init__(self, embedder: Embeds, lexical: Weighs, index: Index, store: Store) -> None:
        self._embedder = embedder
        self._lexical = lexical
        self._index = index
        self._store = store

    async def search(
        self, query: str, *, audience: Audience, where: Filters = Filters(), limit: int = 8, mode: Mode = "hybrid"
    ) -> Results:
        """Return the passages that best answer a question, without those that only repeat a better one."""
        terms = self._lexical.query(query)
        candidates = await self._candidates(query, terms, mode, audience=audience, where=where, limit=limit + _SPARE)
        there: list[tuple[int, Passage]] = []
        kept: list[tuple[int, Passage]] = []
        for begin in range(0, len(candidates.hits), limit + _SPARE):
            places = range(begin, min(begin + limit + _SPARE, len(candidates.hits)))
            living = await self._store.passages([candidates.hits[place].id for place in places], audience)
            there += [(place, living[i]) for place in places if (i := candidates.hits[place].id) in living]
            kept = [there[n] for n in distinct([passage.text for _, passage in there], limit)]
            if len(kept) == limit:
                break
        if not kept:
            return Results()
        dense = max(float(candidates.dense[place]) for place, _ in kept)
        lexical = max(float(candidates.lexical[place]) for place, _ in kept)
        best = float(candidates.scores[kept[0][0]])
        found = [
            Found(
                passage,
                score=calibration.probability(dense, float(candidates.scores[place]), best),
                dense=float(candidates.dense[place]),
                lexical=float(candidates.lexical[place]),
            )
            for place, passage in kept
        ]
        return Results(tuple(found), dense, lexical)

    async def ranked_documents(
        self, query: str, *, audience: Audience, where: Filters = Filters(), mode: Mode = "hybrid", depth: int = 100
    ) -> dict[str, float]:
        """Return the documents of the best `depth` passages, each with the score of its best one, highest first.

        For judging rankings: the scores are not calibrated.
        """
        terms = self._lexical.query(query)
        candidates = await self._candidates(query, terms, mode, audience=audience, where=where, limit=depth)
        living = await self._store.passages([hit.id for hit in candidates.hits], audience)
        documents: dict[str, float] = {}
        for hit, score in zip(candidates.hits, candidates.scores, strict=True):
            if hit.id in living:
                documents.setdefault(hit.document, float(score))
        return documents

    async def joined(self, found: Sequence[Found]) -> tuple[Found, ...]:
        """Return what was found for reading: passages that follow each other on a page, under a heading, become one.

        Its text is that of the stored document from the first to the last, and its place and scores are those of the best.
        """
        return tuple([await self._joined(run) for run in runs(found)])

    async def _candidates(
        self, query: str, terms: Sparse, mode: Mode, *, audience: Audience, where: Filters, limit: int
    ) -> Candidates:
        limit = max(limit, REFERENCE)
        look = partial(self._index.search, audience=audience, where=where, limit=limit)

        async def near() -> tuple[Vector, Arms]:
            question = await self._embedder.query(query)
            return question, await look(question, None)

        async def worded() -> Arms:
            return await look(None, terms) if terms.indices else Arms((), ())

        if mode == "lexical":
            return Candidates.of_one(await worded())
        if mode == "dense":
            return Candidates.of_one((await near())[1])
        # The words are looked for while the question is embedded: two processes, two processors.
        (question, dense), lexical = await asyncio.gather(near(), worded())
        candidates = Candidates.of(Arms(dense.dense, lexical.lexical), limit=limit)
        return candidates.refined(question, await self._index.vectors([hit.id for hit in candidates.hits[:_REFINED]]))

    async def _joined(self, run: Sequence[Found]) -> Found:
        if len(run) == 1:
            return run[0]
        first, end = run[0].passage, max(one.passage.end for one in run)
        text = await self._store.stretch(first, first.start, end)
        return replace(max(run, key=lambda one: one.score), passage=replace(first, end=end, text=text))


def runs(found: Sequence[Found]) -> list[list[Found]]:
    """Group passages that follow each other on a page and under a heading, in reading order; groups by their best passage."""
    by_place = {(_section(one), one.passage.n): one for one in found}
    result: list[list[Found]] = []
    for section, n in list(by_place):
        if (section, n) not in by_place:
            continue
        first = n
        while (section, first - 1) in by_place:
            first -= 1
        run: list[Found] = []
        while (section, first + len(run)) in by_place:
            run.append(by_place.pop((section, first + len(run))))
        result.append(run)
    return result


def _section(one: Found) -> tuple[str, int | None, str | None]:
    return one.passage.document_id, one.passage.page, one.passage.heading
