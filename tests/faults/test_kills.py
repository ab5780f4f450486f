"""Killed with -9 at every step: no upload is lost, no question is lost, nothing is said twice."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from bot.chat import Message
from tests.faults.running import KILLED, Running, fresh_database, running
from tests.simulators.llm import LlmServer, Say
from tests.simulators.platform import said

POSTGRES = os.environ.get("TWIN_TEST_DATABASE_URL")
NO_POSTGRES = pytest.mark.skipif(POSTGRES is None, reason="TWIN_TEST_DATABASE_URL names no Postgres")
IN_A_ROW = 3
"""Kills of one twin before it may finish: with one more, a job that was running each time is rightly taken for poison."""
AT_ONCE = 4


def cases(points: Sequence[str], on_postgres: Sequence[str]) -> list[object]:
    """Divide points into runs of one twin that is killed at each of them, one after the other, and take some runs at a time."""
    rows = [tuple(points[begin : begin + IN_A_ROW]) for begin in range(0, len(points), IN_A_ROW)]
    several = [rows[begin : begin + AT_ONCE] for begin in range(0, len(rows), AT_ONCE)]
    return [
        *(pytest.param("sqlite", some, id="+".join(point for row in some for point in row)) for some in several),
        pytest.param("postgres", [on_postgres], id="postgres-" + "+".join(on_postgres), marks=NO_POSTGRES),
    ]


INTAKE = ("inbox.before", "inbox.commit", "inbox.after")
LEARNING = (
    *INTAKE,
    "job.learn.before",
    "learn.download.before",
    "learn.download.after",
    "library.claimed",
    "library.kept",
    "library.read",
    "indexing.embedded",
    "library.indexed",
    "library.ready",
    "learn.notify.before",
    "outbox.open.before",
    "outbox.open.after",
    "outbox.finish.before",
    "outbox.finish.after",
    "outbox.delivered",
    "job.learn.after",
)
ANSWERING = (
    *INTAKE,
    "job.answer.before",
    "outbox.open.before",
    "outbox.open.after",
    "answer.before",
    "answer.midstream",
    "answer.whole.before",
    "outbox.finish.before",
    "outbox.finish.after",
    "outbox.delivered",
    "job.answer.after",
)
CANARIES = ("amaryllis", "bergamot", "calendula", "dandelion", "edelweiss", "foxglove", "gentian", "hyacinth")


def uploads(running: Running, batch: int) -> list[Message]:
    """Put eight files on the platform, each with a word of its own, and return the messages that bring them."""
    messages = []
    for n, canary in enumerate(CANARIES):
        name = f"{canary}-{batch}.md"
        text = f"# Report {batch} on {canary}\n\nThe {canary} of lot {batch} is kept in cellar {canary[:3]}{batch}.\n"
        running.platform.files[name] = text.encode()
        messages.append(said("", f"{batch}-{canary}", files=(name,), place="sim:T1:P1", account=f"sim:T1:M{n}"))
    return messages


@asynccontextmanager
async def twin_on(database: str, folder: Path, **environment: str) -> AsyncIterator[Running]:
    folder.mkdir(exist_ok=True)
    if database == "postgres":
        assert POSTGRES
        environment["DATABASE_URL"] = await fresh_database(POSTGRES)
    async with running(folder, environment) as one:
        yield one


def questions(batch: int) -> list[Message]:
    return [said("When does the canteen open?", f"{batch}-{n}", account=f"sim:T1:M{n}") for n in range(4)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder of a twin that knows when the canteen opens."""
    async with running(tmp_path_factory.mktemp("taught")) as one:
        await one.start()
        await teach(one)
        return one.data


async def teach(one: Running) -> None:
    """Teach it when the canteen opens, and stop it."""
    one.platform.files["hours.md"] = b"# Hours\n\nThe canteen opens at half past twelve.\n"
    await one.redeliver([message := said("", "file", files=("hours.md",))])
    await one.said(message)
    assert await one.stop() == 0, one.log()[-2000:]


async def received_once(one: Running, kind: str, messages: Sequence[Message]) -> None:
    """Hold that there is one row and one job for each message, and nothing else of them."""
    ids = ", ".join(f"'{message.id}'" for message in messages)
    inbox = f"SELECT count(*), count(DISTINCT message) FROM inbox WHERE message IN ({ids})"  # noqa: S608
    assert await one.rows(inbox) == [(len(messages), len(messages))]
    assert await one.jobs(f"{kind}/") == len(messages)


async def killed_at_each(one: Running, points: Sequence[str], batch: Callable[[int], list[Message]]) -> list[Message]:
    """Start it, deliver, and have it killed at a point, for one point after the other; start it and deliver what is left."""
    sent: list[Message] = []
    for n, point in enumerate(points):
        await one.start(f"{point}:kill9:2")
        acknowledged = await one.deliver_all(new := batch(n))
        sent += new
        assert await one.dead() == KILLED, (point, one.log()[-2000:])
        assert not all(acknowledged) or point not in INTAKE
    await one.start()
    await one.redeliver(sent)
    return sent


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("database", "runs"), cases(LEARNING, ("inbox.commit", "library.indexed", "outbox.finish.after")))
async def test_every_upload_is_learned_once_whatever_is_killed_when(
    tmp_path: Path, database: str, runs: Sequence[Sequence[str]]
) -> None:
    await asyncio.gather(*(learning(database, tmp_path / points[0], points) for points in runs))


async def learning(database: str, folder: Path, points: Sequence[str]) -> None:
    async with twin_on(database, folder) as one:
        sent = await killed_at_each(one, points, partial(uploads, one))
        for receipt in await one.said(*sent):
            assert receipt.startswith("✅ Learned"), receipt
        for batch in range(len(points)):
            for canary in CANARIES:
                [best, *_] = await one.found(f"Where is the {canary} of lot {batch}?", place="sim:T1:P1")
                assert f"cellar {canary[:3]}{batch}" in best
        await one.quiet()
        assert await one.mended() == 0
        counted = (
            "SELECT count(*), count(DISTINCT document_id) FROM document_versions WHERE state = 'ready' AND title LIKE 'Report%'"
        )
        assert await one.rows(counted) == [(len(sent), len(sent))]
        await received_once(one, "learn", sent)
        assert await one.stop() == 0, one.log()[-2000:]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("database", "runs"), cases(ANSWERING, ("inbox.after", "answer.midstream", "outbox.open.after")))
async def test_every_question_is_answered_once_whatever_is_killed_when(
    tmp_path: Path, database: str, runs: Sequence[Sequence[str]], taught: Path
) -> None:
    await asyncio.gather(*(answering(database, tmp_path / points[0], points, taught) for points in runs))


async def answering(database: str, folder: Path, points: Sequence[str], taught: Path) -> None:
    async with twin_on(database, folder) as one:
        if database == "sqlite":
            shutil.copytree(taught, one.data)
        else:
            await one.start()
            await teach(one)
        sent = await killed_at_each(one, points, questions)
        for answer in await one.said(*sent):
            assert "half past twelve" in answer
        await one.quiet()
        asked = "SELECT count(*), count(DISTINCT origin) FROM messages WHERE role = 'user'"
        assert await one.rows(asked) == [(len(sent), len(sent))]
        await received_once(one, "answer", sent)
        assert await one.stop() == 0, one.log()[-2000:]


async def test_a_streamed_answer_that_was_killed_on_the_way_is_completed_in_the_same_post(tmp_path: Path, taught: Path) -> None:
    async with LlmServer() as server:
        server.default = Say(
            ["The canteen ", "opens at ", "half past twelve [1]. ", "The canteen opens ", "at 12:30."], interval=0.1
        )
        model = {"TWIN_LLM": "openai:stub", "OPENAI_BASE_URL": f"{server.url}/v1", "OPENAI_API_KEY": "none"}
        async with twin_on("sqlite", tmp_path, **model) as one:
            shutil.copytree(taught, one.data)
            await one.start("answer.midstream:kill9:1")
            question = said("When does the canteen open?", 1)
            assert await one.deliver(question)
            assert await one.dead() == KILLED
            [begun] = one.platform.visible("1")
            assert not begun.final
            await one.start()
            [answer] = await one.said(question)
            assert "half past twelve" in answer
            [completed] = one.platform.visible("1")
            assert (completed.id, completed.finishes) == (begun.id, 1)
            assert completed.sources
            assert len(server.requests) == 2
            assert await one.stop() == 0, one.log()[-2000:]
