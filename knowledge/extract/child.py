"""What a forked child does: read one file, divide its text into passages, send both, end."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import msgspec
from tokenizers import Tokenizer

from knowledge.chunks import Chunk, split
from knowledge.errors import KnowledgeError, Unreadable, Unsupported
from knowledge.extract import limits, sentences
from knowledge.extract.kinds import EXTRACTORS, kind_of
from knowledge.extract.language import language_of
from knowledge.extract.source import Source
from knowledge.extract.text import Extracted
from knowledge.extract.wire import HEAD, Failure, Frame, Request, frame, frames

_SLICE = 50_000
_WORD = 100  # characters: longer words are unknown to WordPiece


def serve(file: int, reply: int, tokenizer: Tokenizer, mapped: int) -> None:
    """Answer the one request on `reply` about the open file `file`; `mapped` is as for `limits.confine`."""
    request = _request(reply)
    limits.confine(request.limits, mapped)
    try:
        extracted, chunks = _read(request, file, reply, tokenizer)
        for part in frames(extracted, chunks):
            _send(reply, part)
    except MemoryError:
        _fail(reply, sentences.MEMORY)
    except RecursionError:
        _fail(reply, sentences.DEEP)
    except KnowledgeError as error:
        _fail(reply, str(error), supported=not isinstance(error, Unsupported), detail=repr(error.__cause__ or ""))
    except Exception as error:
        _fail(reply, sentences.DAMAGED, detail=f"{type(error).__name__}: {error}")


def _request(reply: int) -> Request:
    _, size = HEAD.unpack(_exactly(reply, HEAD.size))
    return msgspec.msgpack.decode(_exactly(reply, size), type=Request)


def _exactly(reply: int, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = os.read(reply, size - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def _read(request: Request, file: int, reply: int, tokenizer: Tokenizer) -> tuple[Extracted, tuple[Chunk, ...]]:
    steps = 0

    def tick() -> None:
        nonlocal steps
        steps += 1
        limits.allow_cpu(request.limits.cpu + steps * request.limits.step_cpu, request.limits)
        _send(reply, frame(Frame.STEP))

    tick()
    with os.fdopen(file, "rb") as stream:
        source = Source(stream.read(request.size), request.name, tick)
    kind = kind_of(source)
    extracted = EXTRACTORS[kind](source)
    if not any(map(str.isalnum, extracted.text)) and not extracted.attached:
        raise Unreadable(sentences.SCANNED if kind == "pdf" else sentences.NO_TEXT)
    extracted = replace(extracted, language=language_of(extracted.text))
    spans = token_spans(tokenizer, extracted.text, tick)
    title = extracted.title or source.stem
    chunks = split(
        extracted, title=title, spans=spans, window=request.window, count=lambda said: len(tokenizer.encode(said).ids)
    )
    return extracted, chunks


def token_spans(tokenizer: Tokenizer, text: str, tick: Callable[[], None]) -> Sequence[tuple[int, int]]:
    """Return the character span of every token, encoding a stretch of paragraphs at a time to bound memory."""
    spans: list[tuple[int, int]] = []
    start = 0
    while start < len(text):
        end = len(text) if start + _SLICE >= len(text) else text.rfind("\n\n", start, start + _SLICE) + 1 or start + _SLICE
        offsets = tokenizer.encode(text[start:end], add_special_tokens=False).offsets
        spans += [(start + a, start + b) for first, last in offsets for a, b in _parts(first, last)]
        start = end
        tick()
    return spans


def _parts(first: int, last: int) -> Iterator[tuple[int, int]]:
    """Divide a "word" that is too long for the model, which would count as one token whatever its length."""
    for at in range(first, last, _WORD):
        yield at, min(last, at + _WORD)


def _fail(reply: int, sentence: str, *, supported: bool = True, detail: str = "") -> None:
    _send(reply, frame(Frame.FAILED, Failure(supported, sentence, detail[:500])))


def _send(reply: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(reply, rest) :]
