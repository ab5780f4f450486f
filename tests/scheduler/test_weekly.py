"""What is handed in on Mondays."""

import asyncio
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from scheduler import calendar
from scheduler.calendar import open_calendar
from scheduler.weekly import is_due, sum_up, week_of

ZONE = ZoneInfo("Europe/Berlin")


class Desk:
    """Notes what it is told of."""

    def __init__(self, error: Exception | None = None) -> None:
        self.weeks: list[str] = []
        self.error = error
        self.told = asyncio.Event()

    async def digests(self, week: str) -> None:
        if self.error:
            raise self.error
        self.weeks.append(week)
        self.told.set()

    async def tidy(self) -> None:
        """Do nothing."""


class Twin:
    """Needs no upkeep."""

    async def mend(self) -> int:
        return 0

    async def optimize(self) -> None:
        """Do nothing."""


def test_weeks_are_those_of_iso_8601() -> None:
    assert week_of(datetime(2026, 11, 25, tzinfo=ZONE)) == "2026-W48"
    assert week_of(datetime(2027, 1, 1, tzinfo=ZONE)) == "2026-W53"


@pytest.mark.parametrize(
    ("moment", "due"),
    [
        (datetime(2026, 11, 23, 8, 59, tzinfo=ZONE), False),
        (datetime(2026, 11, 23, 9, 0, tzinfo=ZONE), True),
        (datetime(2026, 11, 23, 23, 59, tzinfo=ZONE), True),
        (datetime(2026, 11, 24, 9, 0, tzinfo=ZONE), False),
    ],
)
def test_whoever_starts_later_on_a_monday_catches_up(moment: datetime, due: bool) -> None:
    assert is_due(moment) is due


async def test_trouble_stops_nothing_else() -> None:
    await sum_up(Desk(RuntimeError("locked")), ZONE)
    desk = Desk()
    await sum_up(desk, ZONE)
    assert desk.weeks == [week_of(datetime.now(ZONE))]


@pytest.mark.parametrize("due", [True, False])
async def test_a_start_hands_in_what_is_due_and_nothing_else(monkeypatch: pytest.MonkeyPatch, due: bool) -> None:
    desk, asked = Desk(), list[datetime]()

    def is_due_(now: datetime) -> bool:
        asked.append(now)
        return due

    monkeypatch.setattr(calendar, "is_due", is_due_)
    async with open_calendar(Twin(), desk, ZONE):
        assert [one.astimezone(UTC).date() for one in asked] == [datetime.now(UTC).date()]
        if due:
            async with asyncio.timeout(5):
                await desk.told.wait()
    assert len(desk.weeks) == int(due)
