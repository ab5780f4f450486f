"""Tables of the conversation: what was asked and answered, on which passages it rests, and what nobody could answer."""

from datetime import datetime

from sqlalchemy import Column, DateTime, ForeignKey, Text
from sqlmodel import Field, SQLModel


def _within(table: str) -> Column[str]:
    """A reference to a row of `table` that goes when that row goes."""
    return Column(ForeignKey(f"{table}.id", ondelete="CASCADE"), nullable=False, index=True)


class ConversationRow(SQLModel, table=True):
    """A thread, a private chat or a session in the terminal."""

    __tablename__ = "conversations"

    id: str = Field(primary_key=True)
    place: str = Field(index=True)
    person: str
    started_at: datetime = Field(sa_type=DateTime(timezone=True))


class MessageRow(SQLModel, table=True):
    """Something said: by a person (`role` "user") or by the twin ("assistant")."""

    __tablename__ = "messages"

    id: str = Field(primary_key=True)
    conversation_id: str = Field(sa_column=_within("conversations"))
    role: str
    text: str = Field(sa_column=Column(Text, nullable=False))
    said_at: datetime = Field(sa_type=DateTime(timezone=True))
    abstained: bool = False
    provider: str | None = None
    model: str | None = None


class CitationRow(SQLModel, table=True):
    """A quote that an answer shows, and the document it stands in."""

    __tablename__ = "citations"

    message_id: str = Field(sa_column=Column(ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True))
    n: int = Field(primary_key=True)
    document_id: str = Field(index=True)
    quote: str = Field(sa_column=Column(Text, nullable=False))
    score: float


class GapRow(SQLModel, table=True):
    """A question that could not be answered: material for the digest."""

    __tablename__ = "gaps"

    id: int | None = Field(default=None, primary_key=True)
    message_id: str = Field(sa_column=_within("messages"))


CONVERSATIONS = SQLModel.metadata.tables["conversations"]
MESSAGES = SQLModel.metadata.tables["messages"]
CITATIONS = SQLModel.metadata.tables["citations"]
GAPS = SQLModel.metadata.tables["gaps"]
