"""Durable jobs in the world's database, as the real ones are: kept in the transaction that asks for them, done in any order."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.app import _judged
from bot.delivery.errands import Errands
from bot.delivery.inbox import ANSWER, CHANGED, DELIVER, LEARN, Chore, Errand
from scheduler.errors import GiveUp, JobError, Later
from tests.simulation.life import GLANCE, Glance, Life

SCHEMA = """CREATE TABLE simulated_jobs (
    key TEXT PRIMARY KEY, kind TEXT NOT NULL, argument TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL DEFAULT ''
)"""
_AT_ONCE = {ANSWER: 8, LEARN: 2, CHANGED: 4, DELIVER: 8}
_ATTEMPTS = 4
_WAITING, _GIVEN_UP, _DONE = "waiting", "given up", "done"
_PUT = "INSERT OR IGNORE INTO simulated_jobs (key, kind, argument, state) VALUES (?, ?, ?, 'waiting')"
_CANCEL = "UPDATE simulated_jobs SET state = 'cancelled' WHERE key = ? AND state = 'waiting'"
_END = "UPDATE simulated_jobs SET state = ?, reason = ? WHERE key = ? AND state <> 'cancelled'"
_UNFINISHED = (
    "SELECT key, kind, argument, state, reason FROM simulated_jobs WHERE state IN ('waiting', 'given up') ORDER BY key"
)


@dataclass(frozen=True)
class _Job:
    key: str
    kind: str
    argument: str
    state: str
    reason: str


class Jobs:
    """A queue and those who work it off. `undone` is told of messages of which what was made before is undone."""

    def __init__(self, life: Life, engine: AsyncEngine, undone: Callable[[Errand], None]) -> None:
        self._life = life
        self._engine = engine
        self._undone = undone
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._slots = {kind: asyncio.Semaphore(n) for kind, n in _AT_ONCE.items()}
        self._news = asyncio.Event()
        self._news.set()
        self.errands: Errands | None = None

    # --- as a queue

    def put(self, connection: Connection, errand: Errand | Chore) -> None:
        row = (errand.key, errand.kind, errand.argument)
        connection.exec_driver_sql(
            "INSERT OR IGNORE INTO simulated_jobs (key, kind, argument, state) VALUES (?, ?, ?, 'waiting')", row
        )
        self._news.set()

    def wake(self) -> None:
        self._news.set()

    async def cancel(self, key: str) -> None:
        await self._write(_CANCEL, key)
        if task := self._tasks.get(key):
            task.cancel()

    async def waiting(self, kind: str) -> int:
        return Counter(job.kind for job in await self.unfinished())[kind]

    async def tidy(self) -> int:
        return 0

    async def unfinished(self) -> list[_Job]:
        """Return the jobs that wait or are being done."""
        async with self._engine.execution_options(reading=True).connect() as connection:
            return [_Job(*map(str, row)) for row in (await connection.exec_driver_sql(_UNFINISHED)).all()]

    # --- as those who work

    async def work(self) -> None:
        """Begin whatever waits, in any order, until the end of the life."""
        while True:
            await self._news.wait()
            self._news.clear()
            for _ in range(3):  # the transaction that brings the news may take a while
                jobs = await self.unfinished()
                self._life.random.shuffle(jobs)
                for job in jobs:
                    if job.key not in self._tasks:
                        self._begin(job)
                await asyncio.sleep(0.05 + self._life.random.random() * 0.5)

    def _begin(self, job: _Job) -> None:
        task = self._life.spawn(f"job {job.key!r}", self._done(job))
        self._tasks[job.key] = task
        task.add_done_callback(lambda _: self._ended(job.key, task))

    def _ended(self, key: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(key) is task:
            del self._tasks[key]
        self._news.set()

    async def _done(self, job: _Job) -> None:
        GLANCE.set(Glance())
        assert self.errands is not None
        if job.state == _WAITING:
            reason = await self._tried(job, lambda: self._run(job))
            if reason is None:
                await self._end(job, _DONE)
                return
            job = _Job(job.key, job.kind, job.argument, _GIVEN_UP, reason)
            await self._end(job, _GIVEN_UP)
        errands = self.errands
        lost = await self._tried(job, lambda: errands.gave_up(job.kind, job.argument, job.reason))
        await self._end(job, _DONE if lost is None else f"lost: {lost}")

    async def _run(self, job: _Job) -> None:
        assert self.errands is not None
        await asyncio.sleep(self._life.random.random() * 0.3)
        run = {
            ANSWER: self.errands.answer,
            LEARN: self.errands.learn,
            CHANGED: self.errands.changed,
            DELIVER: self.errands.deliver,
        }[job.kind]
        async with self._slots[job.kind]:
            await run(job.argument)
        if job.kind == CHANGED:
            self._undone(Errand.of(job.kind, job.argument))

    async def _tried(self, job: _Job, run: Callable[[], Awaitable[None]]) -> str | None:
        """Run something until it succeeds; return why not when it is to be given up."""
        failures = 0
        while True:
            try:
                await run()
            except Exception as raised:
                error = _judged(raised)
            else:
                return None
            self._life.check()
            failures += not isinstance(error, Later)
            if isinstance(error, GiveUp) or failures >= _ATTEMPTS:
                return str(error) if isinstance(error, JobError) else f"{type(error).__name__}: {error}"
            await asyncio.sleep(error.seconds if isinstance(error, Later) else 2.0 ** (failures - 1))

    async def _end(self, job: _Job, state: str) -> None:
        await self._write(_END, state, job.reason, job.key)

    async def _write(self, statement: str, *values: str) -> None:
        while True:
            try:
                async with self._engine.begin() as connection:
                    await connection.exec_driver_sql(statement, values)
            except OperationalError:  # the disk is full for a moment
                await asyncio.sleep(0.1)
            else:
                return
