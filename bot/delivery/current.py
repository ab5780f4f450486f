"""Being alone with a message, as long as it is what an errand is for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from bot.chat import Message
from bot.delivery.inbox import Errand, Inbox, version
from bot.delivery.undoing import Undoing
from bot.record.memory import origin


class Current:
    """Lends messages to one errand at a time, each in the version that the errand is for."""

    def __init__(self, inbox: Inbox, undoing: Undoing) -> None:
        self._inbox = inbox
        self._undoing = undoing
        self._busy: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def message(self, argument: str) -> AsyncIterator[Message | None]:
        """Be alone with the message of an errand; of a deleted one nothing is left, of another version there is none."""
        errand = Errand.of("", argument)
        async with self.alone(f"{errand.place}/{errand.message}"):
            message = await self._inbox.post(errand.place, errand.message)
            if message and message.deleted:  # perhaps since a kill, and by somebody who had everything forgotten
                await self._undoing.undo(message)
            current = message and not message.deleted and version(message) == errand.version
            yield message if current else None

    async def still(self, message: Message) -> bool:
        """Tell whether a message is what it was; what was made of one that is not is undone."""
        now = await self._inbox.post(message.place, message.id)
        if now is not None and not now.deleted and version(now) == version(message):
            return True
        await self._undoing.undo(message)
        return False

    async def undone(self, errand: Errand) -> None:
        """Undo what was made of a message before it was edited or deleted."""
        message = await self._inbox.post(errand.place, errand.message)
        if message is not None:
            async with self.alone(origin(message)):
                await self._undoing.undo(message)

    @asynccontextmanager
    async def alone(self, name: str) -> AsyncIterator[None]:
        """Be alone with a message, whatever its version."""
        lock = self._busy.setdefault(name, asyncio.Lock())
        async with lock:
            yield
