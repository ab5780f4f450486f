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


class Files(Protocol):
    """A store of files by their SHA-256."""

    async def put(self, path: Path, sha256: str) -> None:
        """Keep the file's bytes under their hash; keeping the same twice is one file."""

    def local(self, sha256: str) -> AbstractAsyncContextManager[Path]:
        """Lend the bytes as a local path; raises `FileNotFoundError` when they are not there."""

    async def delete(self, sha256: str) -> None:
        """Remove the bytes, if they are there."""


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

    def _place(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256

    def _copy(self, path: Path, place: Path) -> None:
        if place.exists():
            return
        place.parent.mkdir(exist_ok=True)
        handle, part = tempfile.mkstemp(prefix=".part-", dir=self._folder)
        with os.fdopen(handle, "wb") as target, path.open("rb") as origin:
            shutil.copyfileobj(origin, target, 1 << 20)
            target.flush()
            os.fsync(target.fileno())
        Path(part).replace(place)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
