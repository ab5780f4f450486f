"""The errand of learning: what a message brings is learned, and reported where it was posted."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from sqlalchemy.exc import OperationalError

from bot.access import Access, Act
from bot.chat import Adapter, Attachment, Message, Person, Place, Refused
from bot.delivery import receipts
from bot.delivery.contents import Contents
from bot.delivery.current import Current
from bot.delivery.inbox import RECEIPT, question_id, reply_to
from bot.delivery.outbox import Outbox
from bot.errors import TwinError
from bot.record.memory import Memory, origin
from knowledge import IndexAway, Item, Knowledge, KnowledgeError, Outcome, Receipt, StorageFull, fault


class Learning:
    """Learns what messages bring: their files, or their text."""

    def __init__(
        self,
        *,
        contents: Contents,
        current: Current,
        outbox: Outbox,
        knowledge: Knowledge,
        access: Access,
        memory: Memory,
        adapter: Callable[[str], Adapter],
        max_upload: int,
    ) -> None:
        self._contents = contents
        self._current = current
        self._outbox = outbox
        self._knowledge = knowledge
        self._access = access
        self._memory = memory
        self._adapter = adapter
        self._max_upload = max_upload

    async def learn(self, argument: str) -> None:
        """Learn what a message brings: its files, or its text where chat is learned; report on files where they were posted."""
        async with self._current.message(argument) as message:
            if message is None:
                return
            if not message.attachments:
                await self._heard(message)
                return
            reply = reply_to(message, RECEIPT)
            if not await self.told(message):
                said = await self._taught(message)
                await fault.apoint("learn.notify.before")
                if not await self._current.still(message):
                    return
                await self._outbox.whole(reply, text=said, message_id=question_id(message))
            await self._outbox.deliver(reply.key, self._contents)

    async def _heard(self, message: Message) -> None:
        if await self._access.learns(Place(message.place)):
            await self._memory.unhear(message)  # an edit leaves nothing of what was said before
            await self._memory.hear(message, await self._access.person(message.account))
            await self._current.still(message)  # its author may have had everything forgotten meanwhile

    async def told(self, message: Message) -> bool:
        """Tell whether the receipt of a message is written, as of this version."""
        sent = await self._outbox.sent(reply_to(message, RECEIPT).key)
        return sent is not None and sent.text is not None and sent.message_id == question_id(message)

    async def _taught(self, message: Message) -> str:
        await self._adapter(message.place).confirm(message.place, message.account)
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
                await self._adapter(message.place).fetch(one, path, self._max_upload, place=message.place)
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


def _waits_for(error: Exception) -> Exception | None:
    """Return why something takes a while, in words for people, if that is what an error means."""
    if isinstance(error, OperationalError):
        return StorageFull() if "disk is full" in str(error.orig) else None
    return error
