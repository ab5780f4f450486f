"""The errand of forgetting what is gone from a platform: a file, a place with all that was said in it, an account, a tenant."""

import json
from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import UTC, datetime

import structlog
from sqlalchemy import Select, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.chat import Gone, Message, Moved, PlaceKind, Removal
from bot.delivery.current import Current
from bot.delivery.inbox import RECEIPT, Policy, reply_to
from bot.delivery.outbox import State
from bot.delivery.posts import GONE
from bot.delivery.tools import Tools
from bot.delivery.undoing import Undoing
from bot.people.register import People
from bot.people.sight import OWN
from bot.record import moving
from bot.record.memory import origin_of
from bot.tables import ACCOUNTS, CONVERSATIONS, MEMBERSHIPS, MODELS, OUTBOX, PLACES, POSTS, ROLES
from knowledge import fault

log = structlog.get_logger()

_AT_ONCE = 100  # documents forgotten in one go

_WITHDRAWN = {"state": State.WITHDRAWN, "text": None, "message_id": None, "shown": None}


class Removals:
    """Forgets. Each step may be done again: whoever was stopped in the middle begins anew."""

    def __init__(self, engine: AsyncEngine, people: People, tools: Tools, current: Current, undoing: Undoing) -> None:
        self._engine = engine
        self._people = people
        self._inbox, self._outbox = tools.inbox, tools.outbox
        self._knowledge, self._memory, self._history = tools.knowledge, tools.memory, tools.history
        self._tidy = tools.tidy
        self._current = current
        self._undoing = undoing

    async def remove(self, argument: str) -> None:
        """Forget what was made of something that is gone."""
        told = json.loads(argument)
        removal = Removal(**{**told, "what": Gone(told["what"])})
        match removal.what:
            case Gone.FILE:
                await self._file(removal)
            case Gone.PLACE:
                await self._place(removal.id)
            case Gone.THREAD:
                await self._thread(removal)
            case Gone.ACCOUNT:
                await self._account(removal.id)
            case Gone.TENANT:
                await self._tenant(removal.id)
        await self._undoing.retell()
        self._tidy()
        log.info("forgotten", what=str(removal.what))

    async def move(self, argument: str) -> None:
        """Have everything of a place belong to it under its new id."""
        moved = Moved(**json.loads(argument))
        for old, new in await moving.place(self._engine, self._knowledge, moved.old, moved.new):
            heard = {origin_of(source)[1] for source, _ in await self._knowledge.catalogue.sources(f"{new}/")}
            for message in await self._inbox.unfinished(new):
                async with self._current.alone(f"{old}/{message.id}"):  # whose errands find no message under its old name
                    if message.addressed or message.attachments or message.id not in heard:
                        await self._inbox.begin_anew(message)

    # --- a file

    async def _file(self, removal: Removal) -> None:
        """What was learned goes first, and last the name: by that it is found again after a kill."""
        bringing = await self._inbox.bringing(removal.id, tenant=removal.tenant, place=removal.place)
        where = f"{removal.place}/" if removal.place else f"{removal.tenant}:"
        sources = [source for source, _ in await self._knowledge.catalogue.sources(where) if source.endswith(f"#{removal.id}")]
        for place, id in sorted({(one.place, one.id) for one in bringing} | {origin_of(source) for source in sources}):
            async with self._current.alone(f"{place}/{id}"):  # whoever is learning it just now
                taught = await self._knowledge.catalogue.from_source(f"{place}/{id}#{removal.id}")
                await self._forget(document for _, document in taught)
                await fault.apoint("remove.file.forgotten")
                if message := await self._inbox.post(place, id):
                    await self._detached(message, removal.id)

    async def _detached(self, message: Message, file: str) -> None:
        """Have a message bring a file no more, and nobody read of it in the receipt."""
        reply = reply_to(message, RECEIPT)
        left = [one for one in message.attachments if one.id != file]
        if not left and not message.taught_by:
            await self._outbox.withdraw(reply.key)
        sent = await self._outbox.sent(reply.key)
        told = sent is not None and sent.state in {State.WHOLE, State.DELIVERED} and sent.text
        await self._inbox.detach(message, file, without(told, message, file) if told else None)

    # --- a place

    async def _place(self, place: str) -> None:
        """First nobody reads there any more, then all that is of the place goes, with what is told in it to people alone."""
        alone = select(PLACES.c.id).where(PLACES.c.id.startswith(f"{place}~", autoescape=True))
        for one in [place, *await self._ids(alone)]:
            await self._people.closed(one)
            await fault.apoint("remove.place.closed")
            await self._unsay(one)
            await fault.apoint("remove.place.unsaid")
            documents = await self._knowledge.catalogue.in_scope(one)
            await self._forget(document.id for document in documents if document.scopes == (one,))
            for document in documents:
                if document.scopes != (one,):
                    await self._knowledge.library.unshare(document.id, one)
            await fault.apoint("remove.place.unlearned")
            await self._history.forget_conversations(CONVERSATIONS.c.place == one)

    async def _unsay(self, place: str) -> None:
        """Let go of what was said in a place, of what is still to be shown there, and of how it wanted to be answered."""
        async with self._engine.begin() as connection:
            await connection.execute(update(POSTS).where(POSTS.c.place == place).values(GONE))
            await connection.execute(update(OUTBOX).where(OUTBOX.c.place == place).values(_WITHDRAWN))
            await connection.execute(delete(MODELS).where(MODELS.c.place == place))
            await connection.execute(update(PLACES).where(PLACES.c.id == place).values(name=""))

    async def _thread(self, removal: Removal) -> None:
        """Every message of a thread is gone."""
        for message in await self._inbox.within(removal.place, removal.id):
            gone = replace(message, event=f"{removal.event}/{message.id}", text="", attachments=(), deleted=True)
            await self._inbox.accept(replace(gone, changed_at=datetime.now(UTC)), Policy())

    # --- an account, a tenant

    async def _account(self, account: str) -> None:
        """What is somebody's alone goes with their last account; what they taught to places stays."""
        await self._people.gone(account)
        person = select(ACCOUNTS.c.person_id).where(ACCOUNTS.c.id == account).scalar_subquery()
        async with self._engine.connect() as connection:
            query = select(ACCOUNTS.c.person_id, ACCOUNTS.c.active).where(ACCOUNTS.c.person_id == person)
            rows = (await connection.execute(query)).all()
        if not rows or any(row.active for row in rows):
            return
        person_id = str(rows[0].person_id)
        await self._forget(one.id for one in await self._knowledge.catalogue.in_scope(f"{OWN}{person_id}"))
        for place in await self._private(person_id):
            await self._unsay(place)
            await self._history.forget_conversations(CONVERSATIONS.c.place == place)

    async def _private(self, person: str) -> list[str]:
        """Return where a person is alone with the twin."""
        listed = select(MEMBERSHIPS.c.place_id).join(ACCOUNTS, ACCOUNTS.c.id == MEMBERSHIPS.c.account_id)
        held = select(CONVERSATIONS.c.place).where(CONVERSATIONS.c.person == person)
        there = or_(PLACES.c.id.in_(listed.where(ACCOUNTS.c.person_id == person)), PLACES.c.id.in_(held))
        return await self._ids(select(PLACES.c.id).where(PLACES.c.kind == PlaceKind.DIRECT, there))

    async def _tenant(self, tenant: str) -> None:
        places = set(await self._ids(select(PLACES.c.id).where(PLACES.c.tenant == tenant)))
        for column in (POSTS.c.place, OUTBOX.c.place, CONVERSATIONS.c.place):  # also of those that were never told of
            places.update(await self._ids(select(column).where(column.startswith(f"{tenant}:", autoescape=True)).distinct()))
        for place in sorted(places):
            await self._place(place)
        for account in await self._ids(select(ACCOUNTS.c.id).where(ACCOUNTS.c.tenant == tenant)):
            await self._account(account)
        async with self._engine.begin() as connection:
            await connection.execute(delete(ROLES).where(ROLES.c.tenant == tenant))

    # ---

    async def _ids(self, query: Select[str]) -> list[str]:
        async with self._engine.connect() as connection:
            return list((await connection.execute(query)).scalars())

    async def _forget(self, documents: Iterable[str]) -> None:
        waiting = list(documents)
        while waiting:
            some, waiting = waiting[:_AT_ONCE], waiting[_AT_ONCE:]
            await self._memory.forget([one for document in some for one in await self._knowledge.catalogue.family(document)])


def without(receipt: str, message: Message, file: str) -> str:
    """Return what is said of the files of a message without what is said of one of them (pure)."""
    ids = [one.id for one in message.attachments]
    said = receipt.split("\n\n")
    before = len(said) - len(ids)  # what is said of the message itself
    if file not in ids or before not in {0, 1}:
        return "A file of this message was deleted: I have forgotten it."
    del said[before + ids.index(file)]
    return "\n\n".join(said)


def removal_argument(removal: Removal) -> str:
    """Return what an errand is told of a removal."""
    return json.dumps(asdict(removal))


def move_argument(moved: Moved) -> str:
    """Return what an errand is told of a move."""
    return json.dumps(asdict(moved))
