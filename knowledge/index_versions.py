"""What the index was built with, noted in the database."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.tables import INDEX_VERSIONS


@dataclass(frozen=True, slots=True)
class IndexVersion:
    """Embedding model, average passage length for BM25, and the collection's name, which no other twin has."""

    model: str
    average_length: float
    collection: str


async def current(engine: AsyncEngine) -> IndexVersion | None:
    """Return what the index was built with, `None` when it never was."""
    query = select(INDEX_VERSIONS).order_by(INDEX_VERSIONS.c.id.desc()).limit(1)
    async with engine.begin() as connection:
        row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else IndexVersion(row["model"], row["average_length"], row["collection"])


async def note(engine: AsyncEngine, version: IndexVersion) -> None:
    """Note what the index is built with from now on."""
    async with engine.begin() as connection:
        await connection.execute(insert(INDEX_VERSIONS).values(asdict(version) | {"built_at": datetime.now(UTC)}))
