import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from adapters.terminal.commands import Seat, obey
from adapters.terminal.incoming import COMMANDS, Command, read
from adapters.terminal.outgoing import HELP
from bot.chat import Person, Place
from tests.adapters.terminal.fakes import Chosen, FakeTwin


@pytest.fixture
def twin(monkeypatch: pytest.MonkeyPatch) -> FakeTwin:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    return FakeTwin()


@pytest.fixture
def seat() -> Seat:
    return Seat(Place("local"), Person("ada"), "c1", "m1")


@pytest.fixture
def keyboard(twin: FakeTwin, monkeypatch: pytest.MonkeyPatch) -> Iterator[PipeInput]:
    class Typewriter(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Typewriter())
    with create_pipe_input() as keyboard, create_app_session(input=keyboard, output=DummyOutput()):
        yield keyboard


async def said(twin: FakeTwin, seat: Seat, line: str) -> str:
    order = read(line, lambda path: False)
    assert isinstance(order, Command)
    return await obey(twin, seat, order)


def test_help_names_every_command() -> None:
    assert {name for name in COMMANDS if f"/{name}" not in HELP} == {"help"}


# --- the last answer


async def test_why_tells_of_the_last_answer(twin: FakeTwin, seat: Seat) -> None:
    shown = await said(twin, seat, "/why")
    assert "Searched for: days of leave" in shown
    assert "1. Handbook, page 3 · Leave" in shown


async def test_an_opinion_can_be_changed_and_taken_back_and_what_was_before_is_said(twin: FakeTwin, seat: Seat) -> None:
    assert await said(twin, seat, "/good") == "Thank you, noted: that answer was good. /undo takes it back."
    assert await said(twin, seat, "/good") == "I have noted that already: good."
    changed = "Thank you, noted: that answer was bad; you had called it good before. /undo takes it back."
    assert await said(twin, seat, "/bad the numbers are old") == changed
    assert await said(twin, seat, "/undo") == "Taken back: you had called that answer bad."
    assert await said(twin, seat, "/undo") == "You have said nothing about that answer."
    assert twin.opinions == [("m1", 1, ""), ("m1", 1, ""), ("m1", -1, "the numbers are old"), ("m1", 0, ""), ("m1", 0, "")]


# --- writing down


@pytest.mark.parametrize(
    ("line", "shown"), [("/export", "# Conversation"), ("/export md", "# Conversation"), ("/export json", "{}")]
)
async def test_a_conversation_is_shown_where_no_file_is_named(twin: FakeTwin, seat: Seat, line: str, shown: str) -> None:
    assert await said(twin, seat, line) == shown


@pytest.mark.parametrize(
    ("line", "name", "format"),
    [
        ("/export md talk.txt", "talk.txt", "md"),
        ("/export talk.md", "talk.md", "md"),
        ("/export talk.json", "talk.json", "json"),
        ("/export json 'our talk.txt'", "our talk.txt", "json"),
        ("/export md our talk.json", "our talk.json", "md"),
    ],
)
async def test_a_conversation_is_written_to_a_file(
    twin: FakeTwin, seat: Seat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, name: str, format: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert await said(twin, seat, line) == f"This conversation is in {name}."
    assert twin.exported == [("c1", format)]
    assert (tmp_path / name).read_text() == ("# Conversation\n" if format == "md" else "{}\n")


async def test_a_file_that_is_there_is_not_overwritten_when_nobody_can_be_asked(
    twin: FakeTwin, seat: Seat, tmp_path: Path
) -> None:
    file = tmp_path / "talk.md"
    file.write_text("mine")
    assert await said(twin, seat, f"/export md {file}") == f"There is a file {file} already. Name another one."
    assert file.read_text() == "mine"


@pytest.mark.parametrize(("typed", "text"), [("y\r", "# Conversation\n"), ("\r", "mine")])
async def test_a_file_that_is_there_is_overwritten_only_after_asking(
    twin: FakeTwin, seat: Seat, keyboard: PipeInput, tmp_path: Path, typed: str, text: str
) -> None:
    file = tmp_path / "talk.md"
    file.write_text("mine")
    keyboard.send_text(typed)
    await said(twin, seat, f"/export md {file}")
    assert file.read_text() == text


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("/export html", "`/export md FILE` or `/export json FILE`; without FILE it is shown here."),
        ("/export md /no/such/folder/talk.md", "/no/such/folder/talk.md cannot be written: No such file or directory."),
        ("/export md /", "/ is a folder. Name a file in it: `/export md /conversation.md`."),
        (f"/export md {'x' * 300}", f"{'x' * 300} cannot be written: File name too long."),
    ],
)
async def test_what_cannot_be_written_is_said(twin: FakeTwin, seat: Seat, line: str, sentence: str) -> None:
    assert await said(twin, seat, line) == sentence


# --- memory


async def test_a_note_is_kept_for_the_person_and_listed(twin: FakeTwin, seat: Seat) -> None:
    assert await said(twin, seat, "/notes") == "None yet. `/remember TEXT` keeps one for you."
    assert "tell nobody but you" in await said(twin, seat, "/remember I park at 42")
    assert twin.remembered == [("I park at 42", "ada")]
    assert await said(twin, seat, "/notes") == "  3f2a9c0d  I park at 42"


async def test_from_a_pipe_a_person_is_forgotten_only_with_a_yes(twin: FakeTwin, seat: Seat) -> None:
    assert await said(twin, seat, "/forget me") == "Forgetting you cannot be undone. `/forget me yes` does it."
    assert twin.forgotten_people == []
    assert (await said(twin, seat, "/forget me yes")).startswith("Forgotten: 2 notes or messages, 1 question with what I")
    assert (twin.forgotten_people, seat.conversation, seat.answer) == (["ada"], None, None)


@pytest.mark.parametrize(("typed", "forgotten"), [("y\r", ["ada"]), ("n\r", [])])
async def test_at_a_terminal_forgetting_a_person_asks_first(
    twin: FakeTwin, seat: Seat, keyboard: PipeInput, typed: str, forgotten: list[str]
) -> None:
    keyboard.send_text(typed)
    await said(twin, seat, "/forget me")
    assert twin.forgotten_people == forgotten


# --- models and figures


async def test_the_model_is_shown_changed_and_reset(twin: FakeTwin, seat: Seat) -> None:
    assert (await said(twin, seat, "/model")).startswith("I quote my sources; no language model writes.")
    assert "written by ollama:llama3.2" in await said(twin, seat, "/model ollama:llama3.2")
    assert twin.chosen[-1] == Chosen("ollama:llama3.2")
    assert (await said(twin, seat, "/model reset")).startswith("I quote my sources")


@pytest.mark.parametrize(("line", "days"), [("/stats", 7), ("/stats 30", 30)])
async def test_figures_are_those_of_the_days_asked_for(twin: FakeTwin, seat: Seat, line: str, days: int) -> None:
    assert (await said(twin, seat, line)).startswith(f"In the last {days} days: 12 questions")
    assert twin.summed_up == [days]


@pytest.mark.parametrize(
    ("line", "beginning"),
    [
        ("/remember", "What? `/remember TEXT`"),
        ("/stats many", "How many days?"),
        ("/stats 0", "How many days?"),
        ("/stats -1", "How many days?"),
        ("/stats 100000000000", "How many days?"),
        ("/stats ٣", "How many days?"),
    ],
)
async def test_an_order_that_lacks_something_says_what(twin: FakeTwin, seat: Seat, line: str, beginning: str) -> None:
    assert (await said(twin, seat, line)).startswith(beginning)
    assert (twin.remembered, twin.summed_up) == ([], [])
