"""When things happen by themselves: APScheduler in this process, as a calendar and nothing more."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from scheduler.upkeep import Tidies, Upkeep, keep_fit
from scheduler.weekly import Digests, is_due, sum_up


class Desk(Tidies, Digests, Protocol):
    """Where what happens by itself is handed in."""


@asynccontextmanager
async def open_calendar(twin: Upkeep, desk: Desk, timezone: ZoneInfo) -> AsyncIterator[None]:
    """Keep the calendar running: upkeep each night at 04:15, outside the hours that summer time repeats or leaves out; digests
    on Mondays at 9, or when the twin is started later on that day.
    """
    scheduler = AsyncIOScheduler(timezone=timezone)
    scheduler.add_job(keep_fit, "cron", [twin, desk], id="upkeep", hour=4, minute=15, coalesce=True, misfire_grace_time=3600)
    monday = {"day_of_week": "mon", "hour": 9, "coalesce": True, "misfire_grace_time": 3600}
    scheduler.add_job(sum_up, "cron", [desk, timezone], id="digests", **monday)
    scheduler.start()
    if is_due(now := datetime.now(timezone)):
        scheduler.add_job(sum_up, "date", [desk, timezone], id="digests today", run_date=now)
    try:
        yield
    finally:
        scheduler.shutdown(wait=False)
