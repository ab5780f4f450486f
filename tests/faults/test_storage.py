"""A database that is locked, a disk that is full, a data folder that is taken: nothing is acknowledged that is not kept."""

import asyncio
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from tests.faults.running import Running, running
from tests.simulators.platform import said

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

BUSY = 7.0
"""Seconds that a transaction waits for another here."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def one(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    async with running(tmp_path_factory.mktemp("storage"), {"SIMULATED_BUSY": str(BUSY)}) as twin:
        await twin.start()
        twin.platform.files["hours.md"] = b"# Hours\n\nThe canteen opens at half past twelve.\n"
        await twin.redeliver([message := said("", "file", files=("hours.md",))])
        await twin.said(message)
        yield twin
        assert await twin.stop() == 0, twin.log()[-2000:]


@asynccontextmanager
async def locked(one: Running) -> AsyncIterator[None]:
    """Keep everybody else from writing to the database."""
    with closing(sqlite3.connect(one.data / "twin.db", isolation_level=None, timeout=30)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


async def test_while_the_database_is_locked_for_a_while_others_are_served_and_nothing_fails(one: Running) -> None:
    questions = [said("When does the canteen open?", f"soon-{n}", account=f"sim:T1:M{n}") for n in range(4)]
    async with locked(one):
        delivering = asyncio.create_task(one.deliver_all(questions))
        until = asyncio.get_running_loop().time() + 5
        found = 0
        while asyncio.get_running_loop().time() < until:
            [best, *_] = await one.found("When does the canteen open?")
            assert "half past twelve" in best
            found += 1
        assert not delivering.done()
        assert found >= 5
    assert await delivering == [True] * 4
    assert all("half past twelve" in answer for answer in await one.said(*questions))


async def test_what_cannot_be_kept_because_the_database_stays_locked_is_not_acknowledged_and_comes_again(one: Running) -> None:
    questions = [said("When does the canteen open?", f"late-{n}", account=f"sim:T1:M{n}") for n in range(4, 8)]
    async with locked(one):
        assert await one.deliver_all(questions) == [False] * 4
    assert await one.rows("SELECT count(*) FROM inbox WHERE message LIKE 'late%'") == [(0,)]
    await one.redeliver(questions)
    assert all("half past twelve" in answer for answer in await one.said(*questions))


async def test_a_second_process_on_the_folder_ends_at_once_names_the_first_and_touches_nothing(one: Running) -> None:
    await one.quiet()
    assert one.process
    with still(one.process.pid):
        before = contents(one.data)
        await second_process(one)
        assert contents(one.data) == before
    assert await one.found("When does the canteen open?")


async def second_process(one: Running) -> None:
    """Start a twin on the same folder, which is to end at once and name the first."""
    assert one.process
    second = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "run"),
        cwd=one.folder,
        env={**os.environ, "TWIN_DATA_DIR": str(one.data), "PYTHONPATH": str(Path(__file__).parents[2])},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output, _ = await second.communicate()
    assert second.returncode
    assert f"in use by process {one.process.pid}" in " ".join(output.decode().split())


@contextmanager
def still(pid: int) -> Iterator[None]:
    """Keep a process and those that it began from doing anything."""
    first = psutil.Process(pid)
    every = [first, *first.children(recursive=True)]
    for process in every:
        process.suspend()
    try:
        yield
    finally:
        for process in every:
            process.resume()


def contents(folder: Path) -> dict[str, str]:
    """Return the hash of each file."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


# --- a full disk


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Mount a disk of its own, which only root may."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    folder = tmp_path_factory.mktemp("disk")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128m", "tmpfs", folder], check=True)  # noqa: S603, S607
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)  # noqa: S603, S607


def page(word: str) -> bytes:
    """Return a file that is large on the disk, and has one sentence to be learned."""
    return f"<html><!-- {os.urandom(500_000).hex()} --><body><p>The {word} lies in box {word[:3]}.</p></body></html>".encode()


WORDS = ("ammolite", "beryl", "citrine", "danburite", "epidote", "fluorite", "garnet", "howlite")


def fill(folder: Path, left: int) -> None:
    """Leave only so many bytes free."""
    with (folder / "ballast").open("ab") as ballast:
        while (free := shutil.disk_usage(folder).free) > left:
            ballast.write(bytes(min(free - left, 1 << 20)))
            ballast.flush()


async def test_with_a_full_disk_nothing_is_lost_people_are_told_and_all_is_done_once_there_is_room(
    small_disk: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async with running(tmp_path_factory.mktemp("full")) as one:
        one.disk = small_disk / "data"
        await one.start()
        one.platform.files.update({f"{word}.html": page(word) for word in WORDS})
        uploads = [said("", word, files=(f"{word}.html",), account=f"sim:T1:M{n}") for n, word in enumerate(WORDS)]
        fill(small_disk, 700_000)
        assert await one.deliver_all(uploads[:4]) == [True] * 4
        for upload in uploads[:4]:
            await one.platform.until(lambda upload=upload: told(one, upload.id))
        fill(small_disk, 0)
        acknowledged = await one.deliver_all(uploads[4:])
        kept = {message for (message,) in await one.rows("SELECT message FROM inbox")}
        assert [upload.id in kept for upload in uploads[4:]] == acknowledged
        (small_disk / "ballast").unlink()
        receipts = await one.said(*(upload for upload in uploads if upload.id in kept))
        assert all(receipt.startswith("✅ Learned") for receipt in receipts)
        await one.redeliver(uploads)
        await one.said(*uploads)
        for word in WORDS:
            assert f"box {word[:3]}" in (await one.found(f"Where does the {word} lie?"))[0]
        await one.quiet()
        assert await one.mended() == 0
        assert await one.stop() == 0, one.log()[-2000:]
        assert await one.rows("PRAGMA integrity_check") == [("ok",)]


def told(one: Running, message: str) -> bool:
    return any("My storage is full" in text for post in one.platform.visible(message) for text in post.history)


async def test_a_person_is_told_when_there_is_no_room_for_a_file_and_it_is_learned_later(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async with running(tmp_path_factory.mktemp("enospc")) as one:
        await one.start("learn.download.after:raise:knowledge.StorageFull,inbox.commit:enospc:2")
        one.platform.files["hours.md"] = b"# Hours\n\nThe canteen opens at half past twelve.\n"
        first, second = said("", 1, files=("hours.md",)), said("When does the canteen open?", 2)
        assert await one.deliver(first)
        assert not await one.deliver(second)
        assert await one.rows("SELECT message FROM inbox") == [("1",)]
        await one.platform.until(lambda: told(one, "1"))
        [receipt] = await one.said(first)
        assert receipt.startswith("✅ Learned")
        await one.redeliver([second])
        assert "half past twelve" in (await one.said(second))[0]
        assert await one.stop() == 0, one.log()[-2000:]
