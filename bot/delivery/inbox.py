"""What platforms deliver: kept with its job in one transaction, before the platform is told that it was received."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import NAMESPACE_OID, uuid5

from sqlalchemy import Connection, Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot import db
from bot.chat import Attachment, Message, Reply, What
from bot.delivery.batches import Batches
from bot.delivery.outbox import noted
from bot.tables import INBOX, POSTS
from knowledge import fault

ANSWER, LEARN, CHANGED, DELIVER = "answer", "learn", "changed", "deliver"
"""What a message can ask for: to be answered, to be learned, to have what was made of it before undone, to be refused."""

REMOVE, MOVE, AGAIN, STOP = "remove", "move", "again", "stop"
"""What else a platform brings: something is gone, has another id, an answer is wanted anew, or not any more."""

REPEATED = timedelta(days=8)  # Slack repeats a delivery for a day at most
CHANGING = timedelta(days=40)  # for so long a tombstone wins over what comes late

_AT_ONCE = 50  # deliveries in one transaction

IGNORED = "not meant for the twin"
REPLY, RECEIPT, REFUSAL = What.REPLY, What.RECEIPT, What.REFUSAL


@dataclass(frozen=True, slots=True)
class Errand:
    """Something to be done for a message as of one of its versions; `key` is the same however often it is asked for."""

    kind: str
    place: str
    message: str
    version: str

    @property
    def key(self) -> str:
        return "/".join((self.kind, self.argument))

    @property
    def argument(self) -> str:
        return "\n".join((self.place, self.message, self.version))

    @classmethod
    def of(cls, kind: str, argument: str) -> "Errand":
        """Read an argument back."""
        return cls(kind, *argument.split("\n"))


@dataclass(frozen=True, slots=True)
class Chore:
    """Something else to be done for an `event` of a platform; `argument` says what, in the words of its kind."""

    kind: str
    event: str
    place: str
    argument: str

    @property
    def key(self) -> str:
        return f"{self.kind}/{self.event}"


@dataclass(frozen=True, slots=True)
class Accepted:
    """What was made of a delivery: errands, or a reason why none."""

    errands: tuple[Errand, ...] = ()
    reason: str = ""
    ended: tuple[Errand, ...] = ()  # errands of an older version, which need not run any more


class Queue(Protocol):
    """Takes errands, within the transaction of a connection."""

    def put(self, connection: Connection, errand: Errand | Chore) -> None:
        """Have an errand done once the transaction is committed; one that is known already is not done twice."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What is known of a message's place and author when it arrives.

    `refusal` is what its author is told when it is not answered, `ignored` why it is passed over in silence.
    """

    learns: bool = False
    refusal: str = ""
    ignored: str = ""


class Inbox:
    """Receives each message once, whatever is delivered how often and in which order."""

    def __init__(self, engine: AsyncEngine, queue: Queue, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._engine = engine
        self._queue = queue
        self._clock = clock
        self._intake = Batches(self._kept, most=_AT_ONCE)

    async def accept(self, message: Message, policy: Policy) -> Accepted:
        """Keep a delivery with the errands it asks for; when this returns, a kill loses neither.

        What it raises (the database is locked, the disk is full) must keep the platform from being told that it was received.
        """
        await fault.apoint("inbox.before")
        accepted = await self._intake.take((message, policy))
        await fault.apoint("inbox.after")
        return accepted

    async def note(self, chore: Chore) -> bool:
        """Keep a chore, as `accept` does a message; tell whether it is a new one."""

        async def noted(connection: AsyncConnection) -> bool:
            row = {"event": chore.event, "place": chore.place, "message": "", "outcome": chore.kind}
            kept = db.insert(connection.dialect, INBOX).values(row | {"received_at": self._clock()})
            if (await connection.execute(kept.on_conflict_do_nothing())).rowcount == 0:
                return False
            await connection.run_sync(self._queue.put, chore)
            return True

        return await db.transaction(self._engine, noted)

    async def spoken(self, place: str, thread: str, account: str) -> list[Message]:
        """Return what somebody has said to the twin in a thread."""
        here = (POSTS.c.place == place, (POSTS.c.thread == thread) | (POSTS.c.message == thread))
        query = select(POSTS).where(*here, POSTS.c.account == account, POSTS.c.addressed.is_(True), POSTS.c.deleted.is_(False))
        async with self._engine.execution_options(reading=True).connect() as connection:
            return [_message(row) for row in await connection.execute(query)]

    async def _kept(self, deliveries: Sequence[tuple[Message, Policy]]) -> list[Accepted]:
        """Keep what came at the same time, in one transaction."""

        async def kept(connection: AsyncConnection) -> list[Accepted]:
            accepted = [await self._accepted(connection, message, policy) for message, policy in deliveries]
            fault.point("inbox.commit")
            return accepted

        return await db.transaction(self._engine, kept)

    async def _accepted(self, connection: AsyncConnection, message: Message, policy: Policy) -> Accepted:
        row = {"event": message.event, "place": message.place, "message": message.id}
        kept = db.insert(connection.dialect, INBOX).values(row | {"outcome": IGNORED, "received_at": self._clock()})
        if (await connection.execute(kept.on_conflict_do_nothing())).rowcount == 0:
            return Accepted(reason="delivered twice")
        known = await _known(connection, message.place, message.id)
        accepted = judged(known, message, policy)
        if known or message.deleted or accepted.errands:  # of what is not meant for the twin it keeps nothing
            await _keep(connection, known, message)
        for one in accepted.errands:
            if one.kind == DELIVER:
                await noted(connection, reply_to(message, REFUSAL), policy.refusal)
            await connection.run_sync(self._queue.put, one)
        outcome = ", ".join(one.kind for one in accepted.errands) or accepted.reason
        if outcome != IGNORED:
            await connection.execute(update(INBOX).where(INBOX.c.event == message.event).values(outcome=outcome))
        return accepted

    async def tidy(self) -> None:
        """Let go of deliveries that no platform repeats any more, and of messages that hardly anyone changes any more."""
        now = self._clock()
        async with self._engine.begin() as connection:
            await connection.execute(delete(INBOX).where(INBOX.c.received_at < now - REPEATED))
            await connection.execute(delete(POSTS).where(POSTS.c.changed_at < now - CHANGING))

    async def is_new(self, message: Message) -> bool:
        """Tell whether a delivery may ask for something: one that came before costs its author nothing."""
        async with self._engine.execution_options(reading=True).connect() as connection:
            if (await connection.execute(select(INBOX.c.event).where(INBOX.c.event == message.event))).first():
                return False
            known = await _known(connection, message.place, message.id)
        return known is None or bool(judged(known, message, Policy()).errands)

    async def post(self, place: str, message: str) -> Message | None:
        """Return a message as it is now."""
        async with self._engine.execution_options(reading=True).connect() as connection:
            return await _known(connection, place, message)


def reply_to(message: Message, what: str) -> Reply:
    """Return where something that a message brings about is shown; `what` tells an answer from a receipt or a refusal."""
    about = " ".join(message.text.split())[:80]
    key = f"{what}/{message.place}/{message.id}"
    return Reply(key, message.place, message.thread, message.id, message.account, about=about)


def question_id(message: Message) -> str:
    """Return the id that the question of a message has in the history; an edited one is another question."""
    return uuid5(NAMESPACE_OID, f"{message.place}/{message.id}@{version(message)}").hex


def asks(message: Message) -> bool:
    """Tell whether a message that brings files asks the twin something too."""
    return message.addressed and message.text.rstrip().endswith("?")


def version(message: Message) -> str:
    """Name the state that a message is in."""
    return message.changed_at.astimezone(UTC).isoformat()


def judged(known: Message | None, message: Message, policy: Policy) -> Accepted:
    """Decide what a delivery asks for, given what is known of its message (pure). The latest change wins, deletion for good."""
    if known and known.deleted and not message.deleted:
        return Accepted(reason="deleted already")
    if message.deleted:  # also of what its author had forgotten: a kill may have left something of that
        ended = _begun(known, policy) if known and not known.deleted else ()
        return Accepted((errand(CHANGED, message),), ended=ended)
    if policy.ignored:
        return Accepted(reason=policy.ignored)
    if known is None:
        return _asked(_errands(message, policy))
    return _changed(known, message, policy)


def _changed(known: Message, message: Message, policy: Policy) -> Accepted:
    """Decide what a further delivery of a known message asks for."""
    if message.changed_at < known.changed_at:
        return Accepted(reason="older than what is known")
    if (message.text, message.attachments) == (known.text, known.attachments):
        if (message.addressed and not known.addressed) or (message.taught_by and not known.taught_by):  # or to be learned
            return _asked(_errands(message, policy))
        return Accepted(reason="nothing new in it")
    taught_by = message.taught_by or known.taught_by
    merged = replace(message, addressed=message.addressed or known.addressed, taught_by=taught_by)
    return Accepted((errand(CHANGED, message), *_errands(merged, policy)), ended=_begun(known, policy))


def _asked(errands: tuple[Errand, ...]) -> Accepted:
    return Accepted(errands, reason="" if errands else IGNORED)


def _errands(message: Message, policy: Policy) -> tuple[Errand, ...]:
    """Return what a message asks for: files are learned where the twin is spoken to or learns, questions answered after."""
    if message.addressed and policy.refusal:
        return (errand(DELIVER, message),)
    if message.taught_by or (message.attachments and (message.addressed or policy.learns)):
        return (errand(LEARN, message),)
    if message.addressed:
        return (errand(ANSWER, message),)
    if policy.learns and message.text.strip():
        return (errand(LEARN, message),)
    return ()


def _begun(known: Message, policy: Policy) -> tuple[Errand, ...]:
    """Return what may be under way for a message as it was; that it is refused now says nothing of then."""
    return _errands(known, replace(policy, refusal=""))


def errand(kind: str, message: Message) -> Errand:
    """Return an errand for a message as it is."""
    return Errand(kind, message.place, message.id, version(message))


async def _known(connection: AsyncConnection, place: str, message: str) -> Message | None:
    query = select(POSTS).where(POSTS.c.place == place, POSTS.c.message == message)
    row = (await connection.execute(query)).one_or_none()
    return _message(row) if row else None


async def _keep(connection: AsyncConnection, known: Message | None, message: Message) -> None:
    """Make the post what it is as of its latest change; of a deleted one nothing but that it was deleted is kept."""
    if known and (known.deleted or (message.changed_at < known.changed_at and not message.deleted)):
        return
    addressed = message.addressed or bool(known and known.addressed)
    row: dict[str, object] = {
        "place": message.place,
        "message": message.id,
        "thread": message.thread or (known.thread if known else None),
        "account": message.account or (known.account if known else ""),
        "changed_at": message.changed_at,
        "addressed": addressed and not message.deleted,
        "taught_by": "" if message.deleted else message.taught_by or (known.taught_by if known else ""),
        "deleted": message.deleted,
        "author": "" if message.deleted else message.author,
        "text": "" if message.deleted else message.text,
        "link": "" if message.deleted else message.link,
        "attachments": [] if message.deleted else [asdict(one) for one in message.attachments],
    }
    if known is None:
        await connection.execute(insert(POSTS).values(row))
    else:
        here = (POSTS.c.place == message.place, POSTS.c.message == message.id)
        await connection.execute(update(POSTS).where(*here).values(row))


def _message(row: Row[Any]) -> Message:
    return Message(
        event="",
        place=row.place,
        id=row.message,
        account=row.account,
        text=row.text,
        changed_at=row.changed_at,
        thread=row.thread,
        addressed=row.addressed,
        deleted=row.deleted,
        attachments=tuple(Attachment(**one) for one in row.attachments),
        link=row.link,
        author=row.author,
        taught_by=row.taught_by,
    )
