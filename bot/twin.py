"""The face: everything a person can ask of the twin, one short method each."""

import asyncio
import stat
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from bot import access
from bot.chat import Answer, Delta, Person, Place, printable
from bot.engine import Engine
from bot.history import History
from knowledge import Document, Filters, Found, Item, Knowledge, KnowledgeError, Outcome, Receipt

_AT_A_TIME = 4  # files: while one is embedded the next are read, and the last is written

Progress = Callable[[int, int], None]


class Twin:
    """What adapters and the command line talk to."""

    def __init__(
        self,
        knowledge: Knowledge,
        history: History,
        *,
        data: Path,
        max_upload: int,
        compact: Callable[[], Awaitable[None]],
    ) -> None:
        self._knowledge = knowledge
        self._history = history
        self._engine = Engine(knowledge, history)
        self._data = data
        self._max_upload = max_upload
        self._compact = compact

    def ask(
        self, question: str, *, place: Place, person: Person, conversation: str | None = None
    ) -> AsyncGenerator[Delta | Answer]:
        """Answer a question: pieces as they are written, then the whole with its sources."""
        return self._engine.answer(question, place=place, person=person, conversation=conversation)

    async def search(
        self, query: str, *, place: Place, person: Person, where: Filters = Filters(), limit: int = 10
    ) -> tuple[Found, ...]:
        """Return what is nearest to a query, best first, passages that follow each other joined for reading."""
        audience = access.audience(place, person)
        results = await self._knowledge.retrieval.search(query, audience=audience, where=where, limit=limit)
        return await self._knowledge.retrieval.joined(results.found)

    def files_in(self, paths: Sequence[Path]) -> list[Path]:
        """Return the files that are meant by files and folders; what is not there stays named.

        Of folders, hidden files and the twin's own data are left out.
        """
        return [file for path in paths for file in _files(path, self._data)]

    async def learn(
        self,
        files: Sequence[Path],
        *,
        scope: str,
        by: Person,
        tags: Sequence[str] = (),
        progress: Callable[[Path, int, int], None] = lambda path, done, total: None,
    ) -> AsyncGenerator[tuple[Path, Receipt]]:
        """Learn files, several at a time; yield each with its receipt as it is ready.

        `progress` is told of each file how many of its passages are done.
        """
        waiting, done = iter(files), asyncio.Queue[tuple[Path, Receipt]]()

        async def work() -> None:
            for path in waiting:
                uri = path.resolve().as_uri()
                # A name that is not UTF-8 still names its file: by the address, which has it byte for byte.
                name = printable(path.name)
                item = Item(name=name, source=uri, url=uri, scope=scope, by=by.id, tags=tuple(tags))
                await done.put((path, await self._learn(path, item, partial(progress, path))))

        async with asyncio.TaskGroup() as group:
            workers = [group.create_task(work(), name=f"learn-{n}") for n in range(min(_AT_A_TIME, len(files)))]
            try:
                for _ in files:
                    yield await done.get()
            except GeneratorExit:  # nobody wants the rest: let the group end without making an error of it
                for worker in workers:
                    worker.cancel()

    async def _learn(self, path: Path, item: Item, progress: Progress) -> Receipt:
        refusal = await asyncio.to_thread(_refusal, path, self._max_upload)
        if refusal:
            return Receipt(item.name, Outcome.FAILED, error=refusal)
        try:
            return await self._knowledge.library.learn(path, item, progress=progress)
        except KnowledgeError as error:  # one file's trouble, such as an index that is away, is not that of the others
            return Receipt(item.name, Outcome.FAILED, error=str(error))

    async def resume(self) -> AsyncIterator[Receipt]:
        """Take up what was being learned when the twin last stopped."""
        async for receipt in self._knowledge.library.resume():
            yield receipt

    async def documents(self) -> list[Document]:
        """Return every version of every document, newest first."""
        return await self._knowledge.catalogue.documents()

    async def document(self, document_id: str) -> Document:
        """Return one document by its id or the unambiguous beginning of it."""
        return await self._knowledge.catalogue.document(document_id)

    async def text(self, document_id: str) -> str:
        """Return the stored text of a document."""
        return await self._knowledge.catalogue.text(await self.document(document_id))

    async def forget(self, document_id: str) -> Document:
        """Forget a document: text, passages, vectors, file, and what answers quoted of it, down to the bytes on disk."""
        document = await self.document(document_id)
        family = await self._knowledge.catalogue.family(document.id)
        await self._history.forget(family)
        await self._knowledge.library.forget(family)
        try:
            await self._knowledge.index.optimize()
        finally:
            await self._compact()
        return document

    async def relearn(self, document_id: str, *, progress: Progress = lambda done, total: None) -> Receipt:
        """Read a document anew from its kept file."""
        return await self._knowledge.library.relearn(document_id, progress=progress)

    async def reindex(self, progress: Progress = lambda done, total: None) -> int:
        """Rebuild the index from the database; return how many passages it holds."""
        return await self._knowledge.indexing.reindex(progress=progress)

    async def optimize(self) -> None:
        """Build the index's graphs and reclaim what was deleted, while searches go on."""
        await self._knowledge.index.optimize()

    async def mend(self) -> int:
        """Make the index equal to the database; return how many points were wrong."""
        return await self._knowledge.indexing.mend()


def _refusal(path: Path, max_upload: int) -> str | None:
    """Say why a file is not even looked into."""
    try:
        mode, size = path.stat().st_mode, path.stat().st_size
    except FileNotFoundError:
        return f"There is no file {printable(str(path))}."
    except OSError as error:
        return f"It cannot be opened: {error.strerror}."
    if stat.S_ISDIR(mode):
        return "This folder cannot be opened: you have no right to see what is in it."
    if not stat.S_ISREG(mode):
        return "It is not a regular file."
    if size > max_upload:
        return f"It is larger than {max_upload >> 20} MB, the limit set by TWIN_MAX_UPLOAD_MB."
    return None


def _files(path: Path, without: Path) -> Iterator[Path]:
    """Yield the files below a path, and a folder itself where it cannot be looked into, so that it is reported."""
    try:
        children = sorted(path.iterdir()) if path.is_dir() else None
    except PermissionError:
        children = None
    if children is None:
        yield path
    elif path.resolve() != without:
        for child in children:
            if not child.name.startswith(".") and not (child.is_symlink() and child.is_dir()):
                yield from _files(child, without)
