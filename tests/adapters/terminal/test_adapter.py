import asyncio
import io
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from adapters.terminal.adapter import Terminal, speak
from adapters.terminal.keyboard import prompted
from bot.chat import Answer, Delta, Person, Place, Source
from tests.adapters.terminal.test_outgoing import Document, Found, Passage, Receipt

SOURCE = Source(1, "d1", "Handbook", 3, "Leave", "Thirty days.", "file:///handbook.pdf", 0.9)


@dataclass
class FakeTwin:
    """Answers every question alike and remembers what it was asked."""

    asked: list[tuple[str, str | None]] = field(default_factory=list)
    taught: list[tuple[Path, str, str]] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    searched: list[str] = field(default_factory=list)
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(
        self, question: str, *, place: Place, person: Person, conversation: str | None = None
    ) -> AsyncGenerator[Delta | Answer]:
        self.asked.append((question, conversation))
        self.heard.set()
        if question == "Fail!":
            raise ValueError("a bug")
        yield Delta("Thirty ")
        yield Delta("days. [1]")
        yield Answer("Thirty days. [1]", (SOURCE,), False, "extractive", "", conversation_id=conversation or "c1")

    def files_in(self, paths: Sequence[Path]) -> list[Path]:
        return [file for path in paths for file in (sorted(path.iterdir()) if path.is_dir() else [path])]

    async def learn(self, files: Sequence[Path], *, scope: str, by: Person) -> AsyncGenerator[tuple[Path, Receipt]]:
        for file in files:
            self.taught.append((file, scope, by.id))
            yield file, Receipt("learned", document=Document(title=file.name))

    async def documents(self) -> list[Document]:
        return [Document()]

    async def document(self, document_id: str) -> Document:
        return Document(id=document_id)

    async def search(self, query: str, *, place: Place, person: Person) -> list[Found]:
        self.searched.append(query)
        return [Found(Passage(), 0.9)]

    async def forget(self, document_id: str) -> Document:
        self.forgotten.append(document_id)
        return Document(id=document_id)


@pytest.fixture
def twin() -> FakeTwin:
    return FakeTwin()


class Typewriter(io.StringIO):
    """Standard input of a terminal; what is typed comes from elsewhere."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def keyboard() -> Iterator[PipeInput]:
    with create_pipe_input() as keyboard, create_app_session(input=keyboard, output=DummyOutput()):
        yield keyboard


async def converse(twin: FakeTwin, monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
    await Terminal(twin, explain=lambda error: f"Sorry: {error}.", place=Place("local"), person=Person("ada")).run()


async def test_a_question_from_a_pipe_is_answered_with_its_sources_and_nothing_else(
    twin: FakeTwin, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await converse(twin, monkeypatch, "How many days?")
    shown = capsys.readouterr()
    assert shown.out == "Thirty days. [1]\n\nSources\n  [1] Handbook, page 3 · Leave\n      file:///handbook.pdf\n\n"
    assert shown.err == ""


async def test_all_questions_of_a_session_are_one_conversation(twin: FakeTwin, monkeypatch: pytest.MonkeyPatch) -> None:
    await converse(twin, monkeypatch, "One?", "", "Two?")
    assert twin.asked == [("One?", None), ("Two?", "c1")]


async def test_a_dropped_file_is_taught_to_this_place_by_this_person(
    twin: FakeTwin, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "my notes.md"
    file.touch()
    await converse(twin, monkeypatch, f"'{file}'")
    assert twin.taught == [(file, "local", "ada")]
    assert capsys.readouterr().out == "Learned “my notes.md”: 12 pages, 48 passages.\n"


async def test_a_folder_is_taught_with_all_its_files(
    twin: FakeTwin, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.md", "b.md"):
        (tmp_path / name).touch()
    await converse(twin, monkeypatch, str(tmp_path))
    assert [path.name for path, _, _ in twin.taught] == ["a.md", "b.md"]
    assert capsys.readouterr().out.startswith("Reading 2 files …\nLearned “a.md”")


async def test_commands_do_what_help_says(
    twin: FakeTwin, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await converse(twin, monkeypatch, "/docs", "/search red tape", "/forget 3f2a yes", "/help", "/quit", "Too late?")
    shown = capsys.readouterr().out
    assert "Handbook (12 pages, 48 passages)" in shown
    assert "1. Handbook, page 3 · Leave (0.90)" in shown
    assert "Forgotten: “Handbook”. Nothing of it is left." in shown
    assert "/search WORDS" in shown
    assert (twin.searched, twin.forgotten, twin.asked) == (["red tape"], ["3f2a"], [])


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("/search", "Which words? `/search WORDS` shows the passages nearest to them."),
        ("/forget", "Which document? `/forget ID` takes one id; /docs shows them."),
        ("/forget 3f2a 4b5c", "Which document? `/forget ID` takes one id; /docs shows them."),
        ("/forget 3f2a", "Forgetting “Handbook” cannot be undone. `/forget 3f2a yes` does it."),
    ],
)
async def test_a_command_that_lacks_something_says_what(
    twin: FakeTwin, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str, sentence: str
) -> None:
    await converse(twin, monkeypatch, line)
    assert capsys.readouterr().out == f"{sentence}\n"
    assert (twin.searched, twin.forgotten) == ([], [])


@pytest.mark.parametrize(("typed", "forgotten"), [("y\r", ["3f2a"]), ("\r", []), ("no\r", []), ("\x03", []), ("\x04", [])])
async def test_at_a_terminal_forgetting_asks_first(
    twin: FakeTwin, monkeypatch: pytest.MonkeyPatch, keyboard: PipeInput, typed: str, forgotten: list[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", Typewriter())
    keyboard.send_text(f"/forget 3f2a\r{typed}\x04")
    await Terminal(twin, explain=str).run()
    assert twin.forgotten == forgotten


async def test_a_path_of_nothing_is_answered_with_what_is_wrong(
    twin: FakeTwin, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await converse(twin, monkeypatch, "/no/such/file.pdf")
    assert capsys.readouterr().out == "There is no file or folder /no/such/file.pdf.\n"
    assert twin.asked == []


async def test_a_question_that_fails_is_explained_and_the_conversation_goes_on(
    twin: FakeTwin, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await converse(twin, monkeypatch, "Fail!", "And now?")
    assert capsys.readouterr().out.startswith("Sorry: a bug.\nThirty days.")


async def test_a_line_too_long_for_a_file_name_is_a_question(twin: FakeTwin, monkeypatch: pytest.MonkeyPatch) -> None:
    line = "and/or " * 1000 + "?"
    await converse(twin, monkeypatch, line)
    assert [question for question, _ in twin.asked] == [line]


async def test_lines_of_a_pipe_are_answered_while_it_is_still_open(
    twin: FakeTwin, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading) as stdin, os.fdopen(writing, "w", buffering=1) as keyboard:
        monkeypatch.setattr(sys, "stdin", stdin)
        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            chat = group.create_task(Terminal(twin, explain=str).run(), name="chat")
            keyboard.write("One?\n")
            await twin.heard.wait()
            keyboard.write("/quit\n")
            await chat
    assert [question for question, _ in twin.asked] == ["One?"]


@pytest.mark.parametrize(
    ("typed", "lines", "warnings"),
    [
        ("One?\rhalf a li\x03Two?\r\x04", ["One?", "Two?"], 0),
        ("\x03One?\r\x03Two?\r\x04", ["One?", "Two?"], 2),
        ("\x03\x03One?\r", [], 1),
        ("\x03half\x03\x03One?\r\x04", ["One?"], 2),
    ],
)
async def test_ctrl_c_clears_a_half_typed_line_and_leaves_only_when_repeated(
    keyboard: PipeInput, typed: str, lines: list[str], warnings: int
) -> None:
    said: list[str] = []
    keyboard.send_text(typed)
    assert [line async for line in prompted(said.append)] == lines
    assert len(said) == warnings


async def spoken(*pieces: Delta | Answer, width: int = 0) -> str:
    async def arriving() -> AsyncIterator[Delta | Answer]:
        for piece in pieces:
            yield piece

    written: list[str] = []
    await speak(arriving(), written.append, width)
    return "".join(written)


async def test_an_answer_that_came_whole_is_shown_too() -> None:
    assert await spoken(Answer("All at once.", (), False, "x", "y")) == "All at once.\n"


async def test_an_answer_that_was_corrected_at_the_end_is_shown_as_corrected() -> None:
    shown = await spoken(Delta("Thirty days, or so they say."), Answer("Thirty days.", (), False, "x", "y"))
    assert shown == "Thirty days, or so they say.\n\nThirty days.\n"


async def test_an_answer_that_never_becomes_whole_is_a_mistake() -> None:
    with pytest.raises(RuntimeError, match="ended"):
        await spoken(Delta("Thirty"))
