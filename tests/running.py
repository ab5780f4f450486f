"""The real `twin run` in a process of its own, with its data in a folder."""

import asyncio
import os
import re
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from bot.settings import names

ROOT = Path(__file__).parents[1]
PROXIES = {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"}


class Running:
    """A twin: begun, killed, begun again; `environment` sets what is set for it."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.environment = environment
        self.process: asyncio.subprocess.Process | None = None
        self.starts = 0

    @property
    def data(self) -> Path:
        return self.folder / "data"

    async def begin(self, fault: str = "", **environment: str) -> None:
        """Start the process."""
        outside = {name: value for name, value in os.environ.items() if name not in {*names().values(), *PROXIES}}
        own = {
            "TWIN_DATA_DIR": str(self.data),
            "TWIN_HTTP_PORT": "0",
            "TWIN_FAULT": fault,
            "TWIN_LOG_FORMAT": "json",
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        }
        self.starts += 1
        with (self.folder / "log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bot", "run"),
                cwd=self.folder,
                env={**outside, **own, **self.environment, **environment},
                stdin=DEVNULL,
                stdout=log,
                stderr=log,
            )

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
