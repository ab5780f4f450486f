"""Durable jobs: kept in the transaction that asks for them, and run until they succeed or are given up, whatever dies when."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from scheduler import ledger
from scheduler.crew import Crew
from scheduler.fates import ALONE, CRASHED, REPORTS, Fate, Taken
from scheduler.kinds import Job, Judge, Kind
from scheduler.ledger import Line
from scheduler.nodes import Nodes, Transact, transact
from scheduler.rounds import Rounds

__all__ = ["CRASHED", "Job", "Jobs", "Judge", "Kind", "open_jobs"]

_FRESH = 0.5  # seconds for which a count is good enough
_LAST_ROUND = 35.0  # seconds that the loop has to end: SQLite waits for a lock for 30


class Jobs:
    """Takes jobs from the moment it is opened, and does them from `start` to `stop`."""

    def __init__(
        self, engine: AsyncEngine, kinds: Sequence[Kind], judge: Judge, look: float, transaction: Transact = transact
    ) -> None:
        self._engine = engine
        self._crew = Crew(kinds, judge, self._ended)
        self._line = Line(self._crew.lanes, [kind.name for kind in kinds])
        self._rounds = Rounds(Nodes(engine, transaction), self._line, self._crew, look)
        self._counts: Counter[str] = Counter()
        self._counted_at = float("-inf")
        self._loop: asyncio.Task[None] | None = None

    def enqueue(self, connection: Connection, job: Job) -> None:
        """Have a job done once the caller's transaction is committed; a key that is known is no error and no second job."""
        ledger.put(connection, job, datetime.now(UTC))
        self._counts[job.kind] += 1  # until it is counted anew; too many by those that were known or are rolled back

    def wake(self) -> None:
        """Have what was put taken now and not at the next look; for after the commit."""
        self._rounds.wake()

    async def start(self) -> None:
        """Take up what was running when a process died, then whatever waits."""
        await self._rounds.take_over()
        self._loop = asyncio.create_task(self._rounds.run(), name="jobs")

    async def stop(self, patience: float = 25) -> None:
        """Begin nothing more, give what runs `patience` seconds to finish, and leave the rest for the next start."""
        if self._loop is None:
            return
        await self._crew.drain(patience)  # meanwhile the rounds go on, for what ends
        self._rounds.end()
        await asyncio.wait([self._loop], timeout=_LAST_ROUND)
        self._loop.cancel()
        await self._rounds.last()
        self._loop = None

    async def idle(self) -> None:
        """Wait until no job waits or runs."""
        self.wake()
        while (await self._unfinished()).total() or self._crew.busy:  # noqa: ASYNC110 - other processes do jobs, and tell nobody
            await asyncio.sleep(0.02)

    async def waiting(self, kind: str) -> int:
        """Return how many jobs of a kind are not finished, those being done included; half a second old at most."""
        if time.monotonic() - self._counted_at > _FRESH:
            self._counted_at = time.monotonic()
            self._counts = await self._unfinished()
        return self._counts[kind]

    async def cancel(self, key: str) -> None:
        """See to it that a job is not done, or not further; one that is finished or unknown is none the worse."""
        async with self._rounds.turn, self._engine.begin() as connection:
            await ledger.cancel(connection, key, datetime.now(UTC))
        self._crew.cancel(key)

    async def tidy(self, older_than: timedelta = timedelta(days=7)) -> int:
        """Forget the jobs that were finished this long ago, and their keys with them; return how many."""
        before, forgotten, more = datetime.now(UTC) - older_than, 0, 1
        while more:
            async with self._engine.begin() as connection:
                forgotten += (more := await ledger.forget(connection, before))
        return forgotten

    def _ended(self, job: Taken, fate: Fate) -> None:
        if fate.finished_at or fate.lane != job.lane:
            self._counts[job.lane] = max(0, self._counts[job.lane] - 1)
        self.wake()

    async def _unfinished(self) -> Counter[str]:
        async with self._engine.execution_options(reading=True).connect() as connection:
            return await ledger.unfinished(connection)


@asynccontextmanager
async def open_jobs(
    engine: AsyncEngine,
    kinds: Sequence[Kind],
    *,
    judge: Judge = lambda error: error,
    look: float = 0.5,
    transaction: Transact = transact,
) -> AsyncIterator[Jobs]:
    """Open the jobs of a database; whoever opens them calls `start` when all is ready, and `stop` before it is not any more.

    `look` is how often, in seconds, it is looked for jobs that others have put, or that nobody called `wake` for. A round is
    written by `transaction`.
    """
    names = [ALONE, REPORTS, *(kind.name for kind in kinds)]
    if len(names) > len(set(names)):
        raise ValueError(f"The names of kinds must differ, and be none of {ALONE!r} and {REPORTS!r}: {names[2:]}")
    jobs = Jobs(engine, kinds, judge, look, transaction)
    try:
        yield jobs
    finally:
        await jobs.stop(0)
