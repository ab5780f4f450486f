"""Teaching files from a disk: found, looked at, learned several at a time."""

import asyncio
import stat
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from bot.chat import Person, printable
from knowledge import Item, Knowledge, KnowledgeError, Outcome, Receipt

_AT_A_TIME = 4  # files: while one is embedded the next are read, and the last is written

Progress = Callable[[int, int], None]


class Teaching:
    """Learns files and folders. `data` is the twin's own folder, `max_upload` the most bytes that a file may have."""

    def __init__(self, knowledge: Knowledge, *, data: Path, max_upload: int) -> None:
        self._knowledge = knowledge
        self._data = data
        self._max_upload = max_upload

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
