"""The real `twin run`, connected to the simulated Slack."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from tests.running import Running
from tests.simulators.slack import Slack


class Twin(Running):
    """A twin in Slack."""

    def __init__(self, folder: Path, slack: Slack, environment: Mapping[str, str] = {}) -> None:
        own = {"SLACK_API_URL": slack.api_url, "SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}
        super().__init__(folder, {**own, **environment})
        self.slack = slack

    async def start(self, fault: str = "", **environment: str) -> None:
        """Start it, and wait until it is connected or dead."""
        await self.begin(fault, **environment)
        await self.slack.until(lambda: len(self.slack.sockets) >= 2 or not self.alive, 60)
        assert self.alive, self.log()[-4000:]


@asynccontextmanager
async def running(folder: Path, slack: Slack, environment: Mapping[str, str] = {}) -> AsyncIterator[Twin]:
    """Run a twin; it is dead afterwards."""
    twin = Twin(folder, slack, environment)
    try:
        await twin.start()
        yield twin
    finally:
        await twin.kill()
