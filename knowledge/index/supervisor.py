"""Keeps a worker on the shard that counts: started, started again when it dies, replaced, stopped."""

import asyncio
from collections import deque
from pathlib import Path
from typing import TypeVar

import structlog

from knowledge.errors import IndexAway
from knowledge.index import wire
from knowledge.index.base import WrongDimension
from knowledge.index.folder import Folder, damaged
from knowledge.index.process import Worker, WorkerDied
from knowledge.index.schema import Graph

DEATHS, WITHIN = 5, 60.0  # so many deaths within so many seconds, and the worker is left alone
# Words of the system in the engine's errors that say nothing about the files: a sound index must not be thrown away for them.
NOT_ITS_FAULT = ("No space", "StorageFull", "ermission", "Too many open", "allocate", "Read-only")
CLOSED = "The vector index is closed."

R = TypeVar("R", wire.Done, wire.Found, wire.Fetched, wire.Page, wire.Measured)
log = structlog.get_logger()


class Supervisor:
    """The worker of an index, alive whenever it is asked."""

    def __init__(self, folder: Folder, dimension: int, graph: Graph, patience: float) -> None:
        self._folder = folder
        self._dimension = dimension
        self._graph = graph
        self._patience = patience
        self._worker: Worker | None = None
        self._changing = asyncio.Lock()
        self._closed = False
        self._deaths: deque[float] = deque(maxlen=DEATHS)

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    @property
    def pid(self) -> int | None:
        """The process id of the worker, when there is one."""
        return self._worker.pid if self._worker is not None and self._worker.alive else None

    async def start(self) -> None:
        """Start a worker on the shard that counts, or on a new one.

        Raises `WrongDimension`, `IndexDamaged`, or `IndexAway` when the worker does not start.
        """
        current = await asyncio.to_thread(self._folder.current)
        if current is None:
            shard = self._folder.new()
            worker = await self.worker_on(shard, create=True)
            await asyncio.to_thread(self._folder.draft, shard, self._dimension)
            self._folder.commit()
        elif current.dimension != self._dimension:
            raise WrongDimension(str(self._folder.path), has=current.dimension, wanted=self._dimension)
        else:
            worker = await self.worker_on(self._folder.path / current.shard)
        self._worker = worker

    async def ask(self, request: wire.Request, kind: type[R]) -> R:
        """Ask the worker; every request may be repeated, so if it dies its successor is asked once more."""
        for _ in range(2):
            worker = await self._living()
            try:
                return expect(await worker.ask(request), kind)
            except WorkerDied:
                continue
        raise IndexAway("The vector index ended twice while it was working on this. Its own words are in the log.")

    async def worker_on(self, shard: Path, *, create: bool = False) -> Worker:
        """Start one more worker, with that shard open."""
        worker = await Worker.start()
        try:
            reply = await worker.ask(wire.Open(str(shard), self._dimension, self._graph, create, self._patience))
            _expect_open(reply, self._folder.path)
        except WorkerDied as death:
            await worker.end()
            raise IndexAway(
                "The process of the vector index ended while it was starting. Its own words are in the log."
            ) from death
        except BaseException:
            await worker.end()
            raise
        return worker

    async def commit(self, successor: Worker) -> Worker | None:
        """Make the drafted shard count, and its worker the one that is asked; return the one before."""
        async with self._changing:
            # No wait between these two, so that no cancellation can part them.
            self._folder.commit()
            predecessor, self._worker = self._worker, successor
        return predecessor

    async def wipe(self) -> None:
        """Remove everything and start on an empty shard."""
        async with self._changing:
            if self._worker is not None:
                await self._worker.end()
                self._worker = None
            await asyncio.to_thread(self._folder.clear)
            await self.start()

    def refuse(self) -> None:
        """Let no further request begin."""
        self._closed = True

    async def stop(self) -> None:
        """Stop the worker after what it was asked."""
        self.refuse()
        async with self._changing:
            if self._worker is not None:
                await self._worker.stop()

    async def _living(self) -> Worker:
        if self._worker is not None and self._worker.alive and not self._closed:
            return self._worker
        async with self._changing:
            if self._closed:
                raise IndexAway(CLOSED)
            if self._worker is not None and not self._worker.alive:
                log.warning("index worker died", pid=self._worker.pid)
                self._note_death()
                await self._worker.end()
                self._worker = None
            if self._worker is None:
                await self.start()
        return await self._living()

    def _note_death(self) -> None:
        now = asyncio.get_running_loop().time()
        if len(self._deaths) == DEATHS and now - self._deaths[0] < WITHIN:
            raise IndexAway(
                f"The vector index ended {DEATHS} times within a minute and is left alone for a while. "
                "Look at the memory of this machine; `twin doctor` says more."
            )
        self._deaths.append(now)


def expect(reply: wire.Reply, kind: type[R]) -> R:
    """Return the reply as what it must be; raises `IndexAway` for a refusal."""
    if isinstance(reply, wire.Refused):
        raise IndexAway(f"The vector index could not do this: {reply.reason}.")
    if not isinstance(reply, kind):
        raise TypeError(f"{type(reply).__name__} is no answer to this")
    return reply


def _expect_open(reply: wire.Reply, path: Path) -> None:
    if not isinstance(reply, wire.Refused):
        return
    if "WouldBlock" in reply.reason:
        raise IndexAway(f"The vector index in {path} is in use by another process. Stop that one first.")
    if any(word in reply.reason for word in NOT_ITS_FAULT):
        raise IndexAway(f"The vector index in {path} cannot be opened: {reply.reason}.")
    raise damaged(path, reply.reason)
