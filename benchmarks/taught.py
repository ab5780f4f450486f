"""Collections taught to a real index, with their texts in memory: what the benchmarks of retrieval search."""

import asyncio
import hashlib
import json
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.chunks import embedded_text
from knowledge.documents import Audience, Passage
from knowledge.embeddings import Embedder
from knowledge.extract.text import Extracted
from knowledge.extract.told import ToldReader
from knowledge.index import open_index
from knowledge.index.base import Point, Vectors
from knowledge.lexical import Lexical
from knowledge.retrieval import Retrieval

ANYONE = Audience(frozenset({"benchmark"}))
_SPACE = uuid.UUID("6f1d3f0a-6a1c-4b0e-9a52-0d0c2e7d9a11")
_BATCH = 500


class Texts:
    """The database's part, played by a dict."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._passages = {passage.id: passage for passage in passages}

    async def passages(self, ids: Sequence[str], audience: Audience) -> dict[str, Passage]:
        """Return those passages that exist."""
        return {id_: self._passages[id_] for id_ in ids if id_ in self._passages}

    async def stretch(self, passage: Passage, start: int, end: int) -> str:
        """Return the passage's own text: no benchmark reads further."""
        return passage.text


@dataclass(frozen=True, slots=True)
class Question:
    """A question, the ids that answer it with their grades, and the documents it is narrowed to."""

    text: str
    judged: Mapping[str, int]
    documents: tuple[str, ...] = ()


async def divided(embedder: Embedder, documents: Mapping[str, Extracted]) -> list[Passage]:
    """Divide documents into passages as they are when they are learned."""
    reader = ToldReader(tokenizer=embedder.tokenizer, window=embedder.window)
    passages: list[Passage] = []
    for name, document in documents.items():
        reader.tell(name, document)
        reading = await reader.read(Path(name), name)
        for chunk in reading.chunks:
            text = document.text[chunk.start : chunk.end]
            id_ = str(uuid.uuid5(_SPACE, f"{name} {chunk.n}"))
            passages.append(
                Passage(id_, name, document.title or "", "text", chunk.n, chunk.start, chunk.end, text, chunk.context, "")
            )
    return passages


def conversations(folder: Path) -> tuple[list[Passage], list[Question]]:
    """Read LoCoMo: one document per session, one passage per turn; a question is narrowed to its conversation.

    What a question is judged by are ids of passages.
    """
    turns = groupby(_lines(folder / "turns.jsonl"), key=lambda turn: (turn["conv"], turn["session"]))
    passages = [_turn(f"{conv} {session}", n, turn) for (conv, session), said in turns for n, turn in enumerate(said)]
    known = {passage.id for passage in passages}
    sessions: dict[str, list[str]] = {}
    for document in dict.fromkeys(passage.document_id for passage in passages):
        sessions.setdefault(document.rsplit(" ", 1)[0], []).append(document)
    questions = []
    for asked in _lines(folder / "qa.jsonl"):
        judged = {_turn_id(asked["conv"], turn): 1 for turn in asked["evidence"]}
        if known.intersection(judged):
            questions.append(Question(asked["question"], judged, tuple(sessions[asked["conv"]])))
    return passages, questions


def _turn(session: str, n: int, turn: dict[str, Any]) -> Passage:
    text, context = turn["text"], f"{turn['speaker']}, {turn['date']}"
    id_ = _turn_id(turn["conv"], turn["dia_id"])
    return Passage(id_, session, turn["conv"], "message", n, 0, len(text), text, context, "")


def _turn_id(conversation: str, turn: str) -> str:
    return str(uuid.uuid5(_SPACE, f"{conversation} {turn}"))


def _lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


@asynccontextmanager
async def taught(
    embedder: Embedder, passages: Sequence[Passage], folder: Path, *, cache: Path | None = None
) -> AsyncIterator[Retrieval]:
    """Index passages in a folder and open them for searching; `cache` is a folder that keeps vectors for the next time."""
    texts = [embedded_text(passage.context, passage.text) for passage in passages]
    lexical = Lexical()
    vectors = await _vectors(embedder, texts, cache)
    async with open_index(folder=folder / "index", collection="benchmark", dimension=embedder.dimension) as index:
        points = [
            Point(p.id, vector, lexical.document(text), p.document_id, p.document_id, p.n, p.kind, tuple(ANYONE.scopes), (), 0)
            for p, text, vector in zip(passages, texts, vectors, strict=True)
        ]
        for begin in range(0, len(points), _BATCH):
            await index.upsert(points[begin : begin + _BATCH])
        yield Retrieval(embedder, lexical, index, Texts(passages))


async def _vectors(embedder: Embedder, texts: list[str], cache: Path | None) -> Vectors:
    if cache is None:
        return await embedder.passages(texts)
    digest = hashlib.sha256(json.dumps([embedder.model, *texts]).encode()).hexdigest()
    file = cache / f"{digest[:24]}.npy"
    try:
        return np.asarray(await asyncio.to_thread(np.load, file), np.float32)
    except FileNotFoundError:
        vectors = await embedder.passages(texts)
        await asyncio.to_thread(np.save, file, vectors)
        return vectors
