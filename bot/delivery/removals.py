"""The errand of forgetting what is gone from a platform: a file, a place with all that was said in it, an account, a tenant."""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Protocol

import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.chat import Gone, Moved, PlaceKind, Removal
from bot.delivery.undoing import Undoing
from bot.people.register import People
from bot.record import moving
from bot.record.history import History
from bot.record.memory import Memory
from bot.tables import ACCOUNTS, CONVERSATIONS, OUTBOX, PLACES, POSTS, ROLES
from knowledge import Knowledge

log = structlog.get_logger()

OWN = "person:"


class Parts(Protocol):
    """What forgetting takes."""

    @property
    def knowledge(self) -> Knowledge: ...
    @property
    def memory(self) -> Memory: ...
    @property
    def history(self) -> History: ...


class Removals:
    """Forgets. Each step may be done again: whoever was stopped in the middle begins anew."""

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        people: People,
        parts: Parts,
        undoing: Undoing,
        tidy: Callable[[], None],
    ) -> None:
        self._engine = engine
        self._people = people
        self._knowledge = parts.knowledge
        self._memory = parts.memory
        self._history = parts.history
        self._undoing = undoing
        self._tidy = tidy

    async def remove(self, argument: str) -> None:
        """Forget what was made of something that is gone."""
        told = json.loads(argument)
        removal = Removal(**{**told, "what": Gone(told["what"])})
        match removal.what:
            case Gone.FILE:
                await self._file(removal)
            case Gone.PLACE:
                await self._place(removal.id)
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
        await moving.place(self._engine, self._knowledge, moved.old, moved.new)

    async def _file(self, removal: Removal) -> None:
        where = f"{removal.place}/" if removal.place else f"{removal.tenant}:"
        sources = [source for source, _ in await self._knowledge.catalogue.sources(where) if source.endswith(f"#{removal.id}")]
        for source in sources:
            await self._forget(document for _, document in await self._knowledge.catalogue.from_source(source))

    async def _place(self, place: str) -> None:
        """First nobody reads there any more, then all that is of the place goes, with what is told in it to people alone."""
        for one in await self._with_alone(place):
            await self._people.closed(one)
            await self._unsay(one)
            for document in await self._knowledge.catalogue.in_scope(one):
                if document.scopes == (one,):
                    await self._forget([document.id])
                else:
                    await self._knowledge.library.unshare(document.id, one)
            await self._history.forget_conversations(CONVERSATIONS.c.place == one)

    async def _with_alone(self, place: str) -> list[str]:
        alone = select(PLACES.c.id).where(PLACES.c.id.startswith(f"{place}~", autoescape=True))
        async with self._engine.connect() as connection:
            return [place, *(await connection.execute(alone)).scalars()]

    async def _unsay(self, place: str) -> None:
        """Let go of what was said in a place, and of what is still to be shown there."""
        emptied = {"text": "", "author": "", "link": "", "attachments": [], "addressed": False, "deleted": True}
        async with self._engine.begin() as connection:
            await connection.execute(update(POSTS).where(POSTS.c.place == place).values(emptied))
            gone = {"state": "withdrawn", "text": None, "message_id": None, "shown": None}
            await connection.execute(update(OUTBOX).where(OUTBOX.c.place == place).values(gone))

    async def _account(self, account: str) -> None:
        """What is somebody's alone goes with their last account; what they taught to places stays."""
        await self._people.gone(account)
        person = select(ACCOUNTS.c.person_id).where(ACCOUNTS.c.id == account).scalar_subquery()
        others = select(ACCOUNTS.c.person_id, ACCOUNTS.c.active).where(ACCOUNTS.c.person_id == person)
        async with self._engine.connect() as connection:
            rows = (await connection.execute(others)).all()
        if not rows or any(row.active for row in rows):
            return
        person_id = str(rows[0].person_id)
        await self._forget(one.id for one in await self._knowledge.catalogue.in_scope(f"{OWN}{person_id}"))
        private = select(PLACES.c.id).where(PLACES.c.kind == PlaceKind.DIRECT)
        await self._history.forget_conversations((CONVERSATIONS.c.person == person_id) & CONVERSATIONS.c.place.in_(private))

    async def _tenant(self, tenant: str) -> None:
        async with self._engine.connect() as connection:
            places = list((await connection.execute(select(PLACES.c.id).where(PLACES.c.tenant == tenant))).scalars())
            accounts = list((await connection.execute(select(ACCOUNTS.c.id).where(ACCOUNTS.c.tenant == tenant))).scalars())
        for place in places:
            await self._place(place)
        for account in accounts:
            await self._account(account)
        async with self._engine.begin() as connection:
            await connection.execute(delete(ROLES).where(ROLES.c.tenant == tenant))

    async def _forget(self, documents: Iterable[str]) -> None:
        family = [one for document in documents for one in await self._knowledge.catalogue.family(document)]
        if family:
            await self._memory.forget(family)


def removal_argument(removal: Removal) -> str:
    """Return what an errand is told of a removal."""
    return json.dumps(asdict(removal))


def move_argument(moved: Moved) -> str:
    """Return what an errand is told of a move."""
    return json.dumps(asdict(moved))
