"""The index on a Qdrant server or cluster."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Self, TypeVar

import httpx
from qdrant_client import AsyncQdrantClient, models
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from knowledge.documents import Audience, Filters
from knowledge.errors import IndexAway
from knowledge.index import schema
from knowledge.index.base import Arms, Hit, Point, Sparse, Vector, WrongDimension
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
    conditions,
    payload,
)

BATCH = 64  # points a request; building and checking them takes the event loop's time
PAGE = 1_000
PATIENCE = (0.2, 1.0, 3.0)  # seconds before each further attempt when the server cannot be reached
TIMEOUT = 30  # seconds for one request

T = TypeVar("T")


class ServerIndex:
    """An `Index` in one collection of a Qdrant server. The server flushes, optimises and reclaims by itself."""

    def __init__(
        self,
        client: AsyncQdrantClient,
        collection: str,
        dimension: int,
        *,
        graph: Graph = Graph(),
        patience: Sequence[float] = PATIENCE,
    ) -> None:
        self._client = client
        self._collection = collection
        self._dimension = dimension
        self._graph = graph
        self._patience = patience

    @classmethod
    @asynccontextmanager
    async def open(
        cls, url: str, *, api_key: str | None = None, collection: str, dimension: int, fresh: bool = False
    ) -> AsyncIterator[Self]:
        """Connect, and make the collection if it is not there; `fresh` throws away what is in it.

        Raises `IndexAway` or `WrongDimension`.
        """
        client = AsyncQdrantClient(url=url, api_key=api_key, timeout=TIMEOUT, check_compatibility=False)
        index = cls(client, collection, dimension)
        try:
            await index.prepare(fresh=fresh)
            yield index
        finally:
            await index.close()

    async def prepare(self, *, fresh: bool = False) -> None:
        """Make sure that the collection exists and fits; every other method needs that."""
        if fresh:
            await self.drop()
        if await self._try(lambda: self._client.collection_exists(self._collection)):
            await self._check_dimension()
        else:
            await self._create()

    async def upsert(self, points: Sequence[Point]) -> None:
        """Store points; see `Index`."""
        schema.check(points, self._dimension)
        for start in range(0, len(points), BATCH):
            await self._store(points[start : start + BATCH])

    async def search(
        self,
        dense: Vector | None,
        sparse: Sparse | None,
        *,
        audience: Audience,
        where: Filters = Filters(),
        limit: int = 100,
    ) -> Arms:
        """Search both arms in one round trip; see `Index`."""
        narrowed = _filter(conditions(audience, where))
        requests: dict[str, models.QueryRequest] = {}
        if dense is not None:
            requests[DENSE] = models.QueryRequest(
                query=dense.tolist(),
                using=DENSE,
                filter=narrowed,
                params=_SEARCH,
                limit=limit,
                with_payload=SHOWN,
            )
        if sparse is not None and sparse.indices:
            query = models.SparseVector(indices=sparse.indices, values=sparse.values)
            requests[LEXICAL] = models.QueryRequest(
                query=query, using=LEXICAL, filter=narrowed, limit=limit, with_payload=SHOWN
            )
        found: dict[str, tuple[Hit, ...]] = {}
        if requests:
            batch = list(requests.values())
            responses = await self._try(lambda: self._client.query_batch_points(self._collection, batch))
            found = {arm: _hits(response) for arm, response in zip(requests, responses, strict=True)}
        return Arms(dense=found.get(DENSE, ()), lexical=found.get(LEXICAL, ()))

    async def vectors(self, ids: Sequence[str]) -> dict[str, Vector]:
        """Return dense vectors by id; see `Index`."""
        records = await self._try(
            lambda: self._client.retrieve(self._collection, list(ids), with_payload=False, with_vectors=[DENSE])
        )
        return {str(record.id): schema.dense(record.vector) for record in records}

    async def delete_versions(self, versions: Sequence[str]) -> None:
        """Remove the points of document versions; the server reclaims their bytes when it next optimises."""
        doomed = models.FieldCondition(key="version", match=models.MatchAny(any=list(versions)))
        selector = models.FilterSelector(filter=models.Filter(must=[doomed]))
        await self._try(lambda: self._client.delete(self._collection, selector, wait=True))

    async def delete(self, ids: Sequence[str]) -> None:
        """Remove points by id; the server reclaims their bytes when it next optimises."""
        if not ids:
            return  # the server calls an empty list an error
        selector = models.PointIdsList(points=list(ids))
        await self._try(lambda: self._client.delete(self._collection, selector, wait=True))

    async def set_scopes(self, document: str, scopes: Sequence[str]) -> None:
        """Replace the scopes of a document's points; see `Index`."""
        its = models.Filter(must=[models.FieldCondition(key="document", match=models.MatchValue(value=document))])
        await self._try(lambda: self._client.set_payload(self._collection, {"scopes": list(scopes)}, points=its, wait=True))

    async def ids(self) -> AsyncIterator[list[str]]:
        """Iterate over all point ids, in pages."""
        offset: models.ExtendedPointId | None = None
        while True:
            records, following = await self._page(offset)
            if records:
                yield [str(record.id) for record in records]
            if following is None:
                return
            offset = str(following)

    async def count(self) -> int:
        """Return how many points there are."""
        return (await self._try(lambda: self._client.count(self._collection, exact=True))).count

    async def flush(self) -> None:
        """Do nothing: the server answers a write when its log has it."""

    async def optimize(self) -> None:
        """Do nothing: the server optimises by itself."""

    async def wipe(self) -> None:
        """Remove the collection and begin again empty."""
        await self.prepare(fresh=True)

    async def drop(self) -> None:
        """Remove the collection."""
        await self._try(lambda: self._client.delete_collection(self._collection))

    async def close(self) -> None:
        """Close the connection."""
        await self._client.close()

    async def _page(self, offset: models.ExtendedPointId | None) -> tuple[list[models.Record], models.ExtendedPointId | None]:
        records, following = await self._try(
            lambda: self._client.scroll(self._collection, limit=PAGE, offset=offset, with_payload=False, with_vectors=False)
        )
        return records, None if following is None else str(following)

    async def _store(self, points: Sequence[Point]) -> None:
        batch = [_point(point) for point in points]
        await self._try(lambda: self._client.upsert(self._collection, batch, wait=True))

    async def _create(self) -> None:
        graph = self._graph
        codes = models.ScalarQuantizationConfig(type=models.ScalarType.INT8, always_ram=True)
        dense = models.VectorParams(
            size=self._dimension,
            distance=models.Distance.COSINE,
            quantization_config=models.ScalarQuantization(scalar=codes),
        )
        await self._try(
            lambda: self._client.create_collection(
                self._collection,
                vectors_config={DENSE: dense},
                sparse_vectors_config={LEXICAL: models.SparseVectorParams(modifier=models.Modifier.IDF)},
                hnsw_config=models.HnswConfigDiff(
                    m=graph.m, ef_construct=graph.ef_construct, full_scan_threshold=graph.full_scan_threshold
                ),
            )
        )
        for key in KEYWORDS:
            await self._create_payload_index(key, models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD))
        numbers = models.IntegerIndexParams(type=models.IntegerIndexType.INTEGER, lookup=False, range=True)
        await self._create_payload_index(TIME, numbers)

    async def _create_payload_index(self, key: str, schema: models.PayloadSchemaParams) -> None:
        await self._try(lambda: self._client.create_payload_index(self._collection, key, schema, wait=True))

    async def _check_dimension(self) -> None:
        info = await self._try(lambda: self._client.get_collection(self._collection))
        vectors = info.config.params.vectors
        if not isinstance(vectors, dict) or DENSE not in vectors:
            raise IndexAway(f"The collection {self._collection} is not one of Twin's. Choose another name.")
        if vectors[DENSE].size != self._dimension:
            place = f"the collection {self._collection}"
            raise WrongDimension(place, has=vectors[DENSE].size, wanted=self._dimension)

    async def _try(self, request: Callable[[], Awaitable[T]]) -> T:
        """Make a request, again when the server cannot be reached: every one may be repeated."""
        pauses = iter(self._patience)
        while True:
            try:
                return await request()
            except UnexpectedResponse as refusal:
                raise IndexAway(_sentence(refusal)) from refusal
            except ResponseHandlingException as error:
                pause = next(pauses, None)
                if pause is None or not isinstance(error.source, httpx.TransportError):
                    raise IndexAway(f"The Qdrant server does not answer: {error.source}.") from error
            await asyncio.sleep(pause)


_SEARCH = models.SearchParams(
    hnsw_ef=SEARCH_EF,
    acorn=models.AcornSearchParams(enable=True, max_selectivity=ACORN_SELECTIVITY),
    quantization=models.QuantizationSearchParams(rescore=True, oversampling=OVERSAMPLING),
)


def _sentence(refusal: UnexpectedResponse) -> str:
    if refusal.status_code in (401, 403):
        return "The Qdrant server does not accept the API key. Check QDRANT_API_KEY."
    return f"The Qdrant server refused this ({refusal.status_code} {refusal.reason_phrase})."


def _point(point: Point) -> models.PointStruct:
    sparse = models.SparseVector(indices=point.sparse.indices, values=point.sparse.values)
    return models.PointStruct(id=point.id, vector={DENSE: point.dense.tolist(), LEXICAL: sparse}, payload=payload(point))


def _filter(where: Conditions) -> models.Filter:
    must: list[models.Condition] = [
        models.FieldCondition(key=key, match=models.MatchAny(any=values)) for key, values in where.any_of.items()
    ]
    if where.since is not None or where.until is not None:
        must.append(models.FieldCondition(key=TIME, range=models.Range(gte=where.since, lte=where.until)))
    return models.Filter(must=must)


def _hits(response: models.QueryResponse) -> tuple[Hit, ...]:
    return tuple(_hit(point) for point in response.points)


def _hit(point: models.ScoredPoint) -> Hit:
    shown = point.payload or {}
    return Hit(
        id=str(point.id),
        score=point.score,
        document=shown["document"],
        version=shown["version"],
        n=shown["n"],
        kind=shown["kind"],
    )
