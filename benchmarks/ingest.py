"""Ingest against embedding alone, side by side, with the event loop's lag: `python -m benchmarks.ingest PATH…`.

Gate: learning a large set of PDFs takes at most 1.15 times as long as embedding the same passages and nothing else.
"""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np

from bot.app import open_twin
from bot.chat import Person
from bot.settings import Settings
from knowledge.catalogue import Catalogue
from knowledge.chunks import embedded_text
from knowledge.embeddings import Embedder

ROUNDS = 3
GATE = 1.15
LAG_GATE_MS = 5.0


@asynccontextmanager
async def heartbeat(lags: list[float]) -> AsyncIterator[None]:
    """Collect by how many milliseconds the event loop is late, every 5 ms."""

    async def beat() -> None:
        while True:
            begun = perf_counter()
            await asyncio.sleep(0.005)
            lags.append(1000 * (perf_counter() - begun - 0.005))

    task = asyncio.create_task(beat(), name="heartbeat")
    try:
        yield
    finally:
        task.cancel()


async def ingest(paths: list[Path], lags: list[float]) -> tuple[float, list[str]]:
    """Learn everything in a fresh house; return the seconds it took and the texts that were embedded."""
    with tempfile.TemporaryDirectory(prefix="twin-bench-") as folder:
        async with open_twin(Settings(data_dir=Path(folder))) as twin:
            guide = {text async for text in _texts(twin._knowledge.catalogue)}
            files = twin.files_in(paths)
            begun = perf_counter()
            async with heartbeat(lags):
                async for _ in twin.learn(files, scope="local", by=Person("local")):
                    pass
            seconds = perf_counter() - begun
            return seconds, [text async for text in _texts(twin._knowledge.catalogue) if text not in guide]


async def _texts(catalogue: Catalogue) -> AsyncIterator[str]:
    async for page in catalogue.stored():
        for one in page:
            yield embedded_text(one.context, one.text)


async def embed(texts: list[str]) -> float:
    """Embed and nothing else; return the seconds it took."""
    embedder = await asyncio.to_thread(Embedder.open)
    await embedder.passages(texts[:8])
    begun = perf_counter()
    await embedder.passages(texts)
    seconds = perf_counter() - begun
    await asyncio.to_thread(embedder.close)
    return seconds


async def main(paths: list[Path]) -> int:
    """Print the table; return 1 when a gate is not met."""
    ratios, lags = [], list[float]()
    print("round  passages  ingest s  embedding alone s  ratio")
    for n in range(ROUNDS):
        took, texts = await ingest(paths, lags)
        alone = await embed(texts)
        ratios.append(took / alone)
        print(f"{n + 1:5}  {len(texts):8}  {took:8.1f}  {alone:17.1f}  {ratios[-1]:5.2f}")
    p50, p99 = np.percentile(lags, (50, 99))
    print(f"median ratio {median(ratios):.2f} (gate {GATE})")
    print(f"event loop lag p50 {p50:.1f} ms, p99 {p99:.1f} ms (gate {LAG_GATE_MS})")
    return int(median(ratios) > GATE or p99 > LAG_GATE_MS)


if __name__ == "__main__":
    sys.exit(asyncio.run(main([Path(argument) for argument in sys.argv[1:]])))
