"""The loop behind the jobs: in one transaction a round it writes what became of jobs, and takes as many as there are slots."""

import asyncio
import time
from datetime import UTC, datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from scheduler import ledger
from scheduler.crew import Crew
from scheduler.fates import Taken, backoff, crashed
from scheduler.ledger import Line
from scheduler.nodes import Nodes

log = structlog.get_logger()

GATHER = 0.01
"""Seconds between two rounds at least: what ends or comes meanwhile shares a transaction, and its flush to the disk."""

BEAT = 5.0
"""Seconds between two looks after what other processes left when they died."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 5.0  # seconds after rounds that failed
_LAST_TRIES = 3  # of the last round; what it cannot write runs again after the next start


class Rounds:
    """Keeps the table and the crew in step, one round after the other.

    When nothing is to be written it only looks, every `look` seconds, or when the next try of a job is due; `wake` has it take
    jobs at once. It outlives trouble with the database: what became of jobs is kept until a round succeeds.
    """

    def __init__(self, nodes: Nodes, line: Line, crew: Crew, look: float) -> None:
        self._nodes = nodes
        self._line = line
        self._crew = crew
        self._look = look
        self._awake = asyncio.Event()
        self._next_beat = 0.0
        self._doubtful = False  # whether a round failed: it may have been committed all the same
        self._ending = False
        self.turn = asyncio.Lock()  # held for a round: who changes jobs beside it waits for the next pause

    def wake(self) -> None:
        """Make a round now."""
        self._awake.set()

    def end(self) -> None:
        """Have the loop return after the round it is in."""
        self._ending = True
        self.wake()

    async def run(self) -> None:
        """Make rounds until the end."""
        failures = 0
        while not self._ending:
            try:
                async with self.turn:
                    rest = await self._round()
            except Exception as error:
                self._doubtful, failures = True, failures + 1
                if failures == 1:
                    known = isinstance(error, OSError | SQLAlchemyError)
                    log.warning("jobs cannot be read or written", error=type(error).__name__, exc_info=not known)
                await asyncio.sleep(backoff(failures, _FIRST_PAUSE, _LONGEST_PAUSE))
                continue
            if failures:
                log.info("jobs can be read and written again", failures=failures)
            failures = 0
            await self._sleep(rest)

    async def take_over(self) -> None:
        """Have done what dead processes were doing; on SQLite that is what was running when the last one ended."""
        async with self._nodes.writing() as connection:
            for other in await self._nodes.dead(connection, await ledger.owners(connection)):
                left = [crashed(job, datetime.now(UTC)) for job in await ledger.taken_by(connection, other)]
                await ledger.settle(connection, other, left)
                log.info("taking over what was running", jobs=len(left), given_up=[job.key for job in left if not job.crashes])

    async def last(self) -> None:
        """Write what became of jobs, and hand back what else was taken; for after `run`."""
        for failures in range(1, _LAST_TRIES + 1):
            try:
                async with self.turn, self._nodes.writing() as connection:
                    await ledger.settle(connection, self._nodes.me, self._crew.fates())
                    await ledger.hand_back(connection, self._nodes.me, but=())
                break
            except (OSError, SQLAlchemyError) as error:
                log.warning("jobs cannot be handed back", error=type(error).__name__, failures=failures)
                await asyncio.sleep(backoff(failures, _FIRST_PAUSE))
        await self._nodes.leave()

    async def _round(self) -> float:
        """Do what is to be done; return for how many seconds there is nothing more."""
        woken = self._awake.is_set()
        self._awake.clear()
        if self._nodes.shared and time.monotonic() >= self._next_beat:
            await self.take_over()
            self._next_beat = time.monotonic() + BEAT
        free = self._crew.free()
        if not (self._crew.fates() or self._doubtful):
            if not free:
                return self._look
            if not woken and (rest := await self._until_first(free)) > 0:
                return rest
        await self._write_and_take(free)
        return 0

    async def _until_first(self, free: dict[str, int]) -> float:
        async with self._nodes.reading() as connection:
            rest = await self._line.rest(connection, free, datetime.now(UTC))
        return self._look if rest is None else min(self._look, rest)

    async def _write_and_take(self, free: dict[str, int]) -> None:
        fates, held = self._crew.fates(), self._crew.held()

        async def written(connection: AsyncConnection) -> list[Taken]:
            await ledger.settle(connection, self._nodes.me, fates)
            if self._doubtful:
                await ledger.hand_back(connection, self._nodes.me, but=held)
            return await self._line.take(connection, self._nodes.me, free, datetime.now(UTC)) if free else []

        taken = await self._nodes.written(written)
        self._doubtful = False
        self._crew.settled(fates)
        for job in taken:
            self._crew.begin(job)

    async def _sleep(self, seconds: float) -> None:
        if not seconds:
            await asyncio.sleep(GATHER)
            return
        try:
            async with asyncio.timeout(seconds):
                await self._awake.wait()
        except TimeoutError:
            pass
