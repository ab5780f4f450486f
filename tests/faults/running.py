"""The real process under a simulated platform: started, spoken to, killed, started again."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import aiohttp
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.chat import Message
from bot.settings import names
from tests.simulators.platform import Platform, as_json

ROOT = Path(__file__).parents[2]
KILLED = -9


@dataclass
class Running:
    """A twin in a process of its own, with its data in `folder`, or on a `disk` of their own."""

    folder: Path
    platform: Platform
    environment: Mapping[str, str] = field(default_factory=dict)
    disk: Path | None = None
    process: Process | None = None
    port: int = 0

    async def start(self, fault: str = "", **environment: str) -> None:
        """Start it, with a fault armed, and wait until it is ready or dead."""
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        own = {"OPENBLAS_NUM_THREADS": "1", "TWIN_DATA_DIR": str(self.data), "TWIN_FAULT": fault, "PYTHONPATH": path}
        outside = {name: value for name, value in os.environ.items() if name not in names().values()}
        with (self.folder / "log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.simulators.process", self.platform.url),
                cwd=self.folder,
                env={**outside, **self.environment, **own, **environment},
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=log,
            )
        assert self.process.stdout
        if port := await self.process.stdout.readline():
            self.port = int(port)
        else:
            await self.process.wait()

    @property
    def data(self) -> Path:
        return self.disk or self.folder / "data"

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.returncode is None

    async def dead(self, seconds: float = 60) -> int:
        """Wait until the process has ended; return its exit code."""
        assert self.process
        async with asyncio.timeout(seconds):
            return await self.process.wait()

    async def stop(self, seconds: float = 40) -> int:
        """Ask it to end."""
        assert self.process
        with suppress(ProcessLookupError):
            self.process.terminate()
        return await self.dead(seconds)

    async def kill(self) -> None:
        """End it as `kill -9` does."""
        if self.alive:
            assert self.process
            self.process.kill()
            await self.process.wait()

    async def deliver(self, message: Message) -> bool:
        """Deliver once; tell whether it was acknowledged."""
        timeout = aiohttp.ClientTimeout(total=60)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(f"http://127.0.0.1:{self.port}/events", json=as_json(message)) as response,
            ):
                return response.status == 200
        except (aiohttp.ClientError, OSError):
            return False

    async def deliver_all(self, messages: Sequence[Message]) -> list[bool]:
        """Deliver at the same time."""
        return list(await asyncio.gather(*(self.deliver(message) for message in messages)))

    async def found(self, query: str, *, place: str = "sim:T1:C1", account: str = "sim:T1:U1") -> list[str]:
        """Return the passages that a search finds."""
        asked = {"query": query, "place": place, "account": account}
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{self.port}/search", params=asked) as response,
        ):
            found: list[str] = await response.json()
            return found

    async def quiet(self, seconds: float = 60) -> None:
        """Wait until no job waits or runs."""
        unfinished = "SELECT count(*) FROM jobs WHERE finished_at IS NULL"
        async with asyncio.timeout(seconds):
            while await self.rows(unfinished) != [(0,)]:  # noqa: ASYNC110 - it is the database of another process
                await asyncio.sleep(0.1)

    async def jobs(self, prefix: str) -> int:
        """Count the jobs there were or are whose keys begin with something."""
        [(count,)] = await self.rows(f"SELECT count(*) FROM jobs WHERE key LIKE '{prefix}%'")  # noqa: S608
        assert isinstance(count, int)
        return count

    async def redeliver(self, messages: Sequence[Message]) -> None:
        """Deliver again until each is acknowledged, as a platform does."""
        for _ in range(5):
            messages = [m for m, kept in zip(messages, await self.deliver_all(messages), strict=True) if not kept]
            if not messages:
                return
        raise AssertionError(f"not acknowledged: {self.log()[-2000:]}")

    def finals(self, message: Message) -> list[str]:
        """Return what the twin has said in answer to a message, and means to leave like that."""
        return [post.text for post in self.platform.visible(message.id) if post.final]

    async def said(self, *messages: Message) -> list[str]:
        """Wait until there is an answer to each message, and return them; each must be the only one."""
        try:
            await self.platform.until(lambda: all(map(self.finals, messages)))
        except TimeoutError:
            raise AssertionError(f"{[m.id for m in messages if not self.finals(m)]} {self.log()[-4000:]}") from None
        for message in messages:
            assert len(self.platform.visible(message.id)) == 1
        return [self.finals(message)[0] for message in messages]

    async def mended(self) -> int:
        """Make the index equal to the database; return how many points were wrong."""
        async with aiohttp.ClientSession() as session, session.post(f"http://127.0.0.1:{self.port}/mend") as response:
            return int(await response.text())

    async def rows(self, query: str) -> list[tuple[object, ...]]:
        """Look into the database, while nothing runs or beside it."""
        url = self.environment.get("DATABASE_URL", "").replace("postgresql://", "postgresql+asyncpg://")
        engine = create_async_engine(url or f"sqlite+aiosqlite:///{self.data / 'twin.db'}")
        try:
            async with engine.connect() as connection:
                return [tuple(row) for row in await connection.execute(text(query))]
        finally:
            await engine.dispose()

    def log(self) -> str:
        """Return what it has logged."""
        return (self.folder / "log").read_text(errors="replace")


@asynccontextmanager
async def running(folder: Path, environment: Mapping[str, str] = {}) -> AsyncIterator[Running]:
    """Provide a platform and a twin that is not started yet."""
    async with Platform.open() as platform:
        one = Running(folder, platform, environment)
        try:
            yield one
        finally:
            await one.kill()


async def fresh_database(url: str) -> str:
    """Make a database of its own on a Postgres server; return its address."""
    name = f"twin_{uuid4().hex[:12]}"
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    await engine.dispose()
    return engine.url.set(drivername="postgresql", database=name).render_as_string(hide_password=False)
