"""A file that misbehaves fails alone, with a sentence, and reaches nothing."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from knowledge.errors import Unreadable
from knowledge.extract import sentences
from knowledge.extract.limits import MIB, Limits
from knowledge.extract.reader import Reader, Reading

pytestmark = pytest.mark.asyncio(loop_scope="module")

Do = Callable[[str], Coroutine[None, None, Reading]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def reader(tokenizer: Path) -> AsyncIterator[Reader]:
    limits = Limits(memory=256 * MIB, cpu=1, hang=3, result=MIB)
    async with Reader.open(tokenizer=tokenizer, limits=limits, program="tests.knowledge.extract.planted") as opened:
        yield opened


@pytest.fixture
def do(reader: Reader, tmp_path: Path) -> Do:
    async def read(deed: str) -> Reading:
        path = tmp_path / deed
        path.write_text(deed)
        return await reader.read(path, deed)

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


def _grandchildren() -> list[psutil.Process]:
    """Wait for the children of the nursery."""
    while not (found := [child for nursery in psutil.Process().children() for child in nursery.children()]):
        time.sleep(0.01)
    return found
