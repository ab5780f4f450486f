"""One shard of embedded Qdrant. Every call blocks and holds the interpreter lock, so only the worker process makes any."""

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Self

import qdrant_edge as edge

from knowledge.index import schema
from knowledge.index.base import Point, Sparse, Vector
from knowledge.index.folder import sync
from knowledge.index.schema import (
    ACORN_SELECTIVITY,
    DENSE,
    KEYWORDS,
    LEXICAL,
    OVERSAMPLING,
    SEARCH_EF,
    SHOWN,
    TIME,
    Conditions,
    Graph,
    payload,
)  # fmt: skip

PAGE = 1_000
FORGOTTEN = "forgotten"  # a file in the shard's folder: points were deleted, their bytes are still in other files
BUILT = "built"  # a file in the shard's folder: how many vectors, of both kinds, the engine counted once graphs were built


class Shard:
    """A shard and its folder."""

    def __init__(self, engine: edge.EdgeShard, folder: Path) -> None:
        self._engine = engine
        self._folder = folder

    @classmethod
    def create(cls, folder: Path, dimension: int, graph: Graph) -> Self:
        """Make an empty shard in a folder that must not exist yet."""
        folder.mkdir(parents=True)
        engine = edge.EdgeShard.create(str(folder), _config(dimension, graph))
        for key in KEYWORDS:
            engine.update(edge.UpdateOperation.create_field_index(key, edge.KeywordIndexParams()))
        engine.update(edge.UpdateOperation.create_field_index(TIME, edge.IntegerIndexParams(lookup=False, range=True)))
        engine.flush()
        return cls(engine, folder)

    @classmethod
    def load(cls, folder: Path, dimension: int, graph: Graph) -> Self:
        """Open a shard; raises whatever the engine raises when it is damaged, of another dimension or in use."""
        engine = edge.EdgeShard.load(str(folder), _config(dimension, graph))
        if not {*KEYWORDS, TIME} <= engine.info().payload_schema.keys():
            # The engine opens a folder whose segments are gone as an empty shard.
            raise ValueError("its payload indexes are missing")
        return cls(engine, folder)

    def upsert(self, points: Iterable[Point]) -> None:
        """Store points."""
        self._store([
            edge.Point(
                point.id,
                {DENSE: point.dense.tolist(), LEXICAL: edge.SparseVector(point.sparse.indices, point.sparse.values)},
                payload(point),
            )
            for point in points
        ])  # fmt: skip

    def search(
        self, dense: Vector | None, sparse: Sparse | None, where: Conditions, limit: int
    ) -> dict[str, list[dict[str, object]]]:
        """Return the best points of each arm that is asked for: the fields of `Arms` and `Hit`."""
        narrowed = _filter(where)
        arms: dict[str, list[dict[str, object]]] = {"dense": [], "lexical": []}
        if dense is not None:
            query = edge.Query.Nearest(dense.tolist(), using=DENSE)
            arms["dense"] = self._query(query, narrowed, limit, _SEARCH)
        if sparse is not None and sparse.indices:
            query = edge.Query.Nearest(edge.SparseVector(sparse.indices, sparse.values), using=LEXICAL)
            arms["lexical"] = self._query(query, narrowed, limit, None)
        return arms

    def vectors(self, ids: Sequence[str]) -> dict[str, Vector]:
        """Return the dense vectors of the ids that exist."""
        records = self._engine.retrieve(list(ids), False, [DENSE])
        return {str(record.id): schema.dense(record.vector) for record in records}

    def delete_versions(self, versions: Sequence[str]) -> None:
        """Remove all points of these document versions."""
        doomed = edge.Filter(must=[edge.FieldCondition("version", match=edge.MatchAny(list(versions)))])
        if self._engine.count(edge.CountRequest(exact=True, filter=doomed)):
            self._remember_forgotten()
            self._engine.update(edge.UpdateOperation.delete_points_by_filter(doomed))

    def delete(self, ids: Sequence[str]) -> None:
        """Remove points by id."""
        if self._engine.retrieve(list(ids), False, False):
            self._remember_forgotten()
            self._engine.update(edge.UpdateOperation.delete_points(list(ids)))

    def set_scopes(self, document: str, scopes: Sequence[str]) -> None:
        """Replace the scopes of a document's points."""
        its = edge.Filter(must=[edge.FieldCondition("document", match=edge.MatchValue(document))])
        self._engine.update(edge.UpdateOperation.set_payload_by_filter(its, {"scopes": list(scopes)}))

    def ids(self, offset: str | None) -> tuple[list[str], str | None]:
        """Return a page of ids and the offset of the next one."""
        records, following = self._engine.scroll(
            edge.ScrollRequest(offset=offset, limit=PAGE, with_payload=False, with_vector=False)
        )
        return [str(record.id) for record in records], None if following is None else str(following)

    def points(self) -> int:
        """Return how many points there are."""
        return self._engine.count(edge.CountRequest(exact=True))

    def loose(self) -> int:
        """Return about how many points were written since graphs were built, those with other scopes among them.

        A written point leaves the graph, but the engine goes on counting its vector there. What it does count anew is the
        point's sparse vector, outside.
        """
        try:
            built = int((self._folder / BUILT).read_text())
        except FileNotFoundError:
            built = 0
        info = self._engine.info()
        return min(max(0, info.indexed_vectors_count - built), info.points_count)

    def forgotten(self) -> bool:
        """Tell whether the files may still hold points that were deleted."""
        return (self._folder / FORGOTTEN).exists()

    def flush(self) -> None:
        """Write everything to the disk itself (about 10 ms)."""
        self._engine.flush()

    def optimize(self) -> None:
        """Build graphs; takes seconds to minutes."""
        self._engine.optimize()
        with (self._folder / BUILT).open("w") as file:
            file.write(str(self._engine.info().indexed_vectors_count))
            file.flush()
            os.fsync(file.fileno())

    def close(self) -> None:
        """Flush and let go of the folder."""
        self._engine.flush()
        self._engine.close()

    def copy_into(self, other: "Shard") -> None:
        """Store every living point in another shard."""
        for page in self._pages():
            other._store(page)

    def _pages(self) -> Iterator[list[edge.Point]]:
        offset: edge.PointId | None = None
        while True:
            request = edge.ScrollRequest(offset=offset, limit=PAGE, with_payload=True, with_vector=True)
            records, offset = self._engine.scroll(request)
            yield [edge.Point(record.id, record.vector or {}, record.payload) for record in records]
            if offset is None:
                return

    def _store(self, points: list[edge.Point]) -> None:
        if points:
            self._engine.update(edge.UpdateOperation.upsert_points(points))

    def _query(
        self,
        query: edge.Query,
        narrowed: edge.Filter,
        limit: int,
        params: edge.SearchParams | None,
    ) -> list[dict[str, object]]:
        request = edge.QueryRequest(
            limit=limit,
            query=query,
            filter=narrowed,
            params=params,
            with_payload=SHOWN,
        )
        return [_hit(point) for point in self._engine.query(request)]

    def _remember_forgotten(self) -> None:
        marker = self._folder / FORGOTTEN
        if not marker.exists():
            marker.touch()
            sync(self._folder)


def build(source: Path, target: Path, dimension: int, graph: Graph, *, afresh: bool) -> None:
    """Make an optimised shard at `target` out of the shard at `source`, which is used up.

    The engine's own optimiser leaves deleted points in small segments and in the log, hence `afresh`.
    """
    if afresh:
        old, new = Shard.load(source, dimension, graph), Shard.create(target, dimension, graph)
        old.copy_into(new)
        old.close()
        shutil.rmtree(source)
    else:
        source.rename(target)
        new = Shard.load(target, dimension, graph)
    new.optimize()
    new.close()


def _config(dimension: int, graph: Graph) -> edge.EdgeConfig:
    codes = edge.ScalarQuantizationConfig(edge.ScalarType.Int8, memory=edge.Memory.Pinned)
    return edge.EdgeConfig(
        vectors={DENSE: edge.EdgeVectorParams(dimension, edge.Distance.Cosine, quantization_config=codes)},
        sparse_vectors={LEXICAL: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)},
        hnsw_config=edge.HnswIndexConfig(graph.m, graph.ef_construct, graph.full_scan_threshold),
        wal_enabled=True,
    )


_SEARCH = edge.SearchParams(
    hnsw_ef=SEARCH_EF,
    acorn=edge.AcornSearchParams(enable=True, max_selectivity=ACORN_SELECTIVITY),
    quantization=edge.QuantizationSearchParams(rescore=True, oversampling=OVERSAMPLING),
)


def _filter(where: Conditions) -> edge.Filter:
    must: list[edge.ConditionType] = [
        edge.FieldCondition(key, match=edge.MatchAny(values)) for key, values in where.any_of.items()
    ]
    if where.since is not None or where.until is not None:
        must.append(edge.FieldCondition(TIME, range=edge.RangeFloat(gte=where.since, lte=where.until)))
    return edge.Filter(must=must)


def _hit(point: edge.ScoredPoint) -> dict[str, object]:
    return {**(point.payload or {}), "id": point.id, "score": point.score}
