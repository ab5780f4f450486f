"""How often something may be done: token buckets by person and by place."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from time import monotonic

from bot.errors import TooFast

_KEYS = 10_000  # buckets kept of each kind; beyond, the one that was longest unused is taken for full


class What(StrEnum):
    """What is counted, and by whom or where."""

    QUESTION = "questions of a person"
    PLACE = "questions in a place"
    FILE = "files that a person teaches"
    FEEDBACK = "feedback of a person"
    NOTE = "notes that a person has remembered"
    EXPORT = "exports of a person"
    LINK = "codes that a person shows"


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` at once, and `times` in `seconds` in the long run; who is faster reads `what`, and `then` with when."""

    times: int
    seconds: float
    burst: int
    what: str
    then: str


MINUTE, HOUR = 60.0, 3600.0
RATES: Mapping[What, Rate] = {
    What.QUESTION: Rate(10, MINUTE, 5, "That was a lot of questions at once.", "Ask me again"),
    What.PLACE: Rate(60, MINUTE, 30, "A lot of questions are asked here right now.", "Ask me again"),
    What.FILE: Rate(30, HOUR, 30, "That was a lot of files within an hour.", "You can teach me more"),
    What.FEEDBACK: Rate(30, MINUTE, 30, "That was a lot of feedback at once.", "Please try again"),
    What.NOTE: Rate(30, HOUR, 10, "That was a lot to remember at once.", "Please tell me the rest"),
    What.LINK: Rate(10, HOUR, 5, "Those were a lot of codes.", "Please try again"),
    What.EXPORT: Rate(6, HOUR, 3, "That was a lot of exports at once.", "You can have another"),
}


class Rates:
    """Counts what is done, and refuses what is done too often."""

    def __init__(self, rates: Mapping[What, Rate] = RATES, *, clock: Callable[[], float] = monotonic) -> None:
        self._buckets = {what: _Buckets(rate) for what, rate in rates.items()}
        self._clock = clock

    def take(self, what: What, key: str, count: int = 1) -> None:
        """Count something that is about to be done; raises `TooFast`, which counts nothing."""
        self.take_all({what: key}, count)

    def take_all(self, keys: Mapping[What, str], count: int = 1) -> None:
        """Count something in several ways, such as by person and by place: in all of them, or in none and raise `TooFast`."""
        now = self._clock()
        for what, key in keys.items():
            self._buckets[what].check(key, count, now)
        for what, key in keys.items():
            self._buckets[what].take(key, count, now)

    @property
    def keys(self) -> int:
        """How many keys are kept in memory."""
        return sum(len(buckets.full_at) for buckets in self._buckets.values())


class _Buckets:
    """The buckets of one rate, as the moment when each will be full again: a full one need not be kept."""

    def __init__(self, rate: Rate) -> None:
        self.full_at: OrderedDict[str, float] = OrderedDict()
        self._rate = rate
        self._refill = rate.seconds / rate.times  # seconds for one

    def check(self, key: str, count: int, now: float) -> None:
        # More at once than a bucket holds is let through when it is full, and paid for afterwards.
        most = max(0, self._rate.burst - count) * self._refill
        wait = self.full_at.get(key, now) - now - most
        if wait > 1e-9:  # what rounding leaves
            raise TooFast(self._rate.what, self._rate.then, wait)

    def take(self, key: str, count: int, now: float) -> None:
        self.full_at[key] = max(self.full_at.get(key, now), now) + count * self._refill
        self.full_at.move_to_end(key)
        while len(self.full_at) > _KEYS or self._oldest_is_full(now):
            self.full_at.popitem(last=False)

    def _oldest_is_full(self, now: float) -> bool:
        return next(iter(self.full_at.values()), now + 1) <= now
