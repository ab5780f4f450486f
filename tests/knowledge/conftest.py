"""What the tests of the library share: a house to teach in."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.db import open_database
from tests.knowledge.fakes import MemoryIndex
from tests.knowledge.house import House


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Yield an empty house."""
    async with open_database(f"sqlite+aiosqlite:///{tmp_path / 'twin.db'}") as engine:
        yield House.on(engine, tmp_path, MemoryIndex())
