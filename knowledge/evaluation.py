"""How well documents are found: folders in the BEIR layout, judged with the measures of trec_eval."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log2
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

import numpy as np

from knowledge.errors import KnowledgeError
from knowledge.extract.text import Block, Extracted

_BATCH = 64  # documents taught at a time

Progress = Callable[[str, int, int], None]
"""Told which step it is ("documents" or "queries"), and how many of how many are done."""


class BadDataset(KnowledgeError):
    """A folder that is not in the BEIR layout; the text names file and line."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """Documents by id, and for each query of one split its text and the judged documents with their grades."""

    name: str
    split: str
    documents: dict[str, Extracted]
    queries: dict[str, str]
    judged: dict[str, dict[str, int]]
    left_out: int


@dataclass(frozen=True, slots=True)
class Report:
    """Means over all judged queries; `left_out` is how many queries had no judged document. Times are of this machine."""

    dataset: str
    split: str
    queries: int
    documents: int
    ndcg_10: float
    recall_10: float
    recall_100: float
    mrr_10: float
    index_seconds: float
    query_ms_p50: float
    query_ms_p95: float
    left_out: int

    def as_json(self) -> dict[str, Any]:
        """Return what `twin eval --json` prints."""
        return {
            "dataset": self.dataset,
            "split": self.split,
            "queries": self.queries,
            "documents": self.documents,
            "ndcg@10": round(self.ndcg_10, 4),
            "recall@10": round(self.recall_10, 4),
            "recall@100": round(self.recall_100, 4),
            "mrr@10": round(self.mrr_10, 4),
            "index_seconds": round(self.index_seconds, 2),
            "query_ms": {"p50": round(self.query_ms_p50, 2), "p95": round(self.query_ms_p95, 2)},
        }


class Teach(Protocol):
    """Learns documents."""

    async def __call__(self, documents: Mapping[str, Extracted], /) -> None:
        """Learn these documents, given by id; when it returns they are found."""


class Rank(Protocol):
    """Finds documents."""

    async def __call__(self, query: str, /) -> Mapping[str, float]:
        """Return the scores of the best hundred documents by id, higher is better."""


def load(folder: Path, split: str = "test") -> Dataset:
    """Read `corpus.jsonl`, `queries.jsonl` and `qrels/<split>.tsv`; raise `BadDataset` naming what is wrong and where."""
    qrels = folder / "qrels" / f"{split}.tsv"
    for path in (folder / "corpus.jsonl", folder / "queries.jsonl", qrels):
        if not path.is_file():
            there = ", ".join(sorted(other.stem for other in qrels.parent.glob("*.tsv")))
            hint = f" There are judgements for: {there}." if path == qrels and there else ""
            raise BadDataset(f"{folder} is not a BEIR folder with the split {split!r}: {path} is missing.{hint}")
    documents = {
        id_: as_extracted(_field(record, "title", where, ""), _field(record, "text", where))
        for id_, record, where in _records(folder / "corpus.jsonl")
    }
    queries = {id_: _field(record, "text", where) for id_, record, where in _records(folder / "queries.jsonl")}
    judged: dict[str, dict[str, int]] = {}
    for query, document, grade, where in _judgements(qrels):
        if query not in queries:
            raise BadDataset(f"{where}: the query {query!r} is not in queries.jsonl.")
        judged.setdefault(query, {})[document] = grade
    if not judged:
        raise BadDataset(f"{qrels} judges no documents.")
    asked = {query: queries[query] for query in judged}
    return Dataset(folder.resolve().name, split, documents, asked, judged, left_out=len(queries) - len(asked))


def as_extracted(title: str, text: str) -> Extracted:
    """Make a document of a title and its paragraphs; the title leads the text unless the text begins with it anyway."""
    title, text = title.strip(), text.strip()
    blocks: list[Block] = []
    if title and not " ".join(text.split()).casefold().startswith(" ".join(title.split()).casefold()):
        text = f"{title}\n\n{text}".strip()
        blocks.append(Block("heading", 0, len(title)))
    start = blocks[0].end if blocks else 0
    blocks.extend(
        Block("paragraph", start + match.start(), start + match.end())
        for match in re.finditer(r"\S.*(?:\n(?!\s*\n).*)*", text[start:])
    )
    return Extracted("text", text, tuple(blocks), title=title or None)


async def evaluate(dataset: Dataset, *, teach: Teach, rank: Rank, progress: Progress = lambda *_: None) -> Report:
    """Teach the documents, ask the queries one after the other, and judge what is found."""
    begun = perf_counter()
    ids = list(dataset.documents)
    for at in range(0, len(ids), _BATCH):
        await teach({id_: dataset.documents[id_] for id_ in ids[at : at + _BATCH]})
        progress("documents", min(at + _BATCH, len(ids)), len(ids))
    index_seconds = perf_counter() - begun
    measures, times = [], []
    for done, (query, text) in enumerate(dataset.queries.items(), start=1):
        begun = perf_counter()
        scores = await rank(text)
        times.append(1000 * (perf_counter() - begun))
        found, judged = ranking(scores), dataset.judged[query]
        measures.append(
            (ndcg(found, judged, 10), recall(found, judged, 10), recall(found, judged, 100), mrr(found, judged, 10))
        )
        progress("queries", done, len(dataset.queries))
    ndcg_10, recall_10, recall_100, mrr_10 = (float(mean) for mean in np.mean(measures, axis=0))
    p50, p95 = (float(time) for time in np.percentile(times, (50, 95)))
    return Report(
        dataset=dataset.name,
        split=dataset.split,
        queries=len(times),
        documents=len(ids),
        ndcg_10=ndcg_10,
        recall_10=recall_10,
        recall_100=recall_100,
        mrr_10=mrr_10,
        index_seconds=index_seconds,
        query_ms_p50=p50,
        query_ms_p95=p95,
        left_out=dataset.left_out,
    )


def ranking(scores: Mapping[str, float]) -> list[str]:
    """Put documents in the order of trec_eval: by score in single precision, ties by id from the last to the first."""
    return sorted(scores, key=lambda id_: (np.float32(scores[id_]), id_), reverse=True)


def ndcg(found: Sequence[str], judged: Mapping[str, int], k: int) -> float:
    """Return the discounted gain of the first `k`, the grade itself being the gain, as a share of the best possible one."""
    best = sorted((grade for grade in judged.values() if grade > 0), reverse=True)
    ideal = _discounted(best[:k])
    return _discounted([max(judged.get(id_, 0), 0) for id_ in found[:k]]) / ideal if ideal else 0.0


def recall(found: Sequence[str], judged: Mapping[str, int], k: int) -> float:
    """Return the share of the relevant documents, those with a grade above 0, that is among the first `k`."""
    relevant = {id_ for id_, grade in judged.items() if grade > 0}
    return len(relevant.intersection(found[:k])) / len(relevant) if relevant else 0.0


def mrr(found: Sequence[str], judged: Mapping[str, int], k: int) -> float:
    """Return one over the rank of the first relevant document, 0 when it is not among the first `k`."""
    return next((1 / rank for rank, id_ in enumerate(found[:k], start=1) if judged.get(id_, 0) > 0), 0.0)


def _discounted(gains: Sequence[int]) -> float:
    return sum(gain / log2(rank + 1) for rank, gain in enumerate(gains, start=1))


def _records(path: Path) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield id, record and place of every line of a JSON lines file."""
    known: set[str] = set()
    for number, line in _lines(path):
        where = f"{path}, line {number}"
        try:
            record = json.loads(line)
        except ValueError as error:
            raise BadDataset(f"{where}: this is not JSON ({error}).") from error
        if not isinstance(record, dict):
            raise BadDataset(f"{where}: this is not a JSON object.")
        id_ = _field(record, "_id", where)
        if id_ in known:
            raise BadDataset(f"{where}: the id {id_!r} is there twice.")
        known.add(id_)
        yield id_, record, where


def _judgements(path: Path) -> Iterator[tuple[str, str, int, str]]:
    """Yield query, document, grade and place of every judgement; a first line with words for a grade is the header."""
    for number, line in _lines(path):
        where = f"{path}, line {number}"
        fields = line.split("\t")
        if len(fields) != 3:
            raise BadDataset(f"{where}: there should be query, document and grade with tabs between, not {line!r}.")
        try:
            yield fields[0], fields[1], int(fields[2]), where
        except ValueError as error:
            if number > 1:
                raise BadDataset(f"{where}: the grade {fields[2]!r} is not a whole number.") from error


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not blank with their numbers."""
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield number, line.rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise BadDataset(f"{path} is not UTF-8 text.") from error


def _field(record: Mapping[str, Any], name: str, where: str, default: str | None = None) -> str:
    value = record.get(name, default)
    if not isinstance(value, str):
        raise BadDataset(f"{where}: {name!r} should be a text.")
    return value
