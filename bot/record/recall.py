"""What was said, as it may be shown now: the reading side of the history. Rows never leave it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Integer, Row, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot import db
from bot.chat import Answer, Person, Place, Source, Timings
from bot.errors import UnknownConversation, UnknownMessage
from bot.record.said import NOTHING_SAID, RESTS_ON, WITHHELD, Candidate, Fate, Recent, Said, Visible
from bot.tables import CANDIDATES, CITATIONS, CONVERSATIONS, MESSAGES


class Recall:
    """Reads conversations. It never waits for a writer."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine.execution_options(reading=True)

    async def recent(
        self, conversation: str, *, visible: Visible, held_by: tuple[Place, Person] | None = None, most: int = 24
    ) -> Recent:
        """Return what was said last and is not in the summary; what rests on documents that are not visible is left out.

        Raises `UnknownConversation` when it is not `held_by` this person in this place, before a word of it is read.
        """

        async def read(connection: AsyncConnection) -> _Read | None:
            about = (await connection.execute(_ABOUT, {"conversation": conversation})).one_or_none()
            if held_by and (about is None or (about.place, about.person) != (held_by[0].id, held_by[1].id)):
                raise UnknownConversation(conversation)
            return None if about is None else await _read(connection, about, most)

        if (found := await db.transaction(self._engine, read)) is None:
            return NOTHING_SAID
        rests = found.rests
        seen = await visible({document for documents in rests.values() for document in documents})
        gone = {message for message, documents in rests.items() if not documents <= seen}
        said = tuple(_said(row) for row in found.latest if row.id not in gone)
        summary = "" if found.summed_up & gone else found.summary
        used = {one.id for one in said} | (found.summed_up if summary else set())
        return Recent(summary, said, frozenset(document for one in used for document in rests.get(one, ())))

    async def conversation(self, conversation: str, *, visible: Visible) -> list[Said]:
        """Return everything said, with sources; the words of answers that may not be shown now are withheld."""
        async with self._engine.connect() as connection:
            mine = MESSAGES.c.conversation_id == conversation
            rows = (await connection.execute(select(MESSAGES).where(mine).order_by(MESSAGES.c.n, MESSAGES.c.role.desc()))).all()
            rests = await _rests_on(connection, _resting(mine))
            sources = await _sources(connection, mine)
        seen = await visible({document for documents in rests.values() for document in documents})
        return [
            _said(row, sources.get(row.id, ())) if rests.get(row.id, set()) <= seen else replace(_said(row), text=WITHHELD)
            for row in rows
        ]

    async def answer(self, message_id: str, *, visible: Visible) -> Answer:
        """Return an answer as it may be shown now; raises `UnknownMessage`."""
        async with self._engine.connect() as connection:
            this = MESSAGES.c.id == message_id
            row = (await connection.execute(select(MESSAGES).where(this, MESSAGES.c.role == "assistant"))).one_or_none()
            if row is None:
                raise UnknownMessage()
            rests = await _rests_on(connection, _resting(this))
            sources = await _sources(connection, this)
        documents = rests.get(message_id, set())
        shown = documents <= await visible(documents)
        return Answer(
            text=row.text if shown else WITHHELD,
            sources=sources.get(message_id, ()) if shown else (),
            abstained=row.abstained,
            provider=row.provider or "",
            model=row.model or "",
            conversation_id=row.conversation_id,
            message_id=row.id,
            timings_ms=Timings(total=row.milliseconds or 0.0),
            notice=row.notice,
        )

    async def answered(self, question_id: str) -> str | None:
        """Return the id of the present answer to a question."""
        async with self._engine.connect() as connection:
            row = await answer_to(connection, question_id)
            return row.id if row else None

    async def question(self, message_id: str) -> tuple[str, str]:
        """Return id and text of the question that an answer answers; raises `UnknownMessage`."""
        asked = MESSAGES.alias()
        query = select(asked.c.id, asked.c.text).join(MESSAGES, MESSAGES.c.answers == asked.c.id)
        async with self._engine.connect() as connection:
            row = (await connection.execute(query.where(MESSAGES.c.id == message_id))).one_or_none()
        if row is None:
            raise UnknownMessage()
        return row.id, row.text

    async def held(self, message_or_conversation: str) -> tuple[str, Place, Person]:
        """Return conversation, place and first person of a message or conversation; raises `UnknownMessage`."""
        inside = select(MESSAGES.c.conversation_id).where(MESSAGES.c.id == message_or_conversation)
        query = select(CONVERSATIONS).where((CONVERSATIONS.c.id == message_or_conversation) | CONVERSATIONS.c.id.in_(inside))
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise UnknownMessage()
        return row.id, Place(row.place), Person(row.person)

    async def candidates(self, message_id: str) -> tuple[str, list[Candidate]]:
        """Return what was searched for an answer and what was considered, best first."""
        async with self._engine.connect() as connection:
            query = (await connection.execute(select(MESSAGES.c.query).where(MESSAGES.c.id == message_id))).scalar()
            mine = select(CANDIDATES).where(CANDIDATES.c.message_id == message_id).order_by(CANDIDATES.c.rank)
            rows = (await connection.execute(mine)).all()
        return query or "", [
            Candidate(r.passage_id, r.document_id, r.score, r.dense, r.lexical, r.prior, Fate(r.fate)) for r in rows
        ]

    async def conversations(self, person: Person) -> list[tuple[str, str, datetime]]:
        """Return id, place and beginning of a person's conversations, newest first."""
        mine = CONVERSATIONS.c.person == person.id
        query = select(CONVERSATIONS.c.id, CONVERSATIONS.c.place, CONVERSATIONS.c.started_at).where(mine)
        async with self._engine.connect() as connection:
            rows = await connection.execute(query.order_by(CONVERSATIONS.c.started_at.desc()))
            return [(row.id, row.place, row.started_at) for row in rows]


@dataclass(frozen=True, slots=True)
class _Read:
    """What a conversation is: its summary, its latest messages, the messages summed up that rest on documents, and on which."""

    summary: str
    latest: Sequence[Row[Any]]
    summed_up: set[str]
    rests: dict[str, set[str]]


async def _read(connection: AsyncConnection, about: Row[Any], most: int) -> _Read:
    """Read a conversation, its latest messages oldest first."""
    this = {"conversation": about.id, "summarised": about.summarised}
    rests = await _rests_on(connection, _RESTS, this)
    rows = (await connection.execute(_LATEST, this | {"most": most})).all()[::-1]
    before = select(MESSAGES.c.id).where(_THIS, MESSAGES.c.n < about.summarised, MESSAGES.c.id.in_(rests))
    summed_up = set((await connection.execute(before, this)).scalars()) if about.summary and rests else set[str]()
    return _Read(about.summary, rows, summed_up, rests)


async def answer_to(connection: AsyncConnection, question_id: str) -> Row[Any, Any] | None:
    """Return the present answer to a question, if it has one."""
    query = select(MESSAGES.c.id, MESSAGES.c.conversation_id).where(MESSAGES.c.answers == question_id, ~MESSAGES.c.superseded)
    return (await connection.execute(query)).first()


async def _rests_on(
    connection: AsyncConnection, query: CompoundSelect[Any], told: dict[str, object] | None = None
) -> dict[str, set[str]]:
    """Return the documents that each of some answers rests on, by message."""
    found: dict[str, set[str]] = {}
    for message, document in await connection.execute(query, told):
        found.setdefault(message, set()).add(document)
    return found


def _resting(where: ColumnElement[bool]) -> CompoundSelect[Any]:
    cited = select(CITATIONS.c.message_id, CITATIONS.c.document_id).join(MESSAGES).where(where)
    read = select(CANDIDATES.c.message_id, CANDIDATES.c.document_id).join(MESSAGES).where(where)
    return cited.union(read.where(CANDIDATES.c.fate.in_(RESTS_ON)))


# What every answer asks is made once: making it takes longer than asking it.
_THIS = MESSAGES.c.conversation_id == bindparam("conversation")
_ABOUT = select(CONVERSATIONS).where(CONVERSATIONS.c.id == bindparam("conversation"))
_RESTS = _resting(_THIS)
_LATEST = (
    select(MESSAGES)
    .where(_THIS, MESSAGES.c.n >= bindparam("summarised"), ~MESSAGES.c.superseded)
    .order_by(MESSAGES.c.n.desc())
    .limit(bindparam("most", type_=Integer))
)


async def _sources(connection: AsyncConnection, where: ColumnElement[bool]) -> dict[str, tuple[Source, ...]]:
    query = select(CITATIONS).join(MESSAGES).where(where).order_by(CITATIONS.c.n)
    found: dict[str, tuple[Source, ...]] = {}
    for r in await connection.execute(query):
        source = Source(r.n, r.document_id, r.title, r.page, r.heading, r.quote, r.url, r.score, r.passage_id)
        found[r.message_id] = (*found.get(r.message_id, ()), source)
    return found


def _said(row: Row[Any], sources: tuple[Source, ...] = ()) -> Said:
    return Said(
        id=row.id,
        role=row.role,
        person=row.person,
        text=row.text,
        said_at=row.said_at,
        n=row.n,
        superseded=row.superseded,
        abstained=row.abstained,
        query=row.query,
        provider=row.provider,
        model=row.model,
        notice=row.notice,
        sources=sources,
    )
