"""The life of a document: learned, updated, learned anew, forgotten."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Protocol
from uuid import NAMESPACE_OID, uuid5
from weakref import WeakValueDictionary

from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.catalogue import Catalogue, Stored
from knowledge.chunks import Chunk
from knowledge.claims import Claim, Gone, Item, Known, Replaced, Told
from knowledge.documents import Document, Outcome, Receipt
from knowledge.errors import FULL, StorageFull, UnknownDocument, Unreadable, Unsupported
from knowledge.extract import sentences
from knowledge.extract.reader import Reading
from knowledge.extract.telling import telling
from knowledge.extract.text import Extracted
from knowledge.faults import fault
from knowledge.files import Files, sha256_of
from knowledge.indexing import BATCH, Indexing, Progress, unheard
from knowledge.records import Records

_DEPTH = 3  # files in files in files

Far = Callable[[Sequence[Chunk], int, int | None], None]
"""Told the passages of a document, how many of them are done, and how many pages it has."""


def unfollowed(chunks: Sequence[Chunk], done: int, pages: int | None) -> None:
    """Tell nobody."""


class Reader(Protocol):
    """Gets the text out of a file; raises `Unreadable` or `Unsupported`."""

    async def read(self, path: Path, name: str) -> Reading:
        """Return text, structure and passages."""


class Library:
    """Learns documents into database, files and index, in an order that a kill at any moment leaves mendable.

    The database decides: a passage exists when its row does. Points are written before the rows and removed after them, so
    that the index may hold more than the database for a moment, never less; `Indexing.mend` makes them equal after a kill.
    """

    def __init__(self, engine: AsyncEngine, files: Files, reader: Reader, indexing: Indexing, told: Reader) -> None:
        """`told` reads the files that told texts are kept as."""
        self._records = Records(engine)
        self._catalogue = Catalogue(engine)
        self._files = files
        self._reader = reader
        self._told = told
        self._indexing = indexing
        self._busy: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    # --- learning

    async def learn(
        self,
        path: Path,
        item: Item,
        *,
        progress: Progress = unheard,
        pages: Progress = unheard,
        inside: tuple[str, ...] = (),
    ) -> Receipt:
        """Learn a file; every failure that a person can understand becomes a receipt, not an exception.

        `progress` is told how many of its passages are done, `pages` how many of its pages, where it has any.
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
            await fault.apoint("library.claimed")
            try:
                await self._files.put(path, sha256)
            except Unreadable as error:
                return await self._failed(claim, str(error))
            except OSError as error:
                if error.errno in FULL:
                    raise StorageFull() from error
                return await self._failed(claim, f"It cannot be kept: {error.strerror}.")
            await fault.apoint("library.kept")
            return await self._learn(claim, _both(progress, pages), inside)

    async def tell(
        self,
        text: str,
        item: Item,
        *,
        kind: Told,
        title: str,
        authors: Sequence[str] = (),
        created_at: datetime | None = None,
        progress: Progress = unheard,
    ) -> Receipt:
        """Learn a text that is at hand, a chat message or a note; it lives as a file does, and the same source is an edit.

        A text without words is not learned, and what its source said before is forgotten.
        """
        told = telling(text, source=item.source, kind=kind, title=title, authors=tuple(authors), created_at=created_at)
        if not any(map(str.isalnum, told.text)):
            await self.forget_source(item.source, item.scope)
            return Receipt(item.name, Outcome.UNSUPPORTED, error=sentences.NO_TEXT)
        async with _on_disk(told.kept()) as path:
            return await self.learn(path, replace(item, told=kind), progress=progress)

    async def relearn(self, document_id: str, *, progress: Progress = unheard) -> Receipt:
        """Read a document anew from its kept file; what it said before stays found until the new reading is complete."""
        document = await self._catalogue.document(document_id)
        async with self._alone(document.sha256):
            again = await self._records.again(document.id, document.version)
            return await self._learn(again, _both(progress, unheard))

    async def resume(self) -> AsyncIterator[Receipt]:
        """Take up what was being learned when the process ended."""
        for claim in await self._records.pending():
            async with self._alone(claim.sha256):
                if await self._catalogue.is_pending(claim.version_id):  # and not learned with its parent, or forgotten
                    yield await self._learn(claim)

    async def _known(self, known: Known, item: Item) -> Receipt:
        await self._indexing.remove(known.replaced)
        if known.to_share:
            # The index first: there a scope too many does no harm, since the database has the last word.
            scopes = (await self._catalogue.document(known.document_id)).scopes
            for document in known.to_share:
                await self._indexing.set_scopes(document, [*scopes, item.scope])
            await self._show_scopes(await self._records.share(known, item))
        outcome = Outcome.LEARNED if known.to_share else Outcome.DUPLICATE
        return Receipt(item.name, outcome, await self._catalogue.document(known.document_id))

    async def _show_scopes(self, documents: Sequence[str]) -> None:
        for document in documents:
            with suppress(UnknownDocument):  # forgotten meanwhile
                await self._indexing.set_scopes(document, (await self._catalogue.document(document)).scopes)

    async def _learn(self, claim: Claim, far: Far = unfollowed, inside: tuple[str, ...] = ()) -> Receipt:
        """Learn a claimed version; the caller is alone with its bytes."""
        try:
            async with self._files.local(claim.sha256) as path:
                reading = await (self._told if claim.item.told else self._reader).read(path, claim.item.name)
        except FileNotFoundError:
            return await self._failed(claim, "Its original file is gone. Teach it again.")
        except Unreadable as error:
            return await self._failed(claim, str(error))
        except Unsupported as error:
            gone = await self._records.withdraw(claim)
            await self._indexing.remove(gone.versions)
            for sha256 in gone.files:
                await self._files.delete(sha256)
            return Receipt(claim.item.name, Outcome.UNSUPPORTED, error=str(error))
        await fault.apoint("library.read")
        await fault.apoint(f"library.read {claim.item.name}")
        attached = await self._learn_attached(claim, reading.extracted, inside)
        replaced = await self._store(claim, reading, far)
        await fault.apoint("library.ready")
        if replaced is None:
            return Receipt(claim.item.name, Outcome.FAILED, error="It was forgotten or changed while it was being read.")
        await self._forget_detached(claim, attached)
        outcome = Outcome.LEARNED if replaced.number is None else Outcome.UPDATED
        document = await self._catalogue.document(claim.document_id)
        return Receipt(claim.item.name, outcome, document, supersedes=replaced.number, attached=attached)

    async def _failed(self, claim: Claim, error: str) -> Receipt:
        await self._records.failed(claim, error)
        return Receipt(claim.item.name, Outcome.FAILED, await self._catalogue.document(claim.document_id), error=error)

    async def _learn_attached(self, claim: Claim, extracted: Extracted, inside: tuple[str, ...]) -> tuple[Receipt, ...]:
        receipts = [Receipt(claim.item.name, Outcome.FAILED, error=note) for note in extracted.notes]
        for one in extracted.attached:
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
                await self.forget(await self._catalogue.family(child))

    async def _store(self, claim: Claim, reading: Reading, far: Far) -> Replaced | None:
        chunks = [(_passage_id(claim, chunk), chunk) for chunk in reading.chunks]
        with self._indexing.ahead(i for i, _ in chunks):
            replaced = await self._write(claim, reading.extracted, chunks, far)
        await self._indexing.remove([claim.version_id] if replaced is None else replaced.versions)
        await self._show_scopes(replaced.left if replaced else ())
        return replaced

    async def _write(
        self, claim: Claim, extracted: Extracted, chunks: Sequence[tuple[str, Chunk]], far: Far
    ) -> Replaced | None:
        try:
            document = await self._catalogue.document(claim.document_id)
        except UnknownDocument:
            return None
        for begin in range(0, len(chunks), BATCH):
            batch = [_stored(claim, document, extracted, i, chunk) for i, chunk in chunks[begin : begin + BATCH]]
            await self._indexing.put(batch)
            far([chunk for _, chunk in chunks], min(begin + BATCH, len(chunks)), extracted.pages)
        await fault.apoint("library.indexed")
        return await self._records.ready(claim, extracted, extracted.title or claim.item.name, chunks)

    @asynccontextmanager
    async def _alone(self, sha256: str) -> AsyncIterator[None]:
        lock = self._busy.setdefault(sha256, asyncio.Lock())
        async with lock:
            yield

    # --- forgetting

    async def hide(self, documents: Sequence[str]) -> None:
        """Have documents seen by nobody from now on, so that nothing new rests on them; `forget` is to follow."""
        await self._records.hide(documents)

    async def forget(self, documents: Sequence[str]) -> None:
        """Remove documents with all their versions and what is attached to them; at once they are found no more.

        Their rows go last: when something is away meanwhile, or a kill comes, it is known what is still to be forgotten.
        """
        await self._indexing.remove(await self._records.hide(documents))
        await self._remove(await self._records.forget(documents))

    async def forget_source(self, source: str, scope: str) -> tuple[str, ...]:
        """Have a scope forget what it was taught from a source; what is returned is as for `unshare`."""
        gone: list[str] = []
        for document in await self._catalogue.by_source(source, scope):
            gone += await self.unshare(document.id, scope)
        return tuple(gone)

    async def unshare(self, document_id: str, scope: str) -> tuple[str, ...]:
        """Take a scope from a document and what is attached to it; return those that are forgotten, as it was their last."""
        unshared = await self._records.unshare(await self._catalogue.family(document_id), scope)
        await self._remove(unshared.gone)
        await self._show_scopes(unshared.kept)
        return unshared.forgotten

    async def move(self, old: str, new: str) -> None:
        """Have what is in a scope be in another one instead, and what was taught from there be known as from there."""
        documents = [one.id for one in await self._catalogue.in_scope(old)]
        for document in documents:  # the index first: there a scope too many does no harm
            await self._indexing.set_scopes(document, [*(await self._catalogue.document(document)).scopes, new])
        await self._records.move(old, new)
        await self._show_scopes(documents)

    async def hand_over(self, old: str, new: str) -> None:
        """Have what one person taught be what another one taught."""
        await self._records.hand_over(old, new)

    async def _remove(self, gone: Gone) -> None:
        await self._indexing.remove(gone.versions)
        for sha256 in gone.files:
            async with self._alone(sha256):  # unless the same bytes have been taught again by now
                if sha256 not in await self._catalogue.files():
                    await self._files.delete(sha256)

    async def sweep(self) -> None:
        """Remove files that no document has: a kill can leave them. For the time before anything is learned."""
        for sha256 in set(await self._files.all()) - await self._catalogue.files():
            await self._files.delete(sha256)


def _both(progress: Progress, pages: Progress) -> Far:
    def far(chunks: Sequence[Chunk], done: int, of: int | None) -> None:
        progress(done, len(chunks))
        if of:
            pages(of if done == len(chunks) else chunks[done - 1].page or 0, of)

    return far


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
