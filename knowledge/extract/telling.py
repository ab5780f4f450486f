"""What somebody told the twin, a chat message or a note: kept as a file like any other, and read without a child process."""

import asyncio
from datetime import datetime
from pathlib import Path

import msgspec

from knowledge.errors import Unreadable
from knowledge.extract import plain, sentences
from knowledge.extract.characters import clean
from knowledge.extract.draft import Draft
from knowledge.extract.reader import Reading
from knowledge.extract.text import Extracted
from knowledge.extract.told import Divider

_FENCE = "```"


class Telling(msgspec.Struct, frozen=True):
    """A text with what was known of it. Its source is part of it: "yes" said twice is two messages."""

    source: str
    kind: str
    title: str
    authors: tuple[str, ...]
    created_at: datetime | None
    text: str

    def kept(self) -> bytes:
        """Return the file that it is kept as: JSON, the same for the same telling."""
        return msgspec.json.encode(self)

    def extracted(self) -> Extracted:
        """Return text and structure: paragraphs, lists, and code between fences."""
        draft = Draft()
        for n, part in enumerate(self.text.split(_FENCE)):
            if n % 2:
                draft.code(part)
            else:
                plain.write(draft, part)
        return draft.finish(self.kind, title=self.title, authors=self.authors, created_at=self.created_at)

    def context(self) -> str:
        """Return what is said before each passage: where, by whom and when, which is what messages are asked for by."""
        at = self.created_at
        return ", ".join(filter(None, (self.title, *self.authors, f"{at.day} {at:%B} {at.year}" if at else "")))


def telling(text: str, *, source: str, kind: str, title: str, authors: tuple[str, ...], created_at: datetime | None) -> Telling:
    """Return a telling without characters that nobody can see, or that cannot be stored."""
    return Telling(clean(source), kind, clean(title), tuple(map(clean, authors)), created_at, clean(text))


class TellingReader:
    """Reads the files that tellings are kept as; for no other files, since it reads them in this process."""

    def __init__(self, *, tokenizer: Path, window: int) -> None:
        self._divider = Divider(tokenizer=tokenizer, window=window)

    async def read(self, path: Path, name: str) -> Reading:
        """Return text, structure and passages; raises `Unreadable` when the file is damaged."""
        return await asyncio.to_thread(self._read, path)

    def _read(self, path: Path) -> Reading:
        try:
            told = msgspec.json.decode(path.read_bytes(), type=Telling)
        except msgspec.MsgspecError as error:
            raise Unreadable(sentences.DAMAGED) from error
        return self._divider.divide(told.extracted(), told.context())
