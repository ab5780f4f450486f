"""What notices say of documents, who wants a digest where, codes for linking, and a quick way to what was said in a thread."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "quotes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("document_id", sa.String(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("instead", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["key"], ["outbox.key"], onupdate="CASCADE", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("quotes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_quotes_key"), ["key"], unique=False)
        batch_op.create_index(batch_op.f("ix_quotes_document_id"), ["document_id"], unique=False)
    op.create_table(
        "links",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("old", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("code"),
    )
    with op.batch_alter_table("links", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_links_person_id"), ["person_id"], unique=False)
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.add_column(sa.Column("revision", sa.Integer(), server_default="0", nullable=False))
    with op.batch_alter_table("places", schema=None) as batch_op:
        batch_op.add_column(sa.Column("digest_by", sa.String(), server_default="", nullable=False))
    with op.batch_alter_table("posts", schema=None) as batch_op:
        batch_op.create_index("ix_posts_place_thread", ["place", "thread"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("posts", schema=None) as batch_op:
        batch_op.drop_index("ix_posts_place_thread")
    with op.batch_alter_table("places", schema=None) as batch_op:
        batch_op.drop_column("digest_by")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_column("revision")
    op.drop_table("links")
    op.drop_table("quotes")
