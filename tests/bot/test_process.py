"""The command line as processes of its own, on the real engines."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path
from typing import Any

import pytest

from bot import lock
from bot.settings import names

HANDBOOK = """\
# Handbook

## Leave

Everyone has thirty days of paid leave a year.

## Notice

The notice period is three months.
"""


async def start(folder: Path, *arguments: str, output: int = PIPE, **settings: str) -> Process:
    outside = {name: value for name, value in os.environ.items() if name not in names().values()}
    environment = outside | {"TWIN_DATA_DIR": str(folder / "data"), "PYTHONPATH": str(Path(__file__).parents[2])} | settings
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *arguments), cwd=folder, env=environment, stdin=DEVNULL, stdout=output, stderr=PIPE
    )


async def run(folder: Path, *arguments: str) -> tuple[int | None, str, str]:
    process = await start(folder, *arguments)
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "handbook.md").write_text(HANDBOOK, "utf-8")
    return tmp_path


async def test_what_one_process_has_learned_another_one_quotes(folder: Path) -> None:
    code, out, err = await run(folder, "ingest", "handbook.md", "--json")
    assert (code, err) == (0, "")
    learned: dict[str, Any] = json.loads(out)
    assert (learned["path"], learned["status"], learned["title"]) == ("handbook.md", "learned", "Handbook")

    code, out, err = await run(folder, "ask", "How long is the notice period?", "--json")
    assert (code, err) == (0, "")
    answer: dict[str, Any] = json.loads(out)
    assert not answer["abstained"]
    assert answer["citations"][0]["document_id"] == learned["document_id"]
    assert answer["citations"][0]["quote"] == "The notice period is three months."


async def test_a_second_process_leaves_at_once_and_names_the_first(folder: Path) -> None:
    with lock.hold(folder / "data"):
        code, out, err = await run(folder, "docs", "list", "--json")
    assert (code, out) == (3, "")
    assert f"in use by process {os.getpid()}" in err


async def test_when_the_reader_of_the_output_goes_away_learning_ends_quietly(folder: Path) -> None:
    for n in range(8):
        (folder / f"{n}.md").write_text(f"{HANDBOOK}\nThis is copy {n}.", "utf-8")
    reading, writing = os.pipe()
    process = await start(folder, "ingest", ".", "--json", output=writing)
    os.close(writing)
    assert await asyncio.to_thread(os.read, reading, 1)
    os.close(reading)
    assert process.stderr
    assert await process.stderr.read() == b""
    assert await process.wait() == 1


async def test_a_doctor_asks_no_model_hub(folder: Path) -> None:
    asked = asyncio.Event()

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as hub:
        address = f"http://127.0.0.1:{hub.sockets[0].getsockname()[1]}"
        process = await start(
            *(folder, "doctor", "--json"),
            TWIN_EMBEDDING_MODEL="BAAI/bge-small-en-v1.5",
            TWIN_MODEL_DIR=str(folder / "models"),
            HF_ENDPOINT=address,
        )
        out, _ = await process.communicate()
    assert not asked.is_set()
    assert process.returncode == 3
    [model] = [check for check in json.loads(out)["checks"] if check["name"] == "embedding model"]
    assert "BAAI/bge-small-en-v1.5 are not in" in model["detail"]


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
async def test_the_running_twin_says_when_it_is_ready_and_stops_cleanly(folder: Path, name: str) -> None:
    process = await start(folder, "run", TWIN_HTTP_PORT="0")
    assert process.stderr
    assert process.stdout
    while b"ready" not in (line := await process.stderr.readline()):
        assert line, "it ended before it was ready"
    process.send_signal(signal.Signals[name])
    assert await process.wait() == 0
    assert await process.stdout.read() == b""
    assert lock.holder(folder / "data") is None
