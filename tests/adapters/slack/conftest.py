"""What the tests of the parts share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.adapters.slack.worlds import World, world


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made
