"""Filtered searches find what an exact search finds: a graph with the usual settings silently loses up to half of it."""

from pathlib import Path

import numpy as np
import pytest

from knowledge.documents import Audience
from knowledge.index.base import Vector
from knowledge.index.embedded import EmbeddedIndex, Policy
from knowledge.index.schema import Graph
from tests.knowledge.index.points import point

POINTS, DIMENSION, CLUSTERS, QUERIES, TOP = 22_000, 128, 200, 40, 10
SELECTIVITIES = {"0.1 %": 0.001, "1 %": 0.01, "5 %": 0.05, "20 %": 0.2, "50 %": 0.5, "90 %": 0.9, "100 %": 1.0}
# Of a million passages, filters that leave more than 130,000 are answered by the graph. The same share here, in KB.
AS_OF_A_MILLION = Graph(full_scan_threshold=int(0.13 * POINTS * DIMENSION * 4 / 1024))


class _Collection:
    """Clustered vectors, each with the scopes that select a share of them, at random or cluster by cluster.

    Most questions lie outside of what a filter by clusters leaves: the hardest case for a walk along the graph.
    """

    def __init__(self) -> None:
        random = np.random.default_rng(20)
        centres = random.standard_normal((CLUSTERS, DIMENSION))
        cluster = random.integers(CLUSTERS, size=POINTS)
        drawn = centres[cluster] + 0.8 * random.standard_normal((POINTS, DIMENSION))
        self.vectors = _normal(drawn)
        self.queries = _normal(drawn[:QUERIES] + 0.4 * random.standard_normal((QUERIES, DIMENSION)))
        self.members = {name: random.random(POINTS) < share for name, share in SELECTIVITIES.items()}
        self.members |= {f"{name} of the clusters": cluster < CLUSTERS * SELECTIVITIES[name] for name in ("20 %", "50 %")}

    async def fill(self, index: EmbeddedIndex) -> None:
        await index.upsert(
            [
                point(n, dense=self.vectors[n], scopes=tuple(name for name, its in self.members.items() if its[n]))
                for n in range(POINTS)
            ]
        )

    async def recall(self, index: EmbeddedIndex, scope: str) -> float:
        """Return the share of the exact best ten that the index finds, over all queries."""
        allowed = np.flatnonzero(self.members[scope])
        exact = allowed[np.argsort(-self.queries @ self.vectors[allowed].T, axis=1)[:, :TOP]]
        audience = Audience(frozenset({scope}))
        found = [
            {hit.n for hit in (await index.search(query, None, audience=audience, limit=TOP)).dense} for query in self.queries
        ]
        hits = sum(len(its & set(best)) for its, best in zip(found, exact.tolist(), strict=True))
        return hits / (TOP * QUERIES)


def _normal(vectors: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> Vector:
    normal: Vector = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return normal


@pytest.fixture(scope="module")
def collection() -> _Collection:
    return _Collection()


@pytest.mark.parametrize("graph", [Graph(), AS_OF_A_MILLION], ids=["as it is used", "as if it held a million"])
async def test_recall_is_at_least_98_percent_whatever_the_filter_leaves(
    tmp_path: Path, collection: _Collection, graph: Graph
) -> None:
    policy = Policy(points=POINTS)
    async with EmbeddedIndex.open(tmp_path, dimension=DIMENSION, graph=graph, policy=policy) as index:
        await collection.fill(index)
        await index.optimize()
        assert list(tmp_path.rglob("graph.bin"))
        recalls = {scope: await collection.recall(index, scope) for scope in collection.members}
    assert {scope: recall for scope, recall in recalls.items() if recall < 0.98} == {}
