"""What platforms deliver: kept with its job in one transaction, before the platform is told that it was received."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import NAMESPACE_OID, uuid5

from sqlalchemy import Connection, Text, cast, delete, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot import db
from bot.chat import Message, Reply, What
from bot.delivery.batches import Batches
from bot.delivery.outbox import noted
from bot.delivery.posts import detach, keep, post, posts
from bot.tables import INBOX, OUTBOX, POSTS
from knowledge import fault

ANSWER, LEARN, CHANGED, DELIVER = "answer", "learn", "changed", "deliver"
"""What a message can ask for: to be answered, to be learned, to have what was made of it before undone, to be refused."""

REMOVE, MOVE, AGAIN, STOP, DIGEST = "remove", "move", "again", "stop", "digest"
"""What else there is to do: something is gone, has another id, an answer is wanted anew, or not any more; a week is over."""

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


Learning = Callable[[AsyncConnection, Collection[str]], Awaitable[set[str]]]
"""Returns those of some places in which chat is learned, within the transaction of a connection."""


async def nowhere(_connection: AsyncConnection, _places: Collection[str]) -> set[str]:
    """Have chat learned nowhere."""
    return set()


@dataclass(frozen=True, slots=True)
class Policy:
    """What is known of a message's place and author when it arrives.

    `learns` says that chat is learned there, `refusal` is what its author is told when it is not answered, `ignored` why it is
    passed over in silence.
    """

    learns: bool = False
    refusal: str = ""
    ignored: str = ""


class Inbox:
    """Receives each message once, whatever is delivered how often and in which order."""

    def __init__(
        self,
        engine: AsyncEngine,
        queue: Queue,
        *,
        learning: Learning = nowhere,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._engine = engine
        self._queue = queue
        self._learning = learning
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
            if not await self._arrived(connection, row):
                return False
            await connection.run_sync(self._queue.put, chore)
            return True

        return await db.transaction(self._engine, noted)

    async def spoken(self, place: str, thread: str, account: str) -> list[Message]:
        """Return what somebody has said to the twin in a thread."""
        within = select(POSTS.c.message).where(POSTS.c.place == place, POSTS.c.thread == thread)
        here = (POSTS.c.place == place, POSTS.c.message.in_(within.union_all(select(literal(thread)))))
        said = (POSTS.c.account == account, POSTS.c.addressed.is_(True), POSTS.c.deleted.is_(False))
        async with self._engine.execution_options(reading=True).connect() as connection:
            return await posts(connection, *here, *said)

    async def within(self, place: str, thread: str) -> list[Message]:
        """Return what stands in a thread, as far as it is remembered."""
        async with self._engine.execution_options(reading=True).connect() as connection:
            return await posts(connection, POSTS.c.place == place, POSTS.c.thread == thread, POSTS.c.deleted.is_(False))

    async def bringing(self, attachment: str, *, tenant: str, place: str = "") -> list[Message]:
        """Return the messages that bring a file, in a place or everywhere in a tenant."""
        here = POSTS.c.place == place if place else POSTS.c.place.startswith(f"{tenant}:", autoescape=True)
        named = cast(POSTS.c.attachments, Text).contains(attachment, autoescape=True)
        async with self._engine.execution_options(reading=True).connect() as connection:
            found = await posts(connection, here, named)
        return [message for message in found if any(one.id == attachment for one in message.attachments)]

    async def detach(self, message: Message, attachment: str, receipt: str | None) -> None:
        """Have a message bring a file no more; `receipt` is said of what it brings, in place of what was said of it before."""

        async def detached(connection: AsyncConnection) -> None:
            await detach(connection, message, attachment)
            if receipt is not None:
                await noted(connection, reply_to(message, RECEIPT), receipt)

        await db.transaction(self._engine, detached)

    async def unfinished(self, place: str) -> list[Message]:
        """Return the messages of a place of which nobody was told yet what became of them, and those that are deleted."""
        told = (OUTBOX.c.place == POSTS.c.place, OUTBOX.c.to == POSTS.c.message, OUTBOX.c.delivered_at.is_not(None))
        waits = POSTS.c.deleted.is_(True) | ~select(OUTBOX.c.key).where(*told).exists()
        async with self._engine.execution_options(reading=True).connect() as connection:
            return await posts(connection, POSTS.c.place == place, waits)

    async def begin_anew(self, message: Message) -> None:
        """Have done for a message what may not have been done while its place had another id."""
        errands = () if message.deleted else _errands(message, Policy(learns=True))

        async def begun(connection: AsyncConnection) -> None:
            for one in (errand(CHANGED, message), *errands):
                await connection.run_sync(self._queue.put, one)

        await db.transaction(self._engine, begun)

    async def _kept(self, deliveries: Sequence[tuple[Message, Policy]]) -> list[Accepted]:
        """Keep what came at the same time, in one transaction."""

        async def kept(connection: AsyncConnection) -> list[Accepted]:
            learning = await self._learning(connection, {message.place for message, _ in deliveries})
            accepted = [
                await self._accepted(connection, message, replace(policy, learns=policy.learns or message.place in learning))
                for message, policy in deliveries
            ]
            fault.point("inbox.commit")
            return accepted

        return await db.transaction(self._engine, kept)

    async def _accepted(self, connection: AsyncConnection, message: Message, policy: Policy) -> Accepted:
        row = {"event": message.event, "place": message.place, "message": message.id, "outcome": IGNORED}
        if not await self._arrived(connection, row):
            return Accepted(reason="delivered twice")
        known = await post(connection, message.place, message.id)
        accepted = judged(known, message, policy)
        if known or message.deleted or accepted.errands:  # of what is not meant for the twin it keeps nothing
            await keep(connection, known, message)
        for one in accepted.errands:
            if one.kind == DELIVER:
                await noted(connection, reply_to(message, REFUSAL), policy.refusal)
            await connection.run_sync(self._queue.put, one)
        outcome = ", ".join(one.kind for one in accepted.errands) or accepted.reason
        if outcome != IGNORED:
            await connection.execute(update(INBOX).where(INBOX.c.event == message.event).values(outcome=outcome))
        return accepted

    async def _arrived(self, connection: AsyncConnection, row: dict[str, str]) -> bool:
        """Note a delivery; tell whether it is the first of its event."""
        noting = db.insert(connection.dialect, INBOX).on_conflict_do_nothing()
        return (await connection.execute(noting, {**row, "received_at": self._clock()})).rowcount > 0

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
            known = await post(connection, message.place, message.id)
        return known is None or bool(judged(known, message, Policy()).errands)

    async def post(self, place: str, message: str) -> Message | None:
        """Return a message as it is now."""
        async with self._engine.execution_options(reading=True).connect() as connection:
            return await post(connection, place, message)


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
        # Edited after its author had everything forgotten, it may bring a file no more that belongs to its place since.
        edited = message.changed_at > known.changed_at
        return Accepted((errand(CHANGED, message),) if edited else (), reason="deleted already")
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
