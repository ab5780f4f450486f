"""What is to be done, and how jobs of a kind are done."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Job:
    """Something to be done: of each `key` there is one, however often it is put; `argument` is an id, never contents."""

    kind: str
    key: str
    argument: str


@dataclass(frozen=True, slots=True)
class Kind:
    """Jobs that are done in the same way.

    `run` is called with a job's argument, again when it raised or its process died: it must bear being repeated. `gave_up` is
    called with argument and reason when a job failed for good, and must bear being repeated too. `at_once` jobs run in this
    process at a time; jobs that wait for another try do not count. The pause before the first repetition is `pause` seconds at
    most, then twice as long each time.
    """

    name: str
    run: Callable[[str], Awaitable[None]]
    gave_up: Callable[[str, str], Awaitable[None]]
    at_once: int = 4
    attempts: int = 4
    pause: float = 1.0


Judge = Callable[[Exception], Exception]
"""Says what an exception of a handler means: `Later`, `GiveUp`, or another `JobError` whose text may be shown."""
