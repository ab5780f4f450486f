"""Original files, kept once by the hash of their content."""

import asyncio
import hashlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol

from knowledge.errors import Unreadable


class Files(Protocol):
    """A store of files by their SHA-256."""

    async def put(self, path: Path, sha256: str) -> None:
        """Keep the file's bytes under their hash; keeping the same twice is one file.

        Raises `Unreadable` when the bytes are no longer those of the hash, and `OSError`.
        """

    def local(self, sha256: str) -> AbstractAsyncContextManager[Path]:
        """Lend the bytes as a local path; raises `FileNotFoundError` when they are not there."""

    async def delete(self, sha256: str) -> None:
        """Remove the bytes, if they are there."""

    async def all(self) -> list[str]:
        """Return the hashes of everything that is kept."""


class FolderFiles:
    """A folder of files; a file is either there whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(".part-*"):
            left.unlink()

    async def put(self, path: Path, sha256: str) -> None:
        """Copy, make durable, then show it under its name."""
        await asyncio.to_thread(self._copy, path, self._place(sha256))

    @asynccontextmanager
    async def local(self, sha256: str) -> AsyncIterator[Path]:
        """Lend the kept file itself: do not write to it."""
        place = self._place(sha256)
        if not place.exists():
            raise FileNotFoundError(sha256)
        yield place

    async def delete(self, sha256: str) -> None:
        """Remove the file."""
        await asyncio.to_thread(self._place(sha256).unlink, missing_ok=True)

    async def all(self) -> list[str]:
        """Return the names of all files."""
        return await asyncio.to_thread(lambda: [file.name for file in self._folder.glob("??/*")])

    def _place(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256

    def _copy(self, path: Path, place: Path) -> None:
        if place.exists():
            return
        place.parent.mkdir(exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".part-", dir=self._folder)
        part = Path(name)
        try:
            with os.fdopen(handle, "wb") as target, path.open("rb") as origin:
                shutil.copyfileobj(origin, target, 1 << 20)
                target.flush()
                os.fsync(target.fileno())
            if sha256_of(part) != place.name:
                raise Unreadable("It changed while it was being read. Teach it again.")
            part.replace(place)
        finally:
            part.unlink(missing_ok=True)
        _sync(place.parent)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(folder: Path) -> None:
    """Make a new name in a folder survive a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
