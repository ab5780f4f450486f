"""Texts that are known already and need not be read from a file: they only have to be divided into passages."""

import asyncio
from pathlib import Path

from tokenizers import Tokenizer

from knowledge.chunks import split
from knowledge.extract.child import token_spans
from knowledge.extract.reader import Reading
from knowledge.extract.text import Extracted


class Divider:
    """Divides texts into passages as the reader of files does."""

    def __init__(self, *, tokenizer: Path, window: int) -> None:
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._window = window

    def divide(self, document: Extracted, title: str) -> Reading:
        """Return a document with its passages, which say `title` before their own text."""
        spans = token_spans(self._tokenizer, document.text, lambda: None)
        return Reading(document, split(document, title=title, spans=spans, window=self._window, count=self._count))

    def _count(self, text: str) -> int:
        return len(self._tokenizer.encode(text).ids)


class ToldReader:
    """A reader of the documents it was told, by name; each is given out once."""

    def __init__(self, *, tokenizer: Path, window: int) -> None:
        self._divider = Divider(tokenizer=tokenizer, window=window)
        self._told: dict[str, Extracted] = {}

    def tell(self, name: str, document: Extracted) -> None:
        """Have a document ready under a name."""
        self._told[name] = document

    async def read(self, path: Path, name: str) -> Reading:
        """Return the document of this name with its passages; the file is not looked at."""
        document = self._told.pop(name)
        return await asyncio.to_thread(self._divider.divide, document, document.title or "")
