"""Who is next: at most so many answers are written at once, and people take turns in getting one."""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import IntEnum
from math import ceil
from time import monotonic

from bot.errors import Busy

PATIENCE = 30.0
"""How many seconds an answer may be waited for; what would wait longer is not admitted."""
_WEIGHT = 0.05  # of the newest turn in the average of how long they take, once there were some


class Urgency(IntEnum):
    """What goes first: what somebody waits for, then what happens by itself."""

    ANSWER = 0
    DIGEST = 1
    TRAINING = 2


class Turns:
    """Turns for people: `at_once` are had at the same time, and `each` of them by one person (half of them when not said).

    Who waits is called in rounds, one turn a person and round, the more urgent first. The last free turn is kept for answers.
    `waiting` and `waiting_each` bound what is in memory, for all and for one person; `typical` is how many seconds a turn
    takes, until some were had.
    """

    def __init__(
        self,
        at_once: int,
        *,
        each: int | None = None,
        waiting: int = 1_000,
        waiting_each: int = 50,
        typical: float = 8.0,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._at_once = at_once
        self._each = each or max(1, at_once // 2)
        self._most = waiting
        self._most_each = waiting_each
        self._clock = clock
        self._lines = {urgency: _Line(typical) for urgency in Urgency}
        self._having: Counter[str] = Counter()

    @property
    def running(self) -> int:
        return self._having.total()

    @property
    def waiting(self) -> int:
        return sum(line.waiting for line in self._lines.values())

    @property
    def people(self) -> int:
        """How many people have a turn or wait for one."""
        return len(self._having.keys() | {person for line in self._lines.values() for person in line.queues})

    def admit(self, person: str, backlog: int = 0, own: int = 0) -> None:
        """Say at once whether a question would be answered soon; raises `Busy` with how long it would take.

        `backlog` counts the questions that were accepted and have not come to `turn` yet, `own` those of this person in it.
        As many may wait as are answered within `PATIENCE`, and one always. Of what room there is one person has at most half,
        so that there is some left for others; and no more than can be answered soon when all who wait go on asking.
        """
        if self.running + backlog < self._at_once and self._may_have_another(person):
            return
        line = self._lines[Urgency.ANSWER]
        ahead, own = line.waiting + backlog, line.waiting_of(person) + own
        most = max(1, int(self._at_once * PATIENCE / line.seconds))
        rounds = (own + 1) * len(line.queues.keys() | {person})
        if own >= most - ahead or (own and rounds > most):
            raise Busy(_minutes((ahead + 1) * line.seconds / self._at_once))

    def expected_wait(self, person: str, urgency: Urgency = Urgency.ANSWER) -> float:
        """Return about how many seconds a person would wait for one more turn."""
        if self.running < self._room(urgency) and self._may_have_another(person):
            return 0.0  # who waits although a turn is free has as many as one may
        own = self._lines[urgency]
        seconds = sum(line.waiting * line.seconds for other, line in self._lines.items() if other < urgency)
        return (seconds + (own.before(person) + 1) * own.seconds) / self._at_once

    @asynccontextmanager
    async def turn(self, person: str, urgency: Urgency = Urgency.ANSWER) -> AsyncIterator[None]:
        """Wait for a turn and have it; raises `Busy` at once when more wait than are held in memory."""
        line = self._lines[urgency]
        if self.waiting >= self._most or line.waiting_of(person) >= self._most_each:
            raise Busy(_minutes(self.expected_wait(person, urgency)))
        await self._called(line, person)
        began = self._clock()
        try:
            yield
        finally:
            line.took(self._clock() - began)
            self._end(person)

    async def _called(self, line: "_Line", person: str) -> None:
        ticket = _Ticket(person, asyncio.get_running_loop().create_future())
        line.join(ticket)
        self._call()
        try:
            await ticket.called
        except asyncio.CancelledError:
            if ticket.called.cancelled():
                line.leave(ticket)
            else:  # called and sent away in the same instant
                self._end(person)
            raise

    def _call(self) -> None:
        for urgency, line in self._lines.items():
            while self.running < self._room(urgency) and (ticket := line.next(self._may_have_another)):
                self._having[ticket.person] += 1
                ticket.called.set_result(None)

    def _end(self, person: str) -> None:
        self._having[person] -= 1
        if not self._having[person]:
            del self._having[person]
        self._call()

    def _may_have_another(self, person: str) -> bool:
        return self._having[person] < self._each

    def _room(self, urgency: Urgency) -> int:
        return self._at_once if urgency is Urgency.ANSWER else max(1, self._at_once - 1)


@dataclass(eq=False, slots=True)
class _Ticket:
    person: str
    called: asyncio.Future[None]


class _Line:
    """Who waits for the same kind of turn: people in a ring, the next one first, and how long such a turn takes."""

    def __init__(self, seconds: float) -> None:
        self.queues: OrderedDict[str, deque[_Ticket]] = OrderedDict()
        self.waiting = 0
        self.seconds = seconds
        self._had = 1  # what is typical stands for the first

    def took(self, seconds: float) -> None:
        self._had += 1
        self.seconds += max(_WEIGHT, 1 / self._had) * (seconds - self.seconds)

    def waiting_of(self, person: str) -> int:
        return len(self.queues.get(person, ()))

    def before(self, person: str) -> int:
        """Return how many turns will be had before one more of this person."""
        own = self.waiting_of(person)
        return own + sum(min(len(queue), own + 1) for other, queue in self.queues.items() if other != person)

    def join(self, ticket: _Ticket) -> None:
        self.queues.setdefault(ticket.person, deque()).append(ticket)
        self.waiting += 1

    def leave(self, ticket: _Ticket) -> None:
        queue = self.queues.get(ticket.person, deque())
        if ticket in queue:  # else it was passed over already
            queue.remove(ticket)
            self._took_from(ticket.person)

    def next(self, may: Callable[[str], bool]) -> _Ticket | None:
        """Take out who is next of those that may, and let that person go to the end of the ring."""
        for person in tuple(self.queues):
            queue = self.queues[person]
            while queue and queue[0].called.cancelled():
                queue.popleft()
                self._took_from(person)
            if queue and may(person):
                self.queues.move_to_end(person)
                ticket = queue.popleft()
                self._took_from(person)
                return ticket
        return None

    def _took_from(self, person: str) -> None:
        self.waiting -= 1
        if not self.queues[person]:
            del self.queues[person]


def _minutes(seconds: float) -> int:
    return max(1, ceil(seconds / 60))
