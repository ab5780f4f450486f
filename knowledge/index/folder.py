"""The index's folder: shards side by side, and the file CURRENT that names the one that counts. Every call blocks."""

import os
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path

import msgspec

from knowledge.index.base import IndexDamaged

FORMAT = 1
CURRENT = "CURRENT"
DRAFT = "CURRENT.new"
PREFIX = "shard-"


class Current(msgspec.Struct, frozen=True):
    """What CURRENT says."""

    shard: str
    dimension: int
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class Folder:
    """Where an index lives.

    A shard counts from the moment CURRENT names it. Without CURRENT nothing was ever stored here. Every other shard is a
    leftover of something that was interrupted.
    """

    path: Path

    def current(self) -> Current | None:
        """Return what CURRENT says; raises `IndexDamaged` when that makes no sense."""
        try:
            current = msgspec.json.decode((self.path / CURRENT).read_bytes(), type=Current)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            raise damaged(self.path, f"its file {CURRENT} cannot be read") from error
        if current.format != FORMAT:
            raise damaged(self.path, f"it has format {current.format}, this version of Twin reads format {FORMAT}")
        if not (self.path / current.shard).is_dir():
            raise damaged(self.path, f"its folder {current.shard} is missing")
        return current

    def new(self) -> Path:
        """Return a path for a shard that nothing else uses."""
        return self.path / f"{PREFIX}{uuid.uuid4().hex[:12]}"

    def draft(self, shard: Path, dimension: int) -> None:
        """Prepare to make a shard the one that counts; `commit` then does it."""
        with (self.path / DRAFT).open("wb") as file:
            file.write(msgspec.json.encode(Current(shard.name, dimension)))
            file.flush()
            os.fsync(file.fileno())

    def commit(self) -> None:
        """Make the drafted shard the one that counts: at once, without waiting for the disk."""
        (self.path / DRAFT).replace(self.path / CURRENT)

    def sync(self) -> None:
        """Wait until the disk has what was committed."""
        sync(self.path)

    def tidy(self) -> None:
        """Remove the shards that do not count; what cannot be removed now goes the next time."""
        self.sync()
        current = self.current()
        for shard in self.path.glob(f"{PREFIX}*"):
            if current is None or shard.name != current.shard:
                shutil.rmtree(shard, ignore_errors=True)

    def clear(self) -> None:
        """Remove everything of the index; CURRENT first, so that half of it never counts."""
        (self.path / CURRENT).unlink(missing_ok=True)
        if self.path.is_dir():
            self.tidy()


def damaged(path: Path, reason: str) -> IndexDamaged:
    """Return the error for a folder that cannot be opened."""
    return IndexDamaged(f"The vector index in {path} is damaged: {reason}. `twin reindex` builds it again from the database.")


def sync(path: Path) -> None:
    """Make the names in a folder survive a loss of power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
