import asyncio
import io
import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from adapters.terminal.adapter import Terminal, speak
from adapters.terminal.keyboard import prompted
from bot.chat import Answer, Delta, Person, Place, Restart
from tests.adapters.terminal.fakes import FakeTwin

WHICH = "Which document? `/forget ID` takes one id; /docs shows them. `/forget me` forgets what I know of you."


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
        ("/forget", WHICH),
        ("/forget 3f2a 4b5c", WHICH),
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


async def spoken(*pieces: Delta | Restart | Answer, width: int = 0) -> str:
    async def arriving() -> AsyncIterator[Delta | Restart | Answer]:
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


async def test_what_a_model_left_unfinished_is_called_void_and_the_answer_begins_anew() -> None:
    whole = Answer("Thirty days.", (), False, "x", "y")
    shown = await spoken(Delta("Twenty da"), Restart(), Delta("Thirty "), Delta("days."), whole)
    assert shown == "Twenty da\n\n(The model stopped; beginning anew.)\n\nThirty days.\n"


async def test_nothing_is_called_void_when_nothing_was_shown() -> None:
    whole = Answer("Thirty days.", (), False, "x", "y")
    assert await spoken(Restart(), Delta("Thirty days."), whole) == "Thirty days.\n"


async def test_what_is_said_beside_an_answer_stands_below_its_sources(
    twin: FakeTwin, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    twin.notice, twin.aside = "The model is away.", "There is more."
    await converse(twin, monkeypatch, "How many days?")
    *_, notice, _, aside, _ = capsys.readouterr().out.splitlines()
    assert (notice, aside) == ("(The model is away.)", "(For you alone: There is more.)")


async def test_an_answer_is_given_anew_and_is_then_the_last_one(
    twin: FakeTwin, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await converse(twin, monkeypatch, "How many days?", "/again", "/good", "And hours?")
    assert twin.regenerated == ["m1"]
    assert twin.opinions == [("m2", 1, "")]
    assert twin.asked == [("How many days?", None), ("And hours?", "c1")]
    assert "Thirty days, again. [1]" in capsys.readouterr().out


@pytest.mark.parametrize("line", ["/again", "/why", "/good", "/bad it is old", "/undo", "/export", "/export md a.md"])
async def test_before_the_first_answer_there_is_nothing_to_speak_of(
    twin: FakeTwin, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    await converse(twin, monkeypatch, line)
    assert capsys.readouterr().out == "I have not answered anything yet in this conversation. Ask me something first.\n"
    assert (twin.regenerated, twin.opinions) == ([], [])


async def test_whoever_is_forgotten_begins_a_new_conversation(twin: FakeTwin, monkeypatch: pytest.MonkeyPatch) -> None:
    await converse(twin, monkeypatch, "One?", "/forget me yes", "/why", "Two?")
    assert twin.asked == [("One?", None), ("Two?", None)]
    assert twin.forgotten_people == ["ada"]
