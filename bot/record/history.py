"""What was said, on which passages each answer rests, and which questions stayed open."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_OID, uuid4, uuid5

from sqlalchemy import ColumnElement, Row, Select, String, bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot import db
from bot.chat import Answer, Person, Place, Source
from bot.errors import UnknownConversation, UnknownMessage
from bot.record import quotes
from bot.record.quotes import Living, all_of
from bot.record.said import ABSTAINED, FORGOTTEN, NOTHING_SAID, RESTS_ON, Candidate, Fate, Recent
from bot.tables import CANDIDATES, CITATIONS, CONVERSATIONS, FEEDBACK, GAPS, MESSAGES, OUTBOX


class History:
    """Writes conversations down; each method is one transaction. What is read of them is in `bot.record.recall`."""

    def __init__(self, engine: AsyncEngine, living: Living = all_of) -> None:
        """What rests on documents that are not `living` any more when it is to be kept is kept without its words."""
        self._engine = engine
        self._living = living

    async def add(
        self,
        question: str,
        answer: Answer,
        *,
        place: Place,
        person: Person,
        conversation: str | None,
        query: str = "",
        candidates: Sequence[Candidate] = (),
        question_id: str | None = None,
        origin: str | None = None,
        thread: str | None = None,
        recent: Recent = NOTHING_SAID,
    ) -> Answer:
        """Keep a question with its answer, in a new conversation when none is named; return the answer with its ids.

        `recent` is what was said before and may have gone into `query`. A `question_id` that has its answer already gets no
        second one: the first is returned. Raises `UnknownConversation` when the named one was not held by this person in this
        place.
        """
        asked = question_id or uuid4().hex

        async def added(connection: AsyncConnection) -> Answer:
            state = await _state(connection, asked, conversation)
            if state.answer is not None:
                return replace(answer, conversation_id=state.home, message_id=state.answer)
            home = await _opened(connection, state, conversation, place=place, person=person, thread=thread)
            kept, considered = await self._unforgotten(connection, answer, candidates)
            searched = query if await self._stands(connection, recent, home) else ""
            n = 0 if state.last is None else state.last + 1
            said = {"conversation_id": home, "said_at": datetime.now(UTC), "query": searched or None}
            row = {"id": asked, "n": n, "role": "user", "person": person.id, "text": question, "origin": origin}
            rows = [{**_BLANK, **said, **row}]
            answered = await _add_answer(connection, said | {"n": n + 1}, asked, kept, considered, before=rows)
            if kept.abstained:
                await connection.execute(insert(GAPS).values(message_id=asked))
            return replace(kept, conversation_id=home, message_id=answered)

        return await db.transaction(self._engine, added)

    async def again(
        self, question_id: str, answer: Answer, *, query: str, candidates: Sequence[Candidate], recent: Recent = NOTHING_SAID
    ) -> Answer:
        """Keep another answer to a question; those before it are superseded."""
        async with self._engine.begin() as connection:
            asked = (await connection.execute(select(MESSAGES).where(MESSAGES.c.id == question_id))).mappings().one_or_none()
            if asked is None:
                raise UnknownMessage()
            answer, candidates = await self._unforgotten(connection, answer, candidates)
            older = MESSAGES.c.answers == question_id
            await connection.execute(update(MESSAGES).where(older).values(superseded=True))
            await connection.execute(delete(GAPS).where(GAPS.c.message_id == question_id))
            if answer.abstained:
                await connection.execute(insert(GAPS).values(message_id=question_id))
            said = {"conversation_id": asked["conversation_id"], "said_at": datetime.now(UTC)}
            said["query"] = query if await self._stands(connection, recent, asked["conversation_id"]) else None
            said["n"] = await _length(connection, asked["conversation_id"])
            answered = await _add_answer(connection, said, question_id, answer, candidates)
        return replace(answer, conversation_id=asked["conversation_id"], message_id=answered)

    async def summarised(self, conversation: str, summary: str, recent: Recent) -> None:
        """Keep a summary of what was said in a conversation, unless something of it was taken back or forgotten meanwhile."""
        upto = recent.said[-1].n + 1
        changed = update(CONVERSATIONS).where(CONVERSATIONS.c.id == conversation).values(summary=summary, summarised=upto)
        async with self._engine.begin() as connection:
            if await self._stands(connection, recent, conversation):
                await connection.execute(changed)

    async def _stands(self, connection: AsyncConnection, recent: Recent, conversation: str) -> bool:
        """Tell whether nothing of what was said before was taken back or forgotten meanwhile."""
        ids = {one.id for one in recent.said}
        there = select(MESSAGES.c.id).where(MESSAGES.c.id.in_(ids)).with_for_update(read=True, key_share=True)
        if ids and len((await connection.execute(there)).all()) < len(ids):
            return False
        held = select(CONVERSATIONS.c.summary).where(CONVERSATIONS.c.id == conversation)
        if recent.summary and (await connection.execute(held)).scalar() != recent.summary:
            return False
        return not recent.documents or await self._living(connection, recent.documents) >= recent.documents

    async def _unforgotten(
        self, connection: AsyncConnection, answer: Answer, candidates: Sequence[Candidate]
    ) -> tuple[Answer, Sequence[Candidate]]:
        """Return an answer as it may be kept: what it rests on may have been forgotten while it was written."""
        rests = {source.document_id for source in answer.sources}
        rests.update(one.document_id for one in candidates if one.fate in RESTS_ON)
        if not rests or await self._living(connection, rests) >= rests:
            return answer, candidates
        return replace(answer, text=answer.text if answer.abstained else FORGOTTEN, sources=()), ()

    # --- forgetting

    async def unhear(self, origin: str) -> None:
        """Take back the answers that lean on what somebody said in a thread: the message was deleted or edited."""
        await self.forget([origin], (Fate.HEARD,))

    async def forget(self, documents: Sequence[str], fates: Sequence[Fate] = RESTS_ON) -> None:
        """Take the words of forgotten documents out of every answer that rests on them, out of summaries and receipts."""
        quoting = select(CITATIONS.c.message_id).where(CITATIONS.c.document_id.in_(documents))
        reading = select(CANDIDATES.c.message_id).where(CANDIDATES.c.document_id.in_(documents), CANDIDATES.c.fate.in_(fates))
        async with self._engine.begin() as connection:
            messages = list((await connection.execute(quoting.union(reading))).scalars())
            told = update(MESSAGES).where(MESSAGES.c.id.in_(messages), ~MESSAGES.c.abstained)
            await connection.execute(told.values(text=FORGOTTEN))
            await connection.execute(delete(CITATIONS).where(CITATIONS.c.message_id.in_(messages)))
            await connection.execute(delete(CANDIDATES).where(CANDIDATES.c.document_id.in_(documents)))
            await connection.execute(quotes.anew(OUTBOX.c.message_id.in_(messages)))
            await quotes.forget(connection, documents)
            holding = select(MESSAGES.c.conversation_id).where(MESSAGES.c.id.in_(messages))
            await _forget_leaning(connection, list((await connection.execute(holding)).scalars()))

    async def retract(self, origin: str, *, but: str | None = None) -> None:
        """Remove a question that was deleted or edited on its platform, with its answers; `but` is the question to keep."""
        async with self._engine.begin() as connection:
            mine = select(MESSAGES.c.id, MESSAGES.c.conversation_id).where(MESSAGES.c.origin == origin)
            rows = (await connection.execute(mine.where(MESSAGES.c.id != but) if but else mine)).all()
            if rows:
                await quotes.forget(connection, [origin])
            await _remove(connection, [row.id for row in rows], [row.conversation_id for row in rows])

    async def forget_person(self, person: str) -> int:
        """Remove what a person asked, with the answers, and what they thought of answers; return how many questions."""
        async with self._engine.begin() as connection:
            mine = select(MESSAGES.c.id, MESSAGES.c.conversation_id, MESSAGES.c.origin).where(MESSAGES.c.person == person)
            rows = (await connection.execute(mine)).all()
            await quotes.forget(connection, [row.origin for row in rows if row.origin])
            await _remove(connection, [row.id for row in rows], [row.conversation_id for row in rows])
            await connection.execute(delete(FEEDBACK).where(FEEDBACK.c.person == person))
            empty = ~select(MESSAGES.c.id).where(MESSAGES.c.conversation_id == CONVERSATIONS.c.id).exists()
            await connection.execute(delete(CONVERSATIONS).where(CONVERSATIONS.c.person == person, empty))
            return len(rows)

    async def forget_conversations(self, where: ColumnElement[bool]) -> None:
        """Remove whole conversations, with everything that was said in them."""
        async with self._engine.begin() as connection:
            gone = select(CONVERSATIONS.c.id).where(where)
            await connection.execute(delete(MESSAGES).where(MESSAGES.c.conversation_id.in_(gone)))
            await connection.execute(delete(CONVERSATIONS).where(where))


def thread_id(place: Place, thread: str | None) -> str:
    """Return the conversation that a thread of a place is."""
    return uuid5(NAMESPACE_OID, f"{place.id}/{thread or ''}").hex


_BLANK = {
    "text": "",
    "notice": "",
    "abstained": False,
    "superseded": False,
    "person": "",
    "provider": None,
    "model": None,
    "answers": None,
    "origin": None,
    "query": None,
    "tokens": None,
    "milliseconds": None,
}


async def _state(connection: AsyncConnection, asked: str, conversation: str | None) -> Row[*tuple[Any, ...]]:
    """Return, in one question, what is there already.

    The `answer` to the question and the conversation that is its `home`; `place`, `person` and number of the `last` message of
    the conversation that is named.
    """
    return (await connection.execute(_STATE, {"asked": asked, "conversation": conversation})).one()


def _stated() -> Select[*tuple[Any, ...]]:
    asked, conversation = bindparam("asked", type_=String), bindparam("conversation", type_=String)
    present, named = (MESSAGES.c.answers == asked, ~MESSAGES.c.superseded), CONVERSATIONS.c.id == conversation
    last = select(func.max(MESSAGES.c.n)).where(MESSAGES.c.conversation_id == conversation)
    return select(
        select(MESSAGES.c.id).where(*present).scalar_subquery().label("answer"),
        select(MESSAGES.c.conversation_id).where(*present).scalar_subquery().label("home"),
        select(CONVERSATIONS.c.place).where(named).scalar_subquery().label("place"),
        select(CONVERSATIONS.c.person).where(named).scalar_subquery().label("person"),
        last.scalar_subquery().label("last"),
    )


_STATE = _stated()  # made once: making it takes longer than asking it


async def _opened(
    connection: AsyncConnection,
    state: Row[*tuple[Any, ...]],
    conversation: str | None,
    *,
    place: Place,
    person: Person,
    thread: str | None,
) -> str:
    """Return the conversation to write to: that of the thread, the one named, or a new one."""
    named = conversation or uuid4().hex
    if conversation is not None and conversation != thread_id(place, thread):
        if (state.place, state.person) != (place.id, person.id):
            raise UnknownConversation(conversation)
    elif state.place is None:
        started: dict[str, object] = {"id": named, "place": place.id, "thread": thread, "person": person.id}
        started |= {"started_at": datetime.now(UTC), "summary": "", "summarised": 0}
        await connection.execute(insert(CONVERSATIONS).values(started))
    return named


async def _length(connection: AsyncConnection, conversation: str) -> int:
    most = select(func.max(MESSAGES.c.n)).where(MESSAGES.c.conversation_id == conversation)
    last: int | None = (await connection.execute(most)).scalar()
    return 0 if last is None else last + 1


async def _add_answer(
    connection: AsyncConnection,
    said: dict[str, object],
    asked: str,
    answer: Answer,
    candidates: Sequence[Candidate],
    *,
    before: Sequence[dict[str, object]] = (),
) -> str:
    """Keep an answer, with the messages that come before it."""
    answered = uuid4().hex
    row = {
        **_BLANK,
        **said,
        "id": answered,
        "role": "assistant",
        "answers": asked,
        "text": ABSTAINED if answer.abstained else answer.text,
        "notice": answer.notice,
        "abstained": answer.abstained,
        "provider": answer.provider,
        "model": answer.model,
        "milliseconds": answer.timings_ms.total,
    }
    await connection.execute(insert(MESSAGES), [*before, row])
    if answer.sources:
        await connection.execute(insert(CITATIONS), [_citation(answered, source) for source in answer.sources])
    if candidates:
        rows = [_candidate(answered, rank, one) for rank, one in enumerate(candidates, 1)]
        await connection.execute(insert(CANDIDATES), rows)
    return answered


async def _remove(connection: AsyncConnection, questions: Sequence[str], conversations: Sequence[str]) -> None:
    gone = MESSAGES.c.id.in_(questions) | MESSAGES.c.answers.in_(questions)
    await connection.execute(delete(MESSAGES).where(gone))
    await _forget_leaning(connection, conversations)


async def _forget_leaning(connection: AsyncConnection, conversations: Sequence[str]) -> None:
    """Remove what was made of what was said before: summaries, and what was searched for."""
    held = update(CONVERSATIONS).where(CONVERSATIONS.c.id.in_(conversations))
    await connection.execute(held.values(summary="", summarised=0))
    searched = update(MESSAGES).where(MESSAGES.c.conversation_id.in_(conversations))
    await connection.execute(searched.values(query=None))


def _citation(message_id: str, source: Source) -> dict[str, object]:
    fields = ("n", "document_id", "passage_id", "title", "page", "heading", "quote", "url", "score")
    return {"message_id": message_id, **{name: getattr(source, name) for name in fields}}


def _candidate(message_id: str, rank: int, one: Candidate) -> dict[str, object]:
    fields = ("passage_id", "document_id", "score", "dense", "lexical", "prior")
    return {"message_id": message_id, "rank": rank, "fate": str(one.fate), **{name: getattr(one, name) for name in fields}}
