"""The embedded index with 100,000 passages: speed beside raw engine calls, recall, memory, and what the event loop feels.

Run `python -m benchmarks.index`; `--points` makes it smaller.
"""

import argparse
import asyncio
import logging
import shutil
import statistics
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
import qdrant_edge as edge
import structlog
from numpy.typing import NDArray

from knowledge.documents import Audience
from knowledge.index.base import Point, Sparse, Vector
from knowledge.index.embedded import EmbeddedIndex, Policy
from knowledge.index.schema import ACORN_SELECTIVITY, DENSE, LEXICAL, OVERSAMPLING, SEARCH_EF, SHOWN

DIMENSION, LIMIT, QUERIES = 384, 100, 100
SHARES = (0.001, 0.01, 0.05, 0.2, 0.5, 0.9, 1.0)  # of the passages that a scope may see
TICK = 0.005  # seconds between two looks at the event loop


@dataclass(frozen=True, slots=True)
class Corpus:
    """Points and queries, and which scope sees which points."""

    points: list[Point]
    vectors: Vector
    members: dict[str, NDArray[np.bool_]]
    queries: list[tuple[Vector, Sparse]]


@dataclass(slots=True)
class Lag:
    """How late the event loop woke up, in milliseconds."""

    ms: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        return f"p50 {_percentile(self.ms, 50):.2f}  p99 {_percentile(self.ms, 99):.2f} ms"


def corpus(size: int) -> Corpus:
    """Draw vectors between random pairs of clustered ones, and tokens by Zipf's law."""
    random = np.random.default_rng(1)
    centres = random.standard_normal((1_000, DIMENSION)).astype(np.float32)
    seeds = centres[random.integers(1_000, size=20_000)] + random.standard_normal((20_000, DIMENSION), np.float32)
    mix = random.random((size, 1), np.float32)
    vectors = seeds[random.integers(20_000, size=size)] * mix + seeds[random.integers(20_000, size=size)] * (1 - mix)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    members = {f"{share:.1%}": random.random(size) < share for share in SHARES}
    tokens = random.zipf(1.3, (size, 60)) % 50_000

    def sparse(row: int, length: int = 60) -> Sparse:
        indices = sorted(set(tokens[row, :length].tolist()))
        return Sparse(indices, [1.0] * len(indices))

    points = [
        Point(
            id=str(uuid.UUID(int=n + 1)),
            dense=vectors[n],
            sparse=sparse(n),
            document=f"document-{n // 40}",
            version=f"document-{n // 40}-1",
            n=n,
            kind="pdf",
            scopes=tuple(scope for scope, its in members.items() if its[n]),
            tags=(),
            time=n,
        )
        for n in range(size)
    ]
    queries = [(vectors[n] + 0.02 * centres[n], sparse(n, 8)) for n in range(QUERIES)]
    return Corpus(points, vectors, members, queries)


@asynccontextmanager
async def lag() -> AsyncIterator[Lag]:
    """Watch the event loop."""
    seen = Lag()

    async def watch() -> None:
        while True:
            due = time.perf_counter() + TICK
            await asyncio.sleep(TICK)
            seen.ms.append((time.perf_counter() - due) * 1_000)

    async with asyncio.TaskGroup() as group:
        watcher = group.create_task(watch(), name="watch the loop")
        yield seen
        watcher.cancel()


async def main(size: int) -> None:
    """Measure and print."""
    its = corpus(size)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "index"
        async with EmbeddedIndex.open(folder, dimension=DIMENSION, policy=Policy(points=1_000)) as index:
            print(f"{size:,} points of {DIMENSION} numbers, {LIMIT} hits an arm\n")
            async with lag() as idle:
                await asyncio.sleep(1)
            print(f"event loop, idle                  {idle}")
            await _insert(index, its)
            await _optimize(index, its)
            print(f"\n{'scope':>8} {'recall@10':>10} {'through the worker':>20} {'raw engine':>18} {'ratio':>6}   p50 (p95) ms")
            await index.flush()
            raw = raw_search(folder, Path(name) / "copy")
            for scope in its.members:
                await _search(index, raw, its, scope)


async def _insert(index: EmbeddedIndex, its: Corpus) -> None:
    async with lag() as felt:
        start = time.perf_counter()
        for first in range(0, len(its.points), 1_000):
            await index.upsert(its.points[first : first + 1_000])
        await index.flush()
        seconds = time.perf_counter() - start
    print(f"event loop, while inserting       {felt}")
    print(f"insert                            {len(its.points) / seconds:,.0f} points/s")
    print(f"memory of the worker              {_memory(index.pids[0])}")


async def _optimize(index: EmbeddedIndex, its: Corpus) -> None:
    times: list[float] = []
    optimized = asyncio.Event()

    async def optimize() -> None:
        await index.optimize()
        optimized.set()

    async with lag() as felt, asyncio.TaskGroup() as group:
        start = time.perf_counter()
        group.create_task(optimize(), name="optimise")
        while not optimized.is_set():
            dense, sparse = its.queries[len(times) % QUERIES]
            times.append(await _timed(index, dense, sparse, "5.0%"))
            await asyncio.sleep(0.02)
        seconds = time.perf_counter() - start
    print(f"event loop, while optimising      {felt}")
    print(f"searches meanwhile                p50 {_percentile(times, 50):.1f}  p95 {_percentile(times, 95):.1f} ms")
    print(f"optimise                          {seconds:.1f} s")
    print(f"memory of the new worker          {_memory(index.pids[0])}")


async def _search(index: EmbeddedIndex, raw: Callable[[Vector, Sparse, str], None], its: Corpus, scope: str) -> None:
    """Search through the worker and raw, one after the other for each query."""
    ours: list[float] = []
    theirs: list[float] = []
    found = 0
    allowed = np.flatnonzero(its.members[scope])
    for dense, sparse in its.queries:
        ours.append(await _timed(index, dense, sparse, scope))
        start = time.perf_counter()
        raw(dense, sparse, scope)
        theirs.append((time.perf_counter() - start) * 1_000)
        best = allowed[np.argsort(-its.vectors[allowed] @ dense)[:10]].tolist()
        hits = (await index.search(dense, None, audience=Audience(frozenset({scope})), limit=10)).dense
        found += len({hit.n for hit in hits} & set(best))
    recall = found / (min(10, len(allowed)) * QUERIES)
    ratio = statistics.median(ours) / statistics.median(theirs)
    print(
        f"{scope:>8} {recall:>10.3f} {_percentile(ours, 50):>11.2f} ({_percentile(ours, 95):>5.2f})"
        f" {_percentile(theirs, 50):>10.2f} ({_percentile(theirs, 95):>5.2f}) {ratio:>6.2f}"
    )


async def _timed(index: EmbeddedIndex, dense: Vector, sparse: Sparse, scope: str) -> float:
    start = time.perf_counter()
    await index.search(dense, sparse, audience=Audience(frozenset({scope})), limit=LIMIT)
    return (time.perf_counter() - start) * 1_000


def raw_search(folder: Path, copy: Path, *, vectors: int = 0) -> Callable[[Vector, Sparse, str], None]:
    """Load a copy of the shard into this process, and return a search of it with nothing of ours around.

    `vectors` is of how many of the best points the vectors are fetched as well.
    """
    (current,) = folder.glob("shard-*")
    shutil.copytree(current, copy)
    shard = edge.EdgeShard.load(str(copy))
    params = edge.SearchParams(
        hnsw_ef=SEARCH_EF,
        acorn=edge.AcornSearchParams(enable=True, max_selectivity=ACORN_SELECTIVITY),
        quantization=edge.QuantizationSearchParams(rescore=True, oversampling=OVERSAMPLING),
    )

    def search(dense: Vector, sparse: Sparse, scope: str) -> None:
        seen = edge.Filter(must=[edge.FieldCondition("scopes", match=edge.MatchAny([scope]))])
        near = edge.Query.Nearest(dense.tolist(), using=DENSE)
        lexical = edge.Query.Nearest(edge.SparseVector(sparse.indices, sparse.values), using=LEXICAL)
        found = shard.query(edge.QueryRequest(LIMIT, query=near, filter=seen, params=params, with_payload=SHOWN))
        shard.query(edge.QueryRequest(LIMIT, query=lexical, filter=seen, with_payload=SHOWN))
        if vectors:
            shard.retrieve([point.id for point in found[:vectors]], False, True)

    return search


def _memory(pid: int) -> str:
    memory = psutil.Process(pid).memory_full_info()
    return f"{memory.rss / 2**20:,.0f} MB resident, {memory.uss / 2**20:,.0f} of its own"


def _percentile(values: list[float], percent: int) -> float:
    return float(np.percentile(values, percent))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=100_000)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    asyncio.run(main(parser.parse_args().points))
