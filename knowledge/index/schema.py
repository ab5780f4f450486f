"""What a point looks like inside the engine, the same in both: names, payload, conditions, and the graph's parameters."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from knowledge.documents import Audience, Filters
from knowledge.errors import NoAudience
from knowledge.index.base import Point, Vector

DENSE = "dense"
LEXICAL = "bm25"
KEYWORDS = ("document", "version", "kind", "scopes", "tags")  # indexed for filtering, besides the time
TIME = "time"
SHOWN = ["document", "version", "n", "kind"]  # what a hit carries

SEARCH_EF = 256  # 128 finds .96 of the best ten when what a filter leaves lies apart from the question; this finds .99
ACORN_SELECTIVITY = 1.0  # the engine's 0.4 leaves filters between 40 % and 100 % to a walk that loses up to a fifth of the hits
OVERSAMPLING = 2.0  # candidates by int8 codes, per hit, that are scored again exactly


@dataclass(frozen=True, slots=True)
class Graph:
    """How the neighbour graph is built, and below which size a search does without it.

    `full_scan_threshold` is in KB of raw vectors: whatever a filter leaves, if it is smaller, is scanned completely.
    200,000 KB are 130,000 vectors of 384 numbers. Lower values lose most of the hits of narrow filters, silently.
    """

    m: int = 16
    ef_construct: int = 100
    full_scan_threshold: int = 200_000


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a hit must fulfil: for every key one of the values, and a time within the bounds (Unix seconds, inclusive)."""

    any_of: dict[str, list[str]] = field(default_factory=dict)
    since: float | None = None
    until: float | None = None


def conditions(audience: Audience, where: Filters) -> Conditions:
    """Translate audience and filters; raises `NoAudience` for anything that is not an `Audience`."""
    if not isinstance(audience, Audience):
        raise NoAudience()
    any_of = {
        "scopes": sorted(audience.scopes),
        "document": list(where.documents),
        "kind": list(where.kinds),
        "tags": list(where.tags),
    }
    return Conditions(
        {key: values for key, values in any_of.items() if values},
        where.since.timestamp() if where.since else None,
        where.until.timestamp() if where.until else None,
    )


def payload(point: Point) -> dict[str, object]:
    """Return what is stored beside a point's vectors."""
    return {
        "document": point.document,
        "version": point.version,
        "n": point.n,
        "kind": point.kind,
        "scopes": list(point.scopes),
        "tags": list(point.tags),
        TIME: point.time,
    }


def check(points: Iterable[Point], dimension: int) -> None:
    """Raise `ValueError` for a point that does not fit, before any is stored."""
    for point in points:
        if point.dense.shape != (dimension,):
            raise ValueError(f"point {point.id} has a vector of shape {point.dense.shape}, not ({dimension},)")


def dense(vectors: object) -> Vector:
    """Return the dense vector of a point from an engine's mapping of vectors by name."""
    if not isinstance(vectors, dict):
        raise TypeError(f"vectors by name were asked for, {type(vectors).__name__} came")
    return np.asarray(vectors[DENSE], np.float32)
