"""Where platforms hand in what was said: kept before they are told so, refused with a reason, and done by durable jobs."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol
from weakref import WeakValueDictionary

import structlog

from bot.access import Access, Act
from bot.chat import Message, Moved, Place, Removal
from bot.delivery import inbox
from bot.delivery.digests import digest_argument
from bot.delivery.inbox import ANSWER, Accepted, Chore, Inbox, Policy, errand
from bot.delivery.removals import move_argument, removal_argument
from bot.errors import TwinError, UnknownMessage
from bot.limits import ATTACHMENTS, MESSAGE, LoopGuard, Rates, Turns, What, bounded, counted
from bot.record.recall import Recall
from knowledge import fault

log = structlog.get_logger()


class Jobs(Protocol):
    """Where errands wait."""

    def wake(self) -> None:
        """Have what was put taken at once; for after the commit."""

    async def cancel(self, key: str) -> None:
        """Keep a job from running, or stop it: nobody waits for it any more."""

    async def tidy(self) -> int:
        """Forget the jobs that were finished long ago."""

    async def waiting(self, kind: str) -> int:
        """Return how many jobs of a kind are not finished, those being done included."""


class Desk:
    """Receives messages. When `receive` returns, what was received survives a kill; when it raises, it must come again."""

    def __init__(
        self,
        received: Inbox,
        access: Access,
        jobs: Jobs,
        recall: Recall,
        *,
        rates: Rates,
        turns: Turns,
        loops: LoopGuard,
        retell: Callable[[], Awaitable[None]],
        digested: Callable[[], Awaitable[list[str]]],
    ) -> None:
        self._inbox = received
        self._access = access
        self._jobs = jobs
        self._busy: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._recall = recall
        self._rates = rates
        self._turns = turns
        self._loops = loops
        self._retell = retell
        self._digested = digested

    async def receive(self, message: Message) -> Accepted:
        """Take a delivery in; redeliveries, other orders and changes of the message are all welcome."""
        fault.point("desk.receive")
        lock = self._busy.setdefault(f"{message.place}/{message.id}", asyncio.Lock())
        async with lock:  # a mention and its message come at once, and cost their author one question
            return await self._received(message)

    async def _received(self, message: Message) -> Accepted:
        asks = message.addressed and not message.deleted  # what came before costs its author nothing
        policy = Policy() if asks and not await self._inbox.is_new(message) else await self._policy(message)
        accepted = await self._inbox.accept(message, policy)
        if accepted.errands:
            self._jobs.wake()
        for ended in accepted.ended:
            await self._jobs.cancel(ended.key)
        kinds = [one.kind for one in accepted.errands]
        log.info("received", message=f"{message.place}/{message.id}", errands=kinds, reason=accepted.reason or None)
        return accepted

    async def remove(self, removal: Removal) -> None:
        """Take in that something is gone; what was made of it is forgotten."""
        await self._noted(Chore(inbox.REMOVE, removal.event, removal.place or removal.id, removal_argument(removal)))

    async def move(self, moved: Moved) -> None:
        """Take in that a place has another id now."""
        await self._noted(Chore(inbox.MOVE, moved.event, moved.new, move_argument(moved)))

    async def again(self, event: str, message_id: str, *, place: Place, account: str) -> None:
        """Have the question of an answer answered anew, where the answer stands; raises `NotAllowed` and `UnknownMessage`."""
        person = await self._access.person(account)
        await self._access.require(Act.ASK, person, place)
        _, held_in, _ = await self._recall.held(message_id)
        if held_in != place:
            raise UnknownMessage()
        await self._recall.question(message_id)
        self._rates.take_all({What.QUESTION: person.id, What.PLACE: place.id})
        await self._noted(Chore(inbox.AGAIN, event, place.id, "\n".join((place.id, message_id, account))))

    async def stop(self, event: str, place: Place, thread: str, account: str) -> None:
        """Stop what is being answered to somebody in a thread."""
        for message in await self._inbox.spoken(place.id, thread, account):
            await self._jobs.cancel(errand(ANSWER, message).key)
        await self._noted(Chore(inbox.STOP, event, place.id, "\n".join((place.id, thread, account))))

    async def engaged(self, place: Place, thread: str, account: str) -> bool:
        """Say whether somebody has spoken to the twin in a thread."""
        return bool(await self._inbox.spoken(place.id, thread, account))

    async def thread(self, place: Place, message: str) -> str | None:
        """Return the thread that a message is of, as long as it is remembered."""
        known = await self._inbox.post(place.id, message)
        return known.thread if known else None

    async def digests(self, week: str) -> None:
        """Have a week summed up wherever that is wanted; done again, it changes nothing."""
        for place in await self._digested():
            await self._noted(Chore(inbox.DIGEST, f"digest:{place}:{week}", place, digest_argument(place, week)))

    async def _noted(self, chore: Chore) -> None:
        if await self._inbox.note(chore):
            self._jobs.wake()
        log.info("received", what=chore.kind)

    async def tidy(self) -> None:
        """Let go of what was received and done long ago."""
        await self._inbox.tidy()
        await self._jobs.tidy()
        await self._retell()

    async def _policy(self, message: Message) -> Policy:
        if message.deleted:
            return Policy()
        asks = message.addressed or not message.from_bot
        if not asks or not self._loops.allows(message.place, message.thread, message.from_bot, message.account):
            return Policy(ignored="said by a bot")
        if not message.addressed:
            return Policy()
        return Policy(refusal=await self._refusal(message, Place(message.place)))

    async def _refusal(self, message: Message, place: Place) -> str:
        """Say why a message is not answered, if it is not."""
        try:
            person = await self._access.person(message.account)
            await self._access.require(Act.ASK, person, place, there=True)
            bounded(message.text, MESSAGE)
            counted(len(message.attachments), ATTACHMENTS)
            if message.attachments:
                self._rates.take(What.FILE, person.id, len(message.attachments))
            else:
                self._rates.take_all({What.QUESTION: person.id, What.PLACE: place.id})
                known = self._turns.running + self._turns.waiting
                self._turns.admit(person.id, backlog=max(0, await self._jobs.waiting(ANSWER) - known))
        except TwinError as error:
            return str(error)
        return ""
