"""The real twin in a simulated Discord."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.discord.running import Twin, running
from tests.simulators.discord import Discord

GUILD, GENERAL, BOARD, BOARD_ROLE = 10, 20, 21, 30
ADA, GRACE = 101, 102


@pytest.fixture
async def discord() -> AsyncIterator[Discord]:
    async with Discord.open() as opened:
        opened.user(ADA, "Ada")
        opened.user(GRACE, "Grace")
        guild = opened.guild(GUILD, members=[ADA, GRACE])
        guild.roles[BOARD_ROLE] = ("Board", 0)
        guild.members[ADA] = [BOARD_ROLE]
        opened.channel(GENERAL, "general", guild=GUILD)
        opened.channel(BOARD, "board", guild=GUILD, only=[BOARD_ROLE])
        yield opened


@pytest.fixture
async def twin(discord: Discord, tmp_path: Path) -> AsyncIterator[Twin]:
    async with running(tmp_path, discord) as one:
        yield one
