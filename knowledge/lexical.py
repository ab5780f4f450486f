"""Texts to BM25 vectors: words, identifiers and numbers, each script stemmed in its own language."""

import re
import unicodedata
from collections import Counter
from functools import lru_cache

from qdrant_edge import Bm25, Bm25Config, TokenizerType

from knowledge.index.base import Sparse

K1 = 1.2
B = 0.75
K3 = 8.0  # long questions that repeat their subject gain much by it, short ones have nothing to repeat
AVERAGE_LENGTH = 90.0

# Thai to Khmer, kana, Han and Hangul: no spaces between words, or particles that cling to them
_UNSPACED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\U00020000-\U0003ffff"
_MARKS = r"\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0963\u0966-\u0dff"  # written on letters, no letters to `re`
# words, and what is written together without a space: TWIN_DATA_DIR, v2.3.1, anna@example.com, ABC-123
_WRITTEN = re.compile(rf"[\w{_MARKS}{_UNSPACED}]+(?:[.@/:+\-][\w{_MARKS}{_UNSPACED}]+)*")
_WORD = re.compile(rf"[{_UNSPACED}]+|(?:[^\W_{_UNSPACED}]|[{_MARKS}])+")
_RUN = re.compile(rf"[{_UNSPACED}]")
# compounds that are names as a whole; "well-known" and "and/or" are just two words, and 3.14 counts enough by its parts
_NAME = re.compile(r"[_@]|\d\.\d+\.\d|[^\W\d]{2}\.[^\W\d]{2}|[^\W\d_]-\d")
_HUMP = re.compile(r"(?<=[a-z\d])(?=[A-Z])")
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")


class Lexical:
    """Turns texts into sparse vectors whose dot product is the BM25 score, once the index weights it by rarity (IDF).

    Term ids are those of Qdrant's and fastembed's own BM25 for the same stems. `average_length` is the mean of `length` over
    the passages of the index; the default is that of English prose cut into passages of about 200 tokens.
    """

    def __init__(self, average_length: float = AVERAGE_LENGTH) -> None:
        self.average_length = average_length

    def document(self, text: str) -> Sparse:
        """Return the terms of a passage, weighted by their saturated frequency in relation to the passage's length."""
        counts = Counter(_terms(text))
        damping = K1 * (1 - B + B * counts.total() / self.average_length)
        return Sparse(list(counts), [n * (K1 + 1) / (n + damping) for n in counts.values()])

    def query(self, text: str) -> Sparse:
        """Return the terms of a question: weight 1, more when it repeats itself (Okapi's k3); none if all are stop words."""
        counts = Counter(_terms(text))
        return Sparse(list(counts), [n * (K3 + 1) / (n + K3) for n in counts.values()])

    def length(self, text: str) -> int:
        """Return how many terms a text has, repetitions included."""
        return len(_terms(text))


def _terms(text: str) -> list[int]:
    readable = unicodedata.normalize("NFKC", text.encode("utf-8", "replace").decode()).replace("ё", "е").replace("Ё", "Е")
    return [term for written in _WRITTEN.findall(readable) for term in _ids(written)]


@lru_cache(maxsize=32_768)
def _ids(written: str) -> tuple[int, ...]:
    """Return the ids of a word, or of a compound's parts and of the compound itself, so that it is found by either."""
    words = _WORD.findall(written)
    names = [written.strip("_")] if len(words) > 1 and _NAME.search(written) else []
    parts = [part for word in words for part in _parts(word)]
    return tuple(term for word in (*parts, *names) for term in _engine(word).embed_query(word).indices)


def _parts(word: str) -> list[str]:
    """Return the word and its humps (`camelCase`); in a run without spaces its characters and pairs of them.

    Dictionaries divide such a run differently in a question and in a passage; pairs always meet.
    """
    if _RUN.match(word):
        return [*word, *(word[n : n + 2] for n in range(len(word) - 1))]
    humps = _HUMP.split(word)
    return [word, *(hump for hump in humps if 1 < len(hump) < len(word))]


def _engine(word: str) -> Bm25:
    return _engine_of("russian" if _CYRILLIC.search(word) else "english")


@lru_cache
def _engine_of(language: str) -> Bm25:
    # words come one by one: the engine knows stop words, stems and ids; the weights need the whole text and are computed above
    return Bm25(Bm25Config(language=language, tokenizer=TokenizerType.Whitespace, ascii_folding=True))
