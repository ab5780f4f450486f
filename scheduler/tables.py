"""The table of the jobs."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Table, Text, text
from sqlmodel import Column, Field, SQLModel

from knowledge.columns import UtcDateTime


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


class JobRow(SQLModel, table=True):
    """A job from being put until its key is forgotten; `state` is one of `fates.State`, `lane` says whose slots it takes.

    `reason` is why it was given up; while it is not finished, that has still to be told. `owner` is the process that does it.
    Waiting jobs of a lane are taken in the order of `not_before`, which is when they were put or when their next try is due.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        # One for what is taken and counted, one for what is forgotten: neither grows with what the other is for.
        Index("ix_jobs_unfinished", "state", "lane", "not_before", **_where("finished_at IS NULL")),
        Index("ix_jobs_finished", "finished_at", **_where("finished_at IS NOT NULL")),
    )

    key: str = Field(primary_key=True)
    kind: str
    argument: str = Field(sa_column=Column(Text, nullable=False))
    lane: str
    state: str
    reason: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
    failures: int = 0
    crashes: int = 0
    owner: str | None = None
    put_at: datetime = Field(sa_type=UtcDateTime)
    not_before: datetime = Field(sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


JOBS: Table = SQLModel.metadata.tables["jobs"]
"""The same table for queries: what is selected from it is plain rows, nothing that writes itself back."""
