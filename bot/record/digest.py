"""What was learned in a place lately, what was asked there, and what nobody could answer."""

from collections import Counter
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.chat import Place
from bot.record.memory import MESSAGE, NOTE
from bot.tables import CONVERSATIONS, GAPS, MESSAGES, PEOPLE
from knowledge import Audience, Document, Knowledge, State


@dataclass(frozen=True, slots=True)
class Teacher:
    """Somebody by their name, which may not be known, and how many documents they taught."""

    name: str
    documents: int


@dataclass(frozen=True, slots=True)
class Digest:
    """What happened in a place since then.

    `learned` are the files, newest first, `messages` how many chat messages were learned beside them. `open` are the questions
    that nobody could answer there, the latest first, and `origins` the messages of a platform that asked them.
    """

    place: str
    since: datetime
    learned: tuple[Document, ...]
    messages: int
    teachers: tuple[Teacher, ...]
    asked: int
    answered: int
    open: tuple[str, ...]
    origins: tuple[str, ...] = ()


class Digests:
    """Sums up places."""

    def __init__(self, engine: AsyncEngine, knowledge: Knowledge) -> None:
        self._engine = engine.execution_options(reading=True)
        self._knowledge = knowledge

    async def of(self, place: Place, since: datetime, *, scopes: AbstractSet[str], audience: Audience) -> Digest:
        """Sum up what was learned in some scopes and asked in a place; what is named is what the audience may see now."""
        documents = await self._knowledge.catalogue.documents(audience)
        lately = [one for one in documents if one.state is State.READY and one.added_at >= since and scopes & {*one.scopes}]
        learned = tuple(one for one in lately if one.kind not in {MESSAGE, NOTE})
        async with self._engine.connect() as connection:
            teachers = await _teachers(connection, learned)
            asked = (await connection.execute(_asked(place, since))).scalar_one()
            answered = (await connection.execute(_answered(place, since))).scalar_one()
            gaps = (await connection.execute(_gaps(place, since))).all()
        messages = sum(one.kind == MESSAGE for one in lately)
        latest: dict[str, str] = {}
        for row in gaps:  # what was asked again and again is named once, as it was asked last
            latest.setdefault(row.text, row.origin or "")
        return Digest(place.id, since, learned, messages, teachers, asked, answered, tuple(latest), tuple(latest.values()))


async def _teachers(connection: AsyncConnection, documents: Iterable[Document]) -> tuple[Teacher, ...]:
    """Return who taught documents, whoever taught most first."""
    counted = Counter(one.added_by for one in documents)
    rows = await connection.execute(select(PEOPLE.c.id, PEOPLE.c.name).where(PEOPLE.c.id.in_(list(counted))))
    names: dict[str, str] = {row.id: row.name for row in rows}
    return tuple(Teacher(names.get(person, ""), documents) for person, documents in counted.most_common())


def _held(place: Place, since: datetime) -> tuple[ColumnElement[bool], ...]:
    """Return what makes a message a question that was asked in a place."""
    return CONVERSATIONS.c.place == place.id, MESSAGES.c.role == "user", MESSAGES.c.said_at >= since


_THERE = MESSAGES.join(CONVERSATIONS, CONVERSATIONS.c.id == MESSAGES.c.conversation_id)


def _asked(place: Place, since: datetime) -> Select[int]:
    return select(func.count()).select_from(_THERE).where(*_held(place, since))


def _answered(place: Place, since: datetime) -> Select[int]:
    answer = MESSAGES.alias()
    given = (answer.c.superseded.is_(False), answer.c.abstained.is_(False))
    joined = _THERE.join(answer, answer.c.answers == MESSAGES.c.id)
    return select(func.count()).select_from(joined).where(*_held(place, since), *given)


def _gaps(place: Place, since: datetime) -> Select[str, str | None]:
    joined = _THERE.join(GAPS, GAPS.c.message_id == MESSAGES.c.id)
    query = select(MESSAGES.c.text, MESSAGES.c.origin).select_from(joined).where(*_held(place, since))
    return query.order_by(MESSAGES.c.said_at.desc(), MESSAGES.c.n.desc())
