"""Answers without a language model: the sentences that answer best, quoted."""

import re
from collections.abc import Awaitable, Callable, Sequence

import numpy as np

from bot.answering import grounding
from bot.answering.citing import source
from bot.answering.quoting import courtesy, sentences
from bot.answering.quoting.evidence import Evidence, Matrix
from bot.answering.quoting.question import Question
from bot.answering.quoting.quotes import Quote, choose
from bot.chat import Answer
from knowledge import Found, Passage

PROVIDER = "extractive"
MODEL = "quotes"

_MOST_SENTENCES = 60  # are embedded for one answer, about 1-3 ms each
_BRACKETED = re.compile(r"\[\d[^\]\n]*\]")  # such as the references of an article
_CLOSING = tuple('.!?…。！？:;"”’»)]|')  # what a whole sentence or row ends with

Embed = Callable[[Sequence[str]], Awaitable[Matrix]]
"""Turns texts into rows of length 1."""

# What each feature of a sentence is worth, as log-odds: fitted by `python -m benchmarks.answers fit DATA`.
WORTH = np.array([9.86, 7.44, 0.69, 4.11, 1.65, 4.97, 1.16, 0.17, 2.56, 3.28, 0.47, 1.61, 2.82, 0.64, 0.73])


class Extractive:
    """Quotes the best supporting sentences of the passages found, or says that it does not know."""

    def __init__(self, embed: Embed) -> None:
        self._embed = embed

    async def answer(self, question: str, found: Sequence[Found]) -> Answer:
        """Answer from passages, best first; every quote stands word for word in one of them."""
        if reply := courtesy.reply(question):
            return Answer(reply, (), False, PROVIDER, MODEL)
        return compose(*await self.weigh(question, found))

    async def weigh(self, question: str, found: Sequence[Found]) -> tuple[Evidence, Matrix]:
        """Return the sentences of the passages and what speaks for each, a row of `evidence.FEATURES`."""
        evidence = Evidence(Question(question), found)
        read = evidence.strongest(_MOST_SENTENCES)
        query, *known = await self._embed([question, *(evidence.units[n].text for n in read)])
        vectors = np.zeros((len(evidence.units), len(query)), np.float32)
        vectors[read] = np.reshape(known, (len(read), len(query)))
        return evidence, evidence.features(query, vectors)


def compose(evidence: Evidence, features: Matrix) -> Answer:
    """Write the answer, or say that it is not known, from what speaks for each unit (pure)."""
    found, scores = evidence.found, features @ WORTH
    confidence = grounding.confidence(features, scores, found)
    quotes = choose(evidence, features, scores, sure=confidence >= grounding.SURE)
    if confidence < grounding.ENOUGH or not quotes:
        return grounding.unknown(found, provider=PROVIDER, model=MODEL)
    blocks: list[str] = []
    for n, quote in enumerate(quotes):
        said = _marked(_said(found[quote.passage], quote), n + 1)
        if n and quote.head and quote.head == quotes[n - 1].head:
            blocks[-1] += f"  \n{_quoted([said])}"  # another row of the same table
        else:
            opening = _link(found, quotes, n) if n else _opening(found[quote.passage].passage, confidence)
            blocks.append(f"{opening}\n\n{_quoted([quote.head, said] if quote.head else [said])}")
    sources = tuple(source(found[quote.passage], _text(found, quote), n) for n, quote in enumerate(quotes, start=1))
    return Answer("\n\n".join(blocks), sources, False, PROVIDER, MODEL)


def pieces(text: str) -> list[str]:
    """Divide an answer into pieces that can be shown one after the other; together they are the text."""
    return [text[start:end] for start, end in sentences.spans(text)]


def _text(found: Sequence[Found], quote: Quote) -> str:
    return found[quote.passage].passage.text[quote.start : quote.end]


def _said(hit: Found, quote: Quote) -> str:
    """Return the quote; what is left out of its sentence is shown by dots around it."""
    text = hit.passage.text
    said = text[quote.start : quote.end]
    before = "… " if _torn(text[: quote.start]) else ""
    after = "" if _whole(said) or not text[quote.end :].strip() or text[quote.end : quote.end + 1] == "\n" else " …"
    return f"{before}{said}{after}"


def _marked(said: str, n: int) -> str:
    """Return a quote with its number, set apart where the quote has numbers in brackets of its own."""
    return f"{said} — **[{n}]**" if _BRACKETED.search(said) else f"{said} [{n}]"


def _quoted(parts: Sequence[str]) -> str:
    """Return a Markdown block quote that keeps its lines apart."""
    lines = "\n".join(parts).split("\n")
    return "  \n".join(f"> {line}".rstrip() for line in lines)


def _torn(before: str) -> bool:
    """Tell whether a sentence had begun already."""
    return bool(before.strip()) and not before.endswith("\n") and not _whole(before)


def _whole(said: str) -> bool:
    return said.rstrip()[-1:] in _CLOSING


def _opening(passage: Passage, confidence: float) -> str:
    place = _titled(passage)
    if confidence >= grounding.SURE:
        return f"{place} says:"
    return f"I am not sure this is what you mean, but {place} says:"


def _link(found: Sequence[Found], quotes: Sequence[Quote], n: int) -> str:
    """Lead from the quote before to this one, as one would say it."""
    here, before = quotes[n], quotes[n - 1]
    passage, last = found[here.passage].passage, found[before.passage].passage
    if passage.document_id != last.document_id:
        name = "Another document of that name" if passage.title == last.title else _titled(passage)
        return f"{name} {'adds' if n == 1 else 'also has'}:"
    if passage.page != last.page and passage.page is not None:
        return f"And on page {passage.page}:"
    if passage.heading != last.heading and passage.heading:
        return f"And under “{_innermost(passage.heading)}”:"
    if passage.start + here.start < last.start + before.start:
        return "A little earlier:" if n == 1 else "Also there:"
    return "It goes on:" if n == 1 else "And further on:"


def _titled(passage: Passage) -> str:
    """Name a passage as one does in conversation: the document, and the page or heading."""
    if passage.page is not None:
        return f"**{passage.title}** (page {passage.page})"
    if passage.heading and _innermost(passage.heading).casefold() != passage.title.casefold():
        return f"**{passage.title}** (“{_innermost(passage.heading)}”)"
    return f"**{passage.title}**"


def _innermost(heading: str) -> str:
    return heading.rsplit(" › ", 1)[-1].strip()
