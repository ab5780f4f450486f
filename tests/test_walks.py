"""The whole walk on the real parts: files in, cited answers out, forgotten means gone, a kill loses nothing."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.app import open_twin
from bot.chat import Answer, Delta, Person, Place
from bot.settings import Settings
from bot.twin import Twin
from knowledge import Outcome, Receipt, State
from tests.knowledge.extract.samples import pdf

HERE, ME = Place("local"), Person("local")

TRAVEL = [
    ["Travel policy", "This policy holds for everybody who travels for the company."],
    ["Approval", "Trips within the country are approved by the team lead. Trips abroad are approved by Mrs Okafor."],
    ["Hotels", "A hotel may cost up to 140 euros a night. Breakfast is paid on top of that."],
]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


@pytest.fixture
async def twin(settings: Settings) -> AsyncIterator[Twin]:
    async with open_twin(settings) as opened:
        yield opened


async def teach(twin: Twin, *files: Path, scope: str = "local") -> list[Receipt]:
    return [receipt async for _, receipt in twin.learn(files, scope=scope, by=ME)]


async def ask(twin: Twin, question: str, *, place: Place = HERE) -> Answer:
    said = [piece async for piece in twin.ask(question, place=place, person=ME)]
    answer = said[-1]
    assert isinstance(answer, Answer)
    assert "".join(piece.text for piece in said if isinstance(piece, Delta)) == answer.text
    return answer


def travel_policy(folder: Path) -> Path:
    file = folder / "travel.pdf"
    file.write_bytes(pdf(TRAVEL))
    return file


async def test_the_twin_knows_itself_from_the_first_start(twin: Twin) -> None:
    answer = await ask(twin, "what can you do?")
    assert not answer.abstained
    assert "learn the files you give me" in answer.sources[0].quote


async def test_a_pdf_is_quoted_exactly_with_its_page_and_a_link(twin: Twin, tmp_path: Path) -> None:
    file = travel_policy(tmp_path)
    [receipt] = await teach(twin, file)
    assert receipt.document is not None
    assert (receipt.outcome, receipt.document.pages) == (Outcome.LEARNED, 3)
    answer = await ask(twin, "Who approves trips abroad?")
    assert not answer.abstained
    source = answer.sources[0]
    assert "Trips abroad are approved by Mrs Okafor." in source.quote
    assert source.quote in await twin.text(receipt.document.id, place=HERE, person=ME)
    assert source.page == 2
    assert source.url == f"{file.as_uri()}#page=2"


async def test_what_it_was_not_taught_it_does_not_know(twin: Twin, tmp_path: Path) -> None:
    await teach(twin, travel_policy(tmp_path))
    answer = await ask(twin, "Which enzyme unwinds the double helix during replication?")
    assert answer.abstained
    assert not answer.sources


async def test_what_was_taught_for_one_channel_is_not_told_in_another(twin: Twin, tmp_path: Path) -> None:
    await teach(twin, travel_policy(tmp_path), scope="slack:T1:C9")
    assert (await ask(twin, "Who approves trips abroad?")).abstained
    assert not (await ask(twin, "Who approves trips abroad?", place=Place("slack:T1:C9"))).abstained
    found = await twin.search("hotel", place=Place("slack:T1:C8"), person=ME)
    assert {one.passage.title for one in found} == {"Guide to Twin"}


async def test_a_folder_is_taught_without_what_is_hidden_in_it_and_without_the_twins_own_data(
    twin: Twin, tmp_path: Path
) -> None:
    for name in ("a.md", "deep/b.md", ".hidden/c.md", ".d.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("# Text")
    assert twin.files_in([tmp_path]) == [tmp_path / "a.md", tmp_path / "deep/b.md"]
    assert twin.files_in([tmp_path / ".d.md", tmp_path / "nowhere"]) == [tmp_path / ".d.md", tmp_path / "nowhere"]


async def test_a_new_version_is_what_is_quoted_from_then_on(twin: Twin, tmp_path: Path) -> None:
    file = tmp_path / "hours.md"
    file.write_text("# Opening hours\n\nThe canteen opens at eleven o'clock.\n")
    await teach(twin, file)
    file.write_text("# Opening hours\n\nThe canteen opens at half past twelve.\n")
    [receipt] = await teach(twin, file)
    assert (receipt.outcome, receipt.supersedes) == (Outcome.UPDATED, 1)
    quotes = " ".join(source.quote for source in (await ask(twin, "When does the canteen open?")).sources)
    assert "half past twelve" in quotes
    assert "eleven" not in quotes
    states = {
        document.version: document.state
        for document in await twin.documents(place=HERE, person=ME)
        if document.name == "hours.md"
    }
    assert states == {1: State.SUPERSEDED, 2: State.READY}


async def test_what_is_forgotten_is_gone_from_answers_and_from_the_disk(settings: Settings, tmp_path: Path) -> None:
    file = travel_policy(tmp_path)
    async with open_twin(settings) as twin:
        [receipt] = await teach(twin, file)
        assert receipt.document is not None
        assert not (await ask(twin, "Who approves trips abroad?")).abstained
        await twin.forget(receipt.document.id, place=HERE, person=ME)
        assert (await ask(twin, "Who approves trips abroad?")).abstained
        assert not [document for document in await twin.documents(place=HERE, person=ME) if document.name == "travel.pdf"]
    traces = (b"Okafor", b"travel.pdf", receipt.document.id.encode(), file.read_bytes()[:64])
    for path in (p for p in settings.data_dir.rglob("*") if p.is_file()):
        content = path.read_bytes()
        for trace in traces:
            assert trace not in content, (path, trace)


async def test_the_index_can_be_thrown_away_and_comes_back(settings: Settings, tmp_path: Path) -> None:
    async with open_twin(settings) as twin:
        await teach(twin, travel_policy(tmp_path))
    for path in sorted((settings.data_dir / "index").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    async with open_twin(settings) as twin:
        assert (await ask(twin, "Who approves trips abroad?")).sources[0].page == 2


async def test_another_embedding_variant_asks_for_a_reindex_and_gets_one(settings: Settings, tmp_path: Path) -> None:
    async with open_twin(settings) as twin:
        await teach(twin, travel_policy(tmp_path))
    other = settings.model_copy(update={"embedding_variant": "fp32"})
    with pytest.raises(Exception, match="twin reindex"):
        async with open_twin(other):
            pass
    async with open_twin(other, rebuild=True) as twin:
        assert await twin.reindex() > 3
    async with open_twin(other) as twin:
        assert (await ask(twin, "Who approves trips abroad?")).sources[0].page == 2


async def ingest(folder: Path, *, kill_after: int | None = None) -> list[dict[str, object]]:
    """Run `twin ingest` in a process of its own; with `kill_after`, kill -9 once so many files are reported."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "ingest", str(folder / "files"), "--json"),
        cwd=folder,
        env=os.environ | {"TWIN_DATA_DIR": str(folder / "data"), "PYTHONPATH": str(Path(__file__).parents[1])},
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=DEVNULL,
    )
    assert process.stdout
    lines: list[dict[str, object]] = []
    while line := await process.stdout.readline():
        lines.append(json.loads(line))
        if len(lines) == kill_after:
            process.kill()
    await process.wait()
    return lines


async def test_killed_again_and_again_every_file_is_learned_whole_once(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    for n in range(12):
        paragraphs = "\n\n".join(f"## Part {p}\n\nFact {p} of report {n} is number {5000 + n * 100 + p}." for p in range(40))
        (tmp_path / "files" / f"report-{n:02}.md").write_text(f"# Report {n}\n\n{paragraphs}\n")
    for kill_after in (1, 2, 4):
        await ingest(tmp_path, kill_after=kill_after)
    last = await ingest(tmp_path)
    assert {line["status"] for line in last} <= {"learned", "duplicate"}
    assert len(last) == 12
    async with open_twin(settings) as twin:
        documents = [d for d in await twin.documents(place=HERE, person=ME) if d.name.startswith("report")]
        assert len(documents) == 12
        assert {(d.state, d.version, d.passages) for d in documents} == {(State.READY, 1, 40)}
        assert await twin.mend() == 0
        for n in (0, 7, 11):
            found = await twin.search(f"number {5000 + n * 100 + 39}", place=HERE, person=ME, limit=1)
            assert f"Fact 39 of report {n} " in found[0].passage.text
