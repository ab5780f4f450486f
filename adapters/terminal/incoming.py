"""What a typed line means: a question, files to teach, or a command (pure)."""

import difflib
import os
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

_FILE_NAME = re.compile(r".*\.(?=[a-z0-9]*[a-z])[a-z0-9]{1,5}", re.IGNORECASE)  # 3.14 is none
COMMANDS = (
    *("help", "docs", "forget", "search", "quit"),
    *("why", "again", "good", "bad", "undo", "export"),
    *("remember", "notes", "model", "stats"),
)


@dataclass(frozen=True, slots=True)
class Question:
    """Something to be answered."""

    text: str


@dataclass(frozen=True, slots=True)
class Teach:
    """Files and folders to be learned; all of them exist."""

    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Command:
    """One of `COMMANDS`, with the rest of its line."""

    name: str
    rest: str


@dataclass(frozen=True, slots=True)
class Mistake:
    """A line that means nothing; `text` says so and what to write instead."""

    text: str


Line = Question | Teach | Command | Mistake


def read(line: str, exists: Callable[[Path], bool]) -> Line | None:
    """Return what a line means, `None` for an empty one.

    Terminals drop files as quoted, backslash-escaped or plain paths and as `file://` addresses, several on a line.
    """
    line = line.strip()
    if not line:
        return None
    if command := _command(line):
        return command
    if _looks_like_path(line) and exists(whole := _path(line)):
        return Teach((whole,))  # typed as it is, its spaces neither quoted nor escaped
    words = _words(line)
    if all(_looks_like_path(word) and exists(_path(word)) for word in words):
        return Teach(tuple(_path(word) for word in words))
    alone = len(words) == 1
    if missing := [word for word in words if _is_surely_path(word, alone=alone) and not exists(_path(word))]:
        return _nothing_there(missing[0], alone=alone, line=line)
    return Question(line)


def _command(line: str) -> Command | None:
    name, _, rest = line.partition(" ")
    return Command(name[1:], rest.strip()) if name.startswith("/") and name[1:] in COMMANDS else None


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:  # an apostrophe in a sentence opens a quotation that never closes
        return line.split()


def _looks_like_path(word: str) -> bool:
    # A bare word is a word even when a folder has its name: "docs" asks, "docs/" teaches.
    return "/" in word or "." in word.strip(".") or word.startswith("~")


def _is_surely_path(word: str, *, alone: bool = False) -> bool:
    return word.startswith(("/", "~/", "./", "../", "file://")) or (alone and _FILE_NAME.fullmatch(word) is not None)


def file_named(text: str) -> Path:
    """Return the file that the rest of a line names, quoted or not."""
    words = _words(text)
    return _path(words[0] if len(words) == 1 else text)


def _path(word: str) -> Path:
    if word.startswith("file://"):
        word = unquote(urlsplit(word).path)
    return Path(os.path.expanduser(word))  # noqa: PTH111 - that of Path refuses the home of somebody who is not there


def _nothing_there(word: str, *, alone: bool, line: str) -> Line:
    if line.startswith(word) and word.count("/") == 1 and word.startswith("/") and not _FILE_NAME.fullmatch(word):
        if close := difflib.get_close_matches(word[1:].lower(), COMMANDS, 1, 0.75):
            return Mistake(f"There is no command {word}. Is /{close[0]} meant?")
        if alone:
            return Mistake(f"There is no command {word}. /help lists what there is.")
    if alone or all(map(_is_surely_path, _words(line))):
        return Mistake(f"There is no file or folder {_path(word)}.")
    return Question(line)  # a sentence that speaks of a path
