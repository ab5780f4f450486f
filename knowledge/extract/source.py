"""What an extractor is handed: the bytes of one file and its name."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath


def _silent() -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Source:
    """The bytes of a file, the name it came with, and `tick`, to be called after each page, sheet or member."""

    data: bytes
    name: str
    tick: Callable[[], None] = _silent

    @property
    def suffix(self) -> str:
        """Return the lower-case extension with its dot, or an empty string."""
        return PurePosixPath(self.name.replace("\\", "/")).suffix.lower()

    @property
    def stem(self) -> str:
        """Return the file name without folders and extension."""
        return PurePosixPath(self.name.replace("\\", "/")).stem
