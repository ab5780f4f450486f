"""The writing side of the database: each method is one transaction in the life of a document."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import get_args
from uuid import uuid4

from sqlalchemy import RowMapping, delete, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from knowledge.catalogue import family
from knowledge.chunks import Chunk
from knowledge.claims import Claim, Gone, Item, Known, Replaced, Told, Unshared
from knowledge.documents import State
from knowledge.errors import UnknownDocument
from knowledge.extract.text import Extracted
from knowledge.tables import CHUNKS, DOCUMENTS, FILES, SCOPES, VERSIONS

_SLICE = 200  # rows written between two breaths of the event loop


class Records:
    """Enters, completes, withdraws and removes documents."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def claim(self, item: Item, sha256: str, size: int) -> Claim | Known:
        """Enter a version as pending, or say that its content is known."""
        async with self._engine.begin() as connection:
            own = await _document_of(connection, item)
            known = await _ready_with(connection, item, sha256)
            if known is not None:
                return Known(known, replaced=() if own in (None, known) else await _superseded(connection, own))
            if own is None:
                known = await _same_elsewhere(connection, item, sha256)
                if known is not None:
                    return Known(known, to_share=await family(connection, [known]))
                own = await _add_document(connection, item)
            if not (await connection.execute(select(FILES).where(FILES.c.sha256 == sha256))).first():
                await connection.execute(insert(FILES).values(sha256=sha256, size=size))
            return await _claimed(connection, own, item, sha256)

    async def again(self, document_id: str, number: int) -> Claim:
        """Enter a version as pending that is to be read anew from its file; raises `UnknownDocument`."""
        wanted = _CLAIMS.where(VERSIONS.c.document_id == document_id, VERSIONS.c.number == number)
        async with self._engine.begin() as connection:
            row = (await connection.execute(wanted)).mappings().one_or_none()
            if row is None:
                raise UnknownDocument(document_id)
            claim = _claim(row)
            return await _claimed(connection, document_id, claim.item, claim.sha256)

    async def share(self, known: Known, item: Item) -> tuple[str, ...]:
        """Share documents in a scope; return the documents that the scope has left, because they said something else."""
        async with self._engine.begin() as connection:
            there = select(SCOPES.c.document_id).where(SCOPES.c.scope == item.scope)
            already = set((await connection.execute(there.where(SCOPES.c.document_id.in_(known.to_share)))).scalars())
            new = [{"document_id": one, "scope": item.scope} for one in known.to_share if one not in already]
            if new:
                await connection.execute(insert(SCOPES), new)
            return await _leave(connection, item, known.document_id)

    async def ready(
        self, claim: Claim, extracted: Extracted, title: str, chunks: Sequence[tuple[str, Chunk]]
    ) -> Replaced | None:
        """Store text and passages (id, chunk) and make the version the one that is found.

        Returns `None`, and stores nothing, when the version was forgotten meanwhile or a newer one has come.
        """
        mine = (VERSIONS.c.id == claim.version_id, VERSIONS.c.state == State.PENDING)
        async with self._engine.begin() as connection:
            told = update(VERSIONS).where(*mine).values(_told(extracted, title, len(chunks)))
            if (await connection.execute(told)).rowcount == 0:
                return None
            others = (VERSIONS.c.document_id == claim.document_id, VERSIONS.c.id != claim.version_id)
            same = delete(VERSIONS).where(*others, VERSIONS.c.state == State.READY, VERSIONS.c.sha256 == claim.sha256)
            read_before = list((await connection.execute(same.returning(VERSIONS.c.id))).scalars())
            number = select(func.max(VERSIONS.c.number)).where(*others, VERSIONS.c.state == State.READY)
            superseded = (await connection.execute(number)).scalar()
            replaced = await _superseded(connection, claim.document_id, but=claim.version_id)
            left = await _leave(connection, claim.item, claim.document_id)
            for begin in range(0, len(chunks), _SLICE):
                rows = [_chunk(i, claim.version_id, c, extracted.text) for i, c in chunks[begin : begin + _SLICE]]
                await connection.execute(insert(CHUNKS), rows)
            return Replaced((*read_before, *replaced), superseded, left)

    async def failed(self, claim: Claim, error: str) -> None:
        """Keep the reason why a version could not be learned; one that was only read anew leaves no trace instead."""
        mine = (VERSIONS.c.id == claim.version_id, VERSIONS.c.state == State.PENDING)
        read_before = select(VERSIONS.c.id).where(
            VERSIONS.c.document_id == claim.document_id,
            VERSIONS.c.sha256 == claim.sha256,
            VERSIONS.c.state == State.READY,
        )
        async with self._engine.begin() as connection:
            if (await connection.execute(read_before)).first():
                await connection.execute(delete(VERSIONS).where(*mine))
            else:
                await connection.execute(update(VERSIONS).where(*mine).values(state=State.FAILED, error=error))

    async def withdraw(self, claim: Claim) -> Gone:
        """Take a claim back as if it had never been made."""
        mine = (VERSIONS.c.id == claim.version_id, VERSIONS.c.state == State.PENDING)
        async with self._engine.begin() as connection:
            await connection.execute(delete(VERSIONS).where(*mine))
            left = select(VERSIONS.c.id).where(VERSIONS.c.document_id == claim.document_id)
            if (await connection.execute(left)).first() is None:
                await connection.execute(delete(DOCUMENTS).where(DOCUMENTS.c.id == claim.document_id))
            return Gone((claim.version_id,), await _unused(connection, {claim.sha256}))

    async def hide(self, documents: Sequence[str]) -> tuple[str, ...]:
        """Have nobody see documents and what is attached to them any more; return their versions.

        It waits for whoever makes sure that they are there (`Catalogue.living`).
        """
        async with self._engine.begin() as connection:
            documents = await family(connection, documents)
            await connection.execute(select(DOCUMENTS.c.id).where(DOCUMENTS.c.id.in_(documents)).with_for_update())
            await connection.execute(delete(SCOPES).where(SCOPES.c.document_id.in_(documents)))
            versions = select(VERSIONS.c.id).where(VERSIONS.c.document_id.in_(documents))
            return tuple((await connection.execute(versions)).scalars())

    async def forget(self, documents: Sequence[str]) -> Gone:
        """Remove documents with all versions, passages and scopes, and what is attached to them."""
        async with self._engine.begin() as connection:
            return await _forgotten(connection, documents)

    async def unshare(self, documents: Sequence[str], scope: str) -> Unshared:
        """Take a scope from documents; those that are in no other are removed."""
        async with self._engine.begin() as connection:
            await connection.execute(delete(SCOPES).where(SCOPES.c.document_id.in_(documents), SCOPES.c.scope == scope))
            shared = select(SCOPES.c.scope).where(SCOPES.c.document_id == DOCUMENTS.c.id).exists().label("elsewhere")
            rows = await connection.execute(select(DOCUMENTS.c.id, shared).where(DOCUMENTS.c.id.in_(documents)))
            still = {row.id: row.elsewhere for row in rows}
            alone = tuple(document for document in still if not still[document])
            kept = tuple(document for document in still if still[document])
            return Unshared(await _forgotten(connection, alone), alone, kept)

    async def move(self, old: str, new: str) -> None:
        """Put what is in a scope into another one, and name what was taught from there anew."""
        both = select(SCOPES.c.document_id).where(SCOPES.c.scope == new)
        below = func.substr(DOCUMENTS.c.source, 1, len(old) + 1) == f"{old}/"
        renamed = literal(f"{new}/") + func.substr(DOCUMENTS.c.source, len(old) + 2)
        async with self._engine.begin() as connection:
            await connection.execute(delete(SCOPES).where(SCOPES.c.scope == old, SCOPES.c.document_id.in_(both)))
            await connection.execute(update(SCOPES).where(SCOPES.c.scope == old).values(scope=new))
            await connection.execute(update(DOCUMENTS).where(below).values(source=renamed))

    async def hand_over(self, old: str, new: str) -> None:
        """Name another person as who taught something."""
        async with self._engine.begin() as connection:
            await connection.execute(update(DOCUMENTS).where(DOCUMENTS.c.added_by == old).values(added_by=new))

    async def pending(self) -> list[Claim]:
        """Return the versions whose learning was interrupted."""
        async with self._engine.begin() as connection:
            rows = (await connection.execute(_CLAIMS.where(VERSIONS.c.state == State.PENDING))).mappings()
            return [_claim(row) for row in rows]


_CLAIMS = (
    select(
        VERSIONS.c.id,
        VERSIONS.c.document_id,
        VERSIONS.c.number,
        VERSIONS.c.sha256,
        VERSIONS.c.kind,
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
        told=row["kind"] if row["kind"] in get_args(Told) else None,
    )
    return Claim(row["document_id"], row[VERSIONS.c.id], row["number"], row["sha256"], item)


async def _ready_with(connection: AsyncConnection, item: Item, sha256: str) -> str | None:
    """Return the document in this scope that says these bytes now and came the same way: by itself, or in the same parent."""
    query = (
        select(VERSIONS.c.document_id)
        .join(SCOPES, SCOPES.c.document_id == VERSIONS.c.document_id)
        .join(DOCUMENTS, DOCUMENTS.c.id == VERSIONS.c.document_id)
        .where(VERSIONS.c.sha256 == sha256, VERSIONS.c.state == State.READY)
        .where(SCOPES.c.scope == item.scope, DOCUMENTS.c.parent_id.is_not_distinct_from(item.parent_id))
    )
    return (await connection.execute(query)).scalars().first()


async def _document_of(connection: AsyncConnection, item: Item) -> str | None:
    """Return the document that this source has in this scope and in no other: one that others share is theirs to keep."""
    others = SCOPES.alias()
    elsewhere = select(others.c.scope).where(others.c.document_id == DOCUMENTS.c.id, others.c.scope != item.scope)
    query = (
        select(DOCUMENTS.c.id)
        .join(SCOPES, SCOPES.c.document_id == DOCUMENTS.c.id)
        .where(DOCUMENTS.c.source == item.source, SCOPES.c.scope == item.scope, ~elsewhere.exists())
        .where(DOCUMENTS.c.parent_id.is_not_distinct_from(item.parent_id))
    )
    return (await connection.execute(query)).scalars().first()


async def _same_elsewhere(connection: AsyncConnection, item: Item, sha256: str) -> str | None:
    """Return the document of another scope that is this very source with these very bytes; attachments go with their parent."""
    query = (
        select(DOCUMENTS.c.id)
        .join(VERSIONS, VERSIONS.c.document_id == DOCUMENTS.c.id)
        .where(DOCUMENTS.c.source == item.source, VERSIONS.c.sha256 == sha256, VERSIONS.c.state == State.READY)
        .where(DOCUMENTS.c.parent_id.is_(None))
    )
    return (await connection.execute(query)).scalars().first() if item.parent_id is None else None


async def _superseded(connection: AsyncConnection, document: str, *, but: str = "") -> tuple[str, ...]:
    """Have a document's ready versions found no more, all but one; return them."""
    ready = (VERSIONS.c.document_id == document, VERSIONS.c.state == State.READY, VERSIONS.c.id != but)
    versions = tuple((await connection.execute(select(VERSIONS.c.id).where(*ready))).scalars())
    await connection.execute(delete(CHUNKS).where(CHUNKS.c.version_id.in_(versions)))
    await connection.execute(update(VERSIONS).where(VERSIONS.c.id.in_(versions)).values(state=State.SUPERSEDED))
    return versions


async def _leave(connection: AsyncConnection, item: Item, document: str) -> tuple[str, ...]:
    """Take the scope from other documents of the same source, and from what is attached to them; return these."""
    query = (
        select(DOCUMENTS.c.id)
        .join(SCOPES, SCOPES.c.document_id == DOCUMENTS.c.id)
        .where(DOCUMENTS.c.source == item.source, SCOPES.c.scope == item.scope, DOCUMENTS.c.id != document)
        .where(DOCUMENTS.c.parent_id.is_(None))
    )
    left = await family(connection, (await connection.execute(query)).scalars()) if item.parent_id is None else ()
    await connection.execute(delete(SCOPES).where(SCOPES.c.document_id.in_(left), SCOPES.c.scope == item.scope))
    return left


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


async def _claimed(connection: AsyncConnection, document: str, item: Item, sha256: str) -> Claim:
    """Claim a version to be filled: the newest when it is these bytes unlearned, else a new one that overtakes those."""
    query = select(VERSIONS).where(VERSIONS.c.document_id == document).order_by(VERSIONS.c.number.desc())
    newest = (await connection.execute(query)).mappings().first()
    if newest and newest["sha256"] == sha256 and newest["state"] in (State.PENDING, State.FAILED):
        again = update(VERSIONS).where(VERSIONS.c.id == newest["id"]).values(state=State.PENDING, error=None)
        await connection.execute(again)
        return Claim(document, newest["id"], newest["number"], sha256, item)
    overtaken = (VERSIONS.c.document_id == document, VERSIONS.c.state == State.PENDING)
    await connection.execute(update(VERSIONS).where(*overtaken).values(state=State.SUPERSEDED))
    version, number = uuid4().hex, newest["number"] + 1 if newest else 1
    await connection.execute(
        insert(VERSIONS).values(
            id=version,
            document_id=document,
            number=number,
            sha256=sha256,
            state=State.PENDING,
            title=item.name,
            kind=item.told or "",  # what is in a file shows when it has been read
            passages=0,
            authors=[],
            added_at=datetime.now(UTC),
        )
    )
    return Claim(document, version, number, sha256, item)


async def _forgotten(connection: AsyncConnection, documents: Sequence[str]) -> Gone:
    """Remove documents and everything of theirs, what is attached to them, too."""
    documents = await family(connection, documents)
    query = select(VERSIONS.c.id, VERSIONS.c.sha256).where(VERSIONS.c.document_id.in_(documents))
    versions = (await connection.execute(query)).all()
    await connection.execute(delete(DOCUMENTS).where(DOCUMENTS.c.id.in_(documents)))
    return Gone(tuple(version.id for version in versions), await _unused(connection, {version.sha256 for version in versions}))


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
