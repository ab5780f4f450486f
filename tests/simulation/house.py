"""The real twin in one life of the world: everything but the engines, the platform, the job engine and the clock."""

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from sqlalchemy.ext.asyncio import AsyncEngine

from bot import db
from bot.access import Access
from bot.answering.looking import Findings, Look, Sight
from bot.answering.writing import Writer
from bot.chat import Answer, Person, Pieces, Place
from bot.delivery.desk import Desk
from bot.delivery.errands import Errands
from bot.delivery.inbox import Errand, Inbox
from bot.delivery.outbox import Outbox
from bot.delivery.tools import Tools
from bot.engine import Asked, Engine
from bot.limits import Budget, LoopGuard, Rates, Turns
from bot.llm.chain import Chain
from bot.llm.extractive import Extractive
from bot.llm.models import Chosen, ModelSettings
from bot.llm.shelf import Shelf
from bot.parts import Parts
from bot.people.linking import Linking
from bot.people.register import People
from bot.record.digest import Digests
from bot.record.feedback import Feedback
from bot.record.history import History
from bot.record.memory import Memory
from bot.record.recall import Recall
from bot.record.usage import Usage
from bot.teaching import Teaching
from bot.twin import Twin
from knowledge import Knowledge
from knowledge.catalogue import Catalogue
from knowledge.embeddings import Embedder
from knowledge.files import FolderFiles
from knowledge.index.base import Point
from knowledge.indexing import Indexing
from knowledge.lexical import Lexical
from knowledge.library import Library
from knowledge.priors import Priors
from knowledge.retrieval import Retrieval
from tests.knowledge.fakes import LineReader
from tests.knowledge.house import telling_reader
from tests.simulation import minds
from tests.simulation.jobs import Jobs
from tests.simulation.life import GLANCE, Glance, Life
from tests.simulation.platform import Adapter, Platform

EPOCH = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_LEXICAL = Lexical()


@dataclass(frozen=True)
class Weather:
    """What goes wrong how often, and whether there is a model; the same for all lives of a world."""

    model: str
    model_fails: float
    trouble: float
    away: float
    full: float
    pace: float


@dataclass
class House:
    """The twin of one life."""

    life: Life
    engine: AsyncEngine
    desk: Desk
    twin: Twin
    people: People
    jobs: Jobs
    outbox: Outbox
    recall: Recall
    knowledge: Knowledge
    files: FolderFiles


class _Watched:
    """Answers, with a note of when it was looked at what may be seen."""

    def __init__(self, engine: Engine, platform: Platform) -> None:
        self._engine = engine
        self._platform = platform

    def answer(self, asked: Asked) -> Pieces:
        return self._engine.answer(asked)

    async def stored(self, message_id: str, *, place: Place, person: Person) -> Answer:
        _glance().stored = self._platform.tick()
        return await self._engine.stored(message_id, place=place, person=person)


class _WatchedLook(Look):
    """A look, with a note of when it was taken."""

    platform: Platform

    async def at(self, query: str, sight: Awaitable[Sight]) -> Findings:
        _glance().written = self.platform.tick()
        return await super().at(query, sight)


def _glance() -> Glance:
    return GLANCE.get()


def build(
    life: Life,
    engine: AsyncEngine,
    folder: Path,
    platform: Platform,
    points: dict[str, Point],
    weather: Weather,
    undone: Callable[[Errand], None],
) -> House:
    """Wire the twin as `bot.app` does."""

    def monotonic() -> float:
        return life.now()

    def clock() -> datetime:
        return EPOCH + timedelta(seconds=life.now())

    knowledge, files = _knowledge(life, engine, folder, points, weather)
    access, history, recall = Access(engine, clock=clock), History(engine, knowledge.catalogue.living), Recall(engine)
    usage, turns = Usage(engine, now=clock), Turns(2, clock=monotonic)
    look, feedback = _WatchedLook(knowledge), Feedback(engine, knowledge.priors)
    shelf = cast(Shelf, minds.Shelf(_chain(life, weather)))
    models = ModelSettings(engine, Chosen("stub"), clock=monotonic)
    writer = Writer(
        extractive=Extractive(knowledge.embedder.sentences),
        shelf=shelf,
        settings=models,
        budget=Budget(usage),
        usage=usage,
    )
    look.platform = platform

    def later(name: str, work: Coroutine[Any, Any, None]) -> None:
        life.spawn(name, _forgiven(work))

    answers = Engine(
        knowledge=knowledge,
        access=access,
        history=history,
        recall=recall,
        look=look,
        writer=writer,
        turns=turns,
        later=later,
    )
    memory, rates = Memory(engine, knowledge, history, feedback), Rates(clock=monotonic)
    jobs = Jobs(life, engine, undone)
    adapter = Adapter(platform, life)
    inbox, outbox = Inbox(engine, jobs, learning=access.learning, clock=clock), Outbox(engine, lambda _place: adapter)
    jobs.errands = Errands(
        Tools(
            inbox=inbox,
            outbox=outbox,
            answers=_Watched(answers, platform),
            history=history,
            recall=recall,
            knowledge=knowledge,
            access=access,
            memory=memory,
            adapter=lambda _place: adapter,
            max_upload=1 << 20,
            tidy=lambda: None,
        )
    )

    async def compact() -> None:
        await db.compact(engine)

    parts = Parts(
        knowledge=knowledge,
        access=access,
        engine=answers,
        history=history,
        recall=recall,
        feedback=feedback,
        memory=memory,
        teaching=Teaching(knowledge, data=folder, max_upload=1 << 20),
        shelf=shelf,
        models=models,
        usage=usage,
        rates=rates,
        people=People(engine, clock=clock),
        digests=Digests(engine, knowledge),
        linking=Linking(engine, knowledge, People(engine, clock=clock), clock),
        retell=jobs.errands.retell,
        compact=compact,
    )
    people, loops = People(engine, clock=clock), LoopGuard()
    retell, digested = jobs.errands.retell, people.digested
    desk = Desk(inbox, access, jobs, recall, rates=rates, turns=turns, loops=loops, retell=retell, digested=digested)
    return House(life, engine, desk, Twin(parts), people, jobs, outbox, recall, knowledge, files)


def _knowledge(
    life: Life, engine: AsyncEngine, folder: Path, points: dict[str, Point], weather: Weather
) -> tuple[Knowledge, FolderFiles]:
    embedder, index = minds.Embedder(life), minds.Index(life, points, away=weather.away)
    files = FolderFiles(folder / "files")
    indexing = Indexing(engine, embedder, _LEXICAL, index, collection="simulation")
    library = Library(engine, files, LineReader(), indexing, telling_reader())
    catalogue, priors = Catalogue(engine), Priors(engine)
    retrieval = Retrieval(embedder, _LEXICAL, index, catalogue, priors)
    return Knowledge(library, catalogue, retrieval, indexing, cast(Embedder, embedder), index, priors), files


def _chain(life: Life, weather: Weather) -> Chain | None:
    if weather.model != "parrot":
        return None
    parrot = minds.Parrot(life, fails=weather.model_fails)
    return Chain([parrot], clock=life.now, chance=life.random.random)


async def _forgiven(work: Coroutine[Any, Any, None]) -> None:
    """Do what nobody waits for, as `bot.background` does."""
    try:
        await work
    except Exception:
        return


async def opened(house: House) -> None:
    """Do what is done when the process starts."""
    await house.knowledge.library.sweep()
    await house.knowledge.indexing.mend()
    house.life.spawn("resume", _forgiven(_resume(house)))
    house.life.spawn("jobs", house.jobs.work())


async def _resume(house: House) -> None:
    async for _ in house.twin.resume():
        pass
