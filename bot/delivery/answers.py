"""The errand of answering: shown while it is written, then whole."""

import asyncio
from contextlib import aclosing

import structlog

from bot.chat import Answer, Message, Place, Refused, Reply, Spoken
from bot.delivery.contents import Contents
from bot.delivery.current import Current
from bot.delivery.inbox import REFUSAL, REPLY, question_id, reply_to
from bot.delivery.outbox import State
from bot.delivery.tools import Tools
from bot.engine import Asked
from bot.errors import UnknownMessage
from bot.record.history import thread_id
from bot.record.memory import origin
from knowledge import fault

log = structlog.get_logger()

STOPPED = "⏹ Stopped. Ask again whenever you like."
_LISTENING = 3.0  # seconds that a platform has to tell what was said in a thread


class Answering:
    """Answers messages. A question has one answer, however often its errand is run."""

    def __init__(self, tools: Tools, contents: Contents, current: Current) -> None:
        self._contents = contents
        self._current = current
        self._answers, self._inbox, self._outbox = tools.answers, tools.inbox, tools.outbox
        self._history, self._recall, self._access = tools.history, tools.recall, tools.access
        self._adapter = tools.adapter

    async def answer(self, argument: str) -> None:
        """Answer a message, if it still says what it said; show the answer while it is written, then deliver the whole."""
        async with self._current.message(argument) as message:
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
            if not await self._current.still(message):
                return
            await fault.apoint("answer.whole.before")
            await self._outbox.whole(reply, message_id=answered)
            if await self._outbox.deliver(reply.key, self._contents) and aside:
                await self._outbox.whisper(reply, aside)

    async def again(self, argument: str) -> None:
        """Answer the question of an answer anew, in the place of that answer; done once, however often the errand is run."""
        place, message_id, account = argument.split("\n")
        try:
            question, text = await self._recall.question(message_id)
        except UnknownMessage:  # the question was taken back
            return
        answered = await self._recall.answered(question)
        sent = await self._outbox.with_answer(message_id) or await self._outbox.with_answer(answered or message_id)
        if sent is None or sent.shown is None:  # it was withdrawn
            return
        reply = sent.reply
        async with self._current.alone(f"{reply.place}/{reply.to}"):
            answered = await self._recall.answered(question)
            if answered is None:  # the question was taken back meanwhile
                return
            if answered == message_id:
                conversation, _, _ = await self._recall.held(message_id)
                await self._adapter(place).confirm(place, account)
                person = await self._access.person(account)
                asked = Asked(text, Place(place), person, conversation, reply.thread, question, again=True)
                answered = (await self._shown(asked, reply, sent.shown)).message_id
            if answered != sent.message_id:
                await self._outbox.whole(reply, message_id=answered)
            await self._outbox.deliver(reply.key, self._contents)

    async def stop(self, argument: str) -> None:
        """Leave what was being answered to somebody in a thread as it is, and say so."""
        for message in await self._inbox.spoken(*argument.split("\n")):
            reply = reply_to(message, REPLY)
            async with self._current.alone(origin(message)):
                sent = await self._outbox.sent(reply.key)
                if sent is not None and sent.state is State.OPEN:
                    await self._outbox.whole(reply, text=STOPPED)
                await self._outbox.deliver(reply.key, self._contents)

    async def _written(self, message: Message, reply: Reply) -> Answer:
        shown = await self._outbox.open(reply)
        await self._adapter(message.place).confirm(message.place, message.account)
        place, person = Place(message.place), await self._access.person(message.account)
        asked = Asked(
            message.text,
            place,
            person,
            conversation=thread_id(place, message.thread),
            thread=message.thread,
            question_id=question_id(message),
            origin=origin(message),
            heard=await self._heard(reply),
        )
        await fault.apoint("answer.before")
        return await self._shown(asked, reply, shown)

    async def _heard(self, reply: Reply) -> tuple[Spoken, ...]:
        """Return what others said in the thread before; a platform that does not tell it now is no reason not to answer."""
        try:
            async with asyncio.timeout(_LISTENING):
                return await self._adapter(reply.place).thread(reply)
        except Exception as error:
            log.warning("a thread could not be read", key=reply.key, reason=type(error).__name__)
            return ()

    async def _shown(self, asked: Asked, reply: Reply, shown: str) -> Answer:
        """Show an answer while it is written, and return the whole."""
        async with self._outbox.showing(reply, shown) as showing, aclosing(self._answers.answer(asked)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Answer):
                    return piece
                showing.add(piece)
                await fault.apoint("answer.midstream")
        raise RuntimeError("an answer ended without being whole")
