"""What was said, which quotes an answer showed, and which questions stayed open."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy import Select, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.chat import Answer, Person, Place
from bot.errors import UnknownConversation
from bot.tables import CITATIONS, CONVERSATIONS, GAPS, MESSAGES

ABSTAINED = "I don't know."  # without the titles it named: they may be forgotten, and nobody would look for them here
FORGOTTEN = "(This answer rested on a document that was forgotten.)"


class History:
    """Conversations in the database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def add(self, question: str, answer: Answer, *, place: Place, person: Person, conversation: str | None) -> Answer:
        """Keep a question with its answer, in a new conversation when none is named; return the answer with its ids.

        Raises `UnknownConversation` when the named one was not held by this person in this place.
        """
        now = datetime.now(UTC)
        asked, answered = uuid4().hex, uuid4().hex
        async with self._engine.begin() as connection:
            if conversation is None:
                conversation = uuid4().hex
                started = {"id": conversation, "place": place.id, "person": person.id, "started_at": now}
                await connection.execute(insert(CONVERSATIONS).values(started))
            elif not (await connection.execute(_held(conversation, place, person))).first():
                raise UnknownConversation(conversation)
            said = {"conversation_id": conversation, "said_at": now}
            await connection.execute(
                insert(MESSAGES),
                [
                    {**said, "id": asked, "role": "user", "text": question, **_NO_MODEL},
                    {
                        **said,
                        "id": answered,
                        "role": "assistant",
                        "text": ABSTAINED if answer.abstained else answer.text,
                        "abstained": answer.abstained,
                        "provider": answer.provider,
                        "model": answer.model,
                    },
                ],
            )
            if answer.sources:
                await connection.execute(insert(CITATIONS), _citations(answered, answer))
            if answer.abstained:
                await connection.execute(insert(GAPS).values(message_id=asked))
        return replace(answer, conversation_id=conversation, message_id=answered)

    async def forget(self, documents: Sequence[str]) -> None:
        """Take the words of forgotten documents out of every answer that quoted them."""
        quoting = select(CITATIONS.c.message_id).where(CITATIONS.c.document_id.in_(documents))
        async with self._engine.begin() as connection:
            messages = list((await connection.execute(quoting)).scalars())
            await connection.execute(update(MESSAGES).where(MESSAGES.c.id.in_(messages)).values(text=FORGOTTEN))
            await connection.execute(delete(CITATIONS).where(CITATIONS.c.message_id.in_(messages)))


_NO_MODEL = {"abstained": False, "provider": None, "model": None}


def _held(conversation: str, place: Place, person: Person) -> Select[tuple[str]]:
    return select(CONVERSATIONS.c.id).where(
        CONVERSATIONS.c.id == conversation, CONVERSATIONS.c.place == place.id, CONVERSATIONS.c.person == person.id
    )


def _citations(message_id: str, answer: Answer) -> list[dict[str, object]]:
    return [
        {"message_id": message_id, "n": s.n, "document_id": s.document_id, "quote": s.quote, "score": s.score}
        for s in answer.sources
    ]
