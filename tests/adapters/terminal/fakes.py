"""A twin that needs no engines, for the terminal: it answers every question alike and remembers what it was asked."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from adapters.terminal.commands import Changes, Format
from bot.chat import Answer, Delta, Person, Pieces, Place, Source
from tests.adapters.terminal.test_outgoing import Document, Found, Passage, Receipt

SOURCE = Source(1, "d1", "Handbook", 3, "Leave", "Thirty days.", "file:///handbook.pdf", 0.9)


@dataclass(frozen=True)
class Considered:
    title: str = "Handbook"
    page: int | None = 3
    heading: str | None = "Leave"
    score: float = 0.914
    dense: float = 0.8
    lexical: float = 12.04
    prior: float = 0.0
    fate: str = "cited"


@dataclass(frozen=True)
class Why:
    answer: Answer
    query: str = "days of leave"
    considered: tuple[Considered, ...] = (Considered(),)


@dataclass(frozen=True)
class Chosen:
    model: str = "extractive"
    temperature: float | None = None
    max_tokens: int = 1_024
    system_prompt: str = ""
    persona: str = ""


@dataclass(frozen=True)
class Opinion:
    value: int
    before: int = 0


@dataclass(frozen=True)
class Use:
    provider: str = "ollama"
    model: str = "llama3.2"
    purpose: str = "answer"
    times: int = 12
    failed: int = 0
    tokens_in: int = 8_000
    tokens_out: int = 900
    cost: float = 0.0
    milliseconds: float = 812.0


@dataclass(frozen=True)
class Figures:
    questions: int = 12
    answers: int = 12
    abstained: int = 2
    uses: tuple[Use, ...] = ()


@dataclass
class FakeTwin:
    """Answers every question alike and remembers what it was asked."""

    notice: str = ""
    aside: str = ""
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    regenerated: list[str] = field(default_factory=list)
    taught: list[tuple[Path, str, str]] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    forgotten_people: list[str] = field(default_factory=list)
    searched: list[str] = field(default_factory=list)
    opinions: list[tuple[str, int, str]] = field(default_factory=list)
    exported: list[tuple[str, Format]] = field(default_factory=list)
    remembered: list[tuple[str, str]] = field(default_factory=list)
    chosen: list[Chosen] = field(default_factory=lambda: [Chosen()])
    summed_up: list[int] = field(default_factory=list)
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self, question: str, *, place: Place, person: Person, conversation: str | None = None) -> Pieces:
        self.asked.append((question, conversation))
        self.heard.set()
        if question == "Fail!":
            raise ValueError("a bug")
        yield Delta("Thirty ")
        yield Delta("days. [1]")
        yield self._answer("Thirty days. [1]", conversation or "c1", "m1")

    async def regenerate(self, message_id: str, *, place: Place, person: Person) -> Pieces:
        self.regenerated.append(message_id)

        async def again() -> Pieces:
            yield self._answer("Thirty days, again. [1]", "c1", "m2")

        return again()

    async def why(self, message_id: str, *, place: Place, person: Person) -> Why:
        return Why(self._answer("Thirty days. [1]", "c1", message_id))

    async def give_feedback(self, message_id: str, value: int, reason: str = "", *, place: Place, person: Person) -> Opinion:
        before = self.opinions[-1][1] if self.opinions else 0
        self.opinions.append((message_id, value, reason))
        return Opinion(value, before)

    async def export(self, conversation: str, format: Format, *, place: Place, person: Person) -> str:
        self.exported.append((conversation, format))
        return "# Conversation\n" if format == "md" else "{}\n"

    def files_in(self, paths: Sequence[Path]) -> list[Path]:
        return [file for path in paths for file in (sorted(path.iterdir()) if path.is_dir() else [path])]

    async def learn(self, files: Sequence[Path], *, scope: str, by: Person) -> AsyncGenerator[tuple[Path, Receipt]]:
        for file in files:
            self.taught.append((file, scope, by.id))
            yield file, Receipt("learned", document=Document(title=file.name))

    async def documents(self, *, place: Place, person: Person) -> list[Document]:
        return [Document()]

    async def document(self, document_id: str, *, place: Place, person: Person) -> Document:
        return Document(id=document_id)

    async def search(self, query: str, *, place: Place, person: Person) -> list[Found]:
        self.searched.append(query)
        return [Found(Passage(), 0.9)]

    async def forget(self, document_id: str, *, place: Place, person: Person) -> Document:
        self.forgotten.append(document_id)
        return Document(id=document_id)

    async def remember(self, text: str, *, place: Place, person: Person) -> Receipt:
        self.remembered.append((text, person.id))
        return Receipt("learned", document=Document(title=f"Your note: {text}"))

    async def notes(self, *, person: Person) -> list[Document]:
        return [Document(title=f"Your note: {text}") for text, _ in self.remembered]

    async def forget_me(self, *, person: Person) -> tuple[int, int]:
        self.forgotten_people.append(person.id)
        return 2, 1

    async def models(self, *, place: Place) -> Chosen:
        return self.chosen[-1]

    async def use_model(self, changes: Changes, *, place: Place, person: Person) -> Chosen:
        self.chosen.append(replace(self.chosen[-1], model=changes.get("model") or "extractive"))
        return self.chosen[-1]

    async def reset_model(self, *, place: Place, person: Person) -> Chosen:
        before = self.chosen[-1]
        del self.chosen[1:]
        return before

    async def stats(self, *, place: Place, person: Person, days: int = 7) -> Figures:
        self.summed_up.append(days)
        return Figures()

    def _answer(self, text: str, conversation: str, message: str) -> Answer:
        return Answer(
            text, (SOURCE,), False, "extractive", "quotes", conversation, message, notice=self.notice, aside=self.aside
        )
