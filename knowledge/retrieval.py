"""Finds passages: two searches of the index become one, checked against the database, with scores that mean something."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, Protocol

from knowledge import calibration
from knowledge.candidates import Candidates
from knowledge.documents import Audience, Filters, Found, LeftOut, Passage, Reason
from knowledge.duplicates import distinct
from knowledge.fusion import REFERENCE
from knowledge.index.base import Arms, Index, Sparse, Vector

Mode = Literal["hybrid", "dense", "lexical"]

_REFINED = 50  # candidates whose vectors are fetched: with twice as many nothing measurable changes
_SPARE = 8  # passages read at once beyond those asked for, instead of what is folded or was forgotten meanwhile
_LEFT_OUT = 12  # passages named of those that were read and not returned


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


class Opinions(Protocol):
    """What people think of passages."""

    async def of(self, ids: Sequence[str]) -> Mapping[str, float]:
        """Return the opinions, -1 to 1, of those passages that have one."""


@dataclass(frozen=True, slots=True)
class Results:
    """What was found, best first, and the best of each signal among it: what a decision to abstain wants to know.

    `dense` is a cosine, `lexical` a BM25 score. `left_out` are the next best that were read for it, best first.
    """

    found: tuple[Found, ...] = ()
    dense: float = 0.0
    lexical: float = 0.0
    left_out: tuple[LeftOut, ...] = ()


class Question:
    """A question to be searched with, for as many audiences as one likes: it is embedded once, when that is first needed."""

    def __init__(self, text: str, terms: Sparse, embedder: Embeds) -> None:
        self.text = text
        self.terms = terms
        self._embedder = embedder
        self._embedded: Vector | None = None
        self._once = asyncio.Lock()

    async def vector(self) -> Vector:
        """Return the dense vector."""
        async with self._once:
            if self._embedded is None:
                self._embedded = await self._embedder.query(self.text)
            return self._embedded


class Retrieval:
    """Hybrid search; the database has the last word on what is found."""

    def __init__(self, embedder: Embeds, lexical: Weighs, index: Index, store: Store, opinions: Opinions | None = None) -> None:
        self._embedder = embedder
        self._lexical = lexical
        self._index = index
        self._store = store
        self._opinions = opinions

    def question(self, text: str) -> Question:
        """Prepare a question that is searched with more than once."""
        return Question(text, self._lexical.query(text), self._embedder)

    async def search(
        self, query: str | Question, *, audience: Audience, where: Filters = Filters(), limit: int = 8, mode: Mode = "hybrid"
    ) -> Results:
        """Return the passages that best answer a question, without those that only repeat a better one."""
        question = self.question(query) if isinstance(query, str) else query
        candidates = await self._candidates(question, mode, audience=audience, where=where, limit=limit + _SPARE)
        there: list[tuple[int, Passage]] = []
        kept: list[int] = []
        for begin in range(0, len(candidates.hits), limit + _SPARE):
            places = range(begin, min(begin + limit + _SPARE, len(candidates.hits)))
            living = await self._store.passages([candidates.hits[place].id for place in places], audience)
            there += [(place, living[i]) for place in places if (i := candidates.hits[place].id) in living]
            kept = distinct([passage.text for _, passage in there], limit)
            if len(kept) == limit:
                break
        return _results(candidates, there, kept, full=len(kept) == limit)

    async def search_both(
        self, query: str | Question, *, audience: Audience, private: Audience, where: Filters = Filters(), limit: int = 8
    ) -> tuple[Results, Results]:
        """Search for two audiences at once: what all readers may see, and what one of them may see alone.

        Both searches are made even when the audiences are the same: how long it takes tells nothing of what there is.
        """
        question = self.question(query) if isinstance(query, str) else query
        one, other = (self.search(question, audience=each, where=where, limit=limit) for each in (audience, private))
        all_see, alone = await asyncio.gather(one, other)
        return all_see, alone

    async def ranked_documents(
        self, query: str, *, audience: Audience, where: Filters = Filters(), mode: Mode = "hybrid", depth: int = 100
    ) -> dict[str, float]:
        """Return the documents of the best `depth` passages, each with the score of its best one, highest first.

        For judging rankings: the scores are not calibrated.
        """
        candidates = await self._candidates(self.question(query), mode, audience=audience, where=where, limit=depth)
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
        self, question: Question, mode: Mode, *, audience: Audience, where: Filters, limit: int
    ) -> Candidates:
        limit = max(limit, REFERENCE)
        look = partial(self._index.search, audience=audience, where=where, limit=limit)

        async def near() -> tuple[Vector, Arms]:
            vector = await question.vector()
            return vector, await look(vector, None)

        async def worded() -> Arms:
            return await look(None, question.terms) if question.terms.indices else Arms((), ())

        if mode != "hybrid":
            candidates = Candidates.of_one(await worded() if mode == "lexical" else (await near())[1])
            return candidates.swayed(await self._priors(candidates))
        # The words are looked for while the question is embedded: two processes, two processors.
        (vector, dense), lexical = await asyncio.gather(near(), worded())
        candidates = Candidates.of(Arms(dense.dense, lexical.lexical), limit=limit)
        first = [hit.id for hit in candidates.hits[:_REFINED]]
        vectors, priors = await asyncio.gather(self._index.vectors(first), self._priors(candidates))
        return candidates.refined(vector, vectors).swayed(priors)

    async def _priors(self, candidates: Candidates) -> Mapping[str, float]:
        if self._opinions is None or not candidates.hits:
            return {}
        return await self._opinions.of([hit.id for hit in candidates.hits])

    async def _joined(self, run: Sequence[Found]) -> Found:
        if len(run) == 1:
            return run[0]
        first, end = run[0].passage, max(one.passage.end for one in run)
        text = await self._store.stretch(first, first.start, end)
        return replace(max(run, key=lambda one: one.score), passage=replace(first, end=end, text=text))


def _results(candidates: Candidates, there: Sequence[tuple[int, Passage]], kept: Sequence[int], *, full: bool) -> Results:
    """Return what was kept of the passages that are there (place among the candidates, passage); `full`: no more was wanted."""
    if not kept:
        return Results()
    dense = max(float(candidates.dense[there[n][0]]) for n in kept)
    lexical = max(float(candidates.lexical[there[n][0]]) for n in kept)
    best = float(candidates.scores[there[kept[0]][0]])

    def scored(n: int) -> Found:
        place, passage = there[n]
        return Found(
            passage,
            score=calibration.probability(dense, float(candidates.scores[place]), best),
            dense=float(candidates.dense[place]),
            lexical=float(candidates.lexical[place]),
            prior=candidates.priors.get(passage.id, 0.0),
        )

    chosen, last = set(kept), kept[-1] if full else len(there)
    left = [n for n in range(len(there)) if n not in chosen][:_LEFT_OUT]
    left_out = [_left_out(scored(n), Reason.REPEATS if n < last else Reason.RANKED_LOWER) for n in left]
    return Results(tuple(scored(n) for n in kept), dense, lexical, tuple(left_out))


def _left_out(one: Found, reason: Reason) -> LeftOut:
    return LeftOut(one.passage.id, one.passage.document_id, one.score, one.dense, one.lexical, one.prior, reason)


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
