"""One writer per data folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.errors import BadFolder, InUse

_NAME = ".lock"


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Keep the folder to this process until the end of the block.

    Raises `InUse` naming the process that has it, and `BadFolder` when nothing can be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / _NAME).open("a+")
    except (FileExistsError, NotADirectoryError) as error:
        raise BadFolder(folder, "it is a file, not a folder") from error
    except OSError as error:
        raise BadFolder(folder, error.strerror) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InUse(folder, holder(folder)) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def holder(folder: Path) -> int | None:
    """Return the process that holds the folder, as it wrote itself down; `None` when nobody does."""
    try:
        with (folder / _NAME).open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                text = file.read()
                return int(text) if text.isdigit() else None
    except FileNotFoundError:
        pass
    return None
