"""The real `twin run` in a process of its own, connected to the simulated Slack."""

import asyncio
import os
import re
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from bot.settings import names
from tests.simulators.slack import Slack

ROOT = Path(__file__).parents[2]
PROXIES = {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"}


@dataclass
class Twin:
    """A twin with its data in `folder`."""

    folder: Path
    slack: Slack
    environment: Mapping[str, str] = field(default_factory=dict)
    process: Process | None = None

    @property
    def data(self) -> Path:
        return self.folder / "data"

    async def start(self, fault: str = "", **environment: str) -> None:
        """Start it, and wait until it is connected or dead."""
        outside = {name: value for name, value in os.environ.items() if name not in {*names().values(), *PROXIES}}
        own = {
            "SLACK_API_URL": self.slack.api_url,
            "SLACK_BOT_TOKEN": "xoxb-1",
            "SLACK_APP_TOKEN": "xapp-1",
            "TWIN_DATA_DIR": str(self.data),
            "TWIN_HTTP_PORT": "0",
            "TWIN_FAULT": fault,
            "TWIN_LOG_FORMAT": "json",
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        }
        with (self.folder / "log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bot", "run"),
                cwd=self.folder,
                env={**outside, **own, **self.environment, **environment},
                stdin=DEVNULL,
                stdout=log,
                stderr=log,
            )
        await self.slack.until(lambda: len(self.slack.sockets) >= 2 or not self.alive, 60)
        assert self.alive, self.log()[-4000:]

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.returncode is None

    async def kill(self) -> None:
        """End it as `kill -9` does."""
        if self.process and self.alive:
            self.process.kill()
            await self.process.wait()

    async def dead(self, seconds: float = 60) -> int:
        """Wait until it has ended; return its exit code."""
        assert self.process
        async with asyncio.timeout(seconds):
            return await self.process.wait()

    async def stop(self) -> int:
        """Ask it to end; return its exit code."""
        assert self.process
        self.process.terminate()
        return await self.dead()

    async def address(self) -> str:
        """Wait until its HTTP server is open; return its address."""
        async with asyncio.timeout(60):
            while not (found := re.findall(r'"address": "(.*?)"', self.log())):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)
        return str(found[-1])

    def log(self) -> str:
        """Return what it has logged."""
        return (self.folder / "log").read_text("utf-8", "replace")

    def holds(self, word: str) -> list[str]:
        """Return the files of its data folder in which a word stands, byte for byte."""
        found = []
        for folder, _, names_ in os.walk(self.data):
            for name in names_:
                with suppress(FileNotFoundError):  # a shard that was just made anew
                    if word.encode() in Path(folder, name).read_bytes():
                        found.append(name)
        return found


@asynccontextmanager
async def running(folder: Path, slack: Slack, environment: Mapping[str, str] = {}) -> AsyncIterator[Twin]:
    """Run a twin; it is dead afterwards."""
    twin = Twin(folder, slack, environment)
    try:
        await twin.start()
        yield twin
    finally:
        await twin.kill()
