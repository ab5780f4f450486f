"""What is shown on platforms: each thing once, whatever is killed when."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from weakref import WeakValueDictionary

import structlog
from sqlalchemy import ColumnElement, case, insert, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot import db
from bot.chat import Adapter, Answer, Delta, Notice, Refused, Reply, Restart, TryLater
from bot.delivery.batches import Batches
from bot.record import quotes
from bot.record.quotes import Living, Quote, all_of
from bot.tables import OUTBOX
from knowledge import fault

log = structlog.get_logger()


class State(StrEnum):
    """How far a reply has come."""

    OPEN = "open"  # it may be shown already, and is not whole
    WHOLE = "whole"  # its content is stored and waits to be delivered
    DELIVERED = "delivered"
    WITHDRAWING = "withdrawing"  # what is shown of it may still stand there, and counts for nothing
    WITHDRAWN = "withdrawn"
    FAILED = "failed"  # the platform will not take it


_WITHDRAWN = {State.WITHDRAWING, State.WITHDRAWN}


@dataclass(frozen=True, slots=True)
class Sent:
    """A reply and what became of it; its content is an answer in the history (`message_id`) or a `text`."""

    reply: Reply
    state: State
    shown: str | None
    message_id: str | None
    text: str | None
    revision: int = 0


Write = Callable[[AsyncConnection], Awaitable[list[Sent]]]
"""Something to be written in a transaction, which may also return replies as they stood."""


class Outbox:
    """Keeps what is to be shown, and shows it through the adapter of its platform.

    Before a reply is posted its key is kept, and the adapter promises that one key is one post; so whoever comes after a kill
    finds the same post again and completes it.
    """

    def __init__(self, engine: AsyncEngine, adapter: Callable[[str], Adapter], living: Living = all_of) -> None:
        self._engine = engine
        self._living = living
        self._adapter = adapter
        self._busy: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._writes: Batches[Write, list[Sent]] = Batches(self._together, most=50)

    async def open(self, reply: Reply) -> str:
        """Show that an answer is coming, and return the platform's id of it."""
        sent = await self._writes.take(partial(_begun, reply=reply))
        if sent and sent[0].shown and sent[0].state not in _WITHDRAWN:
            return sent[0].shown
        return await self._posted(replace(reply, fresh=not sent), state=State.OPEN)

    async def _posted(self, reply: Reply, **values: object) -> str:
        await fault.apoint("outbox.open.before")
        shown = await self._adapter(reply.place).open(reply)
        await fault.apoint("outbox.open.after")
        await self._change(reply.key, shown=shown, **values)
        return shown

    @asynccontextmanager
    async def showing(self, reply: Reply, shown: str) -> AsyncIterator["Showing"]:
        """Show an answer while it is written: the newest text wins, one writer at a time."""
        showing = Showing(self._adapter(reply.place), reply, shown)
        # No TaskGroup: it would wrap what goes wrong with the answer, and nobody would know what asks for patience.
        writer = asyncio.create_task(showing.write(), name=f"show {reply.key}")
        try:
            yield showing
        finally:
            writer.cancel()
            await asyncio.wait([writer])

    async def whole(
        self, reply: Reply, *, message_id: str | None = None, text: str | None = None, quoting: Sequence[Quote] = ()
    ) -> None:
        """Keep the content of a reply, to be delivered; what a text is `quoting` goes from it when that is forgotten."""
        content = {"message_id": message_id, "text": text, "state": State.WHOLE, "error": None}
        await self._writes.take(partial(_whole, reply=reply, content=content, quoting=quoting, living=self._living))

    async def deliver(self, key: str, content: Callable[[Sent], Awaitable[Answer | Notice | None]]) -> bool:
        """Show the whole content of a reply; tell whether it is there. Without content what is shown is withdrawn.

        Raises `TryLater`, and whatever leaves open whether it was done: both may be tried again.
        """
        async with self._alone(key):
            return await self._delivered(key, content)

    async def _delivered(self, key: str, content: Callable[[Sent], Awaitable[Answer | Notice | None]]) -> bool:
        sent = await self.sent(key)
        if sent is None or sent.state in {State.DELIVERED, State.FAILED, *_WITHDRAWN}:
            return sent is not None and sent.state is State.DELIVERED
        while True:
            if not await self._shown(sent, content):
                return False
            if not (changed := await self._writes.take(partial(_delivered, sent=sent))):
                await fault.apoint("outbox.delivered")
                return True
            sent = changed[0]

    async def _shown(self, sent: Sent, content: Callable[[Sent], Awaitable[Answer | Notice | None]]) -> bool:
        adapter, reply = self._adapter(sent.reply.place), sent.reply
        said = await content(sent)
        if said is None:
            await self._withdrawn(reply.key)
            return False
        try:
            shown = sent.shown or await self._posted(reply)
            await fault.apoint("outbox.finish.before")
            await adapter.finish(reply, shown, said)
            await fault.apoint("outbox.finish.after")
        except Refused as error:
            await self._refused(reply.key, error)
            return False
        return True

    async def whisper(self, reply: Reply, text: str) -> None:
        """Tell the asker something alone; it is an offer, so that trouble with it is logged and nothing more."""
        try:
            await self._adapter(reply.place).whisper(reply, text)
        except Exception as error:
            log.warning("an aside could not be told", key=reply.key, reason=type(error).__name__)

    async def tell(self, reply: Reply, text: str) -> None:
        """Show, in the place of what is to come, why it takes a while; trouble with it is logged and nothing more."""
        try:
            try:
                shown = await self.open(reply)
            except OperationalError:  # it is the storage that is in trouble; the platform knows the post by its key
                shown = await self._adapter(reply.place).open(reply)
            await self._adapter(reply.place).write(reply, shown, text)
        except Exception as error:
            log.warning("could not be told", key=reply.key, reason=type(error).__name__)

    async def withdraw(self, key: str) -> None:
        """Take away what is shown of a reply, and its content."""
        async with self._alone(key):
            await self._withdrawn(key)

    async def _withdrawn(self, key: str) -> None:
        sent = await self.sent(key)
        if sent is None or sent.state is State.WITHDRAWN:
            return
        await self._change(key, state=State.WITHDRAWING)
        with suppress(Refused):  # the place is gone, and what stood there with it
            adapter = self._adapter(sent.reply.place)
            # Whoever began to post it may have been stopped before it was told the id: asked again, the platform tells it.
            shown = sent.shown or await adapter.open(sent.reply)
            await adapter.withdraw(sent.reply, shown)
        await self._change(key, state=State.WITHDRAWN, message_id=None, text=None, shown=None)

    async def sent(self, key: str) -> Sent | None:
        """Return a reply as it stands."""
        async with self._engine.execution_options(reading=True).connect() as connection:
            found = await _sent(connection, OUTBOX.c.key == key)
        return found[0] if found else None

    async def with_answer(self, message_id: str) -> Sent | None:
        """Return the reply that shows an answer of the history."""
        async with self._engine.execution_options(reading=True).connect() as connection:
            found = await _sent(connection, OUTBOX.c.message_id == message_id)
        return found[0] if found else None

    async def outdated(self) -> list[Sent]:
        """Return the replies that were delivered, and whose content is another one since."""
        async with self._engine.execution_options(reading=True).connect() as connection:
            return await _sent(connection, (OUTBOX.c.state == State.WHOLE) & OUTBOX.c.delivered_at.is_not(None))

    async def failed(self, key: str, error: Exception) -> None:
        """Note that a reply could not be delivered however often it was tried."""
        await self._refused(key, error)

    async def _refused(self, key: str, error: Exception) -> None:
        log.warning("a reply cannot be delivered", key=key, reason=str(error))
        await self._change(key, state=State.FAILED, error=str(error)[:200])

    @asynccontextmanager
    async def _alone(self, key: str) -> AsyncIterator[None]:
        """Be alone with a reply: several may see at once that it is to be shown anew, or withdrawn."""
        lock = self._busy.setdefault(key, asyncio.Lock())
        async with lock:
            yield

    async def _change(self, key: str, **values: object) -> None:
        await self._writes.take(partial(_changed, key=key, values=values))

    async def _together(self, writes: Sequence[Write]) -> list[list[Sent]]:
        """Write what is written at the same time in one transaction."""

        async def written(connection: AsyncConnection) -> list[list[Sent]]:
            return [await write(connection) for write in writes]

        return await db.transaction(self._engine, written)


class Showing:
    """Shows an answer as it grows."""

    def __init__(self, adapter: Adapter, reply: Reply, shown: str) -> None:
        self._adapter = adapter
        self._reply = reply
        self._shown = shown
        self._text = ""
        self._news = asyncio.Event()

    def add(self, piece: Delta | Restart) -> None:
        """Take the next piece."""
        self._text = "" if isinstance(piece, Restart) else self._text + piece.text
        self._news.set()

    def replace(self, text: str) -> None:
        """Take another text in place of what there was."""
        self._text = text
        self._news.set()

    async def write(self) -> None:
        """Show the newest text again and again, until cancelled; what goes wrong here the final text puts right."""
        while True:
            await self._news.wait()
            self._news.clear()
            if not self._text:
                continue
            try:
                await self._adapter.write(self._reply, self._shown, self._text)
            except TryLater as later:
                await asyncio.sleep(min(later.seconds or 1.0, 30.0))
            except Exception as error:
                log.warning("a part of an answer could not be shown", key=self._reply.key, reason=type(error).__name__)
                await asyncio.sleep(1.0)


async def _begun(connection: AsyncConnection, *, reply: Reply) -> list[Sent]:
    """Keep the key of a reply before it is posted; return it as it stood before, if it was there."""
    sent = await _sent(connection, OUTBOX.c.key == reply.key)
    if not sent:
        await connection.execute(insert(OUTBOX), _row(reply, State.OPEN))
    return sent


async def _whole(
    connection: AsyncConnection, *, reply: Reply, content: Mapping[str, object], quoting: Sequence[Quote], living: Living
) -> list[Sent]:
    sent = await _sent(connection, OUTBOX.c.key == reply.key)
    if sent:
        await connection.execute(update(OUTBOX).where(OUTBOX.c.key == reply.key).values({**_left(sent[0]), **content}))
    else:
        await connection.execute(insert(OUTBOX).values({**_row(reply, State.WHOLE), **content}))
    if content["text"] is not None:
        text = await quotes.keep(connection, reply.key, str(content["text"]), quoting, living)
        await connection.execute(update(OUTBOX).where(OUTBOX.c.key == reply.key).values(text=text))
    return sent


async def _delivered(connection: AsyncConnection, *, sent: Sent) -> list[Sent]:
    """Note that a reply is delivered; return it as it is to be shown now, if its content became another one meanwhile."""
    this, same = OUTBOX.c.key == sent.reply.key, OUTBOX.c.revision == sent.revision
    state = case((same, State.DELIVERED), else_=OUTBOX.c.state)
    await connection.execute(update(OUTBOX).where(this).values(delivered_at=datetime.now(UTC), state=state))
    return await _sent(connection, this & ~same)


async def _changed(connection: AsyncConnection, *, key: str, values: Mapping[str, object]) -> list[Sent]:
    await connection.execute(update(OUTBOX).where(OUTBOX.c.key == key).values(values))
    return []


async def noted(connection: AsyncConnection, reply: Reply, text: str) -> None:
    """Keep a notice, to be delivered, within the caller's transaction; it replaces an older one."""
    if sent := await _sent(connection, OUTBOX.c.key == reply.key):
        again = {**_left(sent[0]), "text": text, "state": State.WHOLE}
        await connection.execute(update(OUTBOX).where(OUTBOX.c.key == reply.key).values(again))
    else:
        await connection.execute(insert(OUTBOX).values(_row(reply, State.WHOLE) | {"text": text}))


def _left(sent: Sent) -> dict[str, object]:
    """Return what is to be let go of when a reply is shown again after it was withdrawn."""
    return {"shown": None} if sent.state in _WITHDRAWN else {}


def _row(reply: Reply, state: State) -> dict[str, object]:
    return {
        "key": reply.key,
        "place": reply.place,
        "thread": reply.thread,
        "to": reply.to,
        "account": reply.account,
        "state": state,
        "created_at": datetime.now(UTC),
    }


async def _sent(connection: AsyncConnection, where: ColumnElement[bool]) -> list[Sent]:
    return [
        Sent(Reply(r.key, r.place, r.thread, r.to, r.account), State(r.state), r.shown, r.message_id, r.text, r.revision)
        for r in await connection.execute(select(OUTBOX).where(where))
    ]
