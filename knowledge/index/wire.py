"""What the worker process is asked and what it answers, as length-prefixed msgpack over a socket pair."""

import struct
from typing import Any

import msgspec
import numpy as np

from knowledge.index.base import Arms, Point, Sparse, Vector
from knowledge.index.schema import Conditions, Graph

LENGTH = struct.Struct("<I")


class _Message(msgspec.Struct, array_like=True, tag=True):
    """One frame."""


class Open(_Message):
    """Open the shard in a folder, or create it there; `patience` is for another process to let go of it, in seconds."""

    folder: str
    dimension: int
    graph: Graph
    create: bool
    patience: float


class Build(_Message):
    """Turn the copied shard `source` into an optimised one at `target`; `source` is used up.

    With `afresh` the living points move into new files, so that nothing of the deleted ones is left.
    """

    source: str
    target: str
    dimension: int
    graph: Graph
    afresh: bool


class Upsert(_Message):
    """Store points."""

    points: list[Point]


class Search(_Message):
    """Find the best points of each arm."""

    dense: Vector | None
    sparse: Sparse | None
    conditions: Conditions
    limit: int


class Fetch(_Message):
    """Return dense vectors by id."""

    ids: list[str]


class DeleteVersions(_Message):
    """Remove all points of document versions."""

    versions: list[str]


class Delete(_Message):
    """Remove points by id."""

    ids: list[str]


class SetScopes(_Message):
    """Replace the scopes of a document's points."""

    document: str
    scopes: list[str]


class List(_Message):
    """Return a page of ids, from an offset that the page before gave."""

    offset: str | None


class Measure(_Message):
    """Return the shard's size and state."""


class Flush(_Message):
    """Make everything so far survive a loss of power."""


class Stop(_Message):
    """Flush, close and end; the answer is the last one."""


class Done(_Message):
    """It was done."""


class Refused(_Message):
    """It was not done, and why, in the engine's words."""

    reason: str


class Found(_Message):
    """The two rankings."""

    arms: Arms


class Rows(_Message, tag="Found"):
    """The same on the wire, as the worker writes it: making hits of what the engine returns is left to the decoder."""

    arms: dict[str, list[dict[str, object]]]


class Fetched(_Message):
    """Dense vectors by id."""

    vectors: dict[str, Vector]


class Page(_Message):
    """Some ids, and where the next page begins."""

    ids: list[str]
    offset: str | None


class Measured(_Message):
    """How many points there are, about how many were written since graphs were built, and whether files hold deleted ones."""

    points: int
    loose: int
    forgotten: bool


Request = (
    Open | Build | Upsert | Search | Fetch | DeleteVersions | Delete | SetScopes | List | Measure | Flush | Stop
)  # fmt: skip
Reply = Done | Refused | Found | Fetched | Page | Measured


def _to_bytes(value: object) -> bytes:
    if isinstance(value, np.ndarray):
        return value.astype(np.float32, copy=False).tobytes()
    raise NotImplementedError(f"{type(value).__name__} does not travel")


def _from_bytes(_kind: type, value: Any) -> Vector:
    return np.frombuffer(value, np.float32)


_encoder = msgspec.msgpack.Encoder(enc_hook=_to_bytes)
_requests: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request, dec_hook=_from_bytes)
_replies: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply, dec_hook=_from_bytes)


def frame(message: Request | Reply | Rows) -> bytes:
    """Encode one message with its length before it."""
    body = _encoder.encode(message)
    return LENGTH.pack(len(body)) + body


def request(body: bytes) -> Request:
    """Decode what the worker was asked."""
    return _requests.decode(body)


def reply(body: bytes) -> Reply:
    """Decode what the worker answered."""
    return _replies.decode(body)
