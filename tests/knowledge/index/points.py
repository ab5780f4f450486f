"""Points for tests, made from numbers."""

import uuid

import numpy as np

from knowledge.documents import Audience
from knowledge.index.base import Point, Sparse, Vector

DIMENSION = 16
EVERYONE = Audience(frozenset({"local"}))


def vector(seed: int, dimension: int = DIMENSION) -> Vector:
    """Return a normal vector, the same for the same seed."""
    drawn = np.random.default_rng(seed).standard_normal(dimension).astype(np.float32)
    return drawn / np.float32(np.linalg.norm(drawn))


def identity(number: int) -> str:
    """Return the id of the point with this number."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"point {number}"))


def point(
    number: int,
    *,
    document: str = "handbook",
    version: str = "handbook-1",
    kind: str = "pdf",
    scopes: tuple[str, ...] = ("local",),
    tags: tuple[str, ...] = (),
    time: int = 0,
    tokens: tuple[int, ...] = (1,),
    dense: Vector | None = None,
) -> Point:
    """Return a point whose vector follows from its number."""
    return Point(
        id=identity(number),
        dense=vector(number) if dense is None else dense,
        sparse=Sparse(list(tokens), [1.0] * len(tokens)),
        document=document,
        version=version,
        n=number,
        kind=kind,
        scopes=scopes,
        tags=tags,
        time=time,
    )
