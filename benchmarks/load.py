"""Many conversations at once, and chat coming in beside them: `python -m benchmarks.load --conversations 1000 --seconds 300`.

Three processes: the twin with the simulated platform's adapter, a model server that streams (`tests.simulators.llm`), and this
one, which is the platform and all the people on it. Each of the conversations asks, reads the answer to its end and asks
again; beside them messages that are not meant for the twin come in at `--rate`. The platform takes `--edits` edits a second in
all, as real ones have a budget.

Gates: acknowledged p99 < 1 s, none lost, none doubled, first text on the platform p95 < 1 s later than in a conversation alone,
memory of the twin < 800 MB, event loop late p99 < 250 ms.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import aiohttp
import numpy as np
import psutil

from bot.chat import Message
from tests.faults.running import Running, running
from tests.simulators.platform import Post, as_json, said

FACTS = 200
PATIENCE = 300.0  # seconds that people wait for an answer
SEASONS = ("spring", "summer", "autumn", "winter", "rain", "snow", "fog", "frost", "storm", "thaw", "drought", "wind")
QUERY = "Which panel switches the lamp of hall 7?"
ANSWER = "".join(f"In {season} the lamp of the hall is switched by its panel [1]. " for season in SEASONS)


@dataclass
class Measured:
    """What was seen, in seconds."""

    acknowledged: list[float] = field(default_factory=list)
    refused: int = 0
    first: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    chat: int = 0


@asynccontextmanager
async def model_server(pieces: int, interval: float) -> AsyncIterator[str]:
    """Run a server that streams an answer to everybody; yield its address."""
    answer = ("--pieces", str(pieces), "--interval", str(interval), "--text", ANSWER, "--query", QUERY)
    arguments = ("-m", "tests.simulators.llm", *answer)
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=PIPE)
    assert process.stdout
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.terminate()
        await process.wait()


async def teach(one: Running) -> None:
    """Teach the facts that are asked for."""
    for begin in range(0, FACTS, 20):
        name = f"halls-{begin}.md"
        facts = "\n\n".join(f"## Hall {n}\n\nThe lamp of hall {n} is switched by panel {n}." for n in range(begin, begin + 20))
        one.platform.files[name] = f"# Halls\n\n{facts}\n".encode()
        message = said("", name, files=(name,), account=f"sim:T1:M{begin // 20 % 8}")
        await one.deliver(message)
        await one.platform.until(lambda to=message.id: any(post.final for post in one.platform.visible(to)))


class People:
    """Everybody on the platform."""

    def __init__(self, one: Running, session: aiohttp.ClientSession, measured: Measured) -> None:
        self._one = one
        self._session = session
        self.measured = measured

    async def converse(self, n: int, later: float, until: float) -> None:
        """Begin so many seconds later, ask, read the answer to its end, ask again."""
        await asyncio.sleep(later)
        turn = 0
        while perf_counter() < until:
            question = f"Which panel switches the lamp of hall {(n + turn) % FACTS}?"
            message = said(question, f"q{n}-{turn}-{id(self)}", place=f"sim:T1:Q{n}", account=f"sim:T1:A{n}")
            moments = self._watched(message.id)
            if await self._say(message, self.measured.acknowledged):
                self.measured.asked.append(message.id)
                async with asyncio.timeout(PATIENCE):
                    self.measured.first.append(await moments[0])
                    self.measured.whole.append(await moments[1])
            del self._one.platform.watchers[message.id]
            turn += 1

    def _watched(self, id: str) -> tuple[asyncio.Future[float], asyncio.Future[float]]:
        """Return when the answer to a message will have shown its first text, and be whole, in seconds from now."""
        loop, began = asyncio.get_running_loop(), perf_counter()
        first, whole = loop.create_future(), loop.create_future()

        def watch(post: Post) -> None:
            for reached, moment in ((bool(post.text), first), (post.final, whole)):
                if reached and not moment.done():
                    moment.set_result(perf_counter() - began)

        self._one.platform.watchers[id] = watch
        return first, whole

    async def chat(self, rate: float, until: float) -> None:
        """Say things to each other, so many a second."""
        async with asyncio.TaskGroup() as group:
            began, n = perf_counter(), 0
            while perf_counter() < until:
                await asyncio.sleep(max(0.0, began + n / rate - perf_counter()))
                message = said(f"lunch at {n}?", f"c{n}", addressed=False, account=f"sim:T1:B{n % 500}")
                group.create_task(self._say(message, self.measured.acknowledged), name=f"chat-{n}")
                n += 1
            self.measured.chat = n

    async def _say(self, message: Message, times: list[float]) -> bool:
        began = perf_counter()
        async with self._session.post(f"http://127.0.0.1:{self._one.port}/events", json=as_json(message)) as response:
            body = await response.json()
        times.append(perf_counter() - began)
        if response.status != 200:
            self.measured.refused += 1
            return False
        return True if not message.addressed else body["errands"] == ["answer"]


async def measure(given: argparse.Namespace) -> dict[str, object]:
    """Run it all and sum it up."""
    measured = Measured()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="twin-load-")))
        model = await stack.enter_async_context(model_server(given.pieces, given.interval))
        environment = {
            "TWIN_LLM": "openai:stub",
            "OPENAI_BASE_URL": f"{model}/v1",
            "OPENAI_API_KEY": "none",
            "TWIN_ANSWERS_AT_ONCE": str(2 * given.conversations),
            "TWIN_LOG_LEVEL": "warning",
            "SIMULATED_EDITS": str(given.edits),
            "SIMULATED_PEOPLE": str(given.conversations),
        }
        one = await stack.enter_async_context(running(folder, environment))
        await one.start()
        await teach(one)
        session = await stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=200), timeout=aiohttp.ClientTimeout(total=120))
        )
        await People(one, session, alone := Measured()).converse(0, 0.0, perf_counter() + 1)
        people, until = People(one, session, measured), perf_counter() + given.seconds
        assert one.process
        cpu = psutil.Process(one.process.pid).cpu_times()
        async with asyncio.TaskGroup() as group:
            group.create_task(people.chat(given.rate, until), name="chat")
            for n in range(given.conversations):
                later = n / given.conversations * given.pieces * given.interval  # as evenly as they will go on
                group.create_task(people.converse(n, later, until), name=f"conversation-{n}")
        spent = psutil.Process(one.process.pid).cpu_times()
        async with session.get(f"http://127.0.0.1:{one.port}/measures") as response:
            inside: dict[str, object] = await response.json()
        wrong = [id for id in measured.asked if [post.final for post in one.platform.visible(id)] != [True]]
        result = summed_up(measured, alone, given, wrong) | inside
        return result | {
            "twin cpu seconds": round(spent.user + spent.system - cpu.user - cpu.system, 1),
            "ended": await one.stop(60),
        }


def summed_up(measured: Measured, alone: Measured, given: argparse.Namespace, wrong: Sequence[str]) -> dict[str, object]:
    """Return the figures that the gates ask for."""

    def at(values: Sequence[float], share: float) -> float:
        return round(float(np.quantile(values, share)), 3) if values else float("nan")

    return {
        "conversations": given.conversations,
        "answers": len(measured.whole),
        "chat": measured.chat,
        "not acknowledged": measured.refused,
        "acknowledged p50": at(measured.acknowledged, 0.5),
        "acknowledged p99": at(measured.acknowledged, 0.99),
        "first text alone": at(alone.first, 0.5),
        "first text p50": at(measured.first, 0.5),
        "first text p95": at(measured.first, 0.95),
        "whole p50": at(measured.whole, 0.5),
        "the model alone": given.pieces * given.interval,
        "lost or doubled": len(wrong),
    }


def main() -> None:
    """Print the figures as JSON, one to a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--rate", type=float, default=100, help="messages a second beside the questions")
    parser.add_argument("--pieces", type=int, default=60)
    parser.add_argument("--interval", type=float, default=1.0, help="seconds between two pieces of the model's answer")
    parser.add_argument("--edits", type=float, default=100, help="edits a second that the platform takes")
    result = asyncio.run(measure(parser.parse_args()))
    for name, value in result.items():
        print(f"{name:>24}  {json.dumps(value)}")


if __name__ == "__main__":
    os.environ.setdefault("PYTHONPATH", str(Path(__file__).parents[1]))
    main()
