"""What the database says of documents and passages: the reading side. Rows never leave it."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from knowledge.documents import Audience, Document, Passage, State
from knowledge.errors import UnknownDocument
from knowledge.tables import CHUNKS, DOCUMENTS, FILES, SCOPES, VERSIONS

_SLICE = 500  # ids in one question


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored passage with what the index needs to know of it."""

    id: str
    document_id: str
    version_id: str
    n: int
    kind: str
    context: str
    text: str
    tags: tuple[str, ...]
    scopes: tuple[str, ...]
    time: datetime


class Catalogue:
    """Documents, versions and passages as they are now. It never waits for a writer."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine.execution_options(reading=True)

    async def documents(self, audience: Audience | None = None, *, without: Sequence[str] = ()) -> list[Document]:
        """Return every version of every document, newest first, `without` kinds; with an audience, of those that it may see.

        With an audience, a document is said to be in those of its scopes only that are the audience's.
        """
        newest_first = _VERSIONS.order_by(VERSIONS.c.added_at.desc(), VERSIONS.c.number.desc())
        async with self._engine.connect() as connection:
            scopes = await scopes_of(connection, audience=audience)
            wanted = newest_first.where(VERSIONS.c.kind.not_in(without), *_seen_by(audience))
            rows = (await connection.execute(wanted)).mappings()
            return [_document(row, scopes.get(row["document_id"], ())) for row in rows]

    async def document(self, document_id: str, audience: Audience | None = None) -> Document:
        """Return a document by its id or the unambiguous beginning of it, as `documents` does.

        It is the version that is found; when there is none, the newest. Raises `UnknownDocument`, whether there is none or
        the audience may not see it: what it may not see makes no beginning ambiguous either.
        """
        found_first = _VERSIONS.where(DOCUMENTS.c.id.startswith(document_id, autoescape=True), *_seen_by(audience))
        async with self._engine.connect() as connection:
            rows = (await connection.execute(found_first.order_by(*_FOUND_FIRST))).mappings().all() if document_id else []
            if len({row["document_id"] for row in rows}) != 1:
                raise UnknownDocument(document_id)
            whole = rows[0]["document_id"]
            return _document(rows[0], (await scopes_of(connection, [whole], audience)).get(whole, ()))

    async def by_source(self, source: str, scope: str) -> list[Document]:
        """Return what was taught from a source in a scope, without what came inside it."""
        return await self._each(_shared_in(scope), DOCUMENTS.c.source == source, DOCUMENTS.c.parent_id.is_(None))

    async def from_source(self, source: str) -> list[tuple[str, str]]:
        """Return source and id of what was taught in any scope from a source, or from one below it: `source#name`.

        What came inside a document is not named: it goes with that.
        """
        below = f"{source}#"
        named = (DOCUMENTS.c.source == source) | (func.substr(DOCUMENTS.c.source, 1, len(below)) == below)
        query = select(DOCUMENTS.c.source, DOCUMENTS.c.id).where(named, DOCUMENTS.c.parent_id.is_(None))
        async with self._engine.connect() as connection:
            rows = await connection.execute(query.order_by(DOCUMENTS.c.source, DOCUMENTS.c.id))
            return [(row.source, row.id) for row in rows]

    async def sources(self, prefix: str) -> list[tuple[str, datetime]]:
        """Return the sources that begin so and something was learned from, with when; without what came inside others."""
        named = func.substr(DOCUMENTS.c.source, 1, len(prefix)) == prefix
        query = select(DOCUMENTS.c.source, func.min(VERSIONS.c.added_at).label("added_at"))
        query = query.join(VERSIONS, VERSIONS.c.document_id == DOCUMENTS.c.id).where(named, DOCUMENTS.c.parent_id.is_(None))
        async with self._engine.connect() as connection:
            rows = await connection.execute(query.group_by(DOCUMENTS.c.source).order_by(DOCUMENTS.c.source))
            return [(row.source, row.added_at) for row in rows]

    async def in_scope(self, scope: str) -> list[Document]:
        """Return the documents of a scope, what came inside others included."""
        return await self._each(_shared_in(scope))

    async def added_by(self, person: str) -> list[Document]:
        """Return the documents that a person taught, what came inside others included."""
        return await self._each(DOCUMENTS.c.added_by == person)

    async def visible(self, documents: Iterable[str], audience: Audience) -> set[str]:
        """Return those of the documents that are there now, ready, and that the audience may see now."""
        query = select(DOCUMENTS.c.id, VERSIONS.c.state).join(VERSIONS, VERSIONS.c.document_id == DOCUMENTS.c.id)
        mine = query.where(DOCUMENTS.c.id.in_(list(documents)), *_seen_by(audience))
        async with self._engine.connect() as connection:
            # Which are ready is seen here: asked for it, SQLite would go through all versions that are.
            return {row.id for row in await connection.execute(mine) if row.state == State.READY}

    async def living(self, connection: AsyncConnection, documents: Iterable[str]) -> set[str]:
        """Return those of the documents that somebody sees, and will until the end of the connection's transaction."""
        seen = select(SCOPES.c.scope).where(SCOPES.c.document_id == DOCUMENTS.c.id).exists()
        there = select(DOCUMENTS.c.id).where(DOCUMENTS.c.id.in_(list(documents)), seen).with_for_update(read=True)
        return set((await connection.execute(there)).scalars())

    async def text(self, document: Document) -> str:
        """Return the stored text of a document; raises `UnknownDocument` when it is gone meanwhile."""
        query = select(VERSIONS.c.text).where(VERSIONS.c.document_id == document.id, VERSIONS.c.number == document.version)
        async with self._engine.connect() as connection:
            found = (await connection.execute(query)).one_or_none()
        if found is None:
            raise UnknownDocument(document.id)
        return found.text or ""

    async def passages(self, ids: Sequence[str], audience: Audience) -> dict[str, Passage]:
        """Return those of the passages that exist now and that the audience may see now: the live check of every search."""
        query = _PASSAGES.where(CHUNKS.c.id.in_(ids), *_seen_by(audience))
        async with self._engine.connect() as connection:
            return {row[0]: Passage(*row) for row in await connection.execute(query)}

    async def stretch(self, passage: Passage, start: int, end: int) -> str:
        """Return `stored_text[start:end]` of the version that a passage belongs to."""
        query = (
            select(func.substr(VERSIONS.c.text, start + 1, end - start))
            .join(CHUNKS, CHUNKS.c.version_id == VERSIONS.c.id)
            .where(CHUNKS.c.id == passage.id)
        )
        async with self._engine.connect() as connection:
            return str((await connection.execute(query)).scalar() or "")

    async def attached_to(self, document_id: str) -> list[str]:
        """Return the ids of the documents that came inside this one."""
        query = select(DOCUMENTS.c.id).where(DOCUMENTS.c.parent_id == document_id)
        async with self._engine.connect() as connection:
            return list((await connection.execute(query)).scalars())

    async def family(self, document_id: str) -> tuple[str, ...]:
        """Return the ids of a document and of all that came inside it, however deep."""
        async with self._engine.connect() as connection:
            return await family(connection, [document_id])

    async def is_pending(self, version_id: str) -> bool:
        """Tell whether a version still waits to be learned."""
        query = select(VERSIONS.c.id).where(VERSIONS.c.id == version_id, VERSIONS.c.state == State.PENDING)
        async with self._engine.connect() as connection:
            return (await connection.execute(query)).first() is not None

    async def files(self) -> set[str]:
        """Return the hashes of all files that some version has."""
        async with self._engine.connect() as connection:
            return set((await connection.execute(select(FILES.c.sha256))).scalars())

    async def count(self) -> int:
        """Return how many passages there are."""
        async with self._engine.connect() as connection:
            return (await connection.execute(select(func.count()).select_from(CHUNKS))).scalar_one()

    async def existing(self, ids: Sequence[str]) -> set[str]:
        """Return those ids that are passages now."""
        found: set[str] = set()
        async with self._engine.connect() as connection:
            for begin in range(0, len(ids), _SLICE):
                query = select(CHUNKS.c.id).where(CHUNKS.c.id.in_(ids[begin : begin + _SLICE]))
                found.update((await connection.execute(query)).scalars())
        return found

    async def stored(self, page: int = 256) -> AsyncIterator[list[Stored]]:
        """Iterate over all passages, in pages."""
        last = ""
        while True:
            query = _STORED.where(CHUNKS.c.id > last).order_by(CHUNKS.c.id).limit(page)
            async with self._engine.connect() as connection:
                rows = (await connection.execute(query)).mappings().all()
                scopes = await scopes_of(connection, {row["document_id"] for row in rows})
            if not rows:
                return
            yield [_stored(row, scopes.get(row["document_id"], ())) for row in rows]
            last = rows[-1]["id"]

    async def _each(self, *conditions: ColumnElement[bool]) -> list[Document]:
        """Return documents, each once: in the version that is found, or else the newest."""
        found_first = _VERSIONS.where(*conditions).order_by(DOCUMENTS.c.id, *_FOUND_FIRST)
        async with self._engine.connect() as connection:
            rows = (await connection.execute(found_first)).mappings().all()
            scopes = await scopes_of(connection, {row["document_id"] for row in rows})
        first = {row["document_id"]: row for row in reversed(rows)}
        return [_document(row, scopes.get(document, ())) for document, row in sorted(first.items())]


async def family(connection: AsyncConnection, documents: Iterable[str]) -> tuple[str, ...]:
    """Return documents and what came inside them, however deep."""
    ids = list(documents)
    for parent in ids:  # grows as attachments of attachments are found
        ids += (await connection.execute(select(DOCUMENTS.c.id).where(DOCUMENTS.c.parent_id == parent))).scalars()
    return tuple(ids)


async def scopes_of(
    connection: AsyncConnection, documents: Iterable[str] | None = None, audience: Audience | None = None
) -> dict[str, tuple[str, ...]]:
    """Return the scopes of these documents, or of all; with an audience, those of its own."""
    query = select(SCOPES.c.document_id, SCOPES.c.scope).order_by(SCOPES.c.scope)
    if documents is not None:
        query = query.where(SCOPES.c.document_id.in_(documents))
    if audience is not None:
        query = query.where(SCOPES.c.scope.in_(audience.scopes))
    found: dict[str, tuple[str, ...]] = {}
    for document, scope in await connection.execute(query):
        found[document] = (*found.get(document, ()), scope)
    return found


def _seen_by(audience: Audience | None) -> tuple[ColumnElement[bool], ...]:
    """Return what a document must fulfil for an audience to see it; for nobody in particular, nothing."""
    if audience is None:
        return ()
    return (_shared_in(*audience.scopes),)


def _shared_in(*scopes: str) -> ColumnElement[bool]:
    """Return that a document is shared in one of the scopes."""
    return select(SCOPES.c.scope).where(SCOPES.c.document_id == DOCUMENTS.c.id, SCOPES.c.scope.in_(scopes)).exists()


_FOUND_FIRST = ((VERSIONS.c.state == State.READY).desc(), VERSIONS.c.number.desc())

_VERSIONS: Select[Any] = (
    select(VERSIONS, DOCUMENTS.c.name, DOCUMENTS.c.tags, DOCUMENTS.c.url, DOCUMENTS.c.added_by, FILES.c.size)
    .join(DOCUMENTS, VERSIONS.c.document_id == DOCUMENTS.c.id)
    .join(FILES, FILES.c.sha256 == VERSIONS.c.sha256)
)

_PASSAGES: Select[Any] = (
    select(  # in the order of Passage's fields
        CHUNKS.c.id,
        VERSIONS.c.document_id,
        VERSIONS.c.title,
        VERSIONS.c.kind,
        CHUNKS.c.n,
        CHUNKS.c.start,
        CHUNKS.c.end,
        CHUNKS.c.text,
        CHUNKS.c.context,
        DOCUMENTS.c.url,
        CHUNKS.c.page,
        CHUNKS.c.heading,
    )
    .join(VERSIONS, VERSIONS.c.id == CHUNKS.c.version_id)
    .join(DOCUMENTS, DOCUMENTS.c.id == VERSIONS.c.document_id)
)

_STORED: Select[Any] = (
    select(CHUNKS, VERSIONS.c.document_id, VERSIONS.c.kind, VERSIONS.c.created_at, VERSIONS.c.added_at, DOCUMENTS.c.tags)
    .join(VERSIONS, VERSIONS.c.id == CHUNKS.c.version_id)
    .join(DOCUMENTS, DOCUMENTS.c.id == VERSIONS.c.document_id)
)


def _document(row: RowMapping, scopes: tuple[str, ...]) -> Document:
    return Document(
        id=row["document_id"],
        name=row["name"],
        title=row["title"],
        kind=row["kind"],
        state=State(row["state"]),
        version=row["number"],
        scopes=scopes,
        tags=tuple(row["tags"]),
        size=row["size"],
        sha256=row["sha256"],
        added_at=row["added_at"],
        url=row["url"],
        pages=row["pages"],
        passages=row["passages"],
        language=row["language"],
        authors=tuple(row["authors"]),
        created_at=row["created_at"],
        error=row["error"],
        added_by=row["added_by"],
    )


def _stored(row: RowMapping, scopes: tuple[str, ...]) -> Stored:
    return Stored(
        id=row["id"],
        document_id=row["document_id"],
        version_id=row["version_id"],
        n=row["n"],
        kind=row["kind"],
        context=row["context"],
        text=row["text"],
        tags=tuple(row["tags"]),
        scopes=scopes,
        time=row["created_at"] or row["added_at"],
    )
