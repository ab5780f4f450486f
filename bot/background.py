"""Work that nobody waits for: owned, named, and ended with the process."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import structlog

log = structlog.get_logger()

_PATIENCE = 5.0  # seconds that what was begun has to end


class Background:
    """Runs coroutines beside the rest; trouble with one is logged."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    @classmethod
    @asynccontextmanager
    async def open(cls) -> AsyncIterator["Background"]:
        """Run until the end of the block, and a little longer for what was begun."""
        background = cls()
        try:
            yield background
        finally:
            await background._end()

    def run(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Begin something."""
        task = asyncio.create_task(_logged(name, work), name=name)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _end(self) -> None:
        if not self._running:
            return
        _, late = await asyncio.wait(self._running, timeout=_PATIENCE)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)


async def _logged(name: str, work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception:
        log.exception("work in the background failed", work=name)
