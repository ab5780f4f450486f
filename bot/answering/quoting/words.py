"""Words of a question and of texts, so that one can be found in the other (pure)."""

import re
from collections.abc import Iterable
from functools import lru_cache

from py_rust_stemmers import SnowballStemmer

# Words that say nothing of what a text is about: English, German, Russian.
_COMMON = """
    a an the hi hello hey thanks of in on at by for to and or is are was were be been being am what which who whom whose
    when where why how did do does it its this that these those with as from has have had can could would should will may
    might shall must i you he she we they me us my your his her him our their them there than then so if not no but into
    about any some please tell give get got many much der die das den dem des ein eine einen einem einer eines und oder ist
    sind war waren wird werden was wer wem wen wann wo wie warum welche welcher welches in im am an auf bei zu zum zur mit
    von vom für nicht ich du er sie es wir ihr mir mich uns man kann gibt viele viel и в во на с со к по о об от до из за у
    не что кто кого кому когда где как почему зачем какой какая какие каких сколько это этот эта эти был была были быть есть
    я ты он она мы вы они мне нам меня для или а но же ли бы"""
_STOP = frozenset(_COMMON.split())
_WORD = re.compile(r"\w+(?:['’]\w+)?")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff]")
_CYRILLIC = re.compile(r"[а-яё]")
_SHARED = 4  # letters that two forms of one word begin with, at least
_CLOSE = 0.8  # of the shorter form must be shared

Kin = dict[str, list[tuple[int, float]]]
"""Words, each with the numbers of the terms it may stand for and how surely, 0 to 1."""


def content(text: str) -> list[str]:
    """Return the stems of the words that carry meaning, in order."""
    return [stem for word in _WORD.findall(text.lower()) for stem in _stems(word)]


def kin(terms: Iterable[str], vocabulary: Iterable[str]) -> Kin:
    """Find the words that may stand for terms.

    Besides equal stems, words with a long common beginning count for the part they share: "approve" and "approval", "Urlaub"
    and "Urlaubstage".
    """
    beginnings: dict[str, list[tuple[int, str]]] = {}
    for n, term in enumerate(terms):
        beginnings.setdefault(term[:_SHARED], []).append((n, term))
    found: Kin = {}
    for word in vocabulary:
        alike = [(n, likeness) for n, term in beginnings.get(word[:_SHARED], ()) if (likeness := _likeness(term, word))]
        if alike:
            found[word] = alike
    return found


def _likeness(one: str, other: str) -> float:
    if one == other:
        return 1.0
    shorter, longer = sorted((len(one), len(other)))
    shared = next((n for n in range(shorter) if one[n] != other[n]), shorter)
    return shared / longer if shared >= _SHARED and shared >= _CLOSE * shorter else 0.0


@lru_cache(maxsize=65_536)
def _stems(word: str) -> tuple[str, ...]:
    word = re.split("['’]", word)[0] if word.endswith(("'s", "’s")) else word
    if word in _STOP:
        return ()
    if _UNSPACED.search(word):  # no blanks between words: pairs of characters stand for them
        return tuple(word[n : n + 2] for n in range(max(len(word) - 1, 1)))
    return (_stemmer("russian" if _CYRILLIC.search(word) else "english").stem_word(word),)


@lru_cache
def _stemmer(language: str) -> SnowballStemmer:
    return SnowballStemmer(language)
