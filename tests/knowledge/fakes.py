"""Fakes of the library's neighbours, quick and remembering what they were asked."""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from knowledge.chunks import Chunk
from knowledge.documents import Audience, Filters
from knowledge.errors import Unreadable, Unsupported
from knowledge.extract.reader import Reading
from knowledge.extract.text import Attached, Extracted
from knowledge.index.base import Arms, Hit, Point, Sparse, Vector, Vectors


class LineReader:
    """Reads a text file: one passage a line. `attach: NAME CONTENT` attaches, `broken` and `binary` cannot be read."""

    def __init__(self) -> None:
        self.read_names: list[str] = []
        self.problem = ""

    async def read(self, path: Path, name: str) -> Reading:
        self.read_names.append(name)
        text = path.read_text()
        if "broken" in (self.problem, text[:6]):
            raise Unreadable("It is broken.")
        if "binary" in (self.problem, text[:6]):
            raise Unsupported("It is of no known type.")
        attached: list[Attached] = []
        chunks: list[Chunk] = []
        start = 0
        for line in text.splitlines(keepends=True):
            if line.startswith("attach: "):
                attached_name, content = line.removeprefix("attach: ").strip().split(" ", 1)
                attached.append(Attached(attached_name, content.encode()))
            elif line.strip():
                begin, end = start + len(line) - len(line.lstrip()), start + len(line.rstrip())
                chunks.append(Chunk(len(chunks), begin, end, None, None, "", len(line.split())))
            start += len(line)
        extracted = Extracted("text", text, (), attached=tuple(attached))
        return Reading(extracted, tuple(chunks))


class HashEmbedder:
    """Vectors from a hash of the text: equal texts meet, nothing else does."""

    model = "hash"
    dimension = 8

    async def passages(self, texts: Sequence[str]) -> Vectors:
        return np.array([self._one(text) for text in texts], np.float32).reshape(len(texts), self.dimension)

    async def query(self, text: str) -> Vector:
        return self._one(text)

    def _one(self, text: str) -> Vector:
        digest = np.frombuffer(hashlib.sha256(text.encode()).digest()[: self.dimension], np.uint8).astype(np.float32) - 127.5
        return digest / np.float32(np.linalg.norm(digest))


class MemoryIndex:
    """Points in a dict. `fail_after` makes the n-th write raise, as a kill would stop it; `meanwhile` happens after a write."""

    def __init__(self) -> None:
        self.points: dict[str, Point] = {}
        self.fail_after: int | None = None
        self.meanwhile: Callable[[], Awaitable[None]] | None = None

    def _write(self) -> None:
        if self.fail_after is not None:
            if self.fail_after == 0:
                raise KeyboardInterrupt
            self.fail_after -= 1

    async def upsert(self, points: Sequence[Point]) -> None:
        self._write()
        self.points.update({point.id: point for point in points})
        if self.meanwhile:
            meanwhile, self.meanwhile = self.meanwhile, None
            await meanwhile()

    async def search(
        self,
        dense: Vector | None,
        sparse: Sparse | None,
        *,
        audience: Audience,
        where: Filters = Filters(),
        limit: int = 100,
    ) -> Arms:
        seen = [p for p in self.points.values() if audience.scopes & set(p.scopes)]
        assert dense is not None
        hits = [Hit(p.id, float(p.dense @ dense), p.document, p.version, p.n, p.kind) for p in seen]
        return Arms(tuple(sorted(hits, key=lambda hit: -hit.score)[:limit]), ())

    async def vectors(self, ids: Sequence[str]) -> dict[str, Vector]:
        return {i: self.points[i].dense for i in ids if i in self.points}

    async def delete_versions(self, versions: Sequence[str]) -> None:
        self._write()
        self.points = {i: p for i, p in self.points.items() if p.version not in versions}

    async def delete(self, ids: Sequence[str]) -> None:
        self._write()
        self.points = {i: p for i, p in self.points.items() if i not in ids}

    async def set_scopes(self, document: str, scopes: Sequence[str]) -> None:
        mine = {i: replace(p, scopes=tuple(scopes)) for i, p in self.points.items() if p.document == document}
        self.points.update(mine)

    async def ids(self) -> AsyncIterator[list[str]]:
        yield list(self.points)

    async def count(self) -> int:
        return len(self.points)

    async def flush(self) -> None:
        """Nothing is buffered."""

    async def optimize(self) -> None:
        """Nothing to gain."""

    async def wipe(self) -> None:
        self.points.clear()

    async def close(self) -> None:
        """Nothing is open."""
