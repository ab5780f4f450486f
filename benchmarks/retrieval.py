"""How well is the right passage found? nDCG and recall of all collections and of chat, against their gates."""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from benchmarks.calibration import Observed, fitted, observe, reliability
from benchmarks.taught import ANYONE, Question, conversations, divided, taught
from knowledge.documents import Filters, Passage
from knowledge.embeddings import Embedder
from knowledge.evaluation import Dataset, load, ndcg, ranking, recall
from knowledge.retrieval import Mode, Retrieval

SPLITS = {"adi": "test", "time": "test", "cisi": "test", "cranfield": "test", "scifact": "train", "squad2-dev": "test"}
CHAT = "locomo"

GATES = {"adi": 0.535, "time": 0.69, "cisi": 0.455, "cranfield": 0.44, "scifact": 0.735, "squad2-dev": 0.91}
"""The least nDCG@10 of the hybrid search."""

RECALL_GATES = {"squad2-dev": 0.975, CHAT: 0.65}
"""The least recall@10 of the hybrid search."""


@dataclass(frozen=True, slots=True)
class Measured:
    """nDCG@10 and recall@10 of each question."""

    ndcg: NDArray[np.float64]
    recall: NDArray[np.float64]


async def collection(embedder: Embedder, data: Path, name: str) -> tuple[list[Passage], list[Question]]:
    """Return the passages of a collection and what is asked of it."""
    if name == CHAT:
        return conversations(data / "chat/locomo")
    dataset = load(data / "retrieval" / name, SPLITS[name])
    return await divided(embedder, dataset.documents), questions(dataset)


def questions(dataset: Dataset) -> list[Question]:
    """Return what is asked of a collection."""
    return [Question(text, dataset.judged[query]) for query, text in dataset.queries.items()]


def strangers(data: Path, name: str) -> list[Question]:
    """Return questions that a collection does not answer: those of a collection from another field."""
    other = {"scifact": "time", "cranfield": "squad2-dev"}.get(name, "scifact")
    return [Question(question.text, {}) for question in questions(load(data / "retrieval" / other, SPLITS[other]))]


async def measure(retrieval: Retrieval, asked: Sequence[Question], mode: Mode, *, chat: bool) -> Measured:
    """Ask all questions; chat is judged by the passages found, everything else by their documents."""
    scores = []
    for question in asked:
        where = Filters(documents=question.documents)
        if chat:
            results = await retrieval.search(question.text, audience=ANYONE, where=where, limit=10, mode=mode)
            found = [one.passage.id for one in results.found]
        else:
            found = ranking(await retrieval.ranked_documents(question.text, audience=ANYONE, where=where, mode=mode))
        scores.append((ndcg(found, question.judged, 10), recall(found, question.judged, 10)))
    return Measured(*np.array(scores, np.float64).T)


def row(name: str, modes: dict[Mode, Measured]) -> str:
    """Return a line of the table."""
    cells = [f"{modes[mode].ndcg.mean():.3f} | {modes[mode].recall.mean():.3f}" for mode in modes]
    return f"| {name} | {len(modes['hybrid'].ndcg)} | {' | '.join(cells)} |"


def failures(name: str, modes: dict[Mode, Measured]) -> list[str]:
    """Return what is worse than it must be."""
    hybrid, said = modes["hybrid"], []
    if hybrid.ndcg.mean() < GATES.get(name, 0):
        said.append(f"{name}: nDCG@10 {hybrid.ndcg.mean():.3f} is below {GATES[name]}")
    if hybrid.recall.mean() < RECALL_GATES.get(name, 0):
        said.append(f"{name}: recall@10 {hybrid.recall.mean():.3f} is below {RECALL_GATES[name]}")
    better = max(modes["dense"].ndcg.mean(), modes["lexical"].ndcg.mean())
    if hybrid.ndcg.mean() < better:
        said.append(f"{name}: nDCG@10 {hybrid.ndcg.mean():.3f} is below one arm alone, {better:.3f}")
    return said


async def run(data: Path, names: Sequence[str], cache: Path | None, *, fit: bool) -> int:
    """Measure the collections, print the table, and return how many gates are missed."""
    embedder = await asyncio.to_thread(Embedder.open)
    missed: list[str] = []
    observed: list[Observed] = []
    if not fit:
        print("| | questions | hybrid nDCG@10 | R@10 | dense | R@10 | lexical | R@10 |\n|---|---|---|---|---|---|---|---|")
    for name in names:
        passages, asked = await collection(embedder, data, name)
        with tempfile.TemporaryDirectory() as folder:
            async with taught(embedder, passages, Path(folder), cache=cache) as retrieval:
                if fit:
                    observed.append(await observe(retrieval, name, asked, strangers(data, name)))
                    continue
                modes = {mode: await measure(retrieval, asked, mode, chat=name == CHAT) for mode in get_args(Mode)}
        print(row(name, modes), flush=True)
        missed += failures(name, modes)
    embedder.close()
    if fit:
        print(fitted(observed), reliability(observed), sep="\n\n")
    print(*missed, sep="\n")
    return len(missed)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder with retrieval/ and chat/")
    parser.add_argument("--only", nargs="*", default=[*SPLITS, CHAT], help="some of the collections")
    parser.add_argument("--fit", action="store_true", help="fit the calibration instead, and show how reliable it is")
    parser.add_argument("--cache", type=Path, help="folder to keep embeddings in")
    told = parser.parse_args()
    sys.exit(bool(asyncio.run(run(told.data, told.only, told.cache, fit=told.fit))))
