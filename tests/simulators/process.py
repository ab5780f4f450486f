"""The real process with the simulated platform connected: `python -m tests.simulators.process PLATFORM_URL`.

It prints its port once it is ready. It takes events at `POST /events` and acknowledges each once it is kept, as an adapter
does. Places and people are those of `PEOPLE` and `PLACES`. What would take a test too long is shortened by SIMULATED_PATIENCE
(seconds until a model begins, and between two of its pieces) and SIMULATED_BUSY (seconds that a transaction waits for another).
"""

import asyncio
import os
import signal
import sys
from contextlib import AsyncExitStack
from time import monotonic

import aiohttp
import psutil
import structlog
import uvloop
from aiohttp import web

from bot import db, log
from bot.app import House, open_desk, open_house
from bot.chat import Place
from bot.delivery.desk import Desk
from bot.llm.patience import Patience
from bot.people.kinds import Kind, PlaceKind
from bot.settings import Settings
from bot.watchdog import open_watchdog
from tests.simulators.platform import PlatformAdapter, from_json

TENANT = "sim:T1"
MEMBERS = [f"sim:T1:M{n}" for n in range(24)]
PEOPLE = {"sim:T1:U1": Kind.MEMBER, "sim:T1:U2": Kind.MEMBER, "sim:T1:U3": Kind.GUEST, **dict.fromkeys(MEMBERS, Kind.MEMBER)}
PLACES = {
    "sim:T1:C1": (PlaceKind.PUBLIC, ["sim:T1:U1", "sim:T1:U2", "sim:T1:U3"]),
    "sim:T1:P1": (PlaceKind.PRIVATE, ["sim:T1:U1", *MEMBERS]),
    "sim:T1:D1": (PlaceKind.DIRECT, ["sim:T1:U1"]),
    "sim:T1:L1": (PlaceKind.PUBLIC, ["sim:T1:U1"]),  # chat is learned here
}


async def introduce(house: House) -> None:
    """Tell the twin who is where, as a platform's adapter does."""
    for account, kind in PEOPLE.items():
        await house.people.met(account, tenant=TENANT, kind=kind, name=account)
    for place, (kind_of, members) in PLACES.items():
        await house.people.placed(place, tenant=TENANT, kind=kind_of)
        await house.people.members(place, members)
    await house.people.learning("sim:T1:L1", True)
    for n in range(int(os.environ.get("SIMULATED_PEOPLE", "0"))):
        await house.people.met(f"sim:T1:A{n}", tenant=TENANT, kind=Kind.MEMBER)
        await house.people.placed(f"sim:T1:Q{n}", tenant=TENANT, kind=PlaceKind.DIRECT)
        await house.people.members(f"sim:T1:Q{n}", [f"sim:T1:A{n}"])


async def main(platform: str) -> None:
    """Run until SIGTERM."""
    settings = Settings()
    log.configure(settings.log_level, "json")
    db.BUSY = float(os.environ.get("SIMULATED_BUSY", db.BUSY))
    silence = os.environ.get("SIMULATED_PATIENCE")
    patience = Patience(float(silence), float(silence), pause=0.1) if silence else Patience()
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        await stack.enter_async_context(open_watchdog())
        house = await stack.enter_async_context(open_house(settings, patience=patience))
        await introduce(house)
        edits = float(os.environ["SIMULATED_EDITS"]) if "SIMULATED_EDITS" in os.environ else None
        adapter = PlatformAdapter(platform, session, edits=edits)
        desk = await stack.enter_async_context(open_desk(house, {"sim": adapter}))
        lag = Lag()
        stack.push_async_callback(lag.end)
        port = await stack.enter_async_context(_Server(_served(house, desk, lag)))
        print(port, flush=True)  # noqa: T201
        await stopped.wait()


def _served(house: House, desk: Desk, lag: "Lag") -> web.Application:
    async def receive(request: web.Request) -> web.Response:
        try:
            accepted = await desk.receive(from_json(await request.json()))
        except Exception as error:  # not kept: the platform must deliver it again
            structlog.get_logger().warning("not received", reason=repr(error))
            return web.json_response({"error": repr(error)}, status=500)
        return web.json_response({"errands": [one.kind for one in accepted.errands], "reason": accepted.reason})

    async def search(request: web.Request) -> web.Response:
        place, person = Place(request.query["place"]), await house.parts.access.person(request.query["account"])
        found = await house.twin.search(request.query["query"], place=place, person=person)
        return web.json_response([one.passage.text for one in found])

    async def mend(_request: web.Request) -> web.Response:
        return web.json_response(await house.twin.mend())

    async def measures(_request: web.Request) -> web.Response:
        me = psutil.Process()
        own, others = me.memory_info().rss, sum(child.memory_info().rss for child in me.children(recursive=True))
        return web.json_response({"loop late p99 ms": lag.p99(), "memory MB": (own + others) >> 20, "own memory MB": own >> 20})

    app = web.Application()
    app.router.add_get("/measures", measures)
    app.router.add_post("/events", receive)
    app.router.add_get("/search", search)
    app.router.add_post("/mend", mend)
    return app


class Lag:
    """Measures how late the event loop is, a hundred times a second."""

    def __init__(self) -> None:
        self._late: list[float] = []
        self._task = asyncio.create_task(self._measure(), name="lag")

    async def _measure(self) -> None:
        while True:
            began = monotonic()
            await asyncio.sleep(0.01)
            self._late.append(monotonic() - began - 0.01)

    async def end(self) -> None:
        self._task.cancel()

    def p99(self) -> float:
        """Return the 99th percentile in milliseconds."""
        return round(sorted(self._late)[int(len(self._late) * 0.99)] * 1000, 1)


class _Server:
    def __init__(self, app: web.Application) -> None:
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=2)

    async def __aenter__(self) -> int:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return int(self._runner.addresses[0][1])

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
