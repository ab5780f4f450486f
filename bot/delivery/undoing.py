"""Taking back what rests on what a message said before, or on what was forgotten."""

from dataclasses import replace

import structlog

from bot.chat import Message
from bot.delivery.contents import Contents
from bot.delivery.inbox import RECEIPT, REFUSAL, REPLY, asks, question_id, reply_to
from bot.delivery.tools import Tools
from bot.record.memory import origin

log = structlog.get_logger()


class Undoing:
    """Undoes what was made of messages, in the history, in the knowledge, and where it is shown."""

    def __init__(self, tools: Tools, contents: Contents) -> None:
        self._inbox, self._outbox = tools.inbox, tools.outbox
        self._history, self._memory = tools.history, tools.memory
        self._contents, self._tidy = contents, tools.tidy

    async def undo(self, message: Message) -> None:
        """Take back what rests on what a message said before; of one that is not there any more everything."""
        now = await self._inbox.post(message.place, message.id) or replace(message, attachments=(), deleted=True)
        await self._history.retract(origin(now), but=None if now.deleted else question_id(now))
        await self._history.unhear(origin(now))
        if await self._memory.unhear(now):
            self._tidy()
        for what in _unasked(now):
            await self._outbox.withdraw(reply_to(now, what).key)
        await self.retell()

    async def retell(self) -> None:
        """Show anew the answers that rested on what is forgotten since, wherever they stand; trouble leaves them for later."""
        for sent in await self._outbox.outdated():
            try:
                await self._outbox.deliver(sent.reply.key, self._contents)
            except Exception as error:
                log.warning("an answer could not be shown anew", key=sent.reply.key, reason=type(error).__name__)


def _unasked(message: Message) -> tuple[str, ...]:
    """Return what is not shown for a message as it is now, and may have been shown for what it was."""
    if message.deleted:
        return REPLY, RECEIPT, REFUSAL
    if not message.attachments:
        return () if message.taught_by else (RECEIPT,)
    return () if asks(message) else (REPLY,)
