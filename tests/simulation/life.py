"""One run of the process, from its start to its crash, on an event loop that loses no time with waiting."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar

T = TypeVar("T")

_SETTLING = 200  # rounds in which everything that was cancelled must have ended


class _Skipping(selectors.SelectSelector):
    """Sees at once what would be seen after waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "everyone waits for ever"
        self.now += max(0.0, timeout)
        return super().select(0) if timeout else []


class Loop(asyncio.SelectorEventLoop):
    """An event loop whose clock goes on by what would be waited, and that has no threads: the same seed, the same run."""

    def __init__(self) -> None:
        self._skipping = _Skipping()
        super().__init__(self._skipping)

    def time(self) -> float:
        return self._skipping.now

    def run_in_executor(self, _executor: Any, function: Callable[..., T], *arguments: Any) -> asyncio.Future[T]:  # type: ignore[override]
        """Do it here and now."""
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(function(*arguments))
        except Exception as error:
            done.set_exception(error)
        return done


class Dead(asyncio.CancelledError):
    """The process is killed: nothing that it does from now on reaches anything outside of it."""


@dataclass
class Glance:
    """Since when the one who shows something knows what may be seen: as of the prompt, and as of the stored answer."""

    written: int = 0
    stored: int = 0


GLANCE: ContextVar[Glance] = ContextVar("glance")


class Life:
    """A run of the process. All that reaches out of it passes `step`, where time passes and where it may die.

    To die is to be cancelled with nothing outside in reach any more, so that no cleaning up is of consequence.
    """

    def __init__(self, random: Random, *, pace: float, full: float = 0.0) -> None:
        """`pace` bounds what a step takes, in seconds; `full` is how often the disk is full when something is to be written."""
        self.random = random
        self.pace = pace
        self.full = full
        self.alive = True
        self.steps_left: int | None = None
        self.died = asyncio.Event()
        self.writing = asyncio.Lock()  # held by whoever writes to the database
        self.at_death: list[Callable[[], None]] = []
        self.surprises: list[str] = []  # what ended tasks that nobody waits for
        self._tasks: set[asyncio.Task[Any]] = set()

    async def step(self) -> None:
        """Let time pass, or die."""
        self.check()
        if self.steps_left is not None:
            self.steps_left -= 1
            if self.steps_left <= 0:
                self.die()
        if self.random.random() < 0.3:
            await asyncio.sleep(self.random.random() * self.pace)
        self.check()

    def now(self) -> float:
        """Return the seconds since the world began."""
        return asyncio.get_running_loop().time()

    def disk_is_full(self) -> bool:
        """Say whether nothing can be written at this moment."""
        return self.random.random() < self.full

    def check(self) -> None:
        """Raise `Dead` once it is."""
        if not self.alive:
            raise Dead

    def die(self) -> None:
        """Die here."""
        self.alive = False
        self.random = Random(0)  # noqa: S311 - what happens from now on is of no consequence, and takes no chance from the world
        for ending in self.at_death:
            ending()
        self.died.set()
        raise Dead

    def spawn(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Begin something that ends with this life."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self.surprises.append(f"{task.get_name()}: {error!r}")

    async def bury(self) -> None:
        """Make an end of everything that still runs; its own death is as good as a kill."""
        if self.alive:
            with suppress(Dead):
                self.die()
        me = asyncio.current_task()
        for _ in range(_SETTLING):
            others = [task for task in asyncio.all_tasks() if task is not me]
            if not others:
                return
            for task in others:
                task.cancel()
            await asyncio.wait(others, timeout=0.01)
        raise AssertionError(f"does not end: {[task.get_name() for task in others]}")


def run(main: Callable[[], Coroutine[None, None, T]]) -> T:
    """Run to the end in virtual time; fails when nothing can ever happen any more."""
    with asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(main())
