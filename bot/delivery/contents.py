"""What stands in a reply, as it may be shown at the moment that it is delivered."""

from collections.abc import Callable
from typing import Protocol

from bot.access import Access
from bot.answering import inert
from bot.chat import Adapter, Answer, Notice, Person, Pieces, Place, Taught, What
from bot.delivery.outbox import Sent
from bot.engine import Asked
from bot.errors import UnknownMessage
from knowledge import Knowledge


class Answers(Protocol):
    """Answers questions, and shows answers again."""

    def answer(self, asked: Asked) -> Pieces:
        """Yield an answer as it is written, and last the whole."""

    async def stored(self, message_id: str, *, place: Place, person: Person) -> Answer:
        """Return an answer of the history as it may be shown in a place now."""


class Contents:
    """Makes the content of a reply from what is kept of it; called with the reply, it is what `Outbox.deliver` asks for."""

    def __init__(self, answers: Answers, access: Access, knowledge: Knowledge, adapter: Callable[[str], Adapter]) -> None:
        self._answers = answers
        self._access = access
        self._knowledge = knowledge
        self._adapter = adapter

    async def __call__(self, sent: Sent) -> Answer | Notice | None:
        """Return what is to be shown; nothing when the question was taken back."""
        reply = sent.reply
        if sent.text is not None:
            return Notice(sent.text, await self._taught(sent) if reply.what is What.RECEIPT else ())
        await self._adapter(reply.place).confirm(reply.place, reply.account)
        person = await self._access.person(reply.account)
        try:
            return await self._answers.stored(sent.message_id or "", place=Place(reply.place), person=person)
        except UnknownMessage:
            return None

    async def _taught(self, sent: Sent) -> tuple[Taught, ...]:
        """Return the documents that a message brought and that are there still."""
        here = await self._knowledge.catalogue.from_source(f"{sent.reply.place}/{sent.reply.to}")
        documents = [await self._knowledge.catalogue.document(document) for _, document in here]
        return tuple(Taught(one.id, inert.line(one.title)) for one in documents if one.state == "ready")
