"""Durable jobs beside a busy intake: `python -m benchmarks.jobs [URL]` prints a table; without a URL it is a fresh SQLite file.

Each row is a number of jobs a second, put by as many of 100 insertions a second: how long an insertion takes until its commit
is acknowledged, and how long after its beginning the job has run. The row without jobs is the intake alone. Where the package
dbos is installed, the same is measured with its queues: the reason for a table of our own, kept reproducible.
"""

import asyncio
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import psutil
from sqlalchemy import Column, Connection, MetaData, String, Table, insert
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.db import open_database
from scheduler.jobs import Job, Kind, open_jobs

KINDS = ("answer", "learn", "changed", "deliver")
AT_ONCE = 50
SECONDS = 10
INSERTIONS = 100  # a second
RATES = (0, 40, 100)  # of them with a job
FLOOD = 2000  # jobs put in one transaction, for the throughput

BOX = Table("bench_box", MetaData(), Column("event", String, primary_key=True), Column("text", String))


@dataclass(frozen=True, slots=True)
class Contender:
    """A way to keep and do jobs, opened and started."""

    enqueue: Callable[[Connection, Job], None]
    wake: Callable[[], None]


Run = Callable[[str], Awaitable[None]]
Open = Callable[[AsyncEngine, Run], AbstractAsyncContextManager[Contender]]


@asynccontextmanager
async def ours(engine: AsyncEngine, run: Run) -> AsyncIterator[Contender]:
    """Open the jobs of the twin."""

    async def gave_up(_argument: str, _reason: str) -> None:
        raise AssertionError

    async with open_jobs(engine, [Kind(name, run, gave_up, at_once=AT_ONCE) for name in KINDS]) as jobs:
        await jobs.start()
        yield Contender(jobs.enqueue, jobs.wake)


@asynccontextmanager
async def queues(engine: AsyncEngine, run: Run) -> AsyncIterator[Contender]:
    """Open DBOS in the same database, with a queue for each kind."""
    dbos: Any = import_module("dbos")
    drivers = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}
    url = engine.url.set(drivername=drivers[engine.dialect.name]).render_as_string(hide_password=False)
    about = {"name": "bench", "system_database_url": url, "application_version": "1", "executor_id": "bench"}
    dbos.DBOS(config=about | {"log_level": "ERROR", "enable_otlp": False})

    @dbos.DBOS.workflow(name="run")  # type: ignore[untyped-decorator]
    async def work(argument: str) -> None:
        await run(argument)

    dbos.DBOS.listen_queues(list(KINDS))
    await asyncio.to_thread(dbos.DBOS.launch)
    client = dbos.DBOSClient(system_database_url=url, lazy=True)
    for name in KINDS:
        await asyncio.to_thread(client.register_queue, name, worker_concurrency=AT_ONCE, polling_interval_sec=0.25)

    def enqueue(connection: Connection, job: Job) -> None:
        target = {"queue_name": job.kind, "workflow_name": "run", "workflow_id": job.key, "app_version": "1"}
        client.enqueue_in_transaction(connection, target, job.argument)

    try:
        yield Contender(enqueue, lambda: None)
    finally:
        await asyncio.to_thread(partial(dbos.DBOS.destroy, destroy_registry=True))
        await asyncio.to_thread(client.destroy)


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured at a rate: milliseconds, and percent of a core."""

    rate: int
    acks: list[float]
    waits: list[float]
    cpu: float


def cpu() -> float:
    """Return the seconds of a core that this process has used."""
    times = psutil.Process().cpu_times()
    return float(times.user + times.system)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that is reported nowhere."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.005)


async def beside_intake(engine: AsyncEngine, jobs: Contender, done: dict[str, float], rate: int) -> Row:
    """Insert at a steady pace, some with a job, and return what it took."""
    stamp, sent = uuid4().hex, dict[str, float]()
    acks: list[float] = []

    async def receive(n: int) -> None:
        key, begun = f"{stamp}/{n}", time.perf_counter()
        async with engine.begin() as connection:
            await connection.execute(insert(BOX).values(event=key, text="x" * 500))
            if with_job := n * rate // INSERTIONS != (n + 1) * rate // INSERTIONS:
                await connection.run_sync(jobs.enqueue, Job(KINDS[n % len(KINDS)], key, key))
                sent[key] = begun
        if with_job:
            jobs.wake()
        acks.append(1000 * (time.perf_counter() - begun))

    used, start = cpu(), time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for n in range(INSERTIONS * SECONDS):
            await asyncio.sleep(max(0.0, start + n / INSERTIONS - time.perf_counter()))
            group.create_task(receive(n), name=f"receive {n}")
    used = 100 * (cpu() - used) / (time.perf_counter() - start)
    await until(lambda: sent.keys() <= done.keys())
    return Row(rate, acks, [1000 * (done[key] - begun) for key, begun in sent.items()], used)


async def flood(engine: AsyncEngine, jobs: Contender, done: dict[str, float]) -> float:
    """Put many jobs at once; return how many are done a second."""
    keys = [f"flood/{uuid4().hex}" for _ in range(FLOOD)]
    async with engine.begin() as connection:
        for n, key in enumerate(keys):
            await connection.run_sync(jobs.enqueue, Job(KINDS[n % len(KINDS)], key, key))
    begun = time.perf_counter()
    jobs.wake()
    await until(lambda: done.keys() >= set(keys))
    return FLOOD / (time.perf_counter() - begun)


async def measure(name: str, opened: Open, url: str) -> None:
    """Print what one contender does."""
    done: dict[str, float] = {}

    async def run(argument: str) -> None:
        done[argument] = time.perf_counter()

    async with open_database(url) as engine, opened(engine, run) as jobs:
        async with engine.begin() as connection:
            await connection.run_sync(BOX.metadata.drop_all)
            await connection.run_sync(BOX.metadata.create_all)
        await asyncio.sleep(1)
        used = cpu()
        await asyncio.sleep(SECONDS)
        idle = 100 * (cpu() - used) / SECONDS
        rows = [await beside_intake(engine, jobs, done, rate) for rate in RATES]
        rate = await flood(engine, jobs, done)
        print(f"\n{name}: idle {idle:.1f} % of a core, {threading.active_count()} threads, {rate:.0f} jobs/s at most\n")
        print("| jobs/s | ack p50 | p99 ms | job p50 | p95 ms | CPU % |\n|---:|---:|---:|---:|---:|---:|")
        for row in rows:
            acks = "{:.1f} | {:.0f}".format(*np.percentile(row.acks, (50, 99)))
            waits = "{:.0f} | {:.0f}".format(*np.percentile(row.waits, (50, 95))) if row.waits else "– | –"
            print(f"| {row.rate} | {acks} | {waits} | {row.cpu:.0f} |", flush=True)


async def main(url: str | None) -> None:
    """Measure ours, and DBOS where it is installed."""
    contenders: Mapping[str, Open] = {"own table": ours} | ({"DBOS": queues} if find_spec("dbos") else {})
    for name, opened in contenders.items():
        with tempfile.TemporaryDirectory(prefix="twin-bench-") as folder:
            await measure(name, opened, url or f"sqlite+aiosqlite:///{Path(folder) / 'twin.db'}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if sys.argv[1:] else None))
