"""How fast a platform may be asked: budgets that all answers of a tenant share."""

import asyncio
from collections.abc import Callable
from time import monotonic


class Budget:
    """A token bucket: `most` at once, `each_minute` after that."""

    def __init__(self, most: float, each_minute: float, clock: Callable[[], float] = monotonic) -> None:
        self._most = most
        self._rate = each_minute / 60
        self._clock = clock
        self._left = most
        self._at = clock()

    def spend(self) -> bool:
        """Take one if there is one."""
        if self.wait() > 0:
            return False
        self._left -= 1
        return True

    def reserve(self) -> float:
        """Take one in any case, and return in how many seconds it is there."""
        seconds = self.wait()
        self._left -= 1
        return seconds

    def wait(self) -> float:
        """Return in how many seconds there is one."""
        now = self._clock()
        self._left = min(self._most, self._left + (now - self._at) * self._rate)
        self._at = now
        return max(0.0, (1 - self._left) / self._rate)

    def exhaust(self, seconds: float) -> None:
        """Have none for so many seconds: the platform said so."""
        self.wait()
        self._left = min(self._left, 1 - seconds * self._rate)


class Pace:
    """A budget for each kind of call of a tenant; a kind without one is free."""

    def __init__(self, **budgets: Budget) -> None:
        self._budgets = budgets

    def may(self, kind: str) -> bool:
        """Take one of a kind if there is one; whoever gets none does something else."""
        budget = self._budgets.get(kind)
        return budget is None or budget.spend()

    async def turn(self, kind: str) -> None:
        """Wait until one of a kind is there."""
        if budget := self._budgets.get(kind):
            await asyncio.sleep(budget.reserve())

    def slow_down(self, kind: str, seconds: float) -> None:
        """Heed that the platform asks for patience with a kind."""
        if budget := self._budgets.get(kind):
            budget.exhaust(seconds)
