"""What an answer costs beyond embedding, engine queries and the model: `python -m benchmarks.overhead`.

One conversation at a time, in a channel whose audience is computed from people, places and memberships, with a model that
streams at once. Everything else counts: audience, history, prompt, checking, database. Gate: p95 at most 15 ms.
"""

import argparse
import sys
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, cast

import numpy as np
import uvloop

from bot.app import House, open_house
from bot.chat import Answer, Person, Place
from bot.llm.base import Capabilities, Parameters, Piece, Prompt, Usage
from bot.llm.chain import Chain
from bot.people.kinds import Kind, PlaceKind
from bot.settings import Settings

GATE_MS = 15.0
TENANT, HERE = "sim:T1", Place("sim:T1:C0")
MEMBERS, CHANNELS = 500, 40
_TOKEN = 4  # characters


class Meter:
    """Adds up the milliseconds in which at least one call to what is watched is under way."""

    def __init__(self) -> None:
        self.ms = 0.0
        self._under_way = 0
        self._since = 0.0

    async def timed(self, call: Callable[..., Awaitable[Any]], *args: Any, **named: Any) -> Any:
        """Await a call."""
        self._since = self._since if self._under_way else perf_counter()
        self._under_way += 1
        try:
            return await call(*args, **named)
        finally:
            self._under_way -= 1
            if not self._under_way:
                self.ms += 1000 * (perf_counter() - self._since)


class Watched:
    """Hands calls on to something by way of a meter."""

    def __init__(self, inner: object, meter: Meter) -> None:
        self._inner = inner
        self._meter = meter

    def __getattr__(self, name: str) -> Any:
        return partial(self._meter.timed, getattr(self._inner, name))


class Quick:
    """A model that answers at once, in eighty pieces at most, and rewrites questions in twenty."""

    name = "stub:quick"
    capabilities = Capabilities()

    def count(self, text: str) -> int:
        """Return about how many tokens a text has."""
        return len(text) // 4

    async def stream(self, prompt: Prompt, _parameters: Parameters) -> AsyncGenerator[Piece]:
        """Say what the first source says, and cite it."""
        said = f"{prompt.found[0].passage.text.strip()} [1] " * 4 if prompt.found else prompt.turns[-1].text[-80:]
        size = max(_TOKEN, -(-len(said) // 80))
        for begin in range(0, len(said), size):
            yield said[begin : begin + size]
        yield Usage(100, 80)


async def prepare(house: House, folder: Path) -> None:
    """Fill a workspace with people and channels, and teach the channel asked in."""
    accounts = [f"{TENANT}:U{n}" for n in range(MEMBERS)]
    for account in accounts:
        await house.people.met(account, tenant=TENANT, kind=Kind.MEMBER)
    for n in range(CHANNELS):
        place = f"{TENANT}:C{n}"
        await house.people.placed(place, tenant=TENANT, kind=PlaceKind.PRIVATE if n % 2 else PlaceKind.PUBLIC)
        await house.people.members(place, accounts[: 50 + n])
    file = folder / "lamps.md"
    file.write_text(
        "# Lamps\n\n" + "\n\n".join(f"## Hall {n}\n\nThe lamp of hall {n} is switched by panel {n}." for n in range(300))
    )
    async for _, receipt in house.twin.learn([file], scope=HERE.id, by=Person("local")):
        print(f"taught {receipt.document.passages if receipt.document else 0} passages")


async def measure(house: House, questions: int) -> list[float]:
    """Return what each answer cost beyond what is watched, in milliseconds."""
    meter, retrieval = Meter(), cast(Any, house.parts.knowledge.retrieval)
    retrieval._embedder, retrieval._index = (Watched(part, meter) for part in (retrieval._embedder, retrieval._index))
    shelf = cast(Any, house.parts.shelf)
    shelf._chains["extractive"] = Chain([Quick()])
    person, conversation, own = await house.parts.access.person(f"{TENANT}:U3"), None, list[float]()
    for n in range(questions):
        meter.ms, began = 0.0, perf_counter()
        asked = f"Which panel switches the lamp of hall {n % 300}?"
        async for piece in house.twin.ask(asked, place=HERE, person=person, conversation=conversation):
            if isinstance(piece, Answer):
                assert piece.sources, piece
                conversation = piece.conversation_id if n % 10 else None
        own.append(1000 * (perf_counter() - began) - meter.ms)
    return own


async def main(questions: int) -> int:
    """Print the figures; return 1 when the gate is not met."""
    with tempfile.TemporaryDirectory(prefix="twin-overhead-") as folder:
        async with open_house(Settings(data_dir=Path(folder) / "data")) as house:
            await prepare(house, Path(folder))
            own = (await measure(house, questions + 20))[20:]
    p50, p95 = (float(np.percentile(own, share)) for share in (50, 95))
    print(f"own overhead per answer: p50 {p50:.1f} ms, p95 {p95:.1f} ms (gate {GATE_MS})")
    return int(p95 > GATE_MS)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=200)
    sys.exit(uvloop.run(main(parser.parse_args().questions)))
