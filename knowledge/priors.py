"""What people think of the answers that quoted a passage: it moves the passage a little in what is found."""

from collections.abc import Mapping, Sequence

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.tables import CHUNKS, PRIORS


class Priors:
    """An opinion of some passages, -1 to 1; it goes when its passage goes."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._reading = engine.execution_options(reading=True)
        self._any: bool | None = None  # whether there ever was one, when that is known: without any, a search need not ask

    async def set(self, values: Mapping[str, float]) -> None:
        """Replace the opinions of passages by their ids; 0 is none. Passages that are gone meanwhile are passed over."""
        if any(values.values()):
            self._any = True
        there = select(CHUNKS.c.id).where(CHUNKS.c.id.in_(values)).with_for_update(key_share=True)
        async with self._engine.begin() as connection:
            passages = (await connection.execute(there)).scalars()
            rows = [{"chunk_id": i, "value": max(-1.0, min(values[i], 1.0))} for i in passages if values[i]]
            await connection.execute(delete(PRIORS).where(PRIORS.c.chunk_id.in_(values)))
            if rows:
                await connection.execute(insert(PRIORS), rows)

    async def of(self, ids: Sequence[str]) -> dict[str, float]:
        """Return the opinions of those passages that have one."""
        if self._any is False:
            return {}
        query = select(PRIORS.c.chunk_id, PRIORS.c.value).where(PRIORS.c.chunk_id.in_(ids))
        async with self._reading.connect() as connection:
            if self._any is None:
                some = (await connection.execute(select(PRIORS.c.chunk_id).limit(1))).first() is not None
                self._any = self._any or some  # one may have come while this was looking
            return {row.chunk_id: row.value for row in await connection.execute(query)}
