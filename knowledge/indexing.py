"""The index kept equal to the database: passages put in, taken out, compared, rebuilt."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge import index_versions
from knowledge.catalogue import Catalogue, Stored
from knowledge.chunks import embedded_text
from knowledge.faults import fault
from knowledge.index.base import Index, Point, Vectors
from knowledge.index_versions import IndexVersion
from knowledge.lexical import AVERAGE_LENGTH, Lexical

log = structlog.get_logger()

BATCH = 128  # passages embedded and written at a time

Progress = Callable[[int, int], None]
"""Told how many of how many passages are done."""


def unheard(done: int, total: int) -> None:
    """Report to nobody."""


class Encoder(Protocol):
    """Turns texts into vectors; `model` names what it was that did."""

    @property
    def model(self) -> str:
        """The model's name, stored beside the index."""

    async def passages(self, texts: Sequence[str]) -> Vectors:
        """Return one vector per text, one per row."""


class Indexing:
    """What goes into the vector index and out of it. The database decides what should be there.

    `collection` is the index's name on a server, to be noted with what the index is built with.
    """

    def __init__(self, engine: AsyncEngine, embedder: Encoder, lexical: Lexical, index: Index, *, collection: str) -> None:
        self._engine = engine
        self._catalogue = Catalogue(engine)
        self._embedder = embedder
        self._lexical = lexical
        self._index = index
        self._collection = collection
        self._ahead: set[str] = set()

    @contextmanager
    def ahead(self, ids: Iterable[str]) -> Iterator[None]:
        """Say that these passages may be in the index before they are in the database."""
        coming = set(ids)
        self._ahead |= coming
        try:
            yield
        finally:
            self._ahead -= coming

    async def put(self, batch: Sequence[Stored]) -> None:
        """Embed passages and have them in the index."""
        texts = [embedded_text(one.context, one.text) for one in batch]
        vectors = await self._embedder.passages(texts)
        await fault.apoint("indexing.embedded")
        points = [
            Point(
                id=one.id,
                dense=vector,
                sparse=self._lexical.document(text),
                document=one.document_id,
                version=one.version_id,
                n=one.n,
                kind=one.kind,
                scopes=one.scopes,
                tags=one.tags,
                time=int(one.time.timestamp()),
            )
            for one, text, vector in zip(batch, texts, vectors, strict=True)
        ]
        await self._index.upsert(points)

    async def remove(self, versions: Sequence[str]) -> None:
        """Take the passages of these document versions out."""
        if versions:
            await self._index.delete_versions(versions)

    async def set_scopes(self, document: str, scopes: Sequence[str]) -> None:
        """Replace the scopes of a document's passages."""
        await self._index.set_scopes(document, scopes)

    async def mend(self) -> int:
        """Make the index hold exactly the passages of the database; return how many points were wrong."""
        if await self._index.count() == await self._catalogue.count():
            return 0
        there = {i async for page in self._index.ids() for i in page}
        wrong = 0
        async for page in self._catalogue.stored():
            missing = [one for one in page if one.id not in there]
            there.difference_update(one.id for one in page)
            await self._show(missing)
            wrong += len(missing)
        orphans = there - self._ahead
        orphans -= await self._catalogue.existing(sorted(orphans))  # rows that came while this was looking
        await self._index.delete(sorted(orphans))
        log.info("index mended", missing=wrong, orphans=len(orphans))
        return wrong + len(orphans)

    async def reindex(self, *, progress: Progress = unheard) -> int:
        """Rebuild the index from the database, with the embedding model of today; return how many passages it holds."""
        total, done = await self._catalogue.count(), 0
        self._lexical = Lexical(await self._average_length())
        await self._index.wipe()
        version = IndexVersion(self._embedder.model, self._lexical.average_length, self._collection)
        await index_versions.note(self._engine, version)
        async for page in self._catalogue.stored(BATCH):
            await self._show(page)
            done += len(page)
            progress(done, total)
        await self._index.flush()
        return done

    async def _show(self, page: Sequence[Stored]) -> None:
        """Have passages in the index, except for those that were forgotten while they were being embedded."""
        await self.put(page)
        ids = [one.id for one in page]
        await self._index.delete(sorted(set(ids) - await self._catalogue.existing(ids)))

    async def _average_length(self) -> float:
        lengths, passages = 0, 0
        async for page in self._catalogue.stored():
            lengths += sum(self._lexical.length(embedded_text(one.context, one.text)) for one in page)
            passages += len(page)
        return lengths / passages if lengths else AVERAGE_LENGTH
