"""What is remembered of people and of what they write: only what they asked for, and chat where an owner switched that on."""

from collections.abc import Sequence
from typing import Literal
from uuid import uuid4

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.chat import Message, Person
from bot.record.feedback import Feedback
from bot.record.history import History
from bot.tables import ACCOUNTS, POSTS, USAGE
from knowledge import Document, Item, Knowledge, Receipt

MESSAGE: Literal["message"] = "message"
NOTE: Literal["note"] = "note"


class Memory:
    """Learns and unlearns chat messages and notes. Nothing is inferred about anyone."""

    def __init__(self, engine: AsyncEngine, knowledge: Knowledge, history: History, feedback: Feedback) -> None:
        self._engine = engine
        self._knowledge = knowledge
        self._history = history
        self._feedback = feedback

    # --- chat

    async def hear(self, message: Message, person: Person, scope: str = "") -> Receipt:
        """Learn a message as a document of a scope, its place if none is told, with permalink, author, time and thread."""
        tags = (f"thread:{message.thread}",) if message.thread else ()
        item = Item(
            _title(message.text), origin(message), message.link or origin(message), scope or message.place, person.id, tags
        )
        return await self._knowledge.library.tell(
            message.text,
            item,
            kind=MESSAGE,
            title=f"Message from {message.author}" if message.author else "Message",
            authors=(message.author,) if message.author else (),
            created_at=message.changed_at,
        )

    async def unhear(self, message: Message) -> tuple[str, ...]:
        """Unlearn what a message said before, and files that it does not bring any more; return the documents that went."""
        kept = {f"{origin(message)}#{one.id}" for one in message.attachments}
        taught = await self._knowledge.catalogue.from_source(origin(message))
        gone = tuple(
            [document for source, document in taught if source not in kept and not await self._says(document, message)]
        )
        if gone:
            family = [one for document in gone for one in await self._knowledge.catalogue.family(document)]
            await self.forget(family)
        return gone

    async def _says(self, document: str, message: Message) -> bool:
        """Tell whether a document is what a message says now."""
        told = await self._knowledge.catalogue.document(document)
        return not message.deleted and told.kind == MESSAGE and told.created_at == message.changed_at

    async def forget(self, documents: Sequence[str]) -> None:
        """Forget documents, and what answers say of them."""
        await self._knowledge.library.hide(documents)  # so that no answer that is being written rests on them
        await self._history.forget(documents)
        await self._knowledge.library.forget(documents)

    # --- people

    async def remember(self, text: str, person: Person) -> Receipt:
        """Keep a note for one person, who alone is told of it in private."""
        scope = f"person:{person.id}"
        source = f"note:{uuid4().hex}"
        item = Item(_title(text), source, f"twin:{source}", scope, person.id)
        return await self._knowledge.library.tell(text, item, kind=NOTE, title=f"Your note: {_title(text)}")

    async def notes(self, person: Person) -> list[Document]:
        """Return what a person asked to have remembered."""
        return await self._knowledge.catalogue.in_scope(f"person:{person.id}")

    async def forget_person(self, person: Person) -> tuple[int, int]:
        """Forget what a person had remembered, wrote and asked, and what they thought of answers.

        Returns how many documents and questions went. Files that they taught to places stay: they belong to the places.
        """
        await self._forget_posts(person)  # first: what is being made of them meanwhile finds them gone
        notes = [document.id for document in await self.notes(person)]
        taught = await self._knowledge.catalogue.added_by(person.id)
        gone = tuple(dict.fromkeys((*notes, *(document.id for document in taught if document.kind == MESSAGE))))
        if gone:
            await self.forget(gone)
        await self._feedback.forget_person(person)
        questions = await self._history.forget_person(person.id)
        return len(gone), questions

    async def _forget_posts(self, person: Person) -> None:
        async with self._engine.begin() as connection:
            accounts = select(ACCOUNTS.c.id).where(ACCOUNTS.c.person_id == person.id)
            mine = update(POSTS).where(POSTS.c.account.in_(accounts) | (POSTS.c.account == person.id))
            await connection.execute(mine.values(text="", author="", link="", attachments=[], deleted=True))
            await connection.execute(update(USAGE).where(USAGE.c.person == person.id).values(person=""))


def origin(message: Message) -> str:
    """Name a message over all platforms."""
    return f"{message.place}/{message.id}"


def origin_of(source: str) -> tuple[str, str]:
    """Return place and id of the message that something was learned from, by the name of its source."""
    place, _, message = source.partition("#")[0].rpartition("/")
    return place, message


def _title(text: str) -> str:
    first = text.strip().partition("\n")[0]
    return first if len(first) <= 60 else f"{first[:57].rstrip()}…"
