"""Handlers that remember what they were asked, and short ways to give them work."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from sqlalchemy.ext.asyncio import AsyncEngine

from scheduler.jobs import Job, Jobs, Judge, Kind, open_jobs


class Work:
    """Remembers what it was asked to do; what it does for an argument can be set."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.done: list[str] = []
        self.given_up: list[tuple[str, str]] = []
        self.acts: dict[str, Callable[[], Awaitable[object]]] = {}

    async def run(self, argument: str) -> None:
        self.begun.append(argument)
        if act := self.acts.get(argument):
            await act()
        self.done.append(argument)

    async def gave_up(self, argument: str, reason: str) -> None:
        if act := self.acts.get(f"gave up {argument}"):
            await act()
        self.given_up.append((argument, reason))

    def kind(self, name: str = "learn", at_once: int = 2) -> Kind:
        return Kind(name, self.run, self.gave_up, at_once=at_once, pause=0.01)


def failing(*errors: Exception) -> Callable[[], Awaitable[None]]:
    """Return what raises these errors, one each time, and then succeeds."""
    waiting = list(errors)

    async def act() -> None:
        if waiting:
            raise waiting.pop(0)

    return act


async def for_ever() -> None:
    await asyncio.Event().wait()


def opened(engine: AsyncEngine, kinds: list[Kind], *, judge: Judge = lambda error: error) -> AbstractAsyncContextManager[Jobs]:
    return open_jobs(engine, kinds, judge=judge, look=0.02)


async def put(engine: AsyncEngine, jobs: Jobs, *arguments: str, kind: str = "learn") -> None:
    async with engine.begin() as connection:
        for argument in arguments:
            await connection.run_sync(jobs.enqueue, Job(kind, f"{kind}/{argument}", argument))


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what it waits for happens on threads too
            await asyncio.sleep(0.01)
