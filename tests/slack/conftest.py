"""The real twin in a simulated Slack, and what people do with it again and again."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.simulators.slack import Slack
from tests.slack.running import Twin, running


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    async with Slack.open() as opened:
        opened.user("U1", name="Ada")
        opened.user("U2", name="Grace")
        opened.user("U3", name="Eve", is_restricted=True)
        opened.channel("C1", name="general", members=["U1", "U2", "U3"])
        opened.channel("P1", name="board", members=["U1"], is_private=True)
        yield opened


@pytest.fixture
async def twin(slack: Slack, tmp_path: Path) -> AsyncIterator[Twin]:
    async with running(tmp_path, slack) as one:
        yield one
