"""Words divided at the end of a printed line: made whole again, unless the hyphen is their own (pure)."""

import re
from collections import Counter
from collections.abc import Iterable

HYPHEN = "\ufffe"  # how PDFium writes a hyphen that ends a line
_ENDS = (HYPHEN, "-", "\N{HYPHEN}", "\xad")
_WORD = re.compile(r"[^\W\d_]+(?:[-\u2010][^\W\d_]+)*")
_BEFORE = re.compile(r"[^\W\d_]+(?:[-\u2010][^\W\d_]+)*$")
_LONGEST = 80


class Words:
    """The words of a document, counted without case: whole compounds and their parts, but no halves of divided words."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._counts: Counter[str] = Counter()
        divided = False
        for line in map(str.strip, lines):
            pieces = line.casefold().split()[divided:]
            divided = line.endswith(_ENDS)
            whole = (piece for piece in (pieces[:-1] if divided else pieces) if HYPHEN not in piece)
            for word in _WORD.findall(" ".join(whole)):
                self._counts[word] += 1
                if not word.isalpha():
                    self._counts.update(_parts(word))

    def __contains__(self, word: str) -> bool:
        return self._counts[word.casefold()] > 0

    def join(self, lines: Iterable[str]) -> str:
        """Join the lines of a paragraph; a word divided at a line's end is whole again."""
        text = ""
        for line in map(str.strip, lines):
            if text.endswith(_ENDS) and text[-2:-1].isalnum():
                text = text[:-1] + HYPHEN + line
            else:
                text = f"{text} {line}" if text else line
        return re.sub(HYPHEN, self._hyphen, text)

    def _hyphen(self, match: re.Match[str]) -> str:
        """Return what belongs in place of a hyphen that ended a line: nothing or a hyphen."""
        before = _BEFORE.search(match.string[max(0, match.start() - _LONGEST) : match.start()])
        after = _WORD.match(match.string, match.end(), match.end() + _LONGEST)
        if before is None or after is None:
            return "-"
        return "" if self._is_one(before[0], after[0]) else "-"

    def _is_one(self, before: str, after: str) -> bool:
        """Say whether two halves are one word: what the document writes elsewhere decides, then what they look like."""
        first, second = _parts(before)[-1], _parts(after)[0]
        joined, compound = self._counts[(first + second).casefold()], self._counts[f"{before}-{after}".casefold()]
        if joined or compound:
            return joined >= compound
        small = len(first) > 1 and first[1:].islower() and second.islower()
        return small and first == before and not (first in self and second in self)


def _parts(word: str) -> list[str]:
    return re.split("[-\u2010]", word)
