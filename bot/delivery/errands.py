"""What a received message brings about: an answer, something learned, something undone. Every errand may be run again."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol
from uuid import NAMESPACE_OID, uuid5
from weakref import WeakValueDictionary

import structlog
from sqlalchemy.exc import OperationalError

from bot.access import Access, Act
from bot.answering import inert
from bot.chat import Adapter, Answer, Attachment, Message, Notice, Person, Pieces, Place, Refused, Reply
from bot.delivery import inbox, receipts
from bot.delivery.inbox import RECEIPT, REFUSAL, REPLY, Errand, Inbox, reply_to
from bot.delivery.outbox import Outbox, Sent
from bot.engine import Asked
from bot.errors import TwinError, UnknownMessage
from bot.record.history import History, thread_id
from bot.record.memory import Memory, origin
from bot.record.recall import Recall
from knowledge import IndexAway, Item, Knowledge, KnowledgeError, Outcome, Receipt, StorageFull, fault

log = structlog.get_logger()


class Answers(Protocol):
    """Answers questions, and shows answers again."""

    def answer(self, asked: Asked) -> Pieces:
        """Yield an answer as it is written, and last the whole."""

    async def stored(self, message_id: str, *, place: Place, person: Person) -> Answer:
        """Return an answer of the history as it may be shown in a place now."""


class Errands:
    """Does what messages ask for. What is said to people about it goes through the outbox, once."""

    def __init__(
        self,
        *,
        inbox: Inbox,
        outbox: Outbox,
        answers: Answers,
        history: History,
        recall: Recall,
        knowledge: Knowledge,
        access: Access,
        memory: Memory,
        adapter: Callable[[str], Adapter],
        max_upload: int,
    ) -> None:
        self._inbox = inbox
        self._outbox = outbox
        self._answers = answers
        self._history = history
        self._recall = recall
        self._knowledge = knowledge
        self._access = access
        self._memory = memory
        self._adapter = adapter
        self._max_upload = max_upload
        self._busy: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    # --- answering

    async def answer(self, argument: str) -> None:
        """Answer a message, if it still says what it said; show the answer while it is written, then deliver the whole."""
        async with self._message(argument) as message:
            if message is None:
                return
            await self._outbox.withdraw(reply_to(message, REFUSAL).key)  # of an older version of the message
            reply, question = reply_to(message, REPLY), question_id(message)
            answered = await self._recall.answered(question)
            aside = ""
            if answered is None:
                await self._history.retract(origin(message), but=question)  # it is no part of what was said before
                try:
                    answer = await self._written(message, reply)
                except Refused as error:  # the place is gone before the answer could begin
                    await self._outbox.failed(reply.key, error)
                    return
                answered, aside = answer.message_id, answer.aside
            if not await self._is_current(message):
                await self._undo(message)
                return
            await fault.apoint("answer.whole.before")
            await self._outbox.whole(reply, message_id=answered)
            if await self._outbox.deliver(reply.key, self._content) and aside:
                await self._outbox.whisper(reply, aside)

    async def _written(self, message: Message, reply: Reply) -> Answer:
        place, person = Place(message.place), await self._access.person(message.account)
        shown = await self._outbox.open(reply)
        asked = Asked(
            message.text,
            place,
            person,
            conversation=thread_id(place, message.thread),
            thread=message.thread,
            question_id=question_id(message),
            origin=origin(message),
        )
        await fault.apoint("answer.before")
        async with self._outbox.showing(reply, shown) as showing, aclosing(self._answers.answer(asked)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Answer):
                    return piece
                showing.add(piece)
                await fault.apoint("answer.midstream")
        raise RuntimeError("an answer ended without being whole")

    async def _content(self, sent: Sent) -> Answer | Notice | None:
        if sent.text is not None:
            return Notice(sent.text)
        person = await self._access.person(sent.reply.account)
        try:
            return await self._answers.stored(sent.message_id or "", place=Place(sent.reply.place), person=person)
        except UnknownMessage:  # the question was taken back
            return None

    async def deliver(self, argument: str) -> None:
        """Deliver the refusal of a message, instead of what an older version of it was told."""
        async with self._message(argument) as message:
            if message is not None:
                for what in (REPLY, RECEIPT):
                    await self._outbox.withdraw(reply_to(message, what).key)
                await self._outbox.deliver(reply_to(message, REFUSAL).key, self._content)

    # --- learning

    async def learn(self, argument: str) -> None:
        """Learn what a message brings: its files, or its text where chat is learned; report on files where they were posted."""
        async with self._message(argument) as message:
            if message is None:
                return
            if not message.attachments:
                if await self._access.learns(Place(message.place)):
                    await self._memory.unhear(message)  # an edit leaves nothing of what was said before
                    await self._memory.hear(message, await self._access.person(message.account))
                    if not await self._is_current(message):  # its author had everything forgotten meanwhile
                        await self._undo(message)
                return
            reply = reply_to(message, RECEIPT)
            if not await self._told(message):
                said = await self._taught(message)
                await fault.apoint("learn.notify.before")
                if not await self._is_current(message):
                    await self._undo(message)
                    return
                await self._outbox.whole(reply, text=said, message_id=question_id(message))
            await self._outbox.deliver(reply.key, self._content)
        if _asks(message):
            await self.answer(argument)

    async def _told(self, message: Message) -> bool:
        """Tell whether the receipt of a message is written, as of this version."""
        sent = await self._outbox.sent(reply_to(message, RECEIPT).key)
        return sent is not None and sent.text is not None and sent.message_id == question_id(message)

    async def _taught(self, message: Message) -> str:
        place, person = Place(message.place), await self._access.person(message.account)
        try:
            await self._access.require(Act.TEACH, person, place, there=True)
        except TwinError as error:
            return str(error)
        scope = await self._access.scope(place, person)
        try:
            taught = [await self._fetched(one, message, person, scope) for one in message.attachments]
        except (StorageFull, IndexAway, OperationalError) as error:
            if reason := _waits_for(error):
                await self._outbox.tell(reply_to(message, RECEIPT), str(reason))
            raise
        return "\n".join(receipts.said(one) for one in taught)

    async def _fetched(self, one: Attachment, message: Message, person: Person, scope: str) -> Receipt:
        with tempfile.TemporaryDirectory(prefix="twin-") as folder:
            path = Path(folder, "attached")
            await fault.apoint("learn.download.before")
            try:
                await self._adapter(message.place).fetch(one, path, self._max_upload)
            except Refused as error:
                return Receipt(one.name, Outcome.FAILED, error=str(error))
            await fault.apoint("learn.download.after")
            item = Item(one.name, f"{origin(message)}#{one.id}", message.link or f"twin:{one.id}", scope, person.id)
            try:
                receipt = await self._knowledge.library.learn(path, item)
            except (StorageFull, IndexAway):  # for a while: it is tried until it is done
                raise
            except KnowledgeError as error:
                return Receipt(one.name, Outcome.FAILED, error=str(error))
        return await self._taught_here(receipt, item)

    async def _taught_here(self, receipt: Receipt, item: Item) -> Receipt:
        """Do not call something a duplicate of itself, when a kill came between learning it and saying so."""
        if receipt.outcome is Outcome.DUPLICATE and receipt.document:
            own = {document for _, document in await self._knowledge.catalogue.from_source(item.source)}
            if receipt.document.id in own:
                return replace(receipt, outcome=Outcome.LEARNED)
        return receipt

    # --- undoing

    async def changed(self, argument: str) -> None:
        """Undo what was made of a message before it was edited or deleted."""
        errand = Errand.of(inbox.CHANGED, argument)
        message = await self._inbox.post(errand.place, errand.message)
        if message is not None:
            async with self._alone(origin(message)):
                await self._undo(message)

    async def _undo(self, message: Message) -> None:
        """Take back what rests on what a message said before; of a deleted one everything."""
        now = await self._inbox.post(message.place, message.id) or message
        await self._history.retract(origin(now), but=None if now.deleted else question_id(now))
        await self._memory.unhear(now)
        for what in _unasked(now):
            await self._outbox.withdraw(reply_to(now, what).key)
        await self.retell()

    async def retell(self) -> None:
        """Show anew the answers that rested on what is forgotten since, wherever they stand; trouble leaves them for later."""
        for sent in await self._outbox.outdated():
            try:
                await self._outbox.deliver(sent.reply.key, self._content)
            except Exception as error:
                log.warning("an answer could not be shown anew", key=sent.reply.key, reason=type(error).__name__)

    # --- giving up

    async def gave_up(self, kind: str, argument: str, reason: str) -> None:
        """Apologise for an errand that failed however often it was tried."""
        log.error("an errand was given up", errand=Errand.of(kind, argument).key, reason=reason)
        if kind == inbox.CHANGED:
            return
        async with self._message(argument) as message:  # alone with it: an edit may bring something else in its place
            if message is not None and (message.attachments or kind != inbox.LEARN):
                await self._apologise(kind, message)

    async def _apologise(self, kind: str, message: Message) -> None:
        if kind == inbox.DELIVER:  # what is to be said is known, and may be there already
            await self._outbox.deliver(reply_to(message, REFUSAL).key, self._content)
            return
        if kind == inbox.LEARN and await self._told(message):  # the files are learned: what failed came after
            await self._outbox.deliver(reply_to(message, RECEIPT).key, self._content)
            if not _asks(message):
                return
            kind = inbox.ANSWER
        reply = reply_to(message, RECEIPT if kind == inbox.LEARN else REPLY)
        await self._outbox.whole(reply, text=apology(kind, message.attachments))
        await self._outbox.deliver(reply.key, self._content)

    # ---

    @asynccontextmanager
    async def _message(self, argument: str) -> AsyncIterator[Message | None]:
        """Be alone with a message that still is in the version that an errand is for; of a deleted one nothing is left."""
        errand = Errand.of("", argument)
        async with self._alone(f"{errand.place}/{errand.message}"):
            message = await self._inbox.post(errand.place, errand.message)
            if message and message.deleted:  # perhaps since a kill, and by somebody who had everything forgotten
                await self._undo(message)
            current = message and not message.deleted and inbox.version(message) == errand.version
            yield message if current else None

    async def _is_current(self, message: Message) -> bool:
        now = await self._inbox.post(message.place, message.id)
        return now is not None and not now.deleted and inbox.version(now) == inbox.version(message)

    @asynccontextmanager
    async def _alone(self, name: str) -> AsyncIterator[None]:
        lock = self._busy.setdefault(name, asyncio.Lock())
        async with lock:
            yield


def question_id(message: Message) -> str:
    """Return the id that the question of a message has in the history; an edited one is another question."""
    return uuid5(NAMESPACE_OID, f"{origin(message)}@{inbox.version(message)}").hex


def _waits_for(error: Exception) -> Exception | None:
    """Return why something takes a while, in words for people, if that is what an error means."""
    if isinstance(error, OperationalError):
        return StorageFull() if "disk is full" in str(error.orig) else None
    return error


def _unasked(message: Message) -> tuple[str, ...]:
    """Return what is not shown for a message as it is now, and may have been shown for what it was."""
    if message.deleted:
        return REPLY, RECEIPT, REFUSAL
    if not message.attachments:
        return (RECEIPT,)
    return () if _asks(message) else (REPLY,)


def _asks(message: Message) -> bool:
    return message.text.rstrip().endswith("?")


def apology(kind: str, attachments: Sequence[Attachment]) -> str:
    """Say that something could not be done however often it was tried."""
    if kind == inbox.LEARN:
        names = ", ".join(inert.line(one.name) for one in attachments)
        return (
            f"I could not learn {names}: reading it failed again and again. Nothing of it was kept; the other files are fine."
        )
    return "I am sorry, I could not answer this: something kept failing. Ask me again in a while."
