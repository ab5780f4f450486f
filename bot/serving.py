"""The process: the house with its platforms, HTTP server, calendar and terminal, until it is told to stop."""

import asyncio
import signal
import sys
from contextlib import AsyncExitStack

import structlog

from adapters.terminal.adapter import Terminal
from bot.apology import explain
from bot.app import open_desk, open_house
from bot.http import open_http
from bot.platforms import open_platforms
from bot.settings import Settings
from bot.twin import Twin
from bot.watchdog import open_watchdog
from knowledge import KnowledgeError
from scheduler.calendar import open_calendar

log = structlog.get_logger()


async def serve(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT; on a terminal, until its chat ends."""
    stopped = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(open_house(settings))
        twin = house.twin
        await stack.enter_async_context(open_watchdog())
        platforms = await stack.enter_async_context(open_platforms(house))
        desk = await stack.enter_async_context(open_desk(house, platforms.adapters))
        await stack.enter_async_context(open_calendar(twin, desk, settings.timezone))
        address = await stack.enter_async_context(open_http(settings, platforms.routes(desk)))
        log.info("ready", address=address)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_resume(twin), name="resume"), *platforms.run(group, desk)]
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
