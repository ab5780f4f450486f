"""A file that misbehaves fails alone, with a sentence, and reaches nothing."""

import asyncio
import ctypes.util
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

import knowledge
from knowledge.errors import Unreadable
from knowledge.extract import sentences
from knowledge.extract.limits import MIB, Limits
from knowledge.extract.reader import Reader, Reading

pytestmark = pytest.mark.asyncio(loop_scope="module")

_LANDLOCK = "Landlock: reads nothing but its own program"

Do = Callable[[str], Coroutine[None, None, Reading]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def reader(tokenizer: Path) -> AsyncIterator[Reader]:
    limits = Limits(memory=256 * MIB, cpu=1, hang=3, result=MIB)
    async with Reader.open(tokenizer=tokenizer, limits=limits, program="tests.knowledge.extract.planted") as opened:
        yield opened


@pytest.fixture
def do(reader: Reader, tmp_path: Path) -> Do:
    async def read(deed: str) -> Reading:
        path = tmp_path / deed.partition(":")[0]
        path.write_text(deed)
        return await reader.read(path, path.name)

    return read


@pytest.mark.parametrize(
    ("deed", "sentence"),
    [
        ("spin", sentences.SLOW),
        ("hang", sentences.SLOW),
        ("hog", sentences.MEMORY),
        ("leave", sentences.CRASHED),
        ("fault", sentences.CRASHED),
        ("raise", sentences.DAMAGED),
        ("recur", sentences.DEEP),
        ("flood", sentences.TOO_MUCH),
    ],
)
async def test_a_file_that_breaks_its_child_is_reported_and_the_next_one_is_read(do: Do, deed: str, sentence: str) -> None:
    with pytest.raises(Unreadable) as caught:
        await do(deed)
    assert str(caught.value) == sentence
    assert (await do("nothing")).extracted.text == "All went well."


@pytest.mark.parametrize("deed", ["connect", "execute", "fork", "write"])
async def test_a_child_reaches_neither_the_network_nor_programs_nor_files(do: Do, deed: str) -> None:
    with pytest.raises(Unreadable) as caught:
        await do(deed)
    assert str(caught.value) == sentences.DAMAGED
    assert "PermissionError" in caught.value.__notes__[0]


@pytest.mark.parametrize("deed", ["connect unnoticed", "execute unnoticed", "write unnoticed"])
async def test_where_the_kernel_filters_calls_machine_code_reaches_nothing_either(do: Do, reader: Reader, deed: str) -> None:
    if "seccomp" in await reader.containment():
        with pytest.raises(Unreadable) as caught:
            await do(deed)
        assert "PermissionError" in caught.value.__notes__[0]


@pytest.mark.parametrize("deed", ["look", "look unnoticed"])
@pytest.mark.parametrize("place", ["planted", "link", "parent", "beyond", "own"])
async def test_a_child_reads_no_other_file(do: Do, reader: Reader, tmp_path: Path, deed: str, place: str) -> None:
    if deed == "look unnoticed" and _LANDLOCK not in await reader.containment():
        return
    planted = tmp_path / "secret"
    planted.write_text("the secret")
    (tmp_path / "link").symlink_to(planted)
    places = {
        "planted": planted,
        "link": tmp_path / "link",
        "parent": "/proc/self/../PARENT/environ",
        "beyond": f"/proc/{os.getpid()}/environ",
        "own": "/proc/self/environ",
    }
    with pytest.raises(Unreadable) as caught:
        await do(f"{deed}: {places[place]}")
    assert "PermissionError" in caught.value.__notes__[0]


async def test_a_child_still_loads_the_program_it_belongs_to(do: Do) -> None:
    assert (await do("import")).extracted.text == "xmlrpc.client"
    own = Path(knowledge.__path__[0]) / "extract" / "text.py"
    for deed in ("look", "look unnoticed"):
        assert "What an extractor returns" in (await do(f"{deed}: {own}")).extracted.text


async def test_opening_a_file_for_reading_does_not_empty_it(do: Do, reader: Reader, tmp_path: Path) -> None:
    if not {"seccomp", _LANDLOCK} & set(await reader.containment()):
        return
    kept = tmp_path / "kept"
    kept.write_text("words")
    with pytest.raises(Unreadable):
        await do(f"truncate unnoticed: {kept}")
    assert kept.read_text() == "words"


@pytest.mark.parametrize(
    "call",
    [
        "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal", "prlimit64", "process_vm_readv",
        "process_vm_writev", "ptrace", "kcmp", "pidfd_getfd", "bpf", "keyctl", "mount", "io_uring_setup", "userfaultfd",
    ],
)  # fmt: skip
async def test_where_the_kernel_filters_calls_other_processes_and_the_kernel_are_out_of_reach(
    do: Do, reader: Reader, call: str
) -> None:
    if "seccomp" in await reader.containment():
        assert (await do(f"call: {call}")).extracted.text == "EPERM"


async def test_a_child_may_still_limit_itself(do: Do) -> None:
    assert (await do("lower its own limit")).extracted.text == "All went well."


async def test_reading_leaves_no_descriptors_and_no_processes_behind(do: Do) -> None:
    await do("nothing")
    (nursery,) = psutil.Process().children()
    before = await asyncio.to_thread(_held, nursery)
    for deed in ["nothing"] * 20 + ["leave", "raise"] * 5:
        await asyncio.gather(do(deed), return_exceptions=True)
    for turns in range(10):  # given up at one moment or another
        reading = asyncio.create_task(do("hang"), name="reading")
        for _ in range(turns):
            await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait([reading])
    assert await asyncio.to_thread(_held, nursery) == before
    assert psutil.Process().children() == [nursery]


async def test_a_child_sees_none_of_the_parents_environment(do: Do, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "secret")
    assert "SLACK" not in (await do("environment")).extracted.text


async def test_progress_keeps_a_slow_file_alive(do: Do) -> None:
    assert (await do("slow but steady")).extracted.text == "All went well."


async def test_a_hung_file_does_not_stop_the_one_beside_it(do: Do) -> None:
    hung, well = await asyncio.gather(do("hang"), do("nothing"), return_exceptions=True)
    assert isinstance(hung, Unreadable)
    assert isinstance(well, Reading)


async def test_a_file_that_kills_the_nursery_is_reported_and_the_nursery_starts_again(do: Do) -> None:
    with pytest.raises(Unreadable):
        await do("kill the nursery")
    assert (await do("nothing")).extracted.text == "All went well."


async def test_a_nursery_that_was_killed_while_idle_goes_unnoticed(do: Do) -> None:
    await do("nothing")
    for process in psutil.Process().children():
        process.send_signal(signal.SIGKILL)
    assert (await do("nothing")).extracted.text == "All went well."


async def test_giving_up_on_a_file_ends_its_child(do: Do) -> None:
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(do("hang"), name="reading")
        children = await asyncio.to_thread(_grandchildren)
        reading.cancel()
    await asyncio.to_thread(psutil.wait_procs, children, 10)
    assert not any(child.is_running() for child in children)


async def test_the_means_of_containment_are_told(reader: Reader) -> None:
    means = await reader.containment()
    assert "audit hook" in means
    assert "memory, time and file-size limits" in means
    assert ("seccomp" in means) == bool(ctypes.util.find_library("seccomp"))
    assert (_LANDLOCK in means) == _kernel_has_landlock()


def _grandchildren() -> list[psutil.Process]:
    """Wait for the children of the nursery."""
    while not (found := [child for nursery in psutil.Process().children() for child in nursery.children()]):
        time.sleep(0.01)
    return found


def _kernel_has_landlock() -> bool:
    create_ruleset, ask_version = 444, 1
    return sys.platform == "linux" and bool(ctypes.CDLL(None).syscall(create_ruleset, None, 0, ask_version) > 0)


def _held(nursery: psutil.Process) -> tuple[int, int]:
    """Wait for the nursery to have buried its children; return the descriptors open here and there."""
    while nursery.children():
        time.sleep(0.01)
    time.sleep(0.2)  # the last descriptors are closed after that
    return psutil.Process().num_fds(), nursery.num_fds()
