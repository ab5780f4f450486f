"""Tables of the conversation: who is where, what was received, said and sent, on what it rests, and what it cost."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, ForeignKey, Index, Table, Text
from sqlmodel import Field, SQLModel

from knowledge.columns import UtcDateTime


def _within(table: str, *, primary: bool = False, null: bool = False) -> Column[str]:
    """A reference to a row of `table` that goes when that row goes."""
    return Column(ForeignKey(f"{table}.id", ondelete="CASCADE"), primary_key=primary, nullable=null, index=not primary)


def _text(*, null: bool = False) -> Column[str]:
    return Column(Text, nullable=null)


def _list() -> Column[list[Any]]:
    return Column(JSON, nullable=False)


# --- who is where


class PersonRow(SQLModel, table=True):
    """Someone, whatever accounts they have."""

    __tablename__ = "people"

    id: str = Field(primary_key=True)
    name: str = ""
    created_at: datetime = Field(sa_type=UtcDateTime)


class AccountRow(SQLModel, table=True):
    """An account on a platform, e.g. `slack:T1:U2`; `tenant` is the workspace or guild, `kind` one of `kinds.Kind`.

    What is not confirmed by the platform for a while counts for nothing.
    """

    __tablename__ = "accounts"

    id: str = Field(primary_key=True)
    person_id: str = Field(sa_column=_within("people"))
    tenant: str = Field(index=True)
    kind: str
    active: bool = True
    confirmed_at: datetime = Field(sa_type=UtcDateTime)


class PlaceRow(SQLModel, table=True):
    """A place on a platform; `kind` is one of `kinds.PlaceKind`. Chat is learned only where an owner switched on `learns`.

    `digest_by` is the person who wants a digest posted there each week; nobody when it is empty.
    """

    __tablename__ = "places"

    id: str = Field(primary_key=True)
    tenant: str = Field(index=True)
    kind: str
    name: str = ""
    learns: bool = False
    digest_by: str = Field(default="", sa_column_kwargs={"server_default": ""})
    closed: bool = False
    confirmed_at: datetime = Field(sa_type=UtcDateTime)


class MembershipRow(SQLModel, table=True):
    """That an account is in a place."""

    __tablename__ = "memberships"

    place_id: str = Field(sa_column=_within("places", primary=True))
    account_id: str = Field(sa_column=Column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True, index=True))


class RoleRow(SQLModel, table=True):
    """What a person may do in a tenant beyond what their account says: `owner` or `teacher`."""

    __tablename__ = "roles"

    person_id: str = Field(sa_column=_within("people", primary=True))
    tenant: str = Field(primary_key=True)
    role: str = Field(primary_key=True)


class LinkRow(SQLModel, table=True):
    """A code by which a person shows that another account is theirs too: its SHA-256. `old` is who shows it from `account`."""

    __tablename__ = "links"

    code: str = Field(primary_key=True)
    person_id: str = Field(sa_column=_within("people"))
    account: str
    old: str
    expires_at: datetime = Field(sa_type=UtcDateTime)


# --- received once, sent once


class InboxRow(SQLModel, table=True):
    """A delivery by a platform, and what was made of it: a job, or the reason why nothing was."""

    __tablename__ = "inbox"

    event: str = Field(primary_key=True)
    place: str
    message: str
    outcome: str
    received_at: datetime = Field(sa_type=UtcDateTime, index=True)


class PostRow(SQLModel, table=True):
    """A message on a platform as it is now. A deleted one stays without its text: what comes late finds that it is gone.

    `taught_by` is the account of somebody who had it learned as it is.
    """

    __tablename__ = "posts"

    place: str = Field(primary_key=True)
    message: str = Field(primary_key=True)
    thread: str | None = None
    account: str
    author: str = ""
    text: str = Field(sa_column=_text())
    link: str = ""
    attachments: list[dict[str, Any]] = Field(default_factory=list, sa_column=_list())
    addressed: bool = False
    deleted: bool = False
    taught_by: str = Field(default="", sa_column=Column(Text, nullable=False, server_default=""))
    changed_at: datetime = Field(sa_type=UtcDateTime, index=True)

    __table_args__ = (Index("ix_posts_place_thread", "place", "thread"),)


class OutboxRow(SQLModel, table=True):
    """Something to be shown on a platform: an answer (`message_id` in the history) or a notice (`text`).

    `shown` is the platform's id of it once it is there; `state` is one of `outbox.State`. `revision` counts how often
    forgetting made its content another one.
    """

    __tablename__ = "outbox"

    key: str = Field(primary_key=True)
    place: str
    thread: str | None = None
    to: str
    account: str
    message_id: str | None = Field(default=None, index=True)
    text: str | None = Field(default=None, sa_column=_text(null=True))
    shown: str | None = None
    state: str = Field(index=True)
    revision: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    error: str | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)
    delivered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

    __table_args__ = (Index("ix_outbox_place_to", "place", "to"),)


class QuoteRow(SQLModel, table=True):
    """A line of a notice that says something of a document; `instead` stands there once that is forgotten."""

    __tablename__ = "quotes"

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(
        sa_column=Column(ForeignKey("outbox.key", ondelete="CASCADE", onupdate="CASCADE"), nullable=False, index=True)
    )
    document_id: str = Field(index=True)
    line: str = Field(sa_column=_text())
    instead: str


# --- what was said


class ConversationRow(SQLModel, table=True):
    """A thread, a private chat or a session in the terminal.

    `summary` tells what was said up to the message `summarised`; it rests on the same passages as the answers it sums up.
    """

    __tablename__ = "conversations"

    id: str = Field(primary_key=True)
    place: str = Field(index=True)
    thread: str | None = None
    person: str = Field(index=True)
    started_at: datetime = Field(sa_type=UtcDateTime)
    summary: str = Field(default="", sa_column=_text())
    summarised: int = 0


class MessageRow(SQLModel, table=True):
    """Something said: by a person (`role` "user") or by the twin ("assistant", in answer to the message `answers`).

    `origin` names the message on its platform that a question was asked in; `query` is what was searched for; a `superseded`
    answer was given anew.
    """

    __tablename__ = "messages"

    id: str = Field(primary_key=True)
    conversation_id: str = Field(sa_column=_within("conversations"))
    n: int = Field(default=0)
    role: str
    person: str = Field(default="", index=True)
    text: str = Field(sa_column=_text())
    notice: str = Field(default="", sa_column=_text())
    said_at: datetime = Field(sa_type=UtcDateTime)
    origin: str | None = Field(default=None, index=True)
    answers: str | None = Field(default=None, index=True)
    superseded: bool = False
    query: str | None = Field(default=None, sa_column=_text(null=True))
    abstained: bool = False
    provider: str | None = None
    model: str | None = None
    tokens: int | None = None
    milliseconds: float | None = None


class CitationRow(SQLModel, table=True):
    """A quote that an answer shows, and the passage and document it stands in."""

    __tablename__ = "citations"

    message_id: str = Field(sa_column=_within("messages", primary=True))
    n: int = Field(primary_key=True)
    document_id: str = Field(index=True)
    passage_id: str = ""
    title: str = ""
    page: int | None = None
    heading: str | None = Field(default=None, sa_column=_text(null=True))
    quote: str = Field(sa_column=_text())
    url: str = ""
    score: float


class CandidateRow(SQLModel, table=True):
    """A passage that was considered for an answer, with its scores, and what became of it: one of `history.Fate`."""

    __tablename__ = "candidates"

    message_id: str = Field(sa_column=_within("messages", primary=True))
    rank: int = Field(primary_key=True)
    passage_id: str
    document_id: str = Field(index=True)
    score: float
    dense: float
    lexical: float
    prior: float = 0.0
    fate: str


class GapRow(SQLModel, table=True):
    """A question that could not be answered: material for the digest."""

    __tablename__ = "gaps"

    id: int | None = Field(default=None, primary_key=True)
    message_id: str = Field(sa_column=_within("messages"))


class FeedbackRow(SQLModel, table=True):
    """What a person thinks of an answer: 1 or -1. One row a person and answer, whatever is clicked how often."""

    __tablename__ = "feedback"

    message_id: str = Field(sa_column=_within("messages", primary=True))
    person: str = Field(primary_key=True, index=True)
    value: int
    reason: str = Field(default="", sa_column=_text())
    at: datetime = Field(sa_type=UtcDateTime)


# --- models


class UsageRow(SQLModel, table=True):
    """One use of a language model: for what, by whom, what it took, and how it ended."""

    __tablename__ = "usage_logs"

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime, index=True)
    person: str = Field(index=True)
    place: str
    purpose: str
    provider: str
    model: str
    tokens_in: int
    tokens_out: int
    cost: float = 0.0
    milliseconds: float
    outcome: str


class ModelRow(SQLModel, table=True):
    """How the twin writes in a place, or everywhere (`*`); an empty field leaves it to what is more general."""

    __tablename__ = "llm_configs"

    place: str = Field(primary_key=True)
    model: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    system_prompt: str | None = Field(default=None, sa_column=_text(null=True))
    persona: str | None = Field(default=None, sa_column=_text(null=True))
    changed_by: str = ""
    changed_at: datetime = Field(sa_type=UtcDateTime)


# --- platforms


class SecretRow(SQLModel, table=True):
    """A secret, such as the token of a workspace, closed with the key of the settings."""

    __tablename__ = "secrets"

    name: str = Field(primary_key=True)
    sealed: bytes
    changed_at: datetime = Field(sa_type=UtcDateTime)


def _tables(*rows: type[SQLModel]) -> tuple[Table, ...]:
    return tuple(SQLModel.metadata.tables[str(row.__tablename__)] for row in rows)


# The same tables for queries: what is selected from them is plain rows, nothing that writes itself back.
PEOPLE, ACCOUNTS, PLACES = _tables(PersonRow, AccountRow, PlaceRow)
MEMBERSHIPS, ROLES, LINKS = _tables(MembershipRow, RoleRow, LinkRow)
INBOX, POSTS, OUTBOX, QUOTES = _tables(InboxRow, PostRow, OutboxRow, QuoteRow)
CONVERSATIONS, MESSAGES, CITATIONS, CANDIDATES = _tables(ConversationRow, MessageRow, CitationRow, CandidateRow)
GAPS, FEEDBACK, USAGE = _tables(GapRow, FeedbackRow, UsageRow)
MODELS, SECRETS = _tables(ModelRow, SecretRow)
