"""The composition root: opens the house and wires its parts. With `bot.serving` the only module that knows everything."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import structlog
from aiohttp import ClientError
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.common import texts
from bot import db, lock
from bot.access import GUIDE as GUIDE_SCOPE
from bot.access import Access
from bot.answering.looking import Look
from bot.answering.writing import Writer
from bot.background import Background
from bot.chat import Adapter, Refused, TryLater
from bot.delivery.desk import Desk
from bot.delivery.digests import Weekly
from bot.delivery.errands import Errands
from bot.delivery.inbox import AGAIN, ANSWER, CHANGED, DELIVER, DIGEST, LEARN, MOVE, REMOVE, STOP, Chore, Errand, Inbox
from bot.delivery.outbox import Outbox
from bot.delivery.removals import Removals
from bot.delivery.tidying import Tidying
from bot.delivery.tools import Tools
from bot.engine import Engine
from bot.errors import BadSettings, Busy, TwinError
from bot.limits import Allowance, Budget, LoopGuard, Rates, Turns
from bot.llm import prices
from bot.llm.endpoints import Endpoints
from bot.llm.extractive import Extractive
from bot.llm.models import Chosen, ModelSettings
from bot.llm.patience import Patience
from bot.llm.shelf import Shelf
from bot.parts import Parts
from bot.people.linking import Linking
from bot.people.register import People
from bot.record.digest import Digests
from bot.record.feedback import Feedback
from bot.record.history import History
from bot.record.memory import Memory
from bot.record.recall import Recall
from bot.record.usage import open_usage
from bot.settings import Settings
from bot.teaching import Teaching
from bot.twin import Twin
from knowledge import IndexAway, Item, Knowledge, KnowledgeError, Options, StorageFull, fault, open_knowledge
from scheduler.errors import GiveUp, JobError, Later
from scheduler.jobs import Job, Jobs, Kind, open_jobs

log = structlog.get_logger()

GUIDE = Path(__file__).parent.parent / "docs" / "guide.md"
ITSELF = "twin"


@dataclass(frozen=True, slots=True)
class House:
    """The twin with the parts that tie platforms to it."""

    settings: Settings
    database: AsyncEngine
    parts: Parts
    twin: Twin
    people: People
    turns: Turns
    loops: LoopGuard
    retelling: "_Retelling"


@asynccontextmanager
async def open_twin(settings: Settings, *, rebuild: bool = False) -> AsyncIterator[Twin]:
    """Open the data folder for this process alone and wire the twin; `rebuild` is for `Twin.reindex`."""
    async with open_house(settings, rebuild=rebuild) as house:
        yield house.twin


@asynccontextmanager
async def open_house(settings: Settings, *, rebuild: bool = False, patience: Patience = Patience()) -> AsyncIterator[House]:
    """Open the data folder for this process alone and wire everything that needs no platform.

    `patience` is how long language models are waited for.
    """
    folder = settings.data_dir.resolve()
    _arm(settings)
    async with AsyncExitStack() as stack:
        stack.enter_context(lock.hold(folder))
        database = await stack.enter_async_context(db.open_database(database_url(settings)))
        knowledge = await stack.enter_async_context(open_knowledge(database, options(settings), rebuild=rebuild))
        if not rebuild:
            await _know_thyself(knowledge)
        turns = Turns(settings.answers_at_once)
        shelf = Shelf(
            stack, endpoints(settings), default=settings.llm, prices=prices.parse(settings.llm_prices), patience=patience
        )
        parts = await _parts(stack, settings, database, knowledge=knowledge, turns=turns, shelf=shelf)
        retelling = _Retelling()
        twin = Twin(replace(parts, retell=retelling))
        yield House(settings, database, parts, twin, parts.people, turns, LoopGuard(), retelling)


def _arm(settings: Settings) -> None:
    try:
        fault.arm(settings.fault)
    except ValueError as error:
        raise BadSettings([f"TWIN_FAULT is for tests alone, and cannot be understood: {error}"]) from error


async def _parts(
    stack: AsyncExitStack, settings: Settings, database: AsyncEngine, *, knowledge: Knowledge, turns: Turns, shelf: Shelf
) -> Parts:
    access, people, recall = Access(database), People(database), Recall(database)
    background = await stack.enter_async_context(Background.open())
    usage = await stack.enter_async_context(open_usage(database, timezone=settings.timezone))
    models = ModelSettings(database, Chosen(settings.llm))
    await shelf.chain(settings.llm)  # a name that means nothing is said at once
    history, feedback = History(database, knowledge.catalogue.living), Feedback(database, knowledge.priors)
    budget = Budget(usage, each=_allowance(settings.budget_each), total=_allowance(settings.budget))
    quoting = Extractive(knowledge.embedder.sentences)
    engine = Engine(
        knowledge=knowledge,
        access=access,
        history=history,
        recall=recall,
        look=Look(knowledge),
        writer=Writer(extractive=quoting, shelf=shelf, settings=models, budget=budget, usage=usage),
        turns=turns,
        later=background.run,
    )
    return Parts(
        knowledge=knowledge,
        access=access,
        engine=engine,
        history=history,
        recall=recall,
        feedback=feedback,
        memory=Memory(database, knowledge, history, feedback),
        teaching=Teaching(knowledge, data=settings.data_dir.resolve(), max_upload=settings.max_upload_mb << 20),
        shelf=shelf,
        models=models,
        usage=usage,
        rates=Rates(),
        people=people,
        digests=Digests(database, knowledge),
        linking=Linking(database, knowledge, people),
        retell=_Retelling(),
        compact=partial(db.compact, database),
    )


@asynccontextmanager
async def open_desk(house: House, adapters: Mapping[str, Adapter]) -> AsyncIterator[Desk]:
    """Receive from platforms, and do what is asked for; adapters go by the first part of a place's id.

    What was begun when a process died is taken up when it opens; on closing nothing new is begun and what runs may finish.
    """

    def adapter(place: str) -> Adapter:
        platform = place.partition(":")[0]
        if platform not in adapters:
            raise Refused(f"{platform} is not connected.")
        return adapters[platform]

    async with Tidying.open(house.twin.optimize) as tidying, _open_desk(house, adapter, tidying) as desk:
        yield desk


@asynccontextmanager
async def _open_desk(house: House, adapter: Callable[[str], Adapter], tidying: Tidying) -> AsyncIterator[Desk]:
    parts, outbox = house.parts, Outbox(house.database, adapter, house.parts.knowledge.catalogue.living)
    queue = _Queue()
    inbox = Inbox(house.database, queue, learning=parts.access.learning)
    tools = Tools(
        inbox=inbox,
        outbox=outbox,
        answers=parts.engine,
        history=parts.history,
        recall=parts.recall,
        knowledge=parts.knowledge,
        access=parts.access,
        memory=parts.memory,
        adapter=adapter,
        max_upload=house.settings.max_upload_mb << 20,
        tidy=tidying.soon,
    )
    errands = Errands(tools)
    removals = Removals(house.database, house.people, tools, errands.current, errands.undoing)
    weekly = Weekly(tools, errands.contents, house.people, house.twin.digest, texts.digest_lines)
    kinds = _kinds(errands, removals, weekly, house.settings)
    async with open_jobs(house.database, kinds, judge=_judged, transaction=db.transaction) as jobs:
        queue.jobs = jobs
        house.retelling.errands = errands
        await jobs.start()
        yield Desk(
            inbox,
            parts.access,
            jobs,
            parts.recall,
            rates=parts.rates,
            turns=house.turns,
            loops=house.loops,
            retell=house.retelling,
            digested=house.people.digested,
        )
        await jobs.stop()


class _Retelling:
    """Has answers shown anew by the errands, once platforms are connected; before that none are shown anywhere."""

    errands: Errands | None = None

    async def __call__(self) -> None:
        if self.errands:
            await self.errands.retell()


class _Queue:
    """Hands errands to the jobs, which are opened after what they do."""

    jobs: Jobs

    def put(self, connection: Connection, errand: Errand | Chore) -> None:
        self.jobs.enqueue(connection, Job(errand.kind, errand.key, errand.argument))


def _kinds(errands: Errands, removals: Removals, weekly: Weekly, settings: Settings) -> list[Kind]:
    at_once = {ANSWER: 4 * settings.answers_at_once, LEARN: 2, CHANGED: 4, DELIVER: 8, AGAIN: 8, STOP: 4}
    at_once |= {REMOVE: 1, MOVE: 1, DIGEST: 1}
    run = {
        ANSWER: errands.answer,
        AGAIN: errands.again,
        STOP: errands.stop,
        LEARN: errands.learn,
        CHANGED: errands.changed,
        DELIVER: errands.deliver,
        REMOVE: removals.remove,
        MOVE: removals.move,
        DIGEST: weekly.post,
    }
    return [Kind(name, run[name], partial(errands.gave_up, name), at_once=at_once[name]) for name in run]


def _judged(error: Exception) -> Exception:
    """Say what an error of an errand means: patience where the platform, an engine or the disk asks for it."""
    judged: Exception = error
    match error:
        case TryLater():
            judged = Later(error.seconds or 1.0, str(error))
        case TimeoutError() | ConnectionError() | ClientError():
            judged = Later(2.0, "The platform cannot be reached.")
        case Busy() | IndexAway() | StorageFull():
            judged = Later(5.0, str(error))
        case OperationalError() if any(said in str(error.orig) for said in ("disk is full", "locked")):
            judged = Later(5.0, "The database cannot be written to.")
        case Refused():
            judged = GiveUp(str(error))
        case TwinError() | KnowledgeError():
            judged = JobError(str(error))
    return judged


def endpoints(settings: Settings) -> Endpoints:
    """Return where the servers of language models are."""
    return Endpoints(
        openai_api_key=settings.openai_api_key,
        openai_base_url=settings.openai_base_url,
        anthropic_api_key=settings.anthropic_api_key,
        anthropic_base_url=settings.anthropic_base_url,
        ollama_host=settings.ollama_host,
        window=settings.llm_window,
    )


def _allowance(text: str) -> Allowance:
    """Read `TOKENS` or `TOKENS/MONEY`, each of which may be left out."""
    tokens, _, cost = text.partition("/")
    return Allowance(int(tokens) if tokens else None, float(cost) if cost else None)


def database_url(settings: Settings) -> str:
    """Return the address for the asynchronous driver of the database that is set, or of the file in the data folder."""
    if settings.database_url is None:
        return f"sqlite+aiosqlite:///{settings.data_dir.resolve() / 'twin.db'}"
    scheme, rest = settings.database_url.get_secret_value().split("://", 1)
    drivers = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
    return f"{drivers.get(scheme, scheme)}://{rest}"


def options(settings: Settings) -> Options:
    """Return what the knowledge needs to know of the settings."""
    return Options(
        folder=settings.data_dir.resolve(),
        embedding_model=settings.embedding_model,
        embedding_variant=settings.embedding_variant,
        models=settings.model_dir,
        qdrant_url=settings.qdrant_url,
        qdrant_api_key=settings.qdrant_api_key.get_secret_value() if settings.qdrant_api_key else None,
    )


async def _know_thyself(knowledge: Knowledge) -> None:
    """Teach the twin its own guide, so that it can say what it can do."""
    item = Item(GUIDE.name, "twin:guide", GUIDE.as_uri(), GUIDE_SCOPE, ITSELF)
    receipt = await knowledge.library.learn(GUIDE, item)
    if receipt.error:
        log.warning("the guide could not be learned", reason=receipt.error)
