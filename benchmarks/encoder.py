"""Is the encoder intact? Spearman correlation with people's judgement of similarity, against the published figures."""

import argparse
import asyncio
import csv
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.embeddings import Embedder
from knowledge.minilm import Variant

PUBLISHED = {"SICK": 77.58, "STS13": 80.60, "STS14": 75.60, "STS15": 85.39, "STS16": 78.99}
"""The model's own figures: cosine similarity, all scored pairs of a year as one list, for SICK all three parts together."""

TOLERANCE: dict[Variant, float] = {"fp32": 0.1, "int8": 0.6}

Pair = tuple[float, str, str]


def pairs(data: Path, name: str) -> list[Pair]:
    """Return the scored sentence pairs of one set below the folder of shared similarity data."""
    if name == "SICK":
        return [pair for file in sorted((data / "data/sts/sick2014").glob("SICK_*.txt")) for pair in _sick(file)]
    year = data / f"data/sts/semeval-sts/20{name.removeprefix('STS')}"
    return [pair for file in sorted(year.glob("*.test.tsv")) for pair in _semeval(file)]


def _sick(file: Path) -> Iterator[Pair]:
    with file.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            yield float(row["relatedness_score"]), row["sentence_A"], row["sentence_B"]


def _semeval(file: Path) -> Iterator[Pair]:
    for line in file.read_text("utf-8").splitlines():
        score, one, other = line.split("\t")[:3]
        if score:  # many pairs were never judged
            yield float(score), one, other


def spearman(x: NDArray[np.floating], y: NDArray[np.floating]) -> float:
    """Return the rank correlation; equal values share the mean of their ranks."""
    return float(np.corrcoef(_ranks(x), _ranks(y))[0, 1])


def _ranks(values: NDArray[np.floating]) -> NDArray[np.floating]:
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: NDArray[np.floating] = np.cumsum(counts) - (counts - 1) / 2
    return ranks[which]


async def measure(embedder: Embedder, scored: list[Pair]) -> float:
    """Return the correlation of cosine similarity with the judgements, in percent."""
    judged = np.array([score for score, _, _ in scored])
    sentences = sorted({sentence for _, *both in scored for sentence in both})
    vectors = dict(zip(sentences, await embedder.passages(sentences), strict=True))
    return 100 * spearman(judged, np.array([vectors[one] @ vectors[other] for _, one, other in scored]))


async def run(data: Path) -> bool:
    """Print the table; return whether every figure is within its tolerance."""
    intact = True
    print("| set | pairs | published | fp32 | int8 |\n|---|---|---|---|---|")
    embedders = {variant: await asyncio.to_thread(Embedder.open, variant=variant) for variant in TOLERANCE}
    for name, published in PUBLISHED.items():
        scored = pairs(data, name)
        measured = {variant: await measure(embedder, scored) for variant, embedder in embedders.items()}
        intact &= all(abs(measured[variant] - published) <= TOLERANCE[variant] for variant in measured)
        print(f"| {name} | {len(scored)} | {published:.2f} | {measured['fp32']:.2f} | {measured['int8']:.2f} |")
    for embedder in embedders.values():
        embedder.close()
    return intact


def main() -> int:
    """Measure and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the folder with data/sts/sick2014 and data/sts/semeval-sts")
    return 0 if asyncio.run(run(parser.parse_args().data)) else 1


if __name__ == "__main__":
    sys.exit(main())
