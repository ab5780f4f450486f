"""The errand of learning: what a message brings is learned, and reported where it was posted."""

import tempfile
from collections.abc import Collection
from dataclasses import replace
from functools import partial
from pathlib import Path

import structlog
from sqlalchemy.exc import OperationalError

from bot.access import Act
from bot.chat import Attachment, Mark, Message, Person, Place, Refused, Reply
from bot.delivery import receipts
from bot.delivery.contents import Contents
from bot.delivery.current import Current
from bot.delivery.inbox import RECEIPT, question_id, reply_to
from bot.delivery.progress import Card, card
from bot.delivery.tools import Tools
from bot.errors import TwinError
from bot.record.memory import origin
from bot.record.quotes import Quote
from knowledge import Comparison, IndexAway, Item, KnowledgeError, Outcome, Receipt, StorageFull, fault

log = structlog.get_logger()


class Learning:
    """Learns what messages bring: their files, or their text."""

    def __init__(self, tools: Tools, contents: Contents, current: Current) -> None:
        self._contents = contents
        self._current = current
        self._outbox, self._knowledge = tools.outbox, tools.knowledge
        self._access, self._memory = tools.access, tools.memory
        self._adapter, self._max_upload = tools.adapter, tools.max_upload

    async def learn(self, argument: str) -> None:
        """Learn what a message brings: its files, or its text where chat is learned or it is wanted; report where it stands."""
        async with self._current.message(argument) as message:
            if message is None:
                return
            if not message.attachments and not message.taught_by:
                await self._heard(message)
                return
            reply = reply_to(message, RECEIPT)
            if not await self.told(message):
                await self.mark(reply, Mark.RECEIVED)
                quoting: list[Quote] = []
                said = await self._taught(message, reply, quoting)
                await fault.apoint("learn.notify.before")
                if not await self._current.still(message):
                    return
                await self._outbox.whole(reply, text=said, message_id=question_id(message), quoting=quoting)
            if await self._outbox.deliver(reply.key, self._contents):
                sent = await self._outbox.sent(reply.key)
                await self.mark(reply, Mark.FAILED if sent and receipts.has_failed(sent.text or "") else Mark.LEARNED)

    async def mark(self, reply: Reply, mark: Mark) -> None:
        """Show how far a message has come; trouble with that is logged and nothing more."""
        try:
            await self._adapter(reply.place).mark(reply, mark)
        except Exception as error:  # a sign, and nothing that anybody waits for
            log.warning("a message could not be marked", key=reply.key, reason=type(error).__name__)

    async def _heard(self, message: Message) -> None:
        if await self._access.learns(Place(message.place)):
            await self._memory.unhear(message)  # an edit leaves nothing of what was said before
            await self._memory.hear(message, await self._access.person(message.account))
            await self._current.still(message)  # its author may have had everything forgotten meanwhile

    async def told(self, message: Message) -> bool:
        """Tell whether the receipt of a message is written, as of this version."""
        sent = await self._outbox.sent(reply_to(message, RECEIPT).key)
        return sent is not None and sent.text is not None and sent.message_id == question_id(message)

    async def _taught(self, message: Message, reply: Reply, quoting: list[Quote]) -> str:
        """Learn what a message brings, if whoever wants that may teach; return what is said of it, and add what that quotes."""
        teacher = message.taught_by or message.account
        await self._adapter(message.place).confirm(message.place, teacher)
        place, person = Place(message.place), await self._access.person(teacher)
        if await self._access.closed(place):
            return f"{receipts.FAILED} I am not here any more, and learn nothing."
        try:
            await self._access.require(Act.TEACH, person, place, there=True)
        except TwinError as error:
            return f"{receipts.FAILED} {error}"
        try:
            return await self._each(message, reply, place, person, quoting)
        except (StorageFull, IndexAway, OperationalError) as error:
            if reason := _waits_for(error):
                await self._outbox.tell(reply, str(reason))
            raise

    async def _each(self, message: Message, reply: Reply, place: Place, person: Person, quoting: list[Quote]) -> str:
        """Learn a message's text, where that is wanted, and its files one after the other; one that fails stops no other."""
        scope = await self._access.scope(place, person)
        said, taught = [], set[str]()
        if message.text.strip() and message.taught_by:
            heard = await self._memory.hear(message, person, scope=scope)
            said.append(receipts.of_message(await self._taught_here(heard, origin(message))))
        async with card(self._outbox, reply, message.attachments) as shown:
            for one in message.attachments:
                receipt = await self._fetched(one, message, person, scope, shown)
                compared = await self._compared(receipt, place, person, taught)
                said.append(receipts.of_file(receipt, compared))
                quoting += receipts.quotes_of(receipt, compared)
                shown.ended(one, said[-1])
                taught |= {receipt.document.id} if receipt.document else set()
        return receipts.together(said) if said else receipts.NOTHING

    async def _fetched(self, one: Attachment, message: Message, person: Person, scope: str, shown: Card) -> Receipt:
        with tempfile.TemporaryDirectory(prefix="twin-") as folder:
            path = Path(folder, "attached")
            await fault.apoint("learn.download.before")
            try:
                await self._adapter(message.place).fetch(one, path, self._max_upload, place=message.place)
            except Refused as error:
                return Receipt(one.name, Outcome.FAILED, error=str(error))
            await fault.apoint("learn.download.after")
            item = Item(one.name, f"{origin(message)}#{one.id}", message.link or f"twin:{one.id}", scope, person.id)
            try:
                passages, pages = (partial(shown.far, one, what) for what in ("passages", "pages"))
                receipt = await self._knowledge.library.learn(path, item, progress=passages, pages=pages)
            except (StorageFull, IndexAway):  # for a while: it is tried until it is done
                raise
            except KnowledgeError as error:
                return Receipt(one.name, Outcome.FAILED, error=str(error))
        return await self._taught_here(receipt, item.source)

    async def _compared(self, receipt: Receipt, place: Place, person: Person, besides: Collection[str]) -> Comparison | None:
        """Tell what a new document may replace or contradict, of what all may see who read its receipt."""
        if receipt.document is None or receipt.outcome not in {Outcome.LEARNED, Outcome.UPDATED}:
            return None
        try:
            audience = await self._access.audience(place, person)
            return await self._knowledge.compare.of(receipt.document, audience, besides=besides)
        except Exception as error:  # whatever it is: it is learned all the same
            log.warning("a document could not be compared", reason=type(error).__name__)
            return None

    async def _taught_here(self, receipt: Receipt, source: str) -> Receipt:
        """Do not call something a duplicate of itself, when a kill came between learning it and saying so."""
        if receipt.outcome is Outcome.DUPLICATE and receipt.document:
            own = {document for _, document in await self._knowledge.catalogue.from_source(source)}
            if receipt.document.id in own:
                return replace(receipt, outcome=Outcome.LEARNED)
        return receipt


def _waits_for(error: Exception) -> Exception | None:
    """Return why something takes a while, in words for people, if that is what an error means."""
    if isinstance(error, OperationalError):
        return StorageFull() if "disk is full" in str(error.orig) else None
    return error
