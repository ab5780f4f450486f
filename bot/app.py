"""The composition root: opens, wires, serves, stops. The only module that knows everything."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import structlog

from adapters.terminal.adapter import Terminal
from bot import access, db, lock
from bot.apology import explain
from bot.history import History
from bot.http import open_http
from bot.settings import Settings
from bot.twin import Twin
from knowledge import Item, Knowledge, KnowledgeError, Options, open_knowledge
from scheduler.calendar import open_calendar

log = structlog.get_logger()

GUIDE = Path(__file__).parent.parent / "docs" / "guide.md"
ITSELF = "twin"


@asynccontextmanager
async def open_twin(settings: Settings, *, rebuild: bool = False) -> AsyncIterator[Twin]:
    """Open the data folder for this process alone and wire the twin; `rebuild` is for `Twin.reindex`."""
    folder = settings.data_dir.resolve()
    async with AsyncExitStack() as stack:
        stack.enter_context(lock.hold(folder))
        engine = await stack.enter_async_context(db.open_database(database_url(settings)))
        knowledge = await stack.enter_async_context(open_knowledge(engine, options(settings), rebuild=rebuild))
        if not rebuild:
            await _know_thyself(knowledge)
        yield Twin(
            knowledge,
            History(engine),
            data=folder,
            max_upload=settings.max_upload_mb << 20,
            compact=partial(db.compact, engine),
        )


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
    item = Item(GUIDE.name, "twin:guide", GUIDE.as_uri(), access.EVERYONE, ITSELF)
    receipt = await knowledge.library.learn(GUIDE, item)
    if receipt.error:
        log.warning("the guide could not be learned", reason=receipt.error)


async def serve(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT; on a terminal, until its chat ends."""
    stopped = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    async with AsyncExitStack() as stack:
        twin = await stack.enter_async_context(open_twin(settings))
        await stack.enter_async_context(open_calendar(twin, settings.timezone))
        await stack.enter_async_context(open_http(settings))
        log.info("ready", address=f"http://{settings.http_host}:{settings.http_port}")
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_resume(twin), name="resume")]
            if sys.stdin.isatty() and sys.stdout.isatty():
                tasks.append(group.create_task(_chat(twin, stopped), name="terminal"))
            await stopped.wait()
            log.info("stopping")
            for task in tasks:
                task.cancel()


async def _resume(twin: Twin) -> None:
    """Finish what was being learned; trouble with it is logged and tried again at the next start."""
    try:
        async for receipt in twin.resume():
            log.info("taken up again", outcome=receipt.outcome, document=receipt.document and receipt.document.id)
        await twin.optimize()
    except KnowledgeError as error:
        log.warning("could not be taken up again", reason=str(error))


async def _chat(twin: Twin, stopped: asyncio.Event) -> None:
    try:
        await Terminal(twin, explain=explain).run()
    finally:
        stopped.set()
