"""The real `twin run` connected to the simulated Discord."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from tests.running import Running
from tests.simulators.discord import Discord


class Twin(Running):
    """A twin with its data in `folder`."""

    def __init__(self, folder: Path, discord: Discord, environment: Mapping[str, str] = {}) -> None:
        own = {"DISCORD_API_URL": discord.api_url, "DISCORD_TOKEN": discord.token}
        super().__init__(folder, {**own, **environment})
        self.discord = discord

    async def start(self, fault: str = "", **environment: str) -> None:
        """Start it, and wait until it is connected or dead."""
        await self.begin(fault, **environment)
        await self.discord.until(lambda: self.discord.gateway.connected or not self.alive, 60)
        assert self.alive, self.log()[-4000:]
        await self.discord.until(lambda: self.log().count('"connected to Discord"') >= self.starts or not self.alive, 60)
        assert self.alive, self.log()[-4000:]


@asynccontextmanager
async def running(folder: Path, discord: Discord, environment: Mapping[str, str] = {}) -> AsyncIterator[Twin]:
    """Run a twin; it is dead afterwards."""
    twin = Twin(folder, discord, environment)
    try:
        await twin.start()
        yield twin
    finally:
        await twin.kill()
