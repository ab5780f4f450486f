"""What becomes of a job that was taken: pure rules from a job and what happened to it, to its row as it will be."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from scheduler.errors import GiveUp, JobError, Later

ALONE, REPORTS = "alone", "reports"
"""The lanes beside those of the kinds: of jobs that may be killing the process, and of those that are given up and told."""

LONGEST_PAUSE = 60.0
"""Seconds between two tries of a job at most."""

CRASHES = 4
"""How often a job may be running when its process dies; then it is given up."""

CRASHED = "The program was stopped each time while it worked on this."

_SUSPECT = 2  # crashes from which on a job runs in the lane where they run one at a time


class State(StrEnum):
    """Where a job is in its life; the last three are for good."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    GIVEN_UP = "given up"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Taken:
    """A job in the hands of a process: to be run, or where there is a `reason`, to be told that it was given up."""

    key: str
    kind: str
    argument: str
    lane: str
    reason: str | None
    failures: int
    crashes: int
    not_before: datetime


@dataclass(frozen=True, slots=True)
class Fate:
    """A job's row as it will be when its process has let go of it."""

    key: str
    state: State
    lane: str
    reason: str | None
    failures: int
    crashes: int
    not_before: datetime
    finished_at: datetime | None = None


def succeeded(job: Taken, now: datetime) -> Fate:
    """Be done, or have been told that it was given up."""
    return _finished(job, State.DONE if job.reason is None else State.GIVEN_UP, now)


def failed(job: Taken, error: BaseException, *, attempts: int, pause: float, now: datetime) -> Fate:
    """Be tried again after a while, or be given up; something that is away for the moment costs no attempt."""
    if isinstance(error, Later):
        return _waiting(job, failures=job.failures, not_before=now + timedelta(seconds=min(error.seconds, LONGEST_PAUSE)))
    failures = job.failures + 1
    if isinstance(error, GiveUp) or failures >= attempts:
        return _given_up(job, str(error) if isinstance(error, JobError) else f"It failed with {type(error).__name__}.", now)
    return _waiting(job, failures=failures, not_before=now + timedelta(seconds=backoff(failures, pause)))


def interrupted(job: Taken) -> Fate:
    """Wait at the same place in the line as if it had not been begun: a stop in good order is no crash."""
    return _waiting(job, failures=job.failures, not_before=job.not_before)


def crashed(job: Taken, now: datetime) -> Fate:
    """Run again after its process died, unless it was there each time.

    Which of several jobs took the process down with it cannot be seen. What was there twice therefore runs in a lane apart, one
    job at a time: there the innocent finish, and only the guilty one is there twice more.
    """
    crashes = job.crashes + 1
    if crashes >= CRASHES:
        return _given_up(job, CRASHED, now)
    lane = ALONE if crashes >= _SUSPECT else job.lane
    return Fate(job.key, State.WAITING, lane, job.reason, job.failures, crashes, job.not_before)


def backoff(failures: int, first: float, longest: float = LONGEST_PAUSE) -> float:
    """Return the seconds to wait after so many failures: from half to the whole of a pause that doubles each time.

    This is "equal jitter" of Marc Brooker, "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015): what failed together
    does not come back together. "Full jitter", from nothing to the whole, makes a little less work when hundreds try without
    end; of the few attempts here it would now and then spend one at once, on something that had no time to recover.
    """
    pause = min(longest, first * 2.0 ** min(failures - 1, 32))
    return random.uniform(pause / 2, pause)  # noqa: S311 - no secret


def _given_up(job: Taken, reason: str, now: datetime) -> Fate:
    """Go on as the telling of it, with attempts of its own; when telling fails for good too, it is over."""
    if job.reason is not None:
        return _finished(job, State.GIVEN_UP, now)
    return Fate(job.key, State.WAITING, REPORTS, reason, failures=0, crashes=0, not_before=now)


def _waiting(job: Taken, *, failures: int, not_before: datetime) -> Fate:
    return Fate(job.key, State.WAITING, job.lane, job.reason, failures, job.crashes, not_before)


def _finished(job: Taken, state: State, now: datetime) -> Fate:
    return Fate(job.key, state, job.lane, job.reason, job.failures, job.crashes, job.not_before, finished_at=now)
