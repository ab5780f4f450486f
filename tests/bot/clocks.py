"""A clock that stands still until it is moved."""

from datetime import datetime, timedelta

from tests.bot.people.worlds import NOW


class Hands:
    """Say what time it is, as a test wants it."""

    def __init__(self) -> None:
        self._now = NOW

    def __call__(self) -> datetime:
        return self._now

    def move(self, by: timedelta) -> None:
        self._now += by
