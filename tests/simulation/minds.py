"""What stands in for the engines: an embedder of words, an index in memory, and a model that repeats whatever it was told."""

import asyncio
import math
import re
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from functools import lru_cache
from hashlib import blake2b

import numpy as np

from bot.llm.base import Capabilities, ModelAway, Parameters, Piece, Prompt, Usage, estimate
from bot.llm.chain import Chain
from knowledge import Audience, Filters, IndexAway
from knowledge.index.base import Arms, Hit, Point, Sparse, Vector, Vectors
from tests.knowledge.fakes import MemoryIndex
from tests.simulation.life import Life

TOKEN = re.compile(r"zq[a-z]{4}x")
"""What canaries look like: one word of no language in each text whose way is followed."""

_DIMENSION = 96
_WORD = re.compile(r"\w+")


@lru_cache(maxsize=4096)
def _word(word: str) -> Vector:
    seed = int.from_bytes(blake2b(word.encode(), digest_size=8).digest())
    vector: Vector = np.random.default_rng(seed).standard_normal(_DIMENSION).astype(np.float32)
    return vector


def _embedded(text: str) -> Vector:
    words = _WORD.findall(text.lower()) or ["nothing"]
    vector: Vector = np.sum([_word(word) for word in words], axis=0)
    return vector / np.float32(np.linalg.norm(vector))


class Embedder:
    """Vectors of bags of words: texts of the same words meet."""

    model = "words"
    dimension = _DIMENSION

    def __init__(self, life: Life) -> None:
        self._life = life

    async def passages(self, texts: Sequence[str]) -> Vectors:
        await self._life.step()
        return np.array([_embedded(text) for text in texts], np.float32).reshape(len(texts), _DIMENSION)

    async def sentences(self, texts: Sequence[str]) -> Vectors:
        return await self.passages(texts)

    async def query(self, text: str) -> Vector:
        await self._life.step()
        await asyncio.sleep(self._life.random.random() * self._life.random.choice([0.0, 0.0, 5.0]))  # others are before it
        return _embedded(text)


class Index(MemoryIndex):
    """What a life sees of the index; `points` outlives it. Now and then the engine is away."""

    def __init__(self, life: Life, points: dict[str, Point], *, away: float) -> None:
        super().__init__()
        self.points = points
        self._life = life
        self._away = away

    async def _step(self, *, writes: bool) -> None:
        await self._life.step()
        if writes and self._life.random.random() < self._away:
            raise IndexAway()

    async def upsert(self, points: Sequence[Point]) -> None:
        await self._step(writes=True)
        self.points.update({point.id: point for point in points})
        await self._life.step()

    async def search(
        self,
        dense: Vector | None,
        sparse: Sparse | None,
        *,
        audience: Audience,
        where: Filters = Filters(),
        limit: int = 100,
    ) -> Arms:
        await self._step(writes=True)
        seen = [point for point in self.points.values() if audience.scopes & set(point.scopes)]
        near = [] if dense is None else _best(seen, [float(point.dense @ dense) for point in seen], limit)
        worded = [] if sparse is None else _best(seen, _bm25(seen, sparse), limit)
        return Arms(tuple(near), tuple(hit for hit in worded if hit.score > 0))

    async def vectors(self, ids: Sequence[str]) -> dict[str, Vector]:
        await self._life.step()
        return {i: self.points[i].dense for i in ids if i in self.points}

    async def delete_versions(self, versions: Sequence[str]) -> None:
        await self._step(writes=True)
        for i in [i for i, point in self.points.items() if point.version in versions]:
            del self.points[i]
        await self._life.step()

    async def delete(self, ids: Sequence[str]) -> None:
        await self._step(writes=True)
        for i in ids:
            self.points.pop(i, None)
        await self._life.step()

    async def set_scopes(self, document: str, scopes: Sequence[str]) -> None:
        await self._step(writes=True)
        await super().set_scopes(document, scopes)

    async def ids(self) -> AsyncIterator[list[str]]:
        await self._life.step()
        yield list(self.points)


def _best(points: Sequence[Point], scores: Sequence[float], limit: int) -> list[Hit]:
    order = sorted(range(len(points)), key=lambda n: (-scores[n], points[n].id))[:limit]
    return [Hit((p := points[n]).id, scores[n], p.document, p.version, p.n, p.kind) for n in order]


def _bm25(points: Sequence[Point], query: Sparse) -> list[float]:
    terms = [dict(zip(point.sparse.indices, point.sparse.values, strict=True)) for point in points]
    rarity = {i: math.log(1 + len(points) / (1 + sum(i in each for each in terms))) for i in query.indices}
    asked = list(zip(query.indices, query.values, strict=True))
    return [sum(each.get(i, 0.0) * value * rarity[i] for i, value in asked) for each in terms]


class Parrot:
    """The worst model: it repeats every canary that it can find in what it was told; now and then it fails, or hangs."""

    name = "stub:parrot"
    capabilities = Capabilities()

    def __init__(self, life: Life, *, fails: float) -> None:
        self._life = life
        self._fails = fails

    def count(self, text: str) -> int:
        return estimate(text)

    async def stream(self, prompt: Prompt, parameters: Parameters) -> AsyncGenerator[Piece]:
        await asyncio.sleep(self._life.random.random() * self._life.random.choice([0.0, 5.0, 15.0]))  # it thinks
        for piece in self._said(prompt):
            await self._life.step()
            if self._life.random.random() < self._fails:
                raise ModelAway("It broke off.", transient=self._life.random.random() < 0.7)
            yield piece
        yield Usage(100, 20)

    def _said(self, prompt: Prompt) -> list[str]:
        if not prompt.found:  # a query or a summary is wanted
            everything = "\n".join(turn.text for turn in prompt.turns)
            return [" ".join([prompt.question, *dict.fromkeys(TOKEN.findall(everything))][:8])]
        # Not what people said: whose words they are a model cannot be asked, and nothing could take them back.
        told = [turn.text for turn in prompt.turns if turn.role == "assistant"]
        seen = dict.fromkeys(TOKEN.findall("\n".join([*told, *(hit.passage.text for hit in prompt.found)])))
        quoted = [f"{hit.passage.text.strip()} [{n}]\n\n" for n, hit in enumerate(prompt.found[:4], 1)]
        return [*quoted, f"What was said before: {' '.join(seen)}."]


class Shelf:
    """Holds one model, or none: then the sources are quoted."""

    def __init__(self, chain: Chain | None) -> None:
        self._chain = chain

    async def chain(self, chosen: str) -> Chain | None:
        return self._chain
