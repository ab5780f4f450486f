"""What the rest of the package asks of a vector index."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from knowledge.documents import Audience, Filters
from knowledge.errors import KnowledgeError

Vector = NDArray[np.float32]
Vectors = NDArray[np.float32]
"""One vector per row."""


class IndexDamaged(KnowledgeError):
    """The index is there but cannot be used; it can be built again from the database."""


class WrongDimension(KnowledgeError):
    """The index holds vectors of another embedding model."""

    def __init__(self, place: str, *, has: int, wanted: int) -> None:
        super().__init__(
            f"The vector index in {place} holds vectors of {has} numbers, the embedding model makes {wanted}. "
            "`twin reindex` builds the index again for this model."
        )


@dataclass(frozen=True, slots=True)
class Sparse:
    """A sparse vector: token ids and their weights, of equal length."""

    indices: list[int]
    values: list[float]


@dataclass(frozen=True, slots=True)
class Point:
    """One passage in the index. It carries no text: the database is the truth, and what is forgotten there is gone here too.

    `time` is the document's own date in Unix seconds.
    """

    id: str
    dense: Vector
    sparse: Sparse
    document: str
    version: str
    n: int
    kind: str
    scopes: tuple[str, ...]
    tags: tuple[str, ...]
    time: int


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that one arm of a search found, best first."""

    id: str
    score: float
    document: str
    version: str
    n: int
    kind: str


@dataclass(frozen=True, slots=True)
class Arms:
    """The two rankings of a search, unfused: cosine similarity, and BM25 score."""

    dense: tuple[Hit, ...]
    lexical: tuple[Hit, ...]


class Index(Protocol):
    """A vector index with dense and BM25 vectors. Every method raises `IndexAway` when the engine cannot be reached."""

    async def upsert(self, points: Sequence[Point]) -> None:
        """Store points; when it returns they survive a kill and are found."""

    async def search(
        self,
        dense: Vector | None,
        sparse: Sparse | None,
        *,
        audience: Audience,
        where: Filters = Filters(),
        limit: int = 100,
    ) -> Arms:
        """Return the best `limit` points of each arm among those the audience may see; an arm given as `None` is left out.

        Raises `NoAudience` when `audience` is not an `Audience`.
        """

    async def vectors(self, ids: Sequence[str]) -> dict[str, Vector]:
        """Return the dense vectors of those ids that exist."""

    async def delete_versions(self, versions: Sequence[str]) -> None:
        """Remove all points of these document versions."""

    async def delete(self, ids: Sequence[str]) -> None:
        """Remove points by id."""

    async def set_scopes(self, document: str, scopes: Sequence[str]) -> None:
        """Replace the scopes of all points of a document."""

    def ids(self) -> AsyncIterator[list[str]]:
        """Iterate over all point ids, in pages."""

    async def count(self) -> int:
        """Return how many points there are."""

    async def flush(self) -> None:
        """Make everything acknowledged so far survive a loss of power."""

    async def optimize(self) -> None:
        """Build graphs and reclaim what was deleted, while searches go on."""

    async def wipe(self) -> None:
        """Remove everything, files included."""

    async def close(self) -> None:
        """Flush and stop."""
