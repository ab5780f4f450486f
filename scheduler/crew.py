"""Those who do the jobs: a task for each job that runs, never more than there are slots, and what became of it."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial

import structlog

from knowledge import fault
from scheduler.errors import JobError
from scheduler.fates import ALONE, REPORTS, Fate, State, Taken, failed, interrupted, succeeded
from scheduler.kinds import Judge, Kind

log = structlog.get_logger()

_SLOTS = {ALONE: 1, REPORTS: 4}  # of the lanes beside those of the kinds
_CANCELLED_WITHIN = 5.0  # seconds that a cancelled job has to clean up


class Crew:
    """Owns the tasks of the jobs from `begin` until their fate is settled; `ended` is called when one is known."""

    def __init__(self, kinds: Sequence[Kind], judge: Judge, ended: Callable[[Taken, Fate], None]) -> None:
        self._kinds = {kind.name: kind for kind in kinds}
        self._slots = {kind.name: kind.at_once for kind in kinds} | _SLOTS
        self._judge = judge
        self._ended = ended
        self._running: dict[str, tuple[Taken, asyncio.Task[None]]] = {}
        self._taken = Counter[str]()  # slots of each lane
        self._fates: dict[str, Fate] = {}
        self._closed = False

    @property
    def lanes(self) -> tuple[str, ...]:
        return tuple(self._slots)

    @property
    def busy(self) -> bool:
        return bool(self._running or self._fates)

    def held(self) -> set[str]:
        """Return the keys of the jobs that run, or whose fate is not settled."""
        return self._running.keys() | self._fates.keys()

    def free(self) -> dict[str, int]:
        """Return how many jobs of which lanes may begin."""
        left = {lane: slots - self._taken[lane] for lane, slots in self._slots.items()}
        return {} if self._closed else {lane: free for lane, free in left.items() if free > 0}

    def fates(self) -> list[Fate]:
        """Return what became of jobs and is not settled."""
        return list(self._fates.values())

    def settled(self, fates: Iterable[Fate]) -> None:
        """Let go of these: they are written down."""
        for fate in fates:
            if self._fates.get(fate.key) is fate:
                del self._fates[fate.key]

    def begin(self, job: Taken) -> None:
        """Do a job. When it runs already it was taken from us and came back: that run ends, and its fate is the job's."""
        if job.key in self._running:
            self.cancel(job.key)
            return
        if self._closed:  # taken in the moment of closing
            self._fates[job.key] = interrupted(job)
            return
        task = asyncio.create_task(self._do(job), name=f"job {job.key}")
        self._running[job.key] = (job, task)
        self._taken[job.lane] += 1
        task.add_done_callback(partial(self._over, job))

    def cancel(self, key: str) -> None:
        """Stop a job, if it runs."""
        if key in self._running:
            self._running[key][1].cancel()

    async def drain(self, patience: float) -> None:
        """Begin nothing more, give what runs `patience` seconds to finish, and cancel the rest."""
        self._closed = True
        if (tasks := self._tasks()) and patience > 0:
            await asyncio.wait(tasks, timeout=patience)
        for task in (tasks := self._tasks()):
            task.cancel()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=_CANCELLED_WITHIN)
            for task in late:
                log.error("a job does not stop", task=task.get_name())
        await asyncio.sleep(0)  # for the callbacks

    def _tasks(self) -> list["asyncio.Task[None]"]:
        return [task for _, task in self._running.values()]

    async def _do(self, job: Taken) -> None:
        name = job.kind if job.reason is None else REPORTS
        kind = self._kinds[job.kind]
        await fault.apoint(f"job.{name}.before")
        await (kind.run(job.argument) if job.reason is None else kind.gave_up(job.argument, job.reason))
        await fault.apoint(f"job.{name}.after")

    def _over(self, job: Taken, task: "asyncio.Task[None]") -> None:
        del self._running[job.key]
        self._taken[job.lane] -= 1
        self._fates[job.key] = fate = self._fate(job, task)
        _tell(job, fate, task)
        self._ended(job, fate)

    def _fate(self, job: Taken, task: "asyncio.Task[None]") -> Fate:
        now = datetime.now(UTC)
        error = JobError("It was interrupted from within.") if task.cancelled() else task.exception()
        if error is None:
            return succeeded(job, now)
        if task.cancelling():  # by us; the error may be one of cleaning up
            return interrupted(job)
        kind = self._kinds[job.kind]
        return failed(job, self._judged(error), attempts=kind.attempts, pause=kind.pause, now=now)

    def _judged(self, error: BaseException) -> BaseException:
        try:
            return self._judge(error) if isinstance(error, Exception) else error
        except Exception as bug:
            log.exception("it cannot be said what an error of a job means")
            return bug


def _tell(job: Taken, fate: Fate, task: "asyncio.Task[None]") -> None:
    """Log what is out of the ordinary."""
    error = None if task.cancelled() else task.exception()
    bound = log.bind(kind=job.kind, key=job.key, error=error and type(error).__name__)
    if job.reason is None and fate.reason is not None:
        bound.error("job given up", reason=fate.reason)
    elif fate.state is State.GIVEN_UP and error:
        bound.error("could not tell that a job was given up")
    elif error:
        bound.warning("job failed, will be tried again", failures=fate.failures)
