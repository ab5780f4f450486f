"""What a sentence states: its words, its numbers and its names (pure)."""

import re
from dataclasses import dataclass
from functools import cached_property

from bot.answering.quoting import words

_NUMBER = re.compile(r"\d+(?:[.,'’\u00a0\u202f ]\d{3})*(?:[.,:]\d+)*")
_GROUPING = re.compile(r"[.,'’\u00a0\u202f ](?=\d{3}(?:\D|$))")
_ENUMERATED = re.compile(r"^\s*(?:[>*+-]\s*)*(?:\*\*)?\(?\d{1,3}[.)]\s")
_NAME = re.compile(r"(?<=[\w,;] )[^\W\d_a-zа-яё][\w’'-]{2,}")
_CONNECTS = re.compile(r"^\s*#|[:：?？]\W*$|^[\s|:=*_-]+$")
_FEW, _SOME = 3, 8  # telling words: fewer than the first state nothing, a heading or a lead may have fewer than the second
_SPELLED = (
    "zero one two three four five six seven eight nine ten eleven twelve",
    "null ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
    "ноль один два три четыре пять шесть семь восемь девять десять одиннадцать двенадцать",
    "zéro un deux trois quatre cinq six sept huit neuf dix onze douze",
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce",
)
_FIGURES = {word: str(n) for line in _SPELLED for n, word in enumerate(line.split())}
# Common words by which a language is told; none stands in two of these lines.
_COMMON = {
    "en": "the of and to is are was with for that this from by it they which have has be not or at",
    "de": "der die das und ist sind nicht mit für von zu den dem ein eine auf werden wird im auch sich bei",
    "fr": "le les des est sont pour dans une du sur qui pas avec aux cette ces au",
    "es": "el los las una y por para con del se su como más esta este al",
    "it": "il di che è sono gli della nel non per dei alla delle",
    "pt": "o os em não uma do da dos das com no na são ao",
    "ru": "и в не на что с по для как это из к от при",
}
_LANGUAGE = {word: language for language, line in _COMMON.items() for word in line.split()}
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Statement:
    """A sentence, or a longer text, read."""

    text: str

    @cached_property
    def terms(self) -> frozenset[str]:
        """The stems of the words that carry meaning."""
        return frozenset(words.content(self.text))

    @cached_property
    def numbers(self) -> frozenset[str]:
        """The numbers, written alike: 5,000 and 5.000 and 5000; small ones also when they are spelled out."""
        return frozenset(_figure(found) for found in _NUMBER.findall(_ENUMERATED.sub(" ", self.text)))

    @cached_property
    def figures(self) -> frozenset[str]:
        """The numbers, and those that are spelled out."""
        spelled = {_FIGURES[word] for word in _WORD.findall(self.text.lower()) if word in _FIGURES}
        return self.numbers | spelled

    @cached_property
    def names(self) -> frozenset[str]:
        """The stems of words with a capital inside the sentence; none in German, which gives one to every noun."""
        if self.language == "de":
            return frozenset()
        return frozenset(words.content(" ".join(_NAME.findall(self.text))))

    @cached_property
    def language(self) -> str:
        """The language, by its common words; empty when they do not tell."""
        count: dict[str, int] = {}
        for word in _WORD.findall(self.text.lower()):
            if word in _LANGUAGE:
                count[_LANGUAGE[word]] = count.get(_LANGUAGE[word], 0) + 1
        best = max(count, key=count.__getitem__, default="")
        return best if best and 2 * count[best] > sum(count.values()) else ""

    @cached_property
    def connects(self) -> bool:
        """Whether it only leads from one statement to the next, or is too short to be one."""
        return not self.numbers and not self.names and (self.leads or len(self.terms) < _FEW)

    @cached_property
    def leads(self) -> bool:
        """Whether it is a heading, a question, or what leads to a list."""
        return len(self.terms) < _SOME and _CONNECTS.search(self.text) is not None


def _figure(written: str) -> str:
    """Return a number without what groups its digits; `3,5` and `3.5` are the same."""
    plain = written if written.isdigit() else _GROUPING.sub("", written)
    return plain.replace(",", ".").lstrip("0") or "0"
