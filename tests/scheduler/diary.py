"""A process that does jobs and writes into a file what it does: run as `python -m tests.scheduler.diary`.

Arguments: the database, the file, then jobs to put first. It stops when no job is left, or when it is killed; a job `gate` is
left until a file `gate` lies beside the diary. TWIN_TEST_BEAT is how often, in seconds, it looks whether another process died.
"""

import asyncio
import os
import sys
from pathlib import Path

from bot.db import open_database
from knowledge import fault
from scheduler import rounds
from scheduler.errors import Later
from scheduler.jobs import Job, Kind, open_jobs


def kinds(diary: Path) -> list[Kind]:
    def note(*words: str) -> None:
        with diary.open("a", encoding="utf-8") as file:
            file.write(" ".join(words) + "\n")

    async def learn(argument: str) -> None:
        if argument == "gate" and not diary.with_name("gate").exists():
            raise Later(0.1)
        note("begin", argument)
        await fault.apoint(f"learn.{argument}")
        await asyncio.sleep(0.3 if argument.startswith("slow") else 0)
        note("done", argument)

    async def gave_up(argument: str, reason: str) -> None:
        await fault.apoint(f"gave_up.{argument}")
        note("gave up", argument, reason)

    return [Kind("learn", learn, gave_up, at_once=3, pause=0.01)]


async def main(url: str, diary: Path, jobs: list[str]) -> None:
    fault.arm(os.environ.get("TWIN_FAULT", ""))
    rounds.BEAT = float(os.environ.get("TWIN_TEST_BEAT", rounds.BEAT))
    async with open_database(url) as engine, open_jobs(engine, kinds(diary), look=0.05) as opened:
        async with engine.begin() as connection:
            for job in jobs:
                await connection.run_sync(opened.enqueue, Job("learn", f"learn/{job}", job))
        fault.point("enqueued")
        await opened.start()
        diary.with_suffix(".started").touch()
        await opened.idle()
        await opened.stop()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:]))
