"""Alembic's entry: knows every table and migrates the connection it is handed."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import TypeDecorator
from sqlmodel import SQLModel

import bot.tables
import knowledge.tables
import scheduler.tables

TABLES = (bot.tables, knowledge.tables, scheduler.tables)  # importing them is what fills the metadata


def render(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write our own column types down as what they are stored as: a migration must not change when our code does."""
    return f"sa.{item.impl!r}" if kind == "type" and isinstance(item, TypeDecorator) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    render_item=render,
)
with context.begin_transaction():
    context.run_migrations()
