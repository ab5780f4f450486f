"""Opens the parts of the knowledge and ties them together."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.catalogue import Catalogue
from knowledge.embeddings import Embedder
from knowledge.errors import IndexOutdated
from knowledge.extract.reader import Reader as FileReader
from knowledge.files import FolderFiles
from knowledge.index import IndexDamaged, open_index
from knowledge.index.base import Index
from knowledge.lexical import Lexical
from knowledge.library import Library, Reader
from knowledge.minilm import Variant
from knowledge.records import IndexVersion, Records
from knowledge.retrieval import Retrieval

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Options:
    """Where the knowledge lives and which engines it uses; `qdrant_url` of `None` means the embedded index."""

    folder: Path
    embedding_model: str
    embedding_variant: Variant
    models: Path
    qdrant_url: str | None = None
    qdrant_api_key: str | None = None


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What the twin knows: `library` teaches and forgets, `catalogue` lists, `retrieval` finds."""

    library: Library
    catalogue: Catalogue
    retrieval: Retrieval
    embedder: Embedder
    index: Index


@asynccontextmanager
async def open_knowledge(
    engine: AsyncEngine, options: Options, *, rebuild: bool = False, reader: Reader | None = None
) -> AsyncIterator[Knowledge]:
    """Open everything; the index is made equal to the database before anyone searches.

    `reader` stands in for the one that reads files in a limited process. Raises `IndexOutdated` when the index was built
    with another model, unless it is to be rebuilt.
    """
    async with AsyncExitStack() as stack:
        embedder = await asyncio.to_thread(
            Embedder.open, options.embedding_model, variant=options.embedding_variant, models=options.models
        )
        stack.callback(embedder.close)
        lexical = Lexical(await _average_length(Records(engine), embedder, rebuild=rebuild))
        index = await _index(stack, options, embedder)
        if reader is None:
            reader = await stack.enter_async_context(FileReader.open(tokenizer=embedder.tokenizer, window=embedder.window))
        library = Library(engine, FolderFiles(options.folder / "files"), reader, embedder, lexical, index)
        catalogue = Catalogue(engine)
        if not rebuild:
            await library.mend()
        yield Knowledge(library, catalogue, Retrieval(embedder, lexical, index, catalogue), embedder, index)


async def _average_length(records: Records, embedder: Embedder, *, rebuild: bool) -> float:
    """Return the passage length that the index reckons with, noting the model of a new index."""
    version = await records.index_version()
    if version is None:
        version = IndexVersion(embedder.model, Lexical().average_length)
        await records.set_index_version(version)
    if version.model != embedder.model and not rebuild:
        raise IndexOutdated(version.model, embedder.model)
    return version.average_length


async def _index(stack: AsyncExitStack, options: Options, embedder: Embedder) -> Index:
    """Open the index of this model; what is damaged beyond reading is put aside, since the database can fill a new one."""
    name = re.sub(r"[^a-z0-9]+", "-", embedder.model.lower())

    def opened(*, fresh: bool) -> AbstractAsyncContextManager[Index]:
        return open_index(
            folder=options.folder / "index" / name,
            fresh=fresh,
            collection=f"twin-{name}",
            dimension=embedder.dimension,
            url=options.qdrant_url,
            api_key=options.qdrant_api_key,
        )

    try:
        return await stack.enter_async_context(opened(fresh=False))
    except IndexDamaged as error:
        log.warning("index damaged, rebuilding it from the database", reason=str(error))
        return await stack.enter_async_context(opened(fresh=True))
