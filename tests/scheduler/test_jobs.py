"""Jobs are done, once in effect, whatever fails, stops or dies; and what cannot be done is told."""

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.tables import FILES
from scheduler.errors import GiveUp, JobError, Later
from scheduler.jobs import CRASHED, Job, open_jobs
from scheduler.tables import JOBS
from tests.scheduler.diary import kinds
from tests.scheduler.work import Work, failing, for_ever, opened, put, until

ROOT = Path(__file__).parents[2]


async def test_a_job_is_done_when_its_transaction_is_committed(engine: AsyncEngine) -> None:
    work = Work()
    async with opened(engine, [work.kind()]) as jobs:
        await jobs.start()
        async with engine.begin() as connection:
            await connection.execute(insert(FILES).values(sha256="kept", size=1))
            await connection.run_sync(jobs.enqueue, Job("learn", "learn/1", "1"))
            await asyncio.sleep(0.1)
            assert work.begun == []
        await jobs.idle()
        assert work.done == ["1"]
        async with engine.begin() as connection:
            assert (await connection.execute(select(FILES.c.size).where(FILES.c.sha256 == "kept"))).scalar() == 1
            await connection.execute(FILES.delete())


async def test_a_job_is_gone_when_its_transaction_is_rolled_back(engine: AsyncEngine) -> None:
    work = Work()
    async with opened(engine, [work.kind()]) as jobs:
        with pytest.raises(ZeroDivisionError):
            async with engine.begin() as connection:
                await connection.run_sync(jobs.enqueue, Job("learn", "learn/1", "1"))
                raise ZeroDivisionError
        await jobs.start()
        await jobs.idle()
        await put(engine, jobs, "2")
        await jobs.idle()
        assert work.done == ["2"]


async def test_a_key_is_done_once_however_often_it_is_put(engine: AsyncEngine) -> None:
    work = Work()
    async with opened(engine, [work.kind()]) as jobs:
        await put(engine, jobs, "1", "1", "2")
        await put(engine, jobs, "1")
        await jobs.start()
        await jobs.idle()
        await put(engine, jobs, "1")
        await jobs.idle()
        assert work.done == ["1", "2"]


async def test_no_more_run_at_once_than_their_kind_allows(engine: AsyncEngine) -> None:
    work, other = Work(), Work()
    work.acts = {"1": for_ever, "2": for_ever}
    async with opened(engine, [work.kind(at_once=2), other.kind("answer")]) as jobs:
        await put(engine, jobs, "1", "2", "3")
        await put(engine, jobs, "4", kind="answer")
        await jobs.start()
        await until(lambda: other.done == ["4"])
        await asyncio.sleep(0.1)
        assert work.begun == ["1", "2"]


async def test_a_job_that_fails_is_tried_again(engine: AsyncEngine) -> None:
    work = Work()
    work.acts["1"] = failing(OSError(), TimeoutError(), JobError("not today"))
    async with opened(engine, [work.kind()]) as jobs:
        await put(engine, jobs, "1")
        await jobs.start()
        await jobs.idle()
        assert (len(work.begun), work.done, work.given_up) == (4, ["1"], [])


async def test_a_job_that_goes_on_failing_is_given_up_and_told_with_the_reason(engine: AsyncEngine) -> None:
    work = Work()
    work.acts["1"] = failing(*[ValueError("a secret")] * 4)
    work.acts["2"] = failing(*[JobError("The disk is full.")] * 4)
    work.acts["3"] = failing(GiveUp("This file is empty."))
    work.acts["gave up 3"] = failing(OSError())  # telling is tried again too
    async with opened(engine, [work.kind()]) as jobs:
        await put(engine, jobs, "1", "2", "3", "4")
        await jobs.start()
        await jobs.idle()
    assert sorted(work.given_up) == [
        ("1", "It failed with ValueError."),
        ("2", "The disk is full."),
        ("3", "This file is empty."),
    ]
    assert (sorted(work.begun), work.done) == (["1"] * 4 + ["2"] * 4 + ["3", "4"], ["4"])


async def test_what_an_error_means_is_for_the_one_who_opens_the_jobs_to_say(engine: AsyncEngine) -> None:
    work = Work()
    work.acts["1"] = failing(*[ConnectionError()] * 9)
    work.acts["2"] = failing(LookupError())

    def judge(error: Exception) -> Exception:
        return Later(0.001) if isinstance(error, ConnectionError) else GiveUp("It is not there.")

    async with opened(engine, [work.kind()], judge=judge) as jobs:
        await put(engine, jobs, "1", "2")
        await jobs.start()
        await jobs.idle()
    assert (work.begun.count("1"), work.done, work.given_up) == (10, ["1"], [("2", "It is not there.")])


async def test_waiting_for_something_that_is_away_costs_no_attempt_and_holds_up_nobody(engine: AsyncEngine) -> None:
    work = Work()
    work.acts = {"1": failing(*[Later(0.001)] * 9), "2": failing(Later(30)), "3": failing(Later(30))}
    async with opened(engine, [work.kind(at_once=1)]) as jobs:
        await put(engine, jobs, "1", "2", "3", "4")
        await jobs.start()
        await until(lambda: sorted(work.done) == ["1", "4"])
        assert (work.begun.count("1"), work.given_up) == (10, [])


async def test_a_handler_that_is_cancelled_from_within_has_failed(engine: AsyncEngine) -> None:
    work = Work()

    async def cancelled() -> None:
        raise asyncio.CancelledError

    work.acts["1"] = cancelled
    async with opened(engine, [work.kind()]) as jobs:
        await put(engine, jobs, "1")
        await jobs.start()
        await jobs.idle()
    assert work.given_up == [("1", "It was interrupted from within.")]


async def test_a_stop_lets_those_running_finish_and_leaves_the_rest_for_the_next_start(engine: AsyncEngine) -> None:
    work, gate = Work(), asyncio.Event()

    async def wait() -> None:
        await gate.wait()

    work.acts = {"1": wait, "2": failing(Later(0.2))}
    async with opened(engine, [work.kind(at_once=1)]) as jobs:
        await put(engine, jobs, *"21345")
        await jobs.start()
        await until(lambda: "1" in work.begun)
        async with asyncio.TaskGroup() as group:
            group.create_task(jobs.stop(), name="stopping")
            await asyncio.sleep(0.1)
            gate.set()
        assert work.done == ["1"]
        await put(engine, jobs, "6")  # still taken
    async with opened(engine, [work.kind()]) as jobs:
        await jobs.start()
        await jobs.idle()
    assert (sorted(work.done), work.begun.count("1")) == (list("123456"), 1)


async def test_what_is_interrupted_by_a_stop_runs_again_however_often_that_happens(engine: AsyncEngine) -> None:
    work = Work()
    work.acts["1"] = for_ever
    for _ in range(6):
        work.begun.clear()
        async with opened(engine, [work.kind()]) as jobs:
            await put(engine, jobs, "1")
            await jobs.start()
            await until(lambda: work.begun)
            await jobs.stop(patience=0.01)
    del work.acts["1"]
    async with opened(engine, [work.kind()]) as jobs:
        await jobs.start()
        await jobs.idle()
    assert (work.done, work.given_up) == (["1"], [])


async def test_a_new_version_of_the_program_finishes_what_the_old_one_had_under_way(engine: AsyncEngine) -> None:
    old, new = Work(), Work()
    old.acts["running"] = for_ever
    async with opened(engine, [old.kind(at_once=1), old.kind("dropped")]) as jobs:
        await put(engine, jobs, "running", "waiting")
        await jobs.start()
        await until(lambda: old.begun)
    async with opened(engine, [new.kind("added"), new.kind()]) as jobs:
        await jobs.start()
        await jobs.idle()
    assert sorted(new.done) == ["running", "waiting"]


async def test_a_restart_goes_on_where_the_tries_were(engine: AsyncEngine) -> None:
    work = Work()
    work.acts["1"] = failing(*[JobError("not today")] * 9)
    for tries in (1, 2, 3):
        async with opened(engine, [replace(work.kind(), pause=0.3)]) as jobs:
            await put(engine, jobs, "1")
            await jobs.start()
            await until(lambda: len(work.begun) == tries)  # noqa: B023
    async with opened(engine, [work.kind()]) as jobs:
        await jobs.start()
        await jobs.idle()
    assert (work.begun, work.given_up) == (["1"] * 4, [("1", "not today")])


async def test_a_clock_that_is_set_back_keeps_no_job_waiting(engine: AsyncEngine) -> None:
    work = Work()
    async with opened(engine, [work.kind()]) as jobs:
        await put(engine, jobs, "1")
        async with engine.begin() as connection:
            await connection.execute(JOBS.update().values(not_before=datetime.now(UTC) + timedelta(hours=1)))
        await jobs.start()
        await until(lambda: work.done == ["1"])


async def test_a_job_that_is_cancelled_is_not_done_nor_told(engine: AsyncEngine) -> None:
    work = Work()
    work.acts = {"running": for_ever, "sleeping": failing(Later(30))}
    async with opened(engine, [work.kind(at_once=1)]) as jobs:
        await put(engine, jobs, "sleeping", "running", "waiting")
        await jobs.start()
        await until(lambda: work.begun == ["sleeping", "running"])
        for argument in ("waiting", "running", "sleeping", "unknown"):
            await jobs.cancel(f"learn/{argument}")
        await jobs.idle()
    async with opened(engine, [work.kind()]) as jobs:
        await put(engine, jobs, "waiting", "last")
        await jobs.start()
        await jobs.idle()
    assert (work.begun, work.done, work.given_up) == (["sleeping", "running", "last"], ["last"], [])


async def test_those_that_wait_are_counted(engine: AsyncEngine) -> None:
    work, other = Work(), Work()
    work.acts["1"] = for_ever
    async with opened(engine, [work.kind(at_once=1), other.kind("answer")]) as jobs:
        assert await jobs.waiting("learn") == 0
        await put(engine, jobs, "1", "2", "3")
        assert (await jobs.waiting("learn"), await jobs.waiting("answer")) == (3, 0)
    async with opened(engine, [work.kind(at_once=1)]) as jobs:
        assert await jobs.waiting("learn") == 3
        await jobs.cancel("learn/1")
        await jobs.start()
        await jobs.idle()
        assert await jobs.waiting("learn") <= 1  # the cancelled one may be counted half a second longer


async def test_what_is_long_finished_is_forgotten_with_its_key(engine: AsyncEngine) -> None:
    work = Work()
    async with opened(engine, [work.kind()]) as jobs:
        await jobs.start()
        await put(engine, jobs, "1")
        await jobs.idle()
        assert await jobs.tidy() == 0
        assert await jobs.tidy(timedelta(seconds=-1)) == 1
        await put(engine, jobs, "1")
        await jobs.idle()
    assert work.done == ["1", "1"]


async def test_an_opening_leaves_no_task_behind(engine: AsyncEngine) -> None:
    work = Work()
    work.acts["1"] = for_ever
    async with opened(engine, [work.kind()]) as jobs:
        await jobs.start()
        await put(engine, jobs, "1", "2")
        await until(lambda: work.done == ["2"])
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


async def test_of_a_job_its_argument_is_all_that_is_kept(engine: AsyncEngine) -> None:
    async with opened(engine, [Work().kind()]) as jobs:
        await put(engine, jobs, "T1/C2/17")
        async with engine.begin() as connection:
            kept = (await connection.execute(select(JOBS.c.key, JOBS.c.kind, JOBS.c.argument, JOBS.c.reason))).all()
    assert kept == [("learn/T1/C2/17", "learn", "T1/C2/17", None)]


@pytest.mark.parametrize("names", [["learn", "learn"], ["alone"], ["reports"]])
async def test_kinds_must_be_told_apart(engine: AsyncEngine, names: list[str]) -> None:
    with pytest.raises(ValueError, match="names of kinds must differ"):
        async with opened(engine, [Work().kind(name) for name in names]):
            pass


class Process:
    """Starts the diary again and again on the same database."""

    def __init__(self, url: str, folder: Path, name: str = "diary") -> None:
        self._url = url
        self._diary = folder / name

    async def run(self, *jobs: str, fault: str = "", beat: float = 5) -> int:
        """Run until it ends, and return its exit code: negative when it was killed."""
        command = [sys.executable, "-m", "tests.scheduler.diary", self._url, str(self._diary), *jobs]
        environment = os.environ | {"TWIN_FAULT": fault, "TWIN_TEST_BEAT": str(beat)}
        done = await asyncio.to_thread(subprocess.run, command, cwd=ROOT, env=environment, timeout=60, check=False)
        return done.returncode

    def diary(self) -> list[str]:
        return self._diary.read_text("utf-8").splitlines() if self._diary.exists() else []


@pytest.fixture
def process(url: str, tmp_path: Path) -> Process:
    return Process(url, tmp_path)


async def test_what_was_put_before_a_kill_is_done_after_it(process: Process) -> None:
    assert await process.run("1", "2", fault="enqueued:kill9") == -signal.SIGKILL
    assert process.diary() == []
    assert await process.run() == 0
    assert sorted(process.diary()) == ["begin 1", "begin 2", "done 1", "done 2"]


@pytest.mark.parametrize("point", ["job.learn.before", "learn.1", "job.learn.after"])
async def test_what_a_kill_interrupts_is_done_after_it(process: Process, point: str) -> None:
    assert await process.run("1", fault=f"{point}:kill9") == -signal.SIGKILL
    assert await process.run() == 0
    assert process.diary()[-2:] == ["begin 1", "done 1"]
    done = len(process.diary())
    assert await process.run() == 0
    assert len(process.diary()) == done


async def test_what_kills_each_time_is_given_up_and_told_and_what_ran_beside_it_is_done(process: Process) -> None:
    poison = "learn.poison:kill9:*"
    assert await process.run("slow1", "poison", "slow2", "later", fault=poison) == -signal.SIGKILL
    kills = 1
    while await process.run(fault=poison) == -signal.SIGKILL:
        kills += 1
    diary = process.diary()
    assert (kills, diary.count("begin poison")) == (4, 4)
    assert [line for line in diary if line.startswith("gave up")] == [f"gave up poison {CRASHED}"]
    assert [diary.count(f"done {one}") for one in ("slow1", "slow2", "later")] == [1, 1, 1]
    assert await process.run("poison", fault=poison) == 0  # its key stays known
    assert process.diary() == diary


@pytest.mark.parametrize("url", ["postgres"], indirect=True)
async def test_a_node_takes_over_from_one_that_dies_and_not_from_one_that_lives(
    engine: AsyncEngine, process: Process, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scheduler.rounds.BEAT", 0.1)
    async with asyncio.TaskGroup() as group:
        other = group.create_task(
            process.run("1", "2", fault="learn.1:hang,learn.2:sleep:3,job.learn.after:kill9"), name="other"
        )
        await until(lambda: sorted(process.diary()) == ["begin 1", "begin 2"])
        async with open_jobs(engine, kinds(tmp_path / "heir")) as jobs:
            await jobs.start()
            await asyncio.sleep(0.5)
            assert not (tmp_path / "heir").exists()
            assert await other == -signal.SIGKILL
            await jobs.idle()
    heir = (tmp_path / "heir").read_text("utf-8").splitlines()
    assert sorted(heir) == ["begin 1", "begin 2", "done 1", "done 2"]


@pytest.mark.parametrize("url", ["postgres"], indirect=True)
async def test_two_processes_share_the_jobs_and_repeat_only_what_a_kill_interrupts(
    engine: AsyncEngine, url: str, tmp_path: Path
) -> None:
    names = [str(n) for n in range(90)]
    one, other = Process(url, tmp_path, "one"), Process(url, tmp_path, "other")
    async with asyncio.TaskGroup() as group, opened(engine, [Work().kind()]) as jobs:
        await put(engine, jobs, "gate")
        killed = group.create_task(one.run(fault="job.learn.after:kill9:15", beat=0.2), name="one")
        ended = group.create_task(other.run(beat=0.2), name="other")
        await until(lambda: len(list(tmp_path.glob("*.started"))) == 2)
        await put(engine, jobs, *names)
        (tmp_path / "gate").touch()
    assert (killed.result(), ended.result()) == (-signal.SIGKILL, 0)
    diaries = [one.diary(), other.diary()]
    begun = Counter(line.removeprefix("begin ") for diary in diaries for line in diary if line.startswith("begin"))
    assert begun.keys() == {"gate", *names}
    assert all(any(f"done {name}" in diary for diary in diaries) for name in names)
    assert max(begun.values()) <= 2
    assert begun.total() - len(begun) <= 3, "no more than it had slots"
    assert len(one.diary()) > 20
    assert len(other.diary()) > 20


async def test_a_kill_while_telling_tells_again(process: Process) -> None:
    faults = "learn.1:raise:scheduler.errors.GiveUp"
    assert await process.run("1", fault=f"{faults},gave_up.1:kill9") == -signal.SIGKILL
    assert await process.run() == 0
    assert process.diary() == ["begin 1", "gave up 1 planned by TWIN_FAULT"]
