"""When things happen by themselves: APScheduler in this process, as a calendar and nothing more."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from zoneinfo import ZoneInfo

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from scheduler.upkeep import Tidies, Upkeep, keep_fit


@asynccontextmanager
async def open_calendar(twin: Upkeep, desk: Tidies, timezone: ZoneInfo) -> AsyncIterator[None]:
    """Keep the calendar running: nightly upkeep at 04:15, outside the hours that summer time repeats or leaves out."""
    scheduler = AsyncIOScheduler(timezone=timezone)
    scheduler.add_job(keep_fit, "cron", [twin, desk], id="upkeep", hour=4, minute=15, coalesce=True, misfire_grace_time=3600)
    scheduler.start()
    try:
        yield
    finally:
        scheduler.shutdown(wait=False)
