"""Opens the parts of the knowledge and ties them together."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge import index_versions
from knowledge.catalogue import Catalogue
from knowledge.compare import Compare
from knowledge.embeddings import Embedder
from knowledge.errors import IndexOutdated
from knowledge.extract.reader import Reader as FileReader
from knowledge.extract.telling import TellingReader
from knowledge.files import FolderFiles
from knowledge.index import IndexDamaged, WrongDimension, open_index
from knowledge.index.base import Index
from knowledge.index_versions import IndexVersion
from knowledge.indexing import Indexing
from knowledge.lexical import Lexical
from knowledge.library import Library, Reader
from knowledge.minilm import Variant
from knowledge.priors import Priors
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
    """What the twin knows: `library` teaches and forgets, `catalogue` lists, `retrieval` finds, `indexing` keeps the index.

    `priors` is what people think of what was found.
    """

    library: Library
    catalogue: Catalogue
    retrieval: Retrieval
    indexing: Indexing
    embedder: Embedder
    index: Index
    priors: Priors

    @property
    def compare(self) -> Compare:
        """Return what tells what a new document may replace or contradict."""
        return Compare(self.catalogue, self.retrieval)


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
        version = await _version(engine, embedder, rebuild=rebuild)
        index = await _index(stack, options, version, embedder.dimension)
        if reader is None:
            reader = await stack.enter_async_context(FileReader.open(tokenizer=embedder.tokenizer, window=embedder.window))
        lexical = Lexical(version.average_length)
        indexing = Indexing(engine, embedder, lexical, index, collection=version.collection)
        told = await asyncio.to_thread(TellingReader, tokenizer=embedder.tokenizer, window=embedder.window)
        library = Library(engine, FolderFiles(options.folder / "files"), reader, indexing, told)
        catalogue, priors = Catalogue(engine), Priors(engine)
        await library.sweep()
        if not rebuild:
            await indexing.mend()
        retrieval = Retrieval(embedder, lexical, index, catalogue, priors)
        yield Knowledge(library, catalogue, retrieval, indexing, embedder, index, priors)


async def _version(engine: AsyncEngine, embedder: Embedder, *, rebuild: bool) -> IndexVersion:
    """Return what the index is built with, or will be; a new one is noted."""
    version = await index_versions.current(engine)
    if version is None:
        version = IndexVersion(embedder.model, Lexical().average_length, _collection())
        await index_versions.note(engine, version)
    if version.model == embedder.model:
        return version
    if not rebuild:
        raise IndexOutdated(version.model, embedder.model)
    return IndexVersion(embedder.model, version.average_length, _collection())


def _collection() -> str:
    """Return a name that no other twin on the same server has."""
    return f"twin-{uuid4().hex[:12]}"


async def _index(stack: AsyncExitStack, options: Options, version: IndexVersion, dimension: int) -> Index:
    """Open the index of this version; what cannot be used is put aside, since the database can fill a new one.

    Embedded, each version has a folder of its own, and those of former versions are removed: they hold vectors that nobody
    would remember to forget.
    """
    home = options.folder / "index"
    await asyncio.to_thread(_remove_all_but, home, version.collection if options.qdrant_url is None else "")

    def opened(*, fresh: bool) -> AbstractAsyncContextManager[Index]:
        return open_index(
            folder=home / version.collection,
            fresh=fresh,
            collection=version.collection,
            dimension=dimension,
            url=options.qdrant_url,
            api_key=options.qdrant_api_key,
        )

    try:
        return await stack.enter_async_context(opened(fresh=False))
    except (IndexDamaged, WrongDimension) as error:
        log.warning("index cannot be used, rebuilding it from the database", reason=str(error))
        return await stack.enter_async_context(opened(fresh=True))


def _remove_all_but(home: Path, kept: str) -> None:
    for folder in home.iterdir() if home.is_dir() else ():
        if folder.name != kept:
            shutil.rmtree(folder)
