"""The tests of jobs run on both databases: SQLite always, Postgres where TWIN_TEST_DATABASE_URL names one."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.db import open_database
from scheduler.tables import JOBS

POSTGRES = os.environ.get("TWIN_TEST_DATABASE_URL")


@pytest.fixture(params=["sqlite", "postgres"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'twin.db'}"
        return
    if POSTGRES is None:
        pytest.skip("TWIN_TEST_DATABASE_URL names no Postgres")
    async with open_database(POSTGRES) as emptying, emptying.begin() as connection:
        await connection.execute(JOBS.delete())
    yield POSTGRES


@pytest.fixture
async def engine(url: str) -> AsyncIterator[AsyncEngine]:
    async with open_database(url) as opened:
        yield opened
