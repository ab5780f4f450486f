"""The conversation in a terminal: prompts, streams answers, teaches dropped files; reads a pipe line by line as well."""

import asyncio
import shutil
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Protocol

from adapters.terminal import commands, incoming, keyboard, outgoing
from bot.chat import Answer, Delta, Person, Pieces, Place, Restart

WELCOME = "Ask me anything, or drop a file here to teach me. /help lists more, /quit leaves."
ANEW = "(The model stopped; beginning anew.)"


class Answering(Protocol):
    """Answers questions."""

    def ask(self, question: str, *, place: Place, person: Person, conversation: str | None = None) -> Pieces:
        """Yield pieces of the answer, then the whole."""

    async def regenerate(self, message_id: str, *, place: Place, person: Person) -> Pieces:
        """Answer the question of an answer anew."""


class Teaching(Protocol):
    """Learns files."""

    def files_in(self, paths: Sequence[Path]) -> list[Path]:
        """Return the files that are meant by files and folders."""

    def learn(self, files: Sequence[Path], *, scope: str, by: Person) -> AsyncGenerator[tuple[Path, outgoing.Receipt]]:
        """Learn files; yield each with its receipt as it is ready."""


class Twin(Answering, Teaching, commands.Commanded, Protocol):
    """What this adapter is handed."""


async def speak(
    pieces: AsyncIterator[Delta | Restart | Answer],
    write: Callable[[str], object],
    width: int,
    style: outgoing.Style = outgoing.PLAIN,
) -> Answer:
    """Write an answer as it comes, laid out for the width and style, and return the whole of it.

    Where the whole differs from what was streamed (a claim that did not hold was taken out), the whole is written below.
    """
    flow, said = outgoing.Flow(width, style), ""
    answer: Answer | None = None
    async for piece in pieces:
        match piece:
            case Answer():
                answer = piece
            case Delta(text):
                said += text
                write(flow.add(text))
            case Restart() if said:  # else nothing was shown that could be void
                write(f"{flow.end()}\n\n{style.faint}{ANEW}{style.end}\n\n")
                flow, said = outgoing.Flow(width, style), ""
    write(flow.end())
    if answer is None:
        raise RuntimeError("the answer ended without its sources")
    if said.strip() != answer.text.strip():
        again = outgoing.Flow(width, style)
        write(("\n\n" if said else "") + again.add(answer.text) + again.end())
    write("\n")
    return answer


class Terminal:
    """One person's conversation on standard input and output. `explain` turns what went wrong into a sentence."""

    def __init__(
        self,
        twin: Twin,
        *,
        explain: Callable[[Exception], str],
        place: Place = Place("local"),
        person: Person = Person("local"),
    ) -> None:
        self._twin = twin
        self._explain = explain
        self._seat = commands.Seat(place, person)
        on_screen = sys.stdout.isatty()
        self._style = outgoing.ANSI if on_screen else outgoing.PLAIN
        self._width = min(shutil.get_terminal_size().columns, 100) if on_screen else 0

    async def run(self) -> None:
        """Converse until /quit or the end of the input."""
        if sys.stdin.isatty():
            _say(WELCOME)
            lines = keyboard.prompted(_say)
        else:
            lines = keyboard.piped(sys.stdin)
        async for text in lines:
            line = incoming.read(text, _exists)
            if line == incoming.Command("quit", ""):
                return
            try:
                await self._heed(line)
            except Exception as error:  # one bad line must not end the conversation
                _say(self._explain(error))

    async def _heed(self, line: incoming.Line | None) -> None:
        seat = self._seat
        match line:
            case incoming.Question(text):
                await self._show(self._twin.ask(text, **seat.here, conversation=seat.conversation))
            case incoming.Teach(paths):
                await self._learn(paths)
            case incoming.Mistake(text):
                _say(text)
            case incoming.Command("again") if seat.answer is not None:
                await self._show(await self._twin.regenerate(seat.answer, **seat.here))
            case incoming.Command("again"):
                _say(commands.NOTHING_SAID)
            case incoming.Command():
                _say(await commands.obey(self._twin, seat, line, self._style))

    async def _show(self, answering: Pieces) -> None:
        async with aclosing(answering) as pieces:
            answer = await speak(pieces, _write, self._width, self._style)
        self._seat.conversation, self._seat.answer = answer.conversation_id, answer.message_id
        for below in (outgoing.sources, outgoing.notice, outgoing.aside):
            if text := below(answer, self._style):
                _say(f"\n{text}")
        _say("")

    async def _learn(self, paths: Sequence[Path]) -> None:
        files = await asyncio.to_thread(self._twin.files_in, paths)
        if len(files) != 1:
            _say(f"Reading {len(files)} files …")
        learning = self._twin.learn(files, scope=self._seat.place.id, by=self._seat.person)
        async with aclosing(learning) as receipts:
            async for _, receipt in receipts:
                _say(outgoing.learned(receipt))


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a sentence can be too long for a file name
        return False


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _say(text: str) -> None:
    _write(f"{text}\n")
