"""What all worlds share: a folder, a database to copy, an engine, and silence."""

import asyncio
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from bot.db import open_database
from tests.simulation.driver import Database
from tests.simulation.jobs import SCHEMA
from tests.simulation.life import run

MEMORY = Path("/dev/shm")  # noqa: S108 - a file system in memory, where there is one


@pytest.fixture(scope="package")
def folder() -> Iterator[Path]:
    """Provide a folder in memory: there are thousands of small writes."""
    home = MEMORY if os.access(MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="twin-worlds-", dir=home) as name:
        yield Path(name)


@pytest.fixture(scope="package")
def template(folder: Path) -> Path:
    """Provide a database as the migrations leave it."""
    path = folder / "template.db"

    async def migrated() -> None:
        async with open_database(f"sqlite+aiosqlite:///{path}") as opened, opened.begin() as connection:
            await connection.exec_driver_sql(SCHEMA)

    asyncio.run(migrated())
    return path


@pytest.fixture(scope="package")
def database(template: Path) -> Database:
    opened = Database()
    run(lambda: opened.warm(str(template)))
    return opened


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory(), processors=[lambda *_: ""])
    yield
    structlog.reset_defaults()
