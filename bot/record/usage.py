"""What language models were used for and what it cost: kept off the answer's path, summed up for people and for budgets."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any, Protocol, TypeVar

import structlog
from sqlalchemy import ColumnElement, Row, Select, case, func, insert, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.tables import MESSAGES, USAGE

log = structlog.get_logger()

WRITE_EVERY = 1.0  # seconds
_MOST = 10_000  # records held while the database is away
DONE = "done"  # the outcome of a use that brought what was asked for
_SLICE = 500  # rows written between two breaths of the event loop
_FRESH = timedelta(minutes=1)  # for so long today's sums are believed: other processes add to them as well

_Query = TypeVar("_Query", bound=Select[*tuple[Any, ...]])


class Spent(Protocol):
    """One use of a language model; `cost` in the currency of the prices, `outcome` "done" or what went wrong."""

    @property
    def provider(self) -> str: ...

    @property
    def model(self) -> str: ...

    @property
    def tokens_in(self) -> int: ...

    @property
    def tokens_out(self) -> int: ...

    @property
    def cost(self) -> float: ...

    @property
    def milliseconds(self) -> float: ...

    @property
    def outcome(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Sum:
    """Tokens in and out together, and money."""

    tokens: int = 0
    cost: float = 0.0

    def __add__(self, other: "Sum") -> "Sum":
        return Sum(self.tokens + other.tokens, self.cost + other.cost)


@dataclass(frozen=True, slots=True)
class Today:
    """What was used since midnight by a person and in total, and when the day ends."""

    own: Sum
    total: Sum
    until: datetime


@dataclass(frozen=True, slots=True)
class Use:
    """What a model was used for: how often, how often without success, and what it took; `milliseconds` on average."""

    provider: str
    model: str
    purpose: str
    times: int
    failed: int
    tokens_in: int
    tokens_out: int
    cost: float
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Figures:
    """What was asked and answered, and the uses of models, the most used first."""

    questions: int
    answers: int
    abstained: int
    uses: tuple[Use, ...]

    @property
    def share_abstained(self) -> float:
        return self.abstained / self.answers if self.answers else 0.0


class Usage:
    """Uses of language models, in the database at the latest a second after they were recorded.

    What a process did not write before it was killed is lost; nothing but figures and budgets rests on it.
    """

    def __init__(
        self, engine: AsyncEngine, *, timezone: tzinfo = UTC, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._engine = engine
        self._timezone = timezone
        self._now = now
        self._queue: list[Mapping[str, Any]] = []
        self._lost = 0
        self._some = asyncio.Event()
        self._closing = asyncio.Event()
        self._writing = asyncio.Lock()  # while it is held, nothing goes from the queue to the database
        self._day = _Day(datetime.min.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC), {})

    async def record(self, spent: Spent, *, person: str, place: str, purpose: str) -> None:
        """Keep a use; it counts at once, and is written soon."""
        now = self._now()
        if len(self._queue) < _MOST:
            self._queue.append(_row(spent, now, person, place, purpose))
            self._some.set()
        else:
            self._lost += 1
        if now < self._day.until:  # else it is counted when the day is loaded
            self._day.add(person, Sum(spent.tokens_in + spent.tokens_out, spent.cost))

    async def flush(self) -> None:
        """Write what is not written yet."""
        async with self._writing:
            while batch := self._queue[:_SLICE]:
                async with self._engine.begin() as connection:
                    await connection.execute(insert(USAGE), batch)
                del self._queue[: len(batch)]
            if self._lost:
                log.warning("uses of models were lost while the database was away", count=self._lost)
                self._lost = 0

    async def run(self) -> None:
        """Write what is recorded, a second's worth at a time, until closed."""
        while True:
            await self._some.wait()
            self._some.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(WRITE_EVERY):
                    await self._closing.wait()
            try:
                await self.flush()
            except (DBAPIError, OSError) as error:
                log.warning("uses of models could not be written", reason=type(error).__name__, waiting=len(self._queue))
                self._some.set()
            if self._closing.is_set():
                return

    def close(self) -> None:
        """Let `run` write the last of it and end."""
        self._closing.set()
        self._some.set()

    async def today(self, person: str) -> Today:
        """Return what was used today in the twin's time zone."""
        if not self._day.holds(self._now()):
            await self._load()
        return Today(self._day.sums.get(person, Sum()), self._day.total, self._day.until)

    async def _load(self) -> None:
        now = self._now()
        if self._writing.locked() and self._day.loaded <= now < self._day.until:
            return  # what is known already will do, while the database takes its time
        async with self._writing:
            if self._day.holds(now):
                return
            begin, until = _day_of(now, self._timezone)
            sums = select(USAGE.c.person, func.sum(USAGE.c.tokens_in + USAGE.c.tokens_out), func.sum(USAGE.c.cost))
            async with self._engine.execution_options(reading=True).connect() as connection:
                rows = (await connection.execute(sums.where(USAGE.c.at >= begin).group_by(USAGE.c.person))).all()
            self._day = _Day(now, until, {person: Sum(int(tokens), float(cost)) for person, tokens, cost in rows})
            for row in self._queue:
                if row["at"] >= begin:
                    self._day.add(row["person"], Sum(row["tokens_in"] + row["tokens_out"], row["cost"]))

    async def figures(self, since: datetime, person: str | None = None) -> Figures:
        """Sum up what was asked and written down since a moment, by one person or by all."""
        async with self._engine.execution_options(reading=True).connect() as connection:
            questions = (await connection.execute(_questions(since, person))).scalar_one()
            answers, abstained = (await connection.execute(_answers(since, person))).one()
            uses = (await connection.execute(_uses(since, person))).all()
        return Figures(questions, answers, int(abstained or 0), tuple(map(_use, uses)))


@asynccontextmanager
async def open_usage(engine: AsyncEngine, *, timezone: tzinfo = UTC) -> AsyncIterator[Usage]:
    """Keep uses while it is open, and write the last of them on closing."""
    usage = Usage(engine, timezone=timezone)
    # No TaskGroup: it would wrap the errors of those who use it.
    writer = asyncio.create_task(usage.run(), name="usage")
    try:
        yield usage
    finally:
        usage.close()
        await writer


class _Day:
    """Today's sums by person, as they were when loaded and with what was recorded since."""

    def __init__(self, loaded: datetime, until: datetime, sums: dict[str, Sum]) -> None:
        self.loaded = loaded
        self.until = until
        self.sums = sums
        self.total = sum(sums.values(), Sum())

    def holds(self, now: datetime) -> bool:
        return self.loaded <= now < min(self.loaded + _FRESH, self.until)

    def add(self, person: str, spent: Sum) -> None:
        self.sums[person] = self.sums.get(person, Sum()) + spent
        self.total += spent


def _day_of(now: datetime, timezone: tzinfo) -> tuple[datetime, datetime]:
    """Return the midnights before and after a moment; between them are 23 to 25 hours."""
    date = now.astimezone(timezone).date()
    begin, end = (datetime.combine(day, time.min, timezone) for day in (date, date + timedelta(days=1)))
    return begin, end


def _row(spent: Spent, at: datetime, person: str, place: str, purpose: str) -> Mapping[str, Any]:
    names = ("provider", "model", "tokens_in", "tokens_out", "cost", "milliseconds", "outcome")
    return {"at": at, "person": person, "place": place, "purpose": purpose, **{name: getattr(spent, name) for name in names}}


def _questions(since: datetime, person: str | None) -> Select[int]:
    asked = MESSAGES.c.role == "user", MESSAGES.c.said_at >= since
    return _by(select(func.count()).select_from(MESSAGES).where(*asked), MESSAGES.c.person, person)


def _answers(since: datetime, person: str | None) -> Select[int, Any]:
    """Count the answers that stand, each by who asked, and those of them that say that the twin doesn't know."""
    answer = MESSAGES.alias()
    given = answer.c.superseded.is_(False), answer.c.said_at >= since
    abstained = func.sum(case((answer.c.abstained, 1), else_=0))
    counted = (
        select(func.count(), abstained).select_from(answer.join(MESSAGES, MESSAGES.c.id == answer.c.answers)).where(*given)
    )
    return _by(counted, MESSAGES.c.person, person)


def _uses(since: datetime, person: str | None) -> Select[*tuple[Any, ...]]:
    by = USAGE.c.provider, USAGE.c.model, USAGE.c.purpose
    failed = func.sum(case((USAGE.c.outcome == DONE, 0), else_=1))
    tokens = func.sum(USAGE.c.tokens_in), func.sum(USAGE.c.tokens_out)
    sums = select(*by, func.count(), failed, *tokens, func.sum(USAGE.c.cost), func.avg(USAGE.c.milliseconds))
    return _by(sums.where(USAGE.c.at >= since).group_by(*by).order_by(func.count().desc(), *by), USAGE.c.person, person)


def _by(query: _Query, column: ColumnElement[str], person: str | None) -> _Query:
    return query if person is None else query.where(column == person)


def _use(row: Row[*tuple[Any, ...]]) -> Use:
    provider, model, purpose, times, failed, tokens_in, tokens_out, cost, milliseconds = row
    return Use(provider, model, purpose, times, int(failed), int(tokens_in), int(tokens_out), float(cost), float(milliseconds))
