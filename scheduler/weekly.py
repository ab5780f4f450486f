"""The week summed up on Mondays, wherever that is wanted."""

from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

import structlog

log = structlog.get_logger()

_HOUR = 9


class Digests(Protocol):
    """Takes in that a week is over; each is summed up once, however often it is told of."""

    async def digests(self, week: str) -> None:
        """Have a week summed up, by its name."""


def week_of(moment: datetime) -> str:
    """Name the week that a moment is in, as ISO 8601 has it (pure)."""
    year, week, _ = moment.isocalendar()
    return f"{year}-W{week:02}"


def is_due(now: datetime) -> bool:
    """Say whether digests should have been posted today already: whoever was stopped then catches up (pure)."""
    return now.isoweekday() == 1 and now.hour >= _HOUR


async def sum_up(desk: Digests, timezone: ZoneInfo) -> None:
    """Hand in that a week is over; trouble is logged, and a restart on the same day tries it again."""
    try:
        await desk.digests(week_of(datetime.now(timezone)))
    except Exception:
        log.exception("digests could not be handed in")
