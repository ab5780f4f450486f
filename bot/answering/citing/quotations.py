"""Words that are given as somebody's own: they must stand in a passage (pure)."""

import re
from collections.abc import Iterable

from bot.answering.citing import marks

_QUOTED = re.compile(
    r"“(?P<a>[^“”]+)”|„(?P<b>[^„“”]+)[“”]|«(?P<c>[^«»]+)»|「(?P<d>[^「」]+)」|『(?P<e>[^『』]+)』|\"(?P<f>[^\"]+)\"|”(?P<g>[^”]+)”"
)
_BLOCK = re.compile(r"^(\s*(?:>\s?)+)(.*?)(\s*)$", re.DOTALL)
_SAID_BY = re.compile(r"\s+[—–-]{1,2}\s[^.!?]{1,80}$")
_LEFT_OUT = re.compile(r"\[?(?:…|\.\.\.)\]?")
_UNSPACED = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff"  # no blanks between words: each character counts as one
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
_MORE_THAN = 3  # words: fewer are a name, or a word set apart


class Spoken:
    """The words of passages, to look quotations up in; white space, case and punctuation are all the same here."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = [f" {_plain(text)} " for text in texts]

    def holding(self, quotation: str) -> int | None:
        """Return the number, from 1, of the text in which a quotation stands; `…` may stand for what is left out."""
        parts = [plain for part in _LEFT_OUT.split(quotation) if (plain := _plain(part))]
        for n, text in enumerate(self._texts, start=1):
            at = 0
            for part in parts:
                at = text.find(f" {part} ", at) + 1
                if not at:
                    break
            else:
                return n
        return None


def checked(text: str, spoken: Spoken) -> tuple[str, list[int], int]:
    """Take the quotation marks from what was not said: then it is a statement like others, to be judged as one.

    Returns the text, the numbers of the texts that hold its quotations, and how many quotations nobody said. To drop the
    sentence instead would lose what is right though its words are the model's own.
    """
    held: list[int] = []
    misquoted = 0

    def judged(found: re.Match[str]) -> str:
        nonlocal misquoted
        said: str = next(filter(None, found.groups()))
        if _short(said):
            return found.group()
        if (n := spoken.holding(said)) is not None:
            held.append(n)
            return found.group()
        misquoted += 1
        return said

    block = _BLOCK.match(text)
    if block and not _short(block[2]):
        if (n := spoken.holding(_SAID_BY.sub("", block[2]))) is not None:
            return text, [n], 0
        return _QUOTED.sub(judged, block[2]) + block[3], held, misquoted + 1
    return _QUOTED.sub(judged, text), held, misquoted


def _short(said: str) -> bool:
    return len(_WORD.findall(marks.without(said))) <= _MORE_THAN


def _plain(text: str) -> str:
    return " ".join(_WORD.findall(marks.without(text).casefold()))
