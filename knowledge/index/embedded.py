"""The index on embedded Qdrant: one folder, one worker process, no server."""

import asyncio
import shutil
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import structlog

from knowledge.documents import Audience, Filters
from knowledge.errors import IndexAway
from knowledge.index import wire
from knowledge.index.base import Arms, Point, Sparse, Vector
from knowledge.index.folder import Folder, damaged
from knowledge.index.process import Worker, WorkerDied
from knowledge.index.schema import Graph, check, conditions
from knowledge.index.supervisor import CLOSED, Supervisor, expect

BATCH = 128  # points a request: the worker answers nothing else for a few milliseconds

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Policy:
    """When building graphs is worth it: so many points, and such a share of all, are not in one yet.

    Without a graph a search reads every vector: 100,000 of them take 7 ms.
    """

    points: int = 20_000
    share: float = 0.1

    def worth(self, state: wire.Measured) -> bool:
        """Tell whether there is enough to do. What was deleted is always enough: forgotten means gone."""
        return state.forgotten or state.loose >= max(self.points, self.share * state.points)


class EmbeddedIndex:
    """An `Index` in a folder. Vectors come back normalised, since similarity is the cosine."""

    def __init__(self, folder: Folder, dimension: int, graph: Graph, policy: Policy, patience: float) -> None:
        self._folder = folder
        self._dimension = dimension
        self._graph = graph
        self._policy = policy
        self._workers = Supervisor(folder, dimension, graph, patience)
        self._builder: Worker | None = None
        self._writing = asyncio.Lock()
        self._optimizing = asyncio.Lock()
        self._journal: deque[wire.Request] | None = None  # the writes since an optimisation took its copy

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        path: Path,
        *,
        dimension: int,
        fresh: bool = False,
        graph: Graph = Graph(),
        policy: Policy = Policy(),
        patience: float = 5.0,
    ) -> AsyncIterator[Self]:
        """Open the index in a folder of its own, or make one; `fresh` throws away what is there.

        A killed process keeps the folder for a moment: `patience` is how many seconds to wait for it.

        Raises `IndexDamaged` or `WrongDimension` when it must be built again, `IndexAway` when the worker does not start.
        """
        index = cls(Folder(path), dimension, graph, policy, patience)
        try:
            if fresh:
                await asyncio.to_thread(index._folder.clear)
            await index._workers.start()
            await asyncio.to_thread(index._folder.tidy)
            yield index
        finally:
            await index.close()

    @property
    def pids(self) -> list[int]:
        """The processes that work for this index, for measuring them: the worker, and one that optimises."""
        builder = self._builder.pid if self._builder is not None else None
        return [pid for pid in (self._workers.pid, builder) if pid is not None]

    async def upsert(self, points: Sequence[Point]) -> None:
        """Store points; see `Index`."""
        check(points, self._dimension)
        for start in range(0, len(points), BATCH):
            await self._write(wire.Upsert(list(points[start : start + BATCH])))

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
        request = wire.Search(dense, sparse, conditions(audience, where), limit)
        return (await self._workers.ask(request, wire.Found)).arms

    async def vectors(self, ids: Sequence[str]) -> dict[str, Vector]:
        """Return dense vectors by id; see `Index`."""
        return (await self._workers.ask(wire.Fetch(list(ids)), wire.Fetched)).vectors

    async def delete_versions(self, versions: Sequence[str]) -> None:
        """Remove the points of document versions; `optimize` then removes their bytes."""
        await self._write(wire.DeleteVersions(list(versions)))

    async def delete(self, ids: Sequence[str]) -> None:
        """Remove points by id; `optimize` then removes their bytes."""
        await self._write(wire.Delete(list(ids)))

    async def set_scopes(self, document: str, scopes: Sequence[str]) -> None:
        """Replace the scopes of a document's points; see `Index`."""
        await self._write(wire.SetScopes(document, list(scopes)))

    async def ids(self) -> AsyncIterator[list[str]]:
        """Iterate over all point ids, in pages."""
        page = await self._workers.ask(wire.List(None), wire.Page)
        while page.ids:
            yield page.ids
            if page.offset is None:
                return
            page = await self._workers.ask(wire.List(page.offset), wire.Page)

    async def count(self) -> int:
        """Return how many points there are."""
        return (await self._workers.ask(wire.Measure(), wire.Measured)).points

    async def flush(self) -> None:
        """Make everything acknowledged so far survive a loss of power."""
        await self._workers.ask(wire.Flush(), wire.Done)

    async def optimize(self) -> None:
        """Build graphs and remove the bytes of what was deleted, in a process of its own on a copy, when it is worth it.

        A crash at any moment leaves either the old shard or the new one. Writes wait while the files are copied, and
        while the last of those that came since are repeated on the new shard.
        """
        async with self._optimizing:
            if not self._policy.worth(await self._workers.ask(wire.Measure(), wire.Measured)):
                return
            copy, target = self._folder.new(), self._folder.new()
            try:
                state = await self._copy(copy)
                await self._build(wire.Build(str(copy), str(target), self._dimension, self._graph, state.forgotten))
                await self._replace(target, state.points)
            except WorkerDied as death:
                raise IndexAway("The vector index could not be optimised: its process ended. Searches go on.") from death
            finally:
                self._journal = None
                await asyncio.to_thread(self._folder.tidy)
            log.info("index optimized", points=state.points, afresh=state.forgotten)

    async def wipe(self) -> None:
        """Remove everything, files included, and begin again empty."""
        async with self._optimizing, self._writing:
            await self._workers.wipe()

    async def close(self) -> None:
        """Flush and stop; an optimisation that is under way is abandoned."""
        self._workers.refuse()
        if self._builder is not None:
            await self._builder.end()
        async with self._optimizing:
            await self._workers.stop()

    async def _write(self, request: wire.Request) -> None:
        async with self._writing:
            if self._journal is not None:
                self._journal.append(request)  # first: the worker also does what nobody waits for any more
            await self._workers.ask(request, wire.Done)

    async def _copy(self, copy: Path) -> wire.Measured:
        """Copy the flushed shard, and begin the journal at exactly that moment; return what was copied."""
        async with self._writing:
            await self._workers.ask(wire.Flush(), wire.Done)
            state = await self._workers.ask(wire.Measure(), wire.Measured)
            current = await asyncio.to_thread(self._folder.current)
            if current is None:
                raise damaged(self._folder.path, "its file CURRENT is gone")
            await asyncio.to_thread(shutil.copytree, self._folder.path / current.shard, copy)
            self._journal = deque()
        log.debug("index copied")
        return state

    async def _build(self, request: wire.Build) -> None:
        self._builder = await Worker.start()
        try:
            if self._workers.closed:
                raise IndexAway(CLOSED)
            expect(await self._builder.ask(request), wire.Done)
        finally:
            await self._builder.end()
            self._builder = None
        log.debug("index built")

    async def _replace(self, target: Path, points: int) -> None:
        """Bring the new shard up to date and let it take over, provided that it has all the points."""
        successor = await self._workers.worker_on(target)
        retired: Worker | None = successor
        try:
            built = expect(await successor.ask(wire.Measure()), wire.Measured).points
            if built != points:
                raise IndexAway(f"The optimised vector index had {built} of {points} points and was not taken. Searches go on.")
            await self._catch_up(successor)
            async with self._writing:
                await self._repeat(successor)
                expect(await successor.ask(wire.Flush()), wire.Done)
                await asyncio.to_thread(self._folder.draft, target, self._dimension)
                log.debug("index ready")
                retired = await self._workers.commit(successor)
                log.debug("index switched")
                await asyncio.to_thread(self._folder.sync)
        finally:
            if retired is not None:
                await retired.stop()

    async def _catch_up(self, successor: Worker) -> None:
        """Repeat what was written meanwhile, as long as that gets shorter: a steady stream of writes has no end."""
        behind = len(self._journal or ())
        while behind:
            await self._repeat(successor)
            before, behind = behind, len(self._journal or ())
            if behind > before // 2:
                return

    async def _repeat(self, successor: Worker) -> None:
        """Make the writes that are in the journal by now, in their order."""
        journal = self._journal or deque()
        for _ in range(len(journal)):
            expect(await successor.ask(journal.popleft()), wire.Done)
