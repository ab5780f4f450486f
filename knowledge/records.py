"""The writing side of the database: each method is one transaction in the life of a document."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy import RowMapping, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from knowledge.catalogue import scopes_of
from knowledge.chunks import Chunk
from knowledge.documents import State
from knowledge.errors import UnknownDocument
from knowledge.extract.text import Extracted
from knowledge.tables import CHUNKS, DOCUMENTS, FILES, INDEX_VERSIONS, SCOPES, VERSIONS

_SLICE = 200  # rows written between two breaths of the event loop


@dataclass(frozen=True, slots=True)
class Item:
    """Something to be learned. `source` tells whether it was here before: same source, new content is a new version."""

    name: str
    source: str
    url: str
    scope: str
    by: str
    tags: tuple[str, ...] = ()
    parent_id: str | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A version that is being learned. `left` is a document that lost this scope because the scope moves on alone."""

    document_id: str
    version_id: str
    number: int
    sha256: str
    item: Item
    left: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """These bytes were known already. `shared` when the scope was new to their document."""

    document_id: str
    shared: bool


@dataclass(frozen=True, slots=True)
class Gone:
    """What is to go outside the database once rows are gone: points of versions, and files that nothing has any more."""

    documents: tuple[str, ...]
    versions: tuple[str, ...]
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IndexVersion:
    """What the index was built with: embedding model, and the average passage length that BM25 reckons with."""

    model: str
    average_length: float


class Records:
    """Enters, completes, withdraws and removes documents."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def claim(self, item: Item, sha256: str, size: int) -> Claim | Known:
        """Enter a version as pending, or say that its content is known in this scope already."""
        async with self._engine.begin() as connection:
            known = await _ready_with(connection, sha256, item.scope)
            if known is not None:
                return Known(known, shared=False)
            if not (await connection.execute(select(FILES).where(FILES.c.sha256 == sha256))).first():
                await connection.execute(insert(FILES).values(sha256=sha256, size=size))
            document, left = await _document_of(connection, item)
            if document is None:
                document = await _same_elsewhere(connection, item, sha256)
                if document is not None:
                    await connection.execute(insert(SCOPES).values(document_id=document, scope=item.scope))
                    return Known(document, shared=True)
                document = await _add_document(connection, item)
            version, number = await _pending_version(connection, document, item, sha256)
            return Claim(document, version, number, sha256, item, left)

    async def ready(self, claim: Claim, extracted: Extracted, title: str, chunks: Sequence[tuple[str, Chunk]]) -> list[str]:
        """Store text and passages (id, chunk) and make the version the one that is found; return the versions it replaces."""
        others = select(VERSIONS.c.id).where(
            VERSIONS.c.document_id == claim.document_id,
            VERSIONS.c.state == State.READY,
            VERSIONS.c.id != claim.version_id,
        )
        async with self._engine.begin() as connection:
            replaced = list((await connection.execute(others)).scalars())
            await connection.execute(delete(CHUNKS).where(CHUNKS.c.version_id.in_([*replaced, claim.version_id])))
            await connection.execute(update(VERSIONS).where(VERSIONS.c.id.in_(replaced)).values(state=State.SUPERSEDED))
            await connection.execute(
                update(VERSIONS).where(VERSIONS.c.id == claim.version_id).values(_told(extracted, title, len(chunks)))
            )
            for begin in range(0, len(chunks), _SLICE):
                rows = [_chunk(i, claim.version_id, c, extracted.text) for i, c in chunks[begin : begin + _SLICE]]
                await connection.execute(insert(CHUNKS), rows)
            return replaced

    async def failed(self, claim: Claim, error: str) -> None:
        """Keep the reason why a version could not be learned; one that was learned before stays as it is."""
        pending = (VERSIONS.c.id == claim.version_id, VERSIONS.c.state == State.PENDING)
        async with self._engine.begin() as connection:
            await connection.execute(update(VERSIONS).where(*pending).values(state=State.FAILED, error=error))

    async def withdraw(self, claim: Claim) -> Gone:
        """Take a claim back as if it had never been made."""
        async with self._engine.begin() as connection:
            await connection.execute(delete(VERSIONS).where(VERSIONS.c.id == claim.version_id))
            left = select(VERSIONS.c.id).where(VERSIONS.c.document_id == claim.document_id)
            if (await connection.execute(left)).first() is None:
                await connection.execute(delete(DOCUMENTS).where(DOCUMENTS.c.id == claim.document_id))
            return Gone((), (claim.version_id,), await _unused(connection, {claim.sha256}))

    async def forget(self, document_id: str) -> Gone:
        """Remove a document, what was attached to it, all versions, passages and scopes."""
        async with self._engine.begin() as connection:
            ids = [document_id]
            for parent in ids:  # grows as attachments of attachments are found
                attached = select(DOCUMENTS.c.id).where(DOCUMENTS.c.parent_id == parent)
                ids += (await connection.execute(attached)).scalars()
            query = select(VERSIONS.c.id, VERSIONS.c.sha256).where(VERSIONS.c.document_id.in_(ids))
            versions = (await connection.execute(query)).all()
            await connection.execute(delete(DOCUMENTS).where(DOCUMENTS.c.id.in_(ids)))
            return Gone(
                tuple(ids),
                tuple(version.id for version in versions),
                await _unused(connection, {version.sha256 for version in versions}),
            )

    async def pending(self) -> list[Claim]:
        """Return the versions whose learning was interrupted."""
        async with self._engine.begin() as connection:
            rows = (await connection.execute(_CLAIMS.where(VERSIONS.c.state == State.PENDING))).mappings()
            return [_claim(row) for row in rows]

    async def learned(self, document_id: str, number: int) -> Claim:
        """Return the claim that a version was made by; raises `UnknownDocument`."""
        query = _CLAIMS.where(VERSIONS.c.document_id == document_id, VERSIONS.c.number == number)
        async with self._engine.begin() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        if row is None:
            raise UnknownDocument(document_id)
        return _claim(row)

    async def index_version(self) -> IndexVersion | None:
        """Return what the index was built with, `None` when it never was."""
        query = select(INDEX_VERSIONS).order_by(INDEX_VERSIONS.c.id.desc()).limit(1)
        async with self._engine.begin() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else IndexVersion(row["model"], row["average_length"])

    async def set_index_version(self, version: IndexVersion) -> None:
        """Note what the index is built with from now on."""
        values = {"model": version.model, "average_length": version.average_length, "built_at": datetime.now(UTC)}
        async with self._engine.begin() as connection:
            await connection.execute(insert(INDEX_VERSIONS).values(values))


_CLAIMS = (
    select(
        VERSIONS.c.id,
        VERSIONS.c.document_id,
        VERSIONS.c.number,
        VERSIONS.c.sha256,
        DOCUMENTS,
        select(func.min(SCOPES.c.scope)).where(SCOPES.c.document_id == DOCUMENTS.c.id).scalar_subquery().label("scope"),
    )
    .join(DOCUMENTS, DOCUMENTS.c.id == VERSIONS.c.document_id)
    .order_by(VERSIONS.c.added_at)
)


def _claim(row: RowMapping) -> Claim:
    item = Item(
        name=row["name"],
        source=row["source"],
        url=row["url"],
        scope=row["scope"],
        by=row["added_by"],
        tags=tuple(row["tags"]),
        parent_id=row["parent_id"],
    )
    return Claim(row["document_id"], row[VERSIONS.c.id], row["number"], row["sha256"], item)


async def _ready_with(connection: AsyncConnection, sha256: str, scope: str) -> str | None:
    """Return the document in this scope that says these bytes now."""
    query = (
        select(VERSIONS.c.document_id)
        .join(SCOPES, SCOPES.c.document_id == VERSIONS.c.document_id)
        .where(VERSIONS.c.sha256 == sha256, VERSIONS.c.state == State.READY, SCOPES.c.scope == scope)
    )
    return (await connection.execute(query)).scalars().first()


async def _document_of(connection: AsyncConnection, item: Item) -> tuple[str | None, str | None]:
    """Return the document that this source has in this scope alone; or else the one that the scope has just left."""
    query = (
        select(DOCUMENTS.c.id)
        .join(SCOPES, SCOPES.c.document_id == DOCUMENTS.c.id)
        .where(DOCUMENTS.c.source == item.source, SCOPES.c.scope == item.scope)
    )
    document = (await connection.execute(query)).scalars().first()
    if document is None or len((await scopes_of(connection, [document]))[document]) == 1:
        return document, None
    # Other places share the old content and keep it: only this scope moves on, to a document of its own.
    await connection.execute(delete(SCOPES).where(SCOPES.c.document_id == document, SCOPES.c.scope == item.scope))
    return None, document


async def _same_elsewhere(connection: AsyncConnection, item: Item, sha256: str) -> str | None:
    """Return the document of another scope that is this very source with these very bytes."""
    query = (
        select(DOCUMENTS.c.id)
        .join(VERSIONS, VERSIONS.c.document_id == DOCUMENTS.c.id)
        .where(DOCUMENTS.c.source == item.source, VERSIONS.c.sha256 == sha256, VERSIONS.c.state == State.READY)
    )
    return (await connection.execute(query)).scalars().first()


async def _add_document(connection: AsyncConnection, item: Item) -> str:
    document = uuid4().hex
    await connection.execute(
        insert(DOCUMENTS).values(
            id=document,
            source=item.source,
            name=item.name,
            url=item.url,
            tags=sorted(set(item.tags)),
            added_by=item.by,
            parent_id=item.parent_id,
        )
    )
    await connection.execute(insert(SCOPES).values(document_id=document, scope=item.scope))
    return document


async def _pending_version(connection: AsyncConnection, document: str, item: Item, sha256: str) -> tuple[str, int]:
    """Return id and number of a version to be filled: the newest when it is these bytes unlearned, else a new one."""
    query = select(VERSIONS).where(VERSIONS.c.document_id == document).order_by(VERSIONS.c.number.desc())
    newest = (await connection.execute(query)).mappings().first()
    if newest and newest["sha256"] == sha256 and newest["state"] in (State.PENDING, State.FAILED):
        again = update(VERSIONS).where(VERSIONS.c.id == newest["id"]).values(state=State.PENDING, error=None)
        await connection.execute(again)
        return newest["id"], newest["number"]
    version, number = uuid4().hex, newest["number"] + 1 if newest else 1
    await connection.execute(
        insert(VERSIONS).values(
            id=version,
            document_id=document,
            number=number,
            sha256=sha256,
            state=State.PENDING,
            title=item.name,
            kind="",
            passages=0,
            authors=[],
            added_at=datetime.now(UTC),
        )
    )
    return version, number


async def _unused(connection: AsyncConnection, files: set[str]) -> tuple[str, ...]:
    """Remove the rows of files that no version has any more, and return their hashes."""
    query = select(VERSIONS.c.sha256).where(VERSIONS.c.sha256.in_(files))
    gone = sorted(files - set((await connection.execute(query)).scalars()))
    await connection.execute(delete(FILES).where(FILES.c.sha256.in_(gone)))
    return tuple(gone)


def _told(extracted: Extracted, title: str, passages: int) -> dict[str, object]:
    """What a version knows once it is learned."""
    return {
        "state": State.READY,
        "error": None,
        "title": title,
        "kind": extracted.kind,
        "text": extracted.text,
        "pages": extracted.pages,
        "passages": passages,
        "language": extracted.language,
        "authors": list(extracted.authors),
        "created_at": extracted.created_at,
    }


def _chunk(passage_id: str, version_id: str, chunk: Chunk, text: str) -> dict[str, object]:
    return {
        "id": passage_id,
        "version_id": version_id,
        "n": chunk.n,
        "start": chunk.start,
        "end": chunk.end,
        "page": chunk.page,
        "heading": chunk.heading,
        "context": chunk.context,
        "text": text[chunk.start : chunk.end],
    }
