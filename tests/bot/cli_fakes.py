"""A twin that needs no engines, for the command line: it knows one document and one answer."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pytest
from typer.testing import CliRunner, Result

import bot.app
from bot.chat import Answer, Delta, Person, Pieces, Place, Restart, Source, Timings
from bot.cli.commands import app
from bot.errors import UnknownMessage
from bot.llm.models import Changes, Chosen
from bot.record.feedback import Opinion
from bot.record.said import Fate
from bot.record.usage import Figures, Use
from bot.record.why import Considered, Why
from bot.settings import Settings
from knowledge import Document, Filters, Found, Outcome, Passage, Receipt, State
from knowledge.errors import UnknownDocument

ADDED = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
HANDBOOK = Document(
    "3f2a9c0d11", "handbook.pdf", "Handbook", "pdf", State.READY, 2, ("local",), ("hr",), 900, "ab" * 32, ADDED,
    "file:///handbook.pdf", pages=12, passages=48, language="en", authors=("Ada", "Bob"),
)  # fmt: skip
PASSAGE = Passage("p1", HANDBOOK.id, "Handbook", "pdf", 0, 0, 12, "Thirty days.", "Leave", HANDBOOK.url, 3, "Leave")
ANSWER = Answer(
    "Thirty days. [1]",
    (Source(1, HANDBOOK.id, "Handbook", 3, "Leave", "Thirty days.", HANDBOOK.url, 0.91),),
    abstained=False,
    provider="extractive",
    model="extractive",
    conversation_id="c1",
    message_id="m1",
    timings_ms=Timings(4.5, 6.0, 7.5),
)


@dataclass
class FakeTwin:
    """A twin that knows one document, and remembers what it was asked."""

    receipts: dict[str, Receipt] = field(default_factory=dict)
    error: BaseException | None = None
    calls: list[tuple[object, ...]] = field(default_factory=list)
    stopped: bool = False
    notice: str = ""
    aside: str = ""
    chosen: Chosen = field(default_factory=lambda: Chosen("extractive"))

    async def ask(self, question: str, *, place: Place, person: Person, conversation: str | None = None) -> Pieces:
        self.calls.append(("ask", question, place.id, person.id, conversation))
        self._fail()
        yield Delta("Thirty ho")
        yield Restart()
        yield Delta("Thirty days.")
        yield Delta(" [1]")
        yield replace(ANSWER, notice=self.notice, aside=self.aside)

    async def search(
        self, query: str, *, place: Place, person: Person, where: Filters = Filters(), limit: int = 10
    ) -> tuple[Found, ...]:
        self.calls.append(("search", query, place.id, person.id, where, limit))
        self._fail()
        return (Found(PASSAGE, 0.91, 0.8, 12.0), Found(replace(PASSAGE, page=None, heading=None), 0.4, 0.5, 0.0))

    def files_in(self, paths: Sequence[Path]) -> list[Path]:
        return list(paths)

    async def learn(
        self, files: Sequence[Path], *, scope: str, by: Person, tags: Sequence[str], progress: Callable[[Path, int, int], None]
    ) -> AsyncGenerator[tuple[Path, Receipt]]:
        self.calls.append(("learn", scope, by.id, tuple(tags)))
        self._fail()
        try:
            for file in files:
                progress(file, 1, 2)
                yield file, self.receipts.get(file.name, Receipt(file.name, Outcome.LEARNED, HANDBOOK))
        finally:
            self.stopped = True

    async def documents(self, *, place: Place, person: Person) -> list[Document]:
        self._fail()
        return [
            HANDBOOK,
            replace(HANDBOOK, version=1, state=State.SUPERSEDED),
            replace(HANDBOOK, state=State.FAILED, pages=None),
        ]

    async def document(self, document_id: str, *, place: Place, person: Person) -> Document:
        if not HANDBOOK.id.startswith(document_id):
            raise UnknownDocument(document_id)
        return HANDBOOK

    async def text(self, document_id: str, *, place: Place, person: Person) -> str:
        assert document_id == HANDBOOK.id
        return "Thirty days.\nNot more."

    async def forget(self, document_id: str, *, place: Place, person: Person) -> Document:
        self.calls.append(("forget", document_id))
        return HANDBOOK

    async def relearn(self, document_id: str, *, place: Place, person: Person, progress: Callable[[int, int], None]) -> Receipt:
        progress(1, 1)
        return self.receipts.get(document_id, Receipt("handbook.pdf", Outcome.LEARNED, HANDBOOK))

    async def conversations(self, *, person: Person) -> list[tuple[str, str, datetime]]:
        return [("c1", "local", ADDED)] if person.id == "local" else []

    async def export(self, conversation: str, format: Literal["md", "json"], *, place: Place, person: Person) -> str:
        self.calls.append(("export", conversation, format, place.id, person.id))
        return "# Conversation\n" if format == "md" else "{}\n"

    async def why(self, message_id: str, *, place: Place, person: Person) -> Why:
        self.calls.append(("why", message_id, place.id, person.id))
        if message_id != ANSWER.message_id:
            raise UnknownMessage()
        return Why(ANSWER, "days leave", (Considered("Handbook", 3, "Leave", HANDBOOK.id, 0.91, 0.8, 12.0, 0.25, Fate.CITED),))

    async def give_feedback(self, message_id: str, value: int, reason: str = "", *, place: Place, person: Person) -> Opinion:
        self.calls.append(("feedback", message_id, value, reason, place.id, person.id))
        return Opinion(value, -1)

    async def remember(self, text: str, *, place: Place, person: Person) -> Receipt:
        self.calls.append(("remember", text, place.id, person.id))
        return Receipt(text, Outcome.LEARNED, HANDBOOK)

    async def forget_me(self, *, person: Person) -> tuple[int, int]:
        self.calls.append(("forget me", person.id))
        return 2, 5

    async def models(self, *, place: Place) -> Chosen:
        self.calls.append(("models", place.id))
        return self.chosen

    async def use_model(self, changes: Changes, *, place: Place, person: Person) -> Chosen:
        self.calls.append(("use", changes, place.id, person.id))
        self._fail()
        changed: dict[str, Any] = {**changes}
        return replace(self.chosen, **changed)

    async def reset_model(self, *, place: Place, person: Person) -> Chosen:
        self.calls.append(("reset", place.id, person.id))
        return self.chosen

    async def stats(self, *, place: Place, person: Person, days: int = 7, all_people: bool = False) -> Figures:
        self.calls.append(("stats", place.id, person.id, days, all_people))
        return Figures(12, 10, 2, (Use("ollama", "llama3.2", "answer", 10, 1, 8_000, 900, 0.5, 812.0),))

    async def reindex(self, progress: Callable[[int, int], None]) -> int:
        self._fail()
        progress(48, 48)
        return 48

    def _fail(self) -> None:
        if self.error:
            raise self.error


def opened(monkeypatch: pytest.MonkeyPatch) -> FakeTwin:
    """Return the twin that commands find from now on."""
    fake = FakeTwin()

    @asynccontextmanager
    async def open_twin(settings: Settings, *, rebuild: bool = False) -> AsyncIterator[FakeTwin]:
        fake.calls.append(("open", rebuild))
        yield fake

    monkeypatch.setattr(bot.app, "open_twin", open_twin)
    return fake


def run(*arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=typed, prog_name="twin")


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]
