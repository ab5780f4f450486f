"""How fast are passages embedded, next to fastembed's stock call; what it costs in memory and event-loop lag."""

import argparse
import asyncio
import json
import multiprocessing
import resource
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
from fastembed import TextEmbedding

from knowledge.embeddings import Embedder
from knowledge.minilm import NAME, Variant, default_model_dir, folder

FASTER = 3.0
"""How many times the stock call's throughput the default has to reach."""
LAG_MS = 5.0
"""What the 99th percentile of the event loop's lag may be meanwhile, on a machine that does nothing else."""

Embed = Callable[[list[str]], Awaitable[object]]


def read(corpus: Path, count: int) -> list[str]:
    """Return the texts of a BEIR corpus, cut to the size of a passage."""
    with corpus.open(encoding="utf-8") as lines:
        return [json.loads(line)["text"][:1000] for line in islice(lines, count)]


def stock() -> Embed:
    """Return fastembed as its README uses it: a list of texts, everything else left to its defaults."""
    Embedder.open(variant="fp32").close()  # makes the model known to fastembed
    encoder = TextEmbedding(f"twin/{NAME}", specific_model_path=str(folder(default_model_dir(), "fp32")))

    async def embed(texts: list[str]) -> object:
        return await asyncio.to_thread(lambda: list(encoder.embed(texts)))

    return embed


def ours(variant: Variant) -> Embed:
    """Return what the twin does."""
    return Embedder.open(variant=variant).passages


STOCK, DEFAULT = "fastembed stock, fp32", "twin, int8 (default)"
WAYS: dict[str, Callable[[], Embed]] = {STOCK: stock, "twin, fp32": lambda: ours("fp32"), DEFAULT: lambda: ours("int8")}


async def timed(embed: Embed, texts: list[str]) -> tuple[float, float]:
    """Return texts per second, and the 99th percentile of how late a 5 ms timer came meanwhile, in ms."""
    late: list[float] = []

    async def heartbeat() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.005)
            late.append(1000 * (time.perf_counter() - began) - 5)

    beating = asyncio.create_task(heartbeat(), name="heartbeat")
    began = time.perf_counter()
    await embed(texts)
    seconds = time.perf_counter() - began
    beating.cancel()
    return len(texts) / seconds, float(np.percentile(late, 99))


def peak_megabytes(way: str, texts: list[str]) -> float:
    """Embed the texts one way; return the most memory this process ever held."""

    async def once() -> None:
        await WAYS[way]()(texts)

    asyncio.run(once())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def memory(texts: list[str]) -> dict[str, float]:
    """Return the peak of each way in a process of its own, that of a bare interpreter with the libraries included."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), max_tasks_per_child=1) as fresh:
        return {way: fresh.submit(peak_megabytes, way, texts).result() for way in WAYS}


async def run(texts: list[str], rounds: int) -> bool:
    """Print the table; return whether the default is fast enough and leaves the loop alone."""
    peaks = memory(texts)  # first: a child inherits the peak of the process it was forked from
    ways = {way: await asyncio.to_thread(opened) for way, opened in WAYS.items()}
    measured: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    idle: list[float] = []
    for _ in range(rounds):
        idle.append((await timed(lambda _: asyncio.sleep(2), texts))[1])
        for way, embed in ways.items():
            measured[way].append(await timed(embed, texts))
    base = [rate for rate, _ in measured[STOCK]]
    print("| | texts/s | x stock | loop lag p99 ms | peak MB |\n|---|---|---|---|---|")
    print(f"| nothing | | | {statistics.median(idle):.1f} | |")
    verdicts = {}
    for way, figures in measured.items():
        rates = [rate for rate, _ in figures]
        ratio = statistics.median(rate / other for rate, other in zip(rates, base, strict=True))
        lag = statistics.median(late for _, late in figures)
        print(f"| {way} | {statistics.median(rates):.0f} | {ratio:.2f} | {lag:.1f} | {peaks[way]:.0f} |")
        verdicts[way] = ratio >= FASTER and lag <= LAG_MS
    return verdicts[DEFAULT]


def main() -> int:
    """Measure in interleaved rounds, so that whatever else the machine does falls on all alike."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path, help="a corpus.jsonl with texts")
    parser.add_argument("--texts", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    return 0 if asyncio.run(run(read(arguments.corpus, arguments.texts), arguments.rounds)) else 1


if __name__ == "__main__":
    sys.exit(main())
