"""Whether two sentences contradict each other (pure).

They are taken to when they say the same of the same and one number of one kind, or a negation, is all that tells them apart.
That misses much, and is seldom wrong: who reads it should not learn to pass over it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[^\W\d_\"“(])|\n+")
_WORD = re.compile(
    r"[^\W\d_][\w.\[/-]*\d[\w.\]-]*|\d+(?:\.\d+){3,}|\d+\.\d+\.\d{1,3}(?!\d)"  # names with numbers in them, and versions
    r"|\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?!\d)|\d+(?:[.,:]\d+)*|[^\W\d_]+(?:['’-][^\W\d_]+)*|[%€$£¥]"
)
_NUMBER = re.compile(r"\d+(?:[.,: \u00a0\u202f]\d+)*")
_VERSION = re.compile(r"\d+(?:\.\d+){3,}|\d+\.\d+\.\d{1,3}")
_BULLET = re.compile(r"^[\s*•·‣–—>#-]*(?:\(?(?:\d{1,3}|[a-zA-Z])[.)]\s+)?")
_THOUSANDS = re.compile(r"[,. \u00a0\u202f](?=\d{3}(?!\d))")
_ROW = re.compile(r"\||\t| {3}")  # of a table: what its values are of stands elsewhere


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_EMPTY = _set(
    "a an the is are was were be been of for in on at to by with from and or as it its this that these those than then there "
    "has have had will would shall should can could may might must do does did our your his her their which who"
)
_NOT = _set(
    "not no never nobody nothing none neither nor without cannot can't don't doesn't didn't isn't aren't wasn't weren't won't "
    "mustn't kein keine keinen nicht nie"
)
_TURNS = _set("only whether unless if except otherwise")  # a "not" beside these does not deny the whole
_LABELS = _set(
    "hall room floor chapter section page version article table figure fig step question part item line appendix phase week "
    "quarter building gate platform form annex paragraph number no nr unit level grade class type model group team case test "
    "day lesson volume vol issue release option variant example scenario zone"
)
_PAST = _set("was were had did wasn't weren't hadn't didn't")
_YEARLY = _set("in since until till during year fy through")
_NUMBERS = {
    **{"zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8"},
    **{"nine": "9", "ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13", "fourteen": "14", "fifteen": "15"},
    **{"twenty": "20", "thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "ninety": "90"},
}
_SIGNS = frozenset("%€$£¥")
_ALIKE = 0.8  # of the words that either has, both have
_LEAST = 2  # words that both have, and what a number is of
_LONGEST = 300  # characters of a sentence


@dataclass(frozen=True, slots=True)
class _Value:
    """A number with the words before and after it, which say what it is of."""

    number: str
    before: str
    after: str

    @property
    def is_label(self) -> bool:
        """Say whether it names something rather than measures it: hall 3, version 2, Windows 11, in 2024."""
        named = len(self.before) == 1 and self.before.isalpha()
        if named or self.before.casefold() in _LABELS or self.before[:1].isupper():
            return True
        return self.is_year and (self.before.casefold() in _YEARLY or not self.before or not self.after or self.after in _EMPTY)

    @property
    def is_year(self) -> bool:
        return len(self.number) == 4 and self.number[:2] in {"19", "20"}


def comparable(text: str) -> list[str]:
    """Return the sentences of a text that state something with a number or a negation."""
    lines = (one for one in _SENTENCE.split(text) if not _ROW.search(one.strip()))
    sentences = (" ".join(_BULLET.sub("", one).split()) for one in lines)
    return [one for one in sentences if len(one) <= _LONGEST and _states(one)]


def _states(sentence: str) -> bool:
    """Say whether it states something that holds: what was, was once, and other reports tell of other times."""
    words = _words(sentence)
    past = _PAST & {word.casefold() for word in words}
    return len(words) > 2 and not past and not sentence.endswith("?") and any(map(_tells, words))


def contradict(one: str, other: str) -> bool:
    """Say whether two sentences say nearly the same, but for one value or a negation."""
    first, second = _words(one), _words(other)
    if not _of_the_same(_content(first), _content(second)):
        return False
    values, others = list(_values(first)), list(_values(second))
    if _denies(first) != _denies(second):
        turned = _TURNS & {word.casefold() for word in (*first, *second)}
        return values == others and not turned and _content(first) == _content(second)
    if len(values) != len(others):
        return False
    differ = [(a, b) for a, b in zip(values, others, strict=True) if a.number != b.number]
    rest = [(a, b) for a, b in zip(values, others, strict=True) if a.number == b.number and a != b]
    return len(differ) == 1 and not rest and _of_one_kind(*differ[0])


def _of_the_same(first: Sequence[str], second: Sequence[str]) -> bool:
    """Say whether two sentences speak of the same: one may say a little more, but no word stands for another.

    Nor may it say more before what both name: part-time employees are not all employees.
    """
    more, less = (first, set(second)) if len(set(first)) >= len(set(second)) else (second, set(first))
    if len(less - _SIGNS) < _LEAST or not less <= set(more) or len(less) < _ALIKE * len(set(more)):
        return False
    return not any(word not in less and after in less for word, after in pairwise(more))


def _of_one_kind(one: _Value, other: _Value) -> bool:
    return not one.is_label and not other.is_label and (one.before, one.after) == (other.before, other.after)


def _values(words: Sequence[str]) -> Iterator[_Value]:
    for n, word in enumerate(words):
        if _is_number(word):
            after = words[n + 1] if n + 1 < len(words) else ""
            yield _Value(_number(word), words[n - 1] if n else "", _stem(after.casefold()))


def _words(text: str) -> list[str]:
    return [word.replace("’", "'") for word in _WORD.findall(text)]


def _content(words: Sequence[str]) -> list[str]:
    """Return what is named, in order; a time of day is something named too."""
    named = [_clock(word) if _is_number(word) else _stem(word.casefold()) for word in words]
    return [word for word in named if word and word not in _EMPTY and word not in _NOT]


def _clock(word: str) -> str:
    return ":" if ":" in word else ""


def _denies(words: Sequence[str]) -> bool:
    """Say whether a sentence has a negation; "no. 5" has none."""
    return any(word.casefold() in _NOT and not _is_number(after) for word, after in zip(words, [*words[1:], "."], strict=True))


def _tells(word: str) -> bool:
    return _is_number(word) or word.casefold() in _NOT


def _is_number(word: str) -> bool:
    return (bool(_NUMBER.fullmatch(word)) and not _VERSION.fullmatch(word)) or word.casefold() in _NUMBERS


def _number(word: str) -> str:
    """Return a number in one way of writing: three and 3, 1,000 and 1 000, 9:00 and 09.00 are the same."""
    written = _THOUSANDS.sub("", _NUMBERS.get(word.casefold(), word)).replace(",", ".").replace(":", ".").lstrip("0")
    return written.rstrip("0").rstrip(".") if "." in written else written


def _stem(word: str) -> str:
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return f"{word[:-3]}y" if word.endswith("ies") and len(word) > 4 else word[:-1]
    return word
