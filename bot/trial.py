"""Measures retrieval on a judged collection, in a house of its own that is thrown away."""

import asyncio
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

from bot import db
from bot.access import Access
from bot.app import options
from bot.chat import Person, Place
from bot.settings import Settings
from knowledge.claims import Item
from knowledge.embeddings import Embedder
from knowledge.evaluation import Progress, Report, evaluate, load
from knowledge.extract.text import Extracted
from knowledge.extract.told import ToldReader
from knowledge.knowledge import Knowledge, open_knowledge
from knowledge.retrieval import Mode

_HERE, _MYSELF = Place("evaluation"), Person("evaluation")
_DEPTH = 100  # documents that are judged
_AT_A_TIME = 8


async def measure(settings: Settings, folder: Path, *, split: str, mode: Mode, progress: Progress) -> Report:
    """Teach a collection to an empty twin and judge what it finds; raises `BadDataset`.

    Documents and queries walk as they always do: database, files, index, live check.
    """
    dataset = await asyncio.to_thread(load, folder, split)
    async with AsyncExitStack() as stack:
        house = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="twin-eval-")))
        engine = await stack.enter_async_context(db.open_database(f"sqlite+aiosqlite:///{house / 'twin.db'}"))
        own = replace(options(settings), folder=house, qdrant_url=None)
        embedder = await asyncio.to_thread(Embedder.open, own.embedding_model, variant=own.embedding_variant, models=own.models)
        reader = ToldReader(tokenizer=embedder.tokenizer, window=embedder.window)
        embedder.close()
        knowledge = await stack.enter_async_context(open_knowledge(engine, own, reader=reader))
        trial = _Trial(knowledge, Access(engine), reader, house, mode)
        return await evaluate(dataset, teach=trial.teach, rank=trial.rank, progress=progress)


class _Trial:
    """A twin that knows a collection and nothing else."""

    def __init__(self, knowledge: Knowledge, access: Access, reader: ToldReader, house: Path, mode: Mode) -> None:
        self._knowledge = knowledge
        self._access = access
        self._reader = reader
        self._house = house
        self._mode = mode
        self._names: dict[str, str] = {}  # the collection's id of each document, by the twin's

    async def teach(self, documents: Mapping[str, Extracted]) -> None:
        """Learn documents, several at a time."""
        waiting = iter(documents.items())
        async with asyncio.TaskGroup() as group:
            for n in range(_AT_A_TIME):
                group.create_task(self._learn(self._house / f"told-{n}", waiting), name=f"teach-{n}")

    async def _learn(self, file: Path, waiting: Iterator[tuple[str, Extracted]]) -> None:
        for name, document in waiting:
            self._reader.tell(name, document)
            await asyncio.to_thread(file.write_text, f"{name}\n{document.text}")  # equal texts are documents of their own
            source = f"evaluation:{name}"
            item = Item(name=name, source=source, url=source, scope=_HERE.id, by=_MYSELF.id)
            receipt = await self._knowledge.library.learn(file, item)
            if receipt.document is not None:
                self._names[receipt.document.id] = name

    async def rank(self, query: str) -> Mapping[str, float]:
        """Return the documents that answer a query, with their scores."""
        audience = await self._access.audience(_HERE, _MYSELF)
        found = await self._knowledge.retrieval.ranked_documents(query, audience=audience, mode=self._mode, depth=_DEPTH)
        return {self._names[document]: score for document, score in found.items()}
