"""What was forgotten is overwritten on the disk soon after, once for all that was forgotten meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

log = structlog.get_logger()

SOON = 1.0
"""Seconds in which more that is forgotten is waited for."""


class Tidying:
    """Overwrites in the background; asked for while that is under way, it is done once more."""

    def __init__(self, overwrite: Callable[[], Awaitable[None]]) -> None:
        self._overwrite = overwrite
        self._wanted = asyncio.Event()

    def soon(self) -> None:
        """Have what was forgotten until now overwritten."""
        self._wanted.set()

    async def _run(self) -> None:
        while True:
            await self._wanted.wait()
            await asyncio.sleep(SOON)
            self._wanted.clear()
            try:
                await self._overwrite()
            except Exception as error:
                log.warning("what was forgotten is overwritten later", reason=type(error).__name__)

    @classmethod
    @asynccontextmanager
    async def open(cls, overwrite: Callable[[], Awaitable[None]]) -> AsyncIterator["Tidying"]:
        """Begin; on closing what is still wanted is left to the next start's upkeep."""
        tidying = cls(overwrite)
        task = asyncio.create_task(tidying._run(), name="tidying")
        try:
            yield tidying
        finally:
            task.cancel()
            await asyncio.wait([task])
