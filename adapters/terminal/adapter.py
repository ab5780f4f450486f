"""The conversation in a terminal: prompts, streams answers, teaches dropped files; reads a pipe line by line as well."""

import asyncio
import shutil
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Protocol

from adapters.terminal import incoming, keyboard, outgoing
from bot.chat import Answer, Delta, Person, Place

WELCOME = "Ask me anything, or drop a file here to teach me. /help lists more, /quit leaves."


class Answering(Protocol):
    """Answers questions."""

    def ask(
        self, question: str, *, place: Place, person: Person, conversation: str | None = None
    ) -> AsyncGenerator[Delta | Answer]:
        """Yield pieces of the answer, then the whole."""


class Teaching(Protocol):
    """Learns files."""

    def files_in(self, paths: Sequence[Path]) -> list[Path]:
        """Return the files that are meant by files and folders."""

    def learn(self, files: Sequence[Path], *, scope: str, by: Person) -> AsyncGenerator[tuple[Path, outgoing.Receipt]]:
        """Learn files; yield each with its receipt as it is ready."""


class Shelf(Protocol):
    """Keeps documents."""

    async def documents(self) -> Sequence[outgoing.Document]:
        """Return all documents, newest first."""

    async def document(self, document_id: str) -> outgoing.Document:
        """Return one document by its id or the unambiguous beginning of it."""

    async def search(self, query: str, *, place: Place, person: Person) -> Sequence[outgoing.Found]:
        """Return the passages nearest to a query."""

    async def forget(self, document_id: str) -> outgoing.Document:
        """Forget a document for good."""


class Twin(Answering, Teaching, Shelf, Protocol):
    """What this adapter is handed."""


async def speak(
    pieces: AsyncIterator[Delta | Answer], write: Callable[[str], object], width: int, style: outgoing.Style = outgoing.PLAIN
) -> Answer:
    """Write an answer as it comes, laid out for the width and style, and return the whole of it.

    Where the whole differs from what was streamed (a claim that did not hold was taken out), the whole is written below.
    """
    flow, said = outgoing.Flow(width, style), ""
    answer: Answer | None = None
    async for piece in pieces:
        if isinstance(piece, Answer):
            answer = piece
        else:
            said += piece.text
            write(flow.add(piece.text))
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
        self._place = place
        self._person = person
        self._conversation: str | None = None
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
        match line:
            case incoming.Question(text):
                await self._answer(text)
            case incoming.Teach(paths):
                await self._learn(paths)
            case incoming.Mistake(text):
                _say(text)
            case incoming.Command("docs"):
                _say(outgoing.documents(await self._twin.documents(), self._style))
            case incoming.Command("search", ""):
                _say("Which words? `/search WORDS` shows the passages nearest to them.")
            case incoming.Command("search", words):
                found = await self._twin.search(words, place=self._place, person=self._person)
                _say(outgoing.passages(found, self._style))
            case incoming.Command("forget", rest):
                await self._forget(rest.split())
            case incoming.Command():
                _say(outgoing.HELP)

    async def _answer(self, question: str) -> None:
        asking = self._twin.ask(question, place=self._place, person=self._person, conversation=self._conversation)
        async with aclosing(asking) as pieces:
            answer = await speak(pieces, _write, self._width, self._style)
        self._conversation = answer.conversation_id
        if answer.sources:
            _say(f"\n{outgoing.sources(answer, self._style)}")
        _say("")

    async def _learn(self, paths: Sequence[Path]) -> None:
        files = await asyncio.to_thread(self._twin.files_in, paths)
        if len(files) != 1:
            _say(f"Reading {len(files)} files …")
        async with aclosing(self._twin.learn(files, scope=self._place.id, by=self._person)) as learning:
            async for _, receipt in learning:
                _say(outgoing.learned(receipt))

    async def _forget(self, words: Sequence[str]) -> None:
        match words:
            case [document_id]:
                document = await self._twin.document(document_id)
                if not sys.stdin.isatty():
                    _say(f"Forgetting “{document.title}” cannot be undone. `/forget {document_id} yes` does it.")
                    return
                if not await keyboard.confirmed(f"Forget “{document.title}” for good?"):
                    _say("Nothing was forgotten.")
                    return
            case [document_id, "yes"]:
                pass
            case _:
                _say("Which document? `/forget ID` takes one id; /docs shows them.")
                return
        forgotten = await self._twin.forget(document_id)
        _say(f"Forgotten: “{forgotten.title}”. Nothing of it is left.")


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
