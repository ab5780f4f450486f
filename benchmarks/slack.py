"""The twin in Slack, measured from Slack's side: `python -m benchmarks.slack`.

The real `twin run` against the simulated Slack, which adds no delay of its own. Gates: 100 events a second acknowledged within
0.1 s (p99); the first visible sign of an answer within 1 s of the mention; while a PDF of 1,000 pages is taught, questions take
at most twice as long (p95); nothing of a deleted message is shown after 5 s.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import numpy as np

from tests.knowledge.extract.samples import pdf
from tests.simulators.slack import Message, Slack
from tests.slack.running import Twin, running

HALLS, CHANNELS = 200, 4
EACH = 1.5  # seconds: Slack takes some 60 answers a minute
QUESTION = "<@U0TWIN> which panel switches the lamp of hall {n}?"


def facts() -> bytes:
    """Return what is asked for."""
    return "\n\n".join(f"## Hall {n}\n\nThe lamp of hall {n} is switched by panel {n}." for n in range(HALLS)).encode()


def long_pdf(pages: int) -> bytes:
    """Return a document of so many pages, each of which says something of its own."""
    rooms = ("attic", "cellar", "workshop", "office", "hall", "garage")
    lines = [
        f"The {rooms[n % 6]} {{page}}-{n} is heated by boiler {{page}}{n} and cleaned on day {n} of the month."
        for n in range(20)
    ]
    return pdf([[line.format(page=page) for line in lines] for page in range(1, pages + 1)])


async def teach(slack: Slack, name: str, data: bytes) -> float:
    """Teach a file; return how long it took, in seconds."""
    began = perf_counter()
    ts = await slack.say("C1", "U1", "<@U0TWIN>", files=[slack.file(name, data, user="U1")])
    await slack.until(lambda: any("✅" in slack.shown(one) for one in slack.thread("C1", ts) if one.user == "U0TWIN"), 900)
    return perf_counter() - began


async def ask(slack: Slack, n: int) -> tuple[float, float]:
    """Ask; return after how many seconds there was a first sign, and the whole answer."""
    began, channel = perf_counter(), f"H{n % CHANNELS}"
    ts = await slack.say(channel, f"U{10 + n % 50}", QUESTION.format(n=n % HALLS))

    def said() -> list[Message]:
        return [one for one in slack.thread(channel, ts) if one.user == "U0TWIN"]

    await slack.until(said, 120)
    first = perf_counter() - began
    await slack.until(lambda: any(f"panel {n % HALLS}." in slack.shown(one) and not one.streaming for one in said()), 120)
    return first, perf_counter() - began


async def asked(slack: Slack, begin: int, number: int) -> tuple[list[float], list[float]]:
    """Ask so many questions, one after the other and no faster than Slack lets an app answer."""
    times = []
    for n in range(begin, begin + number):
        until = perf_counter() + EACH
        times.append(await ask(slack, n))
        await asyncio.sleep(max(0.0, until - perf_counter()))
    return [first for first, _ in times], [whole for _, whole in times]


async def chat(slack: Slack, rate: float, seconds: float) -> list[float]:
    """Have people talk to each other; return how long each acknowledgement took."""
    slack.acks.clear()
    began, n = perf_counter(), 0
    async with asyncio.TaskGroup() as group:
        while (now := perf_counter() - began) < seconds:
            group.create_task(slack.say("C2", f"U{10 + n % 50}", f"lunch at {n}?"), name=f"say-{n}")
            n += 1
            await asyncio.sleep(max(0.0, n / rate - now))
    await slack.until(lambda: len(slack.acks) >= n, 60)
    return list(slack.acks.values())


async def forget(slack: Slack, twin: Twin) -> float:
    """Delete what an answer rests on; return after how many seconds the answer shows nothing of it."""
    lesson = await slack.say(
        "C1", "U1", "<@U0TWIN>", files=[slack.file("swan.md", b"# Swan\n\nThe swan of the pond is Gudrun.", user="U1")]
    )
    await slack.until(lambda: any("✅" in slack.shown(one) for one in slack.thread("C1", lesson) if one.user == "U0TWIN"))
    ts = await slack.say("C1", "U2", "<@U0TWIN> what is the swan of the pond called?")
    await slack.until(lambda: any("Gudrun" in slack.shown(one) and not one.streaming for one in slack.thread("C1", ts)))
    began = perf_counter()
    await slack.delete("C1", lesson)
    await slack.until(lambda: all("Gudrun" not in slack.shown(one) for one in slack.thread("C1", ts)))
    return perf_counter() - began


def at(values: Sequence[float], share: float) -> float:
    """Return a quantile."""
    return round(float(np.quantile(values, share)), 3)


async def measure(given: argparse.Namespace) -> dict[str, float]:
    """Run it all."""
    with tempfile.TemporaryDirectory(prefix="twin-slack-") as folder:
        async with Slack.open() as slack:
            for n in [1, 2, *range(10, 60)]:
                slack.user(f"U{n}", name=f"Person {n}")
            everybody = ["U1", "U2", *(f"U{n}" for n in range(10, 60))]
            for name in ("C1", "C2", *(f"H{n}" for n in range(CHANNELS))):
                slack.channel(name, members=everybody)
            async with running(Path(folder), slack, {"TWIN_LOG_LEVEL": "warning"}) as twin:
                await teach(slack, "halls.md", facts())
                await asked(slack, 0, 4)
                acks = await chat(slack, given.rate, given.seconds)
                first, alone = await asked(slack, 5, given.questions)
                teaching = asyncio.create_task(teach(slack, "long.pdf", long_pdf(given.pages)), name="teach")
                beside: list[float] = []
                while not teaching.done() and len(beside) < 4 * given.questions:
                    beside += (await asked(slack, given.questions + 5 + len(beside), 1))[1]
                return {
                    "acknowledged p50 s": at(acks, 0.5),
                    "acknowledged p99 s": at(acks, 0.99),
                    "events": len(acks),
                    "first sign p50 s": at(first, 0.5),
                    "first sign max s": at(first, 1),
                    "answers alone p95 s": at(alone, 0.95),
                    "answers beside teaching": len(beside),
                    "answers beside teaching p95 s": at(beside, 0.95),
                    f"PDF of {given.pages} pages s": round(await teaching, 1),
                    "gone from the answer s": round(await forget(slack, twin), 2),
                }


def main() -> int:
    """Print the figures; return 1 when a gate is not met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=100, help="events a second")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--questions", type=int, default=40)
    parser.add_argument("--pages", type=int, default=1000)
    figures = asyncio.run(measure(parser.parse_args()))
    for name, value in figures.items():
        print(f"{name:>30}  {json.dumps(value)}")
    met = (
        figures["acknowledged p99 s"] <= 0.1,
        figures["first sign max s"] <= 1,
        figures["answers beside teaching p95 s"] <= 2 * figures["answers alone p95 s"],
        figures["gone from the answer s"] <= 5,
    )
    return int(not all(met))


if __name__ == "__main__":
    sys.exit(main())
