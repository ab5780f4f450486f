"""Notices when something holds up the event loop, and says what it was."""

import asyncio
import sys
import threading
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

import structlog

log = structlog.get_logger()

LATE = 1.0  # seconds without a sign of life from the loop


@asynccontextmanager
async def open_watchdog(late: float = LATE) -> AsyncIterator[None]:
    """Watch the running loop from a thread; where it stands still, the stack that holds it is logged, once each time."""
    beating, ended = [monotonic()], threading.Event()
    watched = threading.get_ident()

    async def beat() -> None:
        while True:
            beating[0] = monotonic()
            await asyncio.sleep(late / 4)

    def watch() -> None:
        said_of = 0.0
        while not ended.wait(late / 4):
            last = beating[0]
            if monotonic() - last > late and said_of != last:
                said_of = last
                frame = sys._current_frames().get(watched)
                stack = traceback.format_stack(frame)[-8:] if frame else []
                log.warning("the event loop stands still", seconds=round(monotonic() - last, 1), stack="".join(stack))

    heart = asyncio.create_task(beat(), name="heartbeat")
    thread = threading.Thread(target=watch, name="watchdog", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        heart.cancel()
        await asyncio.to_thread(thread.join)
