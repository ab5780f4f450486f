"""The twin in Discord, measured from Discord's side: `python -m benchmarks.discord`.

The real `twin run` against the simulated Discord, which takes five posts and five edits in five seconds and channel, as the
real one does, and a model server that streams. Many people ask in private messages at once; then they chat in a channel. Gates:
fewer than 50 calls a second, next to none that Discord counts as invalid, each question answered once; the memory grows by less
than 1 MB for 10,000 messages once the twin has warmed up.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import numpy as np
import psutil

from benchmarks.load import model_server
from tests.discord.running import Twin, running
from tests.simulators.discord import Discord, Message

HALLS = 200
WARM = 0.3  # share of the chat after which the memory is looked at first


async def teach(discord: Discord) -> None:
    """Teach what is asked for, to everybody."""
    facts = "\n\n".join(f"## Hall {n}\n\nThe lamp of hall {n} is switched by panel {n}." for n in range(HALLS)).encode()
    message = await discord.say(20, 101, "<@900>", files=[("halls.md", facts)])
    await discord.until(lambda: any("✅" in one.content for one in discord.answers(message)), 120)


async def ask(discord: Discord, n: int) -> tuple[float, float, Message]:
    """Ask alone; return after how many seconds there was a first sign, and the whole answer."""
    began, channel = perf_counter(), discord.direct(1_000 + n).id
    question = await discord.say(channel, 1_000 + n, f"which panel switches the lamp of hall {n % HALLS}?")
    await discord.until(lambda: discord.answers(question), 300)
    first = perf_counter() - began
    await discord.until(lambda: any(one.is_whole for one in discord.answers(question)), 600)
    return first, perf_counter() - began, question


async def chat(discord: Discord, twin: Twin, messages: int) -> list[float]:
    """Have people talk to each other; return the memory in MB, once warm and at the end."""
    assert twin.process
    process, seen = psutil.Process(twin.process.pid), list[float]()
    for n in range(messages):
        if n == int(messages * WARM):
            await asyncio.sleep(2)
            seen.append(process.memory_info().rss / 1e6)
        await discord.say(20, 101 + n % 2, f"lunch at {n}?")
        discord.channels[20].messages.clear()
        for session in discord.gateway.sessions.values():
            session.told[:-1] = [{}] * (len(session.told) - 1)  # the simulator's own memory
        if n % 20 == 0:
            await asyncio.sleep(0.05)
    await asyncio.sleep(3)
    return [*seen, process.memory_info().rss / 1e6]


def busiest(moments: Sequence[float]) -> int:
    """Return the most calls that were made in a second."""
    return max((bisect_left(moments, one + 1.0) - n for n, one in enumerate(moments)), default=0)


async def measure(given: argparse.Namespace) -> dict[str, float]:
    """Run it all."""
    with tempfile.TemporaryDirectory(prefix="twin-discord-") as folder:
        async with Discord.open() as discord, model_server(given.pieces, 0.25) as model:
            people = [101, 102, *range(1_000, 1_000 + given.conversations)]
            for id in people:
                discord.user(id, f"Person {id}")
            discord.guild(10, members=people)
            discord.channel(20, "general", guild=10)
            settings = {"TWIN_LLM": "openai:stub", "OPENAI_BASE_URL": f"{model}/v1", "OPENAI_API_KEY": "none"}
            settings |= {"TWIN_LOG_LEVEL": "info", "TWIN_ANSWERS_AT_ONCE": str(given.conversations)}
            async with running(Path(folder), discord, settings) as twin:
                await teach(discord)
                discord.rest.edits_at_once = 5
                discord.rest.moments.clear()
                discord.rest.invalid = 0
                done = await asyncio.gather(*(ask(discord, n) for n in range(given.conversations)))
                calls, invalid = list(discord.rest.moments), discord.rest.invalid
                memory = await chat(discord, twin, given.messages)
                firsts, wholes = [first for first, _, _ in done], [whole for _, whole, _ in done]
                wrong = sum(len(discord.answers(question)) != 1 for _, _, question in done)
    return {
        "conversations": given.conversations,
        "answered not once": wrong,
        "calls": len(calls),
        "calls a second, most": busiest(calls),
        "invalid calls": invalid,
        "first sign p50": round(float(np.quantile(firsts, 0.5)), 3),
        "first sign p95": round(float(np.quantile(firsts, 0.95)), 3),
        "whole p95": round(float(np.quantile(wholes, 0.95)), 3),
        "the model alone": given.pieces * 0.25,
        "messages": given.messages,
        "memory MB warm": round(memory[0], 1),
        "memory MB at the end": round(memory[1], 1),
        "MB for 10,000 messages": round((memory[1] - memory[0]) / (given.messages * (1 - WARM)) * 10_000, 2),
    }


def main() -> int:
    """Print the figures as JSON; return 1 when a gate is not met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=200)
    parser.add_argument("--pieces", type=int, default=80, help="pieces of an answer, four a second")
    parser.add_argument("--messages", type=int, default=100_000)
    result = asyncio.run(measure(parser.parse_args()))
    for name, value in result.items():
        print(f"{name:>24}  {json.dumps(value)}")
    fine = result["calls a second, most"] < 50 and result["answered not once"] == 0
    return int(not (fine and result["MB for 10,000 messages"] < 1))


if __name__ == "__main__":
    sys.exit(main())
