"""A search over 100,000 passages against its necessary parts, and the whole twin's memory: `python -m benchmarks.search`.

Gates: a filtered hybrid search, fusion and text included, costs at most 1.3 times embedding the question plus its queries of
the engine (both arms, and the vectors of the best 50) made in this process with nothing around; all processes together take at
most 900 MB. What an answer costs beyond its search is measured by `benchmarks.overhead`.
"""

import argparse
import asyncio
import random
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from itertools import accumulate
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import psutil

from benchmarks.index import raw_search
from bot import db
from bot.app import options
from bot.chat import Place
from bot.settings import Settings
from knowledge import index_versions
from knowledge.claims import Item
from knowledge.documents import Audience
from knowledge.embeddings import Embedder
from knowledge.extract.text import Block, Extracted
from knowledge.extract.told import ToldReader
from knowledge.files import FolderFiles
from knowledge.index import open_index
from knowledge.index.base import Vectors
from knowledge.index_versions import IndexVersion
from knowledge.indexing import Indexing
from knowledge.knowledge import Knowledge, open_knowledge
from knowledge.lexical import Lexical
from knowledge.library import Library

QUERIES = 200
PER_DOCUMENT = 200  # passages
SCOPES = [f"bench:C{n}" for n in range(5)]
HERE = Place(SCOPES[0])
SEARCH_GATE, MEMORY_GATE_MB = 1.3, 900


class Clustered:
    """Stands in for the embedding model while teaching: quick vectors in clusters, so that a graph has something to find."""

    def __init__(self, model: str, dimension: int) -> None:
        self.model, self.dimension = model, dimension
        self._random = np.random.default_rng(0)
        self._centres = self._random.standard_normal((500, dimension), np.float32)

    async def passages(self, texts: Sequence[str]) -> Vectors:
        """Return one vector per text."""
        centres = self._centres[self._random.integers(0, len(self._centres), len(texts))]
        vectors = centres + 0.7 * self._random.standard_normal(centres.shape, np.float32)
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


VOCABULARY = [f"w{rank}x" for rank in range(20_000)]
OFTEN = list(accumulate(1 / (rank + 3) for rank in range(len(VOCABULARY))))  # the law of Zipf and Mandelbrot


def words(chance: random.Random, count: int) -> str:
    """Return words of a made-up language, the common ones more often."""
    return " ".join(chance.choices(VOCABULARY, cum_weights=OFTEN, k=count))


async def teach(own: Any, engine: Any, size: int) -> None:
    """Learn `size` passages the usual way, but for the embedding model."""
    embedder = await asyncio.to_thread(Embedder.open)
    reader = ToldReader(tokenizer=embedder.tokenizer, window=embedder.window)
    quick = Clustered(embedder.model, embedder.dimension)
    embedder.close()
    chance = random.Random(0)  # noqa: S311  # repeatable, not secret
    version = IndexVersion(quick.model, Lexical().average_length, "bench")
    await index_versions.note(engine, version)
    folder = own.folder / "index" / version.collection
    async with open_index(folder=folder, collection="", dimension=quick.dimension) as index:
        indexing = Indexing(engine, quick, Lexical(), index, collection=version.collection)
        library = Library(engine, FolderFiles(own.folder / "files"), reader, indexing, reader)
        for n in range(size // PER_DOCUMENT):
            text, blocks = "", list[Block]()
            for _ in range(PER_DOCUMENT):
                start, text = len(text), f"{text}{words(chance, 45)}\n\n"
                blocks.append(Block("paragraph", start, len(text) - 2, page=len(blocks) + 1))
            name = f"d{n}"
            reader.tell(name, Extracted("pdf", text, tuple(blocks), title=f"Book {n}"))
            file = own.folder / "told"
            file.write_text(text)
            await library.learn(file, Item(name, name, name, SCOPES[n % len(SCOPES)], "local"))
        await index.optimize()


async def measure_search(knowledge: Knowledge, questions: Sequence[str], raw: Callable[..., None]) -> float:
    """Print the table of a search and its parts; return the ratio of the medians."""
    lexical, audience = Lexical(), Audience(frozenset({HERE.id}))
    whole, parts = [], []
    for question in questions:
        begun = perf_counter()
        await knowledge.retrieval.search(question, audience=audience, limit=10)
        whole.append(1000 * (perf_counter() - begun))
        begun = perf_counter()
        vector = await knowledge.embedder.query(question)
        raw(vector, lexical.query(question), HERE.id)
        parts.append(1000 * (perf_counter() - begun))
    ratio = float(np.median(whole) / np.median(parts))
    for name, times in (("search, whole", whole), ("embedding + raw engine queries", parts)):
        print(f"{name:32} p50 {np.percentile(times, 50):6.2f}  p95 {np.percentile(times, 95):6.2f} ms")
    print(f"{'ratio':32} {ratio:.2f} (gate {SEARCH_GATE})")
    return ratio


def memory() -> float:
    """Print and return what this process and its children take, in MB, shared pages counted once."""
    processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
    sizes = {process.pid: process.memory_full_info().pss / 2**20 for process in processes}
    print(f"{'memory of all processes':32} {sum(sizes.values()):.0f} MB (gate {MEMORY_GATE_MB})")
    return sum(sizes.values())


async def main(size: int) -> int:
    """Print the table; return 1 when a gate is not met."""
    chance = random.Random(1)  # noqa: S311  # repeatable, not secret
    questions = [words(chance, 9) for _ in range(QUERIES)]
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="twin-bench-")))
        own = options(Settings(data_dir=folder))
        engine = await stack.enter_async_context(db.open_database(f"sqlite+aiosqlite:///{folder / 'twin.db'}"))
        await teach(own, engine, size)
        knowledge = await stack.enter_async_context(open_knowledge(engine, own))
        print(f"{await knowledge.catalogue.count():,} passages, {len(SCOPES)} scopes, one of them asked for")
        await knowledge.retrieval.search(questions[0], audience=Audience(frozenset({HERE.id})))
        taken = memory()
        raw = raw_search(next((own.folder / "index").iterdir()), folder / "copy", vectors=50)
        ratio = await measure_search(knowledge, questions, raw)
    return int(ratio > SEARCH_GATE or taken > MEMORY_GATE_MB)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=100_000)
    sys.exit(asyncio.run(main(parser.parse_args().passages)))
