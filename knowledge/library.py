"""The life of a document: learned, updated, learned anew, forgotten; and the index kept equal to the database."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol
from uuid import NAMESPACE_OID, uuid5
from weakref import WeakValueDictionary

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.catalogue import Catalogue, Stored
from knowledge.chunks import Chunk, embedded_text
from knowledge.documents import Document, Outcome, Receipt
from knowledge.errors import Unreadable, Unsupported
from knowledge.extract.reader import Reading
from knowledge.extract.text import Attached, Extracted
from knowledge.files import Files, sha256_of
from knowledge.index.base import Index, Point, Vectors
from knowledge.lexical import AVERAGE_LENGTH, Lexical
from knowledge.records import Claim, Gone, IndexVersion, Item, Known, Records

log = structlog.get_logger()

Progress = Callable[[int, int], None]
"""Told how many of how many passages are done."""

_BATCH = 128  # passages embedded and written at a time
_DEPTH = 3  # files in files in files


def _nothing(done: int, total: int) -> None:
    """Report to nobody."""


class Reader(Protocol):
    """Gets the text out of a file; raises `Unreadable` or `Unsupported`."""

    async def read(self, path: Path, name: str) -> Reading:
        """Return text, structure and passages."""


class Encoder(Protocol):
    """Turns texts into vectors; `model` names what it was that did."""

    @property
    def model(self) -> str:
        """The model's name, stored beside the index."""

    async def passages(self, texts: Sequence[str]) -> Vectors:
        """Return one vector per text, one per row."""


class Library:
    """Learns documents into database, files and index, in an order that a kill at any moment leaves mendable.

    The database decides: a passage exists when its row does. Points are written before the rows and removed after them, so
    that the index may hold more than the database for a moment, never less; `mend` takes up what a kill has left.
    """

    def __init__(  # noqa: PLR0917  # one of each, and nobody passes them by position
        self, engine: AsyncEngine, files: Files, reader: Reader, embedder: Encoder, lexical: Lexical, index: Index
    ) -> None:
        self._records = Records(engine)
        self._catalogue = Catalogue(engine)
        self._files = files
        self._reader = reader
        self._embedder = embedder
        self._lexical = lexical
        self._index = index
        self._busy: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._writing: set[str] = set()  # ids of passages whose points may be there before their rows

    # --- learning

    async def learn(self, path: Path, item: Item, *, progress: Progress = _nothing, inside: tuple[str, ...] = ()) -> Receipt:
        """Learn a file; every failure that a person can understand becomes a receipt, not an exception.

        `inside` are the hashes of the files that this one came in, outermost first.
        """
        try:
            sha256, size = await asyncio.to_thread(lambda: (sha256_of(path), path.stat().st_size))
        except OSError as error:
            return Receipt(item.name, Outcome.FAILED, error=f"It cannot be opened: {error.strerror}.")
        if sha256 in inside or len(inside) > _DEPTH:
            return Receipt(item.name, Outcome.UNSUPPORTED, error="It is packed too many times over.")
        async with self._alone(sha256):  # the same bytes twice at once: the second finds the first
            claim = await self._records.claim(item, sha256, size)
            if isinstance(claim, Known):
                return await self._known(claim, item)
            if claim.left:
                await self._show_scopes(claim.left)
            await self._files.put(path, sha256)
            return await self._learn(claim, progress, inside)

    async def relearn(self, document_id: str, *, progress: Progress = _nothing) -> Receipt:
        """Read a document anew from its kept file; what it said before stays found until the new reading is complete."""
        document = await self._catalogue.document(document_id)
        async with self._alone(document.sha256):
            return await self._learn(await self._records.learned(document.id, document.version), progress)

    async def resume(self) -> AsyncIterator[Receipt]:
        """Take up what was being learned when the process ended."""
        for claim in await self._records.pending():
            async with self._alone(claim.sha256):
                yield await self._learn(claim)

    async def _known(self, known: Known, item: Item) -> Receipt:
        # Also for what was shared before: a kill may have come between the database and the index.
        document = await self._show_scopes(known.document_id)
        return Receipt(item.name, Outcome.LEARNED if known.shared else Outcome.DUPLICATE, document)

    async def _show_scopes(self, document_id: str) -> Document:
        document = await self._catalogue.document(document_id)
        await self._index.set_scopes(document.id, document.scopes)
        return document

    async def _learn(self, claim: Claim, progress: Progress = _nothing, inside: tuple[str, ...] = ()) -> Receipt:
        try:
            async with self._files.local(claim.sha256) as path:
                reading = await self._reader.read(path, claim.item.name)
            attached = await self._learn_attached(claim, reading.extracted.attached, inside)
            replaced = await self._store(claim, reading, progress)
        except FileNotFoundError:
            return await self._failed(claim, "Its original file is gone. Teach it again.")
        except Unreadable as error:
            return await self._failed(claim, str(error))
        except Unsupported as error:
            await self._remove(await self._records.withdraw(claim))
            return Receipt(claim.item.name, Outcome.UNSUPPORTED, error=str(error))
        await self._forget_detached(claim, attached)
        document = await self._catalogue.document(claim.document_id)
        outcome = Outcome.UPDATED if claim.number > 1 and replaced else Outcome.LEARNED
        supersedes = claim.number - 1 if outcome is Outcome.UPDATED else None
        return Receipt(claim.item.name, outcome, document, supersedes=supersedes, attached=attached)

    async def _failed(self, claim: Claim, error: str) -> Receipt:
        await self._records.failed(claim, error)
        return Receipt(claim.item.name, Outcome.FAILED, await self._catalogue.document(claim.document_id), error=error)

    async def _learn_attached(self, claim: Claim, attached: Sequence[Attached], inside: tuple[str, ...]) -> tuple[Receipt, ...]:
        receipts = []
        for one in attached:
            item = replace(
                claim.item,
                name=one.name,
                source=f"{claim.item.source}#{one.name}",
                parent_id=claim.document_id,
            )
            async with _on_disk(one.data) as path:
                receipts.append(await self.learn(path, item, inside=(*inside, claim.sha256)))
        return tuple(receipts)

    async def _forget_detached(self, claim: Claim, attached: Sequence[Receipt]) -> None:
        """Forget what an older version had attached and this one has not."""
        now = {receipt.document.id for receipt in attached if receipt.document}
        for child in await self._catalogue.attached_to(claim.document_id):
            if child not in now:
                await self.forget(child)

    async def _store(self, claim: Claim, reading: Reading, progress: Progress) -> list[str]:
        chunks = [(_passage_id(claim, chunk), chunk) for chunk in reading.chunks]
        writing = {i for i, _ in chunks}
        self._writing |= writing
        try:
            return await self._write(claim, reading, chunks, progress)
        finally:
            self._writing -= writing

    async def _write(
        self, claim: Claim, reading: Reading, chunks: Sequence[tuple[str, Chunk]], progress: Progress
    ) -> list[str]:
        title = reading.extracted.title or claim.item.name
        document = await self._catalogue.document(claim.document_id)
        before = await self._catalogue.passage_ids(claim.version_id)
        for begin in range(0, len(chunks), _BATCH):
            batch = [_stored(claim, document, reading.extracted, i, chunk) for i, chunk in chunks[begin : begin + _BATCH]]
            await self._index.upsert(await self._points(batch))
            progress(min(begin + _BATCH, len(chunks)), len(chunks))
        replaced = await self._records.ready(claim, reading.extracted, title, chunks)
        await self._index.delete_versions(replaced)
        await self._index.delete(sorted(before - {i for i, _ in chunks}))
        return replaced

    async def _points(self, batch: Sequence[Stored]) -> list[Point]:
        texts = [embedded_text(one.context, one.text) for one in batch]
        vectors = await self._embedder.passages(texts)
        return [
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

    @asynccontextmanager
    async def _alone(self, sha256: str) -> AsyncIterator[None]:
        lock = self._busy.setdefault(sha256, asyncio.Lock())
        async with lock:
            yield

    # --- forgetting

    async def forget(self, document_id: str) -> tuple[str, ...]:
        """Remove a document with all versions and attachments, found no more from the first step on; return their ids."""
        document = await self._catalogue.document(document_id)
        gone = await self._records.forget(document.id)
        await self._remove(gone)
        return gone.documents

    async def _remove(self, gone: Gone) -> None:
        await self._index.delete_versions(gone.versions)
        for sha256 in gone.files:
            await self._files.delete(sha256)

    # --- the index

    async def mend(self) -> int:
        """Make the index hold exactly the passages of the database; return how many points were wrong."""
        if await self._index.count() == await self._catalogue.count():
            return 0
        there = {i async for page in self._index.ids() for i in page}
        wrong = 0
        async for page in self._catalogue.stored():
            missing = [one for one in page if one.id not in there]
            there.difference_update(one.id for one in page)
            await self._index.upsert(await self._points(missing))
            wrong += len(missing)
        orphans = there - self._writing
        orphans -= await self._catalogue.existing(sorted(orphans))  # rows that came while this was looking
        await self._index.delete(sorted(orphans))
        log.info("index mended", missing=wrong, orphans=len(orphans))
        return wrong + len(orphans)

    async def reindex(self, *, progress: Progress = _nothing) -> int:
        """Rebuild the index from the database, with the embedding model of today; return how many passages it holds."""
        total, done = await self._catalogue.count(), 0
        self._lexical = Lexical(await self._average_length())
        await self._index.wipe()
        await self._records.set_index_version(IndexVersion(self._embedder.model, self._lexical.average_length))
        async for page in self._catalogue.stored(_BATCH):
            await self._index.upsert(await self._points(page))
            done += len(page)
            progress(done, total)
        await self._index.flush()
        return done

    async def _average_length(self) -> float:
        lengths, passages = 0, 0
        async for page in self._catalogue.stored():
            lengths += sum(self._lexical.length(embedded_text(one.context, one.text)) for one in page)
            passages += len(page)
        return lengths / passages if lengths else AVERAGE_LENGTH


def _passage_id(claim: Claim, chunk: Chunk) -> str:
    return str(uuid5(NAMESPACE_OID, f"{claim.document_id}/{claim.number}/{chunk.n}"))


def _stored(claim: Claim, document: Document, extracted: Extracted, passage_id: str, chunk: Chunk) -> Stored:
    return Stored(
        id=passage_id,
        document_id=claim.document_id,
        version_id=claim.version_id,
        n=chunk.n,
        kind=extracted.kind,
        context=chunk.context,
        text=extracted.text[chunk.start : chunk.end],
        tags=document.tags,
        scopes=document.scopes,
        time=extracted.created_at or document.added_at,
    )


@asynccontextmanager
async def _on_disk(data: bytes) -> AsyncIterator[Path]:
    with tempfile.TemporaryDirectory(prefix="twin-") as folder:
        path = Path(folder, "attached")
        await asyncio.to_thread(path.write_bytes, data)
        yield path
