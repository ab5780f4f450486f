"""The frames a child sends to its parent: typed, in small parts, so that taking them costs the parent little at a time."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import replace
from enum import IntEnum
from typing import TypeVar

import msgspec

from knowledge.chunks import Chunk
from knowledge.extract.limits import Limits
from knowledge.extract.text import Attached, Block, Extracted

HEAD = struct.Struct("!BI")
_BATCH = 256
_TEXT = 2**18
_T = TypeVar("_T")


class Frame(IntEnum):
    """What a frame holds."""

    STEP = 0
    TEXT = 1
    BLOCKS = 2
    CHUNKS = 3
    ATTACHED = 4
    DONE = 5
    FAILED = 6
    ENDED = 7


class Request(msgspec.Struct, frozen=True):
    """What a child is to do with the file it was handed."""

    name: str
    size: int
    window: int
    limits: Limits


class Failure(msgspec.Struct, frozen=True):
    """Why there is no result: a sentence for people and the error's own words for the log."""

    supported: bool
    sentence: str
    detail: str = ""


class Parcel:
    """Collect the frames of one result in the parent."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._blocks: list[Block] = []
        self._chunks: list[Chunk] = []
        self._attached: list[Attached] = []

    def add(self, kind: int, body: bytes) -> None:
        """Take a part. Raises `msgspec.ValidationError` when it is not what its kind says."""
        match kind:
            case Frame.TEXT:
                self._texts.append(msgspec.msgpack.decode(body, type=str))
            case Frame.BLOCKS:
                self._blocks += msgspec.msgpack.decode(body, type=list[Block])
            case Frame.CHUNKS:
                self._chunks += msgspec.msgpack.decode(body, type=list[Chunk])
            case Frame.ATTACHED:
                self._attached.append(msgspec.msgpack.decode(body, type=Attached))

    def finish(self, body: bytes) -> tuple[Extracted, tuple[Chunk, ...]]:
        """Put the parts together around the last frame."""
        frame = msgspec.msgpack.decode(body, type=Extracted)
        whole = replace(frame, text="".join(self._texts), blocks=tuple(self._blocks), attached=tuple(self._attached))
        return whole, tuple(self._chunks)


def frame(kind: Frame, body: object = None) -> bytes:
    """Return a frame as bytes; one without a body is only its head."""
    packed = b"" if body is None else msgspec.msgpack.encode(body)
    return HEAD.pack(kind, len(packed)) + packed


def frames(extracted: Extracted, chunks: Sequence[Chunk]) -> Iterator[bytes]:
    """Yield a result frame by frame."""
    text = extracted.text
    for start in range(0, len(text), _TEXT):
        yield frame(Frame.TEXT, text[start : start + _TEXT])
    for blocks in _batches(extracted.blocks):
        yield frame(Frame.BLOCKS, blocks)
    for part in _batches(chunks):
        yield frame(Frame.CHUNKS, part)
    for attached in extracted.attached:
        yield frame(Frame.ATTACHED, attached)
    yield frame(Frame.DONE, replace(extracted, text="", blocks=(), attached=()))


def _batches(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), _BATCH):
        yield items[start : start + _BATCH]
