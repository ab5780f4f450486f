"""Tables of the knowledge: documents, their versions, scopes, passages, original files, and the state of the index."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Table, Text
from sqlmodel import Column, Field, SQLModel

from knowledge.columns import UtcDateTime


def _within(table: str, *, primary: bool = False, null: bool = False) -> Column[str]:
    """A reference to a row of `table` that goes when that row goes."""
    return Column(ForeignKey(f"{table}.id", ondelete="CASCADE"), primary_key=primary, nullable=null, index=not primary)


class FileRow(SQLModel, table=True):
    """An original file, kept once however many documents have these bytes."""

    __tablename__ = "files"

    sha256: str = Field(primary_key=True)
    size: int


class DocumentRow(SQLModel, table=True):
    """A document as people know it; what it says stands in its versions. `source` identifies it within a scope."""

    __tablename__ = "documents"

    id: str = Field(primary_key=True)
    source: str = Field(index=True)
    name: str
    url: str
    tags: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    added_by: str
    parent_id: str | None = Field(default=None, sa_column=_within("documents", null=True))


class DocumentScopeRow(SQLModel, table=True):
    """A scope that a document was shared in."""

    __tablename__ = "document_scopes"

    document_id: str = Field(sa_column=_within("documents", primary=True))
    scope: str = Field(primary_key=True, index=True)


class VersionRow(SQLModel, table=True):
    """One version of a document: its file, its stored text, and what became of it."""

    __tablename__ = "document_versions"

    id: str = Field(primary_key=True)
    document_id: str = Field(sa_column=_within("documents"))
    number: int
    sha256: str = Field(foreign_key="files.sha256", index=True)
    state: str = Field(index=True)
    title: str
    kind: str
    error: str | None = None
    text: str | None = Field(default=None, sa_column=Column(Text))
    pages: int | None = None
    passages: int = 0
    language: str | None = None
    authors: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    created_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    added_at: datetime = Field(sa_type=UtcDateTime)


class ChunkRow(SQLModel, table=True):
    """A passage: `text` is `document_versions.text[start:end]`, kept here too so that a search reads no whole documents."""

    __tablename__ = "chunks"

    id: str = Field(primary_key=True)
    version_id: str = Field(sa_column=_within("document_versions"))
    n: int
    start: int
    end: int
    page: int | None = None
    heading: str | None = Field(default=None, sa_column=Column(Text))
    context: str = Field(sa_column=Column(Text, nullable=False))
    text: str = Field(sa_column=Column(Text, nullable=False))


class PriorRow(SQLModel, table=True):
    """What people think of the answers that quoted a passage, -1 to 1: it moves the passage a little in what is found."""

    __tablename__ = "priors"

    chunk_id: str = Field(sa_column=_within("chunks", primary=True))
    value: float


class IndexVersionRow(SQLModel, table=True):
    """What the vector index was built with; the newest row speaks of the present one."""

    __tablename__ = "index_versions"

    id: int | None = Field(default=None, primary_key=True)
    model: str
    average_length: float
    collection: str
    built_at: datetime = Field(sa_type=UtcDateTime)


def _table(row: type[SQLModel]) -> Table:
    return SQLModel.metadata.tables[str(row.__tablename__)]


# The same tables for queries: what is selected from them is plain rows, nothing that writes itself back.
FILES = _table(FileRow)
DOCUMENTS = _table(DocumentRow)
SCOPES = _table(DocumentScopeRow)
VERSIONS = _table(VersionRow)
CHUNKS = _table(ChunkRow)
PRIORS = _table(PriorRow)
INDEX_VERSIONS = _table(IndexVersionRow)
