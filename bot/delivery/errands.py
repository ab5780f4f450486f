"""What a received message brings about: an answer, something learned, something undone. Every errand may be run again."""

from collections.abc import Sequence

import structlog

from bot.answering import inert
from bot.chat import Attachment, Mark, Message
from bot.delivery import inbox
from bot.delivery.answers import Answering
from bot.delivery.contents import Contents
from bot.delivery.current import Current
from bot.delivery.inbox import RECEIPT, REFUSAL, REPLY, Errand, asks, reply_to
from bot.delivery.lessons import Learning
from bot.delivery.tools import Tools
from bot.delivery.undoing import Undoing

log = structlog.get_logger()


class Errands:
    """Does what messages ask for. What is said to people about it goes through the outbox, once."""

    def __init__(self, tools: Tools) -> None:
        self._outbox = tools.outbox
        self.contents = Contents(tools.answers, tools.access, tools.knowledge, tools.adapter)
        self.undoing = Undoing(tools, self.contents)
        self.current = Current(tools.inbox, self.undoing)
        self._answering = Answering(tools, self.contents, self.current)
        self._learning = Learning(tools, self.contents, self.current)
        self.answer, self.again, self.stop = self._answering.answer, self._answering.again, self._answering.stop
        self.retell = self.undoing.retell

    async def learn(self, argument: str) -> None:
        """Learn what a message brings, then answer what it asks."""
        await self._learning.learn(argument)
        async with self.current.message(argument) as message:
            asked = message is not None and bool(message.attachments) and asks(message)
        if asked:
            await self.answer(argument)

    async def changed(self, argument: str) -> None:
        """Undo what was made of a message before it was edited or deleted."""
        await self.current.undone(Errand.of(inbox.CHANGED, argument))

    async def deliver(self, argument: str) -> None:
        """Deliver the refusal of a message, instead of what an older version of it was told."""
        async with self.current.message(argument) as message:
            if message is not None:
                for what in (REPLY, RECEIPT):
                    await self._outbox.withdraw(reply_to(message, what).key)
                await self._outbox.deliver(reply_to(message, REFUSAL).key, self.contents)

    # --- giving up

    async def gave_up(self, kind: str, argument: str, reason: str) -> None:
        """Apologise for an errand that failed however often it was tried."""
        log.error("an errand was given up", errand=kind, reason=reason)
        if kind not in {inbox.ANSWER, inbox.LEARN, inbox.DELIVER}:
            return
        async with self.current.message(argument) as message:  # alone with it: an edit may bring something else in its place
            if message is not None and (message.attachments or message.taught_by or kind != inbox.LEARN):
                await self._apologise(kind, message)

    async def _apologise(self, kind: str, message: Message) -> None:
        if kind == inbox.DELIVER:  # what is to be said is known, and may be there already
            await self._outbox.deliver(reply_to(message, REFUSAL).key, self.contents)
            return
        if kind == inbox.LEARN and await self._learning.told(message):  # the files are learned: what failed came after
            await self._outbox.deliver(reply_to(message, RECEIPT).key, self.contents)
            if not asks(message):
                return
            kind = inbox.ANSWER
        reply = reply_to(message, RECEIPT if kind == inbox.LEARN else REPLY)
        await self._outbox.whole(reply, text=apology(kind, message.attachments))
        await self._outbox.deliver(reply.key, self.contents)
        if kind == inbox.LEARN:
            await self._learning.mark(reply, Mark.FAILED)


def apology(kind: str, attachments: Sequence[Attachment]) -> str:
    """Say that something could not be done however often it was tried."""
    if kind == inbox.LEARN:
        names = ", ".join(inert.line(one.name) for one in attachments) or "this message"
        return (
            f"I could not learn {names}: reading it failed again and again. Nothing of it was kept; the other files are fine."
        )
    return "I am sorry, I could not answer this: something kept failing. Ask me again in a while."
