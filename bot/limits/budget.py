"""What language models may be used for in a day."""

from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.errors import BudgetSpent


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much may be used in a day: tokens in and out together, and money in the currency of the prices; `None`: any."""

    tokens: int | None = None
    cost: float | None = None

    def covers(self, used: "Sum") -> bool:
        """Say whether something is left."""
        return (self.tokens is None or used.tokens < self.tokens) and (self.cost is None or used.cost < self.cost)


class Sum(Protocol):
    """What was used."""

    @property
    def tokens(self) -> int: ...

    @property
    def cost(self) -> float: ...


class Today(Protocol):
    """What was used since midnight, by a person and in total, and when the day ends."""

    @property
    def own(self) -> Sum: ...

    @property
    def total(self) -> Sum: ...

    @property
    def until(self) -> datetime: ...


class Used(Protocol):
    """Where what was used is counted."""

    def today(self, person: str) -> Awaitable[Today]:
        """Return what was used today."""


class Budget:
    """Allowances for each person and for all together.

    What is being written counts when it is done: a budget can be overdrawn by the answers under way.
    """

    def __init__(self, used: Used, *, each: Allowance = Allowance(), total: Allowance = Allowance()) -> None:
        self._used = used
        self._each = each
        self._total = total

    async def check(self, person: str) -> None:
        """Raise `BudgetSpent` when a person, or all together, have used up what there is for today.

        That concerns language models alone: the answer is to be given without one, and say so.
        """
        if self._each == self._total == Allowance():
            return
        today = await self._used.today(person)
        if not self._total.covers(today.total):
            raise BudgetSpent("The", today.until)
        if not self._each.covers(today.own):
            raise BudgetSpent("Your", today.until)
