"""The jobs in the database: what is read and written, each within a transaction of the caller."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Integer, Row, bindparam, delete, func, literal, select, union_all, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from scheduler.fates import LONGEST_PAUSE, Fate, State, Taken
from scheduler.kinds import Job
from scheduler.tables import JOBS

_PUT = {
    "sqlite": sqlite.insert(JOBS).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(JOBS).on_conflict_do_nothing(),
}
_UNFINISHED = JOBS.c.finished_at.is_(None)  # the words by which both databases see that the index of the unfinished will do
_RUNNING = _UNFINISHED & (JOBS.c.state == State.RUNNING)
_TAKEN = [JOBS.c[field.name] for field in fields(Taken)]
_SETTLE = (
    update(JOBS)
    .where(JOBS.c.key == bindparam("of"), JOBS.c.owner == bindparam("by"))
    .values({field.name: bindparam(field.name) for field in fields(Fate)} | {"owner": None})
)
# Due is what waits no longer, and what seems to wait longer than any job may, because a clock was set back meanwhile. (An OR of
# the two would have SQLite collect and sort all that is due, to take a few.)
_TIME = JOBS.c.not_before.type
_DUE = ~JOBS.c.not_before.between(bindparam("after", type_=_TIME), bindparam("latest", type_=_TIME))
_FORGOTTEN_AT_ONCE = 500  # rows: those who want to write must not wait long


def put(connection: Connection, job: Job, now: datetime) -> None:
    """Add a job unless its key is known."""
    row = asdict(job) | {"lane": job.kind, "state": State.WAITING, "put_at": now, "not_before": now}
    connection.execute(_PUT[connection.dialect.name], row)


class Line:
    """The jobs that wait in some lanes, for processes that know some kinds."""

    def __init__(self, lanes: Sequence[str], kinds: Sequence[str]) -> None:
        ours = (_UNFINISHED, JOBS.c.state == State.WAITING)
        known = JOBS.c.kind.in_(kinds)  # a newer version of the program may have put others into the lanes for all kinds
        firsts, takes = [], []
        for n, lane in enumerate(lanes):
            here = (*ours, JOBS.c.lane == lane, known)
            firsts.append(select(literal(lane).label("lane"), func.min(JOBS.c.not_before).label("first")).where(*here))
            oldest = select(JOBS.c.key).where(*here, _DUE).order_by(JOBS.c.not_before)
            rows = oldest.limit(bindparam(f"free{n}", type_=Integer))
            takes.append(select(rows.with_for_update(skip_locked=True).subquery(f"lane{n}").c.key))
        self._lanes = tuple(lanes)
        self._firsts = union_all(*firsts)
        chosen = union_all(*takes).cte("chosen")
        self._take = (
            update(JOBS)
            .where(JOBS.c.key.in_(select(chosen.c.key)))
            .values(state=State.RUNNING, owner=bindparam("by"))
            .returning(*_TAKEN)
        )

    async def rest(self, connection: AsyncConnection, lanes: Collection[str], now: datetime) -> float | None:
        """Return in how many seconds the first job of these lanes is due, 0 when it is; `None` when none waits."""
        firsts = (await connection.execute(self._firsts)).all()
        waits = [(first - now).total_seconds() for lane, first in firsts if lane in lanes and first is not None]
        return min((wait if 0 < wait <= LONGEST_PAUSE else 0.0 for wait in waits), default=None)  # longer: see _DUE

    async def take(self, connection: AsyncConnection, owner: str, free: Mapping[str, int], now: datetime) -> list[Taken]:
        """Have the owner do what is due: of each lane as many as it has free slots, the oldest first.

        On SQLite the transaction is the only one that writes. On Postgres SKIP LOCKED passes over what another process is just
        taking, as the manual of SELECT proposes for "multiple consumers accessing a queue-like table"; the choice stands in a
        WITH query because one that locks rows is carried out once, while a subquery might be run, and lock, again and again.
        """
        slots = {f"free{n}": free.get(lane, 0) for n, lane in enumerate(self._lanes)}
        rows = await connection.execute(self._take, slots | _when(now) | {"by": owner})
        return sorted(map(_taken, rows), key=lambda job: job.not_before)


async def settle(connection: AsyncConnection, owner: str, fates: Iterable[Fate]) -> None:
    """Write down what became of jobs, unless they are the owner's no more: cancelled meanwhile, or taken over."""
    if rows := [{"of": fate.key, "by": owner} | asdict(fate) for fate in fates]:
        await connection.execute(_SETTLE, rows)


async def hand_back(connection: AsyncConnection, owner: str, *, but: Collection[str]) -> int:
    """Have what an owner has taken wait again, but for these; return how many there were."""
    here = (_RUNNING, JOBS.c.owner == owner, JOBS.c.key.not_in(but))
    return (await connection.execute(update(JOBS).where(*here).values(state=State.WAITING, owner=None))).rowcount


async def owners(connection: AsyncConnection) -> set[str]:
    """Return which processes have taken jobs and not finished them."""
    return set((await connection.execute(select(JOBS.c.owner).where(_RUNNING).distinct())).scalars())


async def taken_by(connection: AsyncConnection, owner: str) -> list[Taken]:
    """Return what a process has taken and not finished."""
    return [_taken(row) for row in await connection.execute(select(*_TAKEN).where(_RUNNING, JOBS.c.owner == owner))]


async def cancel(connection: AsyncConnection, key: str, now: datetime) -> None:
    """End a job; one that is given up is told all the same."""
    here = (_UNFINISHED, JOBS.c.key == key, JOBS.c.reason.is_(None))
    await connection.execute(update(JOBS).where(*here).values(state=State.CANCELLED, owner=None, finished_at=now))


async def unfinished(connection: AsyncConnection) -> Counter[str]:
    """Count what waits or runs in each lane."""
    query = select(JOBS.c.lane, func.count()).where(_UNFINISHED).group_by(JOBS.c.lane)
    return Counter(dict((await connection.execute(query)).all()))


async def forget(connection: AsyncConnection, before: datetime) -> int:
    """Delete some of the jobs that were finished before that; return how many, none when all are gone."""
    old = select(JOBS.c.key).where(JOBS.c.finished_at < before).limit(_FORGOTTEN_AT_ONCE)
    return (await connection.execute(delete(JOBS).where(JOBS.c.key.in_(old)))).rowcount


def _when(now: datetime) -> dict[str, object]:
    return {"after": now + timedelta(microseconds=1), "latest": now + timedelta(seconds=LONGEST_PAUSE)}


def _taken(row: Row[Any]) -> Taken:
    return Taken(**row._mapping)
