"""What people think of answers, and what it does to the passages they rest on."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from sqlalchemy import ColumnElement, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.chat import Person
from bot.errors import BadFeedback, UnknownMessage
from bot.tables import CITATIONS, FEEDBACK, MESSAGES

_PRUDENCE = 3  # opinions: so many more would have to agree for a passage to move half of the way


class Priors(Protocol):
    """Where what people think of passages is kept for retrieval."""

    async def set(self, values: dict[str, float]) -> None:
        """Keep a value from -1 to 1 for each passage; 0 is none."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a person thinks of an answer now (1, -1, or 0 for nothing), and thought before."""

    value: int
    before: int


class Feedback:
    """Keeps one opinion a person and answer; each moves the passages that the answer cites, within bounds."""

    def __init__(self, engine: AsyncEngine, priors: Priors) -> None:
        self._engine = engine
        self._priors = priors

    async def give(self, message_id: str, person: Person, value: int, reason: str = "") -> Opinion:
        """Keep an opinion; 0 takes it back. Raises `UnknownMessage` and `BadFeedback`."""
        if value not in {-1, 0, 1}:
            raise BadFeedback("Feedback is 1 for good, -1 for bad, or 0 to take it back.")
        async with self._engine.begin() as connection:
            answer = select(MESSAGES.c.id).where(MESSAGES.c.id == message_id, MESSAGES.c.role == "assistant")
            if not (await connection.execute(answer)).first():
                raise UnknownMessage()
            mine = (FEEDBACK.c.message_id == message_id, FEEDBACK.c.person == person.id)
            before: int | None = (await connection.execute(select(FEEDBACK.c.value).where(*mine))).scalar()
            await connection.execute(delete(FEEDBACK).where(*mine))
            if value:
                row = {"message_id": message_id, "person": person.id, "value": value, "reason": reason}
                await connection.execute(insert(FEEDBACK).values(row | {"at": datetime.now(UTC)}))
            cited = select(CITATIONS.c.passage_id).where(CITATIONS.c.message_id == message_id)
            values = await _thought(connection, (await connection.execute(cited)).scalars())
        await self._priors.set(values)
        return Opinion(value, before or 0)

    async def forget_person(self, person: Person) -> None:
        """Take back everything that a person thought, and what it moved."""
        async with self._engine.begin() as connection:
            judged = select(FEEDBACK.c.message_id).where(FEEDBACK.c.person == person.id)
            passages = select(CITATIONS.c.passage_id).where(CITATIONS.c.message_id.in_(judged))
            touched = list((await connection.execute(passages)).scalars())
            await connection.execute(delete(FEEDBACK).where(FEEDBACK.c.person == person.id))
            values = await _thought(connection, touched)
        await self._priors.set(values)

    async def counts(self, where: ColumnElement[bool]) -> tuple[int, int]:
        """Return how many good and bad opinions there are."""
        query = select(FEEDBACK.c.value, func.count()).where(where).group_by(FEEDBACK.c.value)
        async with self._engine.execution_options(reading=True).connect() as connection:
            counted: dict[int, int] = {row[0]: row[1] for row in await connection.execute(query)}
        return counted.get(1, 0), counted.get(-1, 0)


async def _thought(connection: AsyncConnection, passages: Iterable[str]) -> dict[str, float]:
    """Return what all opinions together say of passages, -1 to 1: their sum, shrunk towards 0 where they are few."""
    ids = {passage for passage in passages if passage}
    query = (
        select(CITATIONS.c.passage_id, func.sum(FEEDBACK.c.value), func.count())
        .join(FEEDBACK, FEEDBACK.c.message_id == CITATIONS.c.message_id)
        .where(CITATIONS.c.passage_id.in_(ids))
        .group_by(CITATIONS.c.passage_id)
    )
    said = {passage: total / (count + _PRUDENCE) for passage, total, count in await connection.execute(query)}
    return {passage: float(said.get(passage, 0.0)) for passage in ids}
