"""Small documents to ask about, and an embedding made of nothing but their words."""

from collections.abc import Sequence
from zlib import crc32

import numpy as np

from bot.answering.quoting import words
from bot.answering.quoting.evidence import Matrix
from knowledge import Found, Passage

_DIMENSIONS = 512


def passage(text: str, *, title: str = "Handbook", n: int = 0, page: int | None = None, heading: str | None = None) -> Passage:
    context = "\n".join(line for line in (title, heading) if line)
    start = n * 10_000
    return Passage(
        id=f"{title}-{n}",
        document_id=title,
        title=title,
        kind="txt",
        n=n,
        start=start,
        end=start + len(text),
        text=text,
        context=context,
        url=f"file:///{title}",
        page=page,
        heading=heading,
    )


async def embed(texts: Sequence[str]) -> Matrix:
    vectors = np.zeros((len(texts), _DIMENSIONS), np.float32)
    for vector, text in zip(vectors, texts, strict=True):
        for word in words.content(text):
            vector[crc32(word.encode()) % _DIMENSIONS] += 1
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
    return vectors


async def found(question: str, *passages: Passage) -> list[Found]:
    """Rank passages as a search would: by cosine, here of words."""
    query, *vectors = await embed([question, *(f"{passage.context}\n{passage.text}" for passage in passages)])
    scores = [float(vector @ query) for vector in vectors]
    hits = [Found(passage, score, score, score) for passage, score in zip(passages, scores, strict=True)]
    return sorted(hits, key=lambda hit: -hit.score)
