"""From which messages something was learned, and when a platform was last heard of: what reconciliation asks."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.record.memory import origin_of
from bot.tables import INBOX, POSTS
from knowledge import Knowledge

_PLACES = 500


@dataclass(frozen=True, slots=True)
class TaughtBy:
    """A message that something was learned from."""

    place: str
    message: str
    changed_at: datetime
    thread: str | None = None


class TaughtRecord:
    """Tells what was learned from which messages of a tenant."""

    def __init__(self, engine: AsyncEngine, knowledge: Knowledge) -> None:
        self._engine = engine.execution_options(reading=True)
        self._knowledge = knowledge

    async def taught(self, tenant: str) -> AsyncIterator[TaughtBy]:
        """Yield every message that something living was learned from, each once."""
        seen = set[tuple[str, str]]()
        for source, added_at in await self._knowledge.catalogue.sources(f"{tenant}:"):
            place, message = origin_of(source)
            if (place, message) not in seen:
                seen.add((place, message))
                changed_at, thread = await self._known(place, message)
                yield TaughtBy(place, message, changed_at or added_at, thread)

    async def _known(self, place: str, message: str) -> tuple[datetime | None, str | None]:
        """Return when a message was said or changed last, and in which thread, as long as that is remembered."""
        query = select(POSTS.c.changed_at, POSTS.c.thread).where(POSTS.c.place == place, POSTS.c.message == message)
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).first()
        return (row.changed_at, row.thread) if row else (None, None)

    async def places(self, tenant: str) -> list[str]:
        """Return the places of a tenant in which something was said to the twin, the latest first."""
        mine = POSTS.c.place.startswith(f"{tenant}:", autoescape=True)
        latest = func.max(POSTS.c.changed_at)
        query = select(POSTS.c.place).where(mine).group_by(POSTS.c.place).order_by(latest.desc()).limit(_PLACES)
        async with self._engine.connect() as connection:
            return list((await connection.execute(query)).scalars())

    async def last_heard(self, tenant: str) -> datetime | None:
        """Return when the last delivery of a tenant was received."""
        last = select(func.max(INBOX.c.received_at)).where(INBOX.c.place.startswith(f"{tenant}:", autoescape=True))
        async with self._engine.connect() as connection:
            found: datetime | None = (await connection.execute(last)).scalar()
        return found
