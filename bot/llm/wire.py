"""What the protocols of language models have in common: server-sent events, and reading JSON that nobody vouches for."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping

from bot.llm.base import Usage

CONNECTIONS = {"max_connections": 10_000, "max_keepalive_connections": 100}
"""Of a client: more than there are answers at once, or the small tasks of some would wait for the answers of others."""
JSON = object
"""Anything that JSON can say, to be looked at with care."""

_LONGEST = 8 * 1024 * 1024  # bytes of one line: more is no piece of an answer
_REST = 0.1  # seconds to wait for the end of a response that said everything


class BadWire(ValueError):
    """What came is not in the protocol."""


def check(headers: Mapping[str, str], *kinds: str) -> None:
    """Check that a response is of one of these kinds. Raises `BadWire`."""
    if not headers.get("content-type", "").lower().startswith(kinds):
        raise BadWire(f"not {kinds[0]}")


async def events(chunks: AsyncIterator[bytes]) -> AsyncGenerator[str]:
    """Yield the data of each server-sent event. Raises `BadWire` on a line without end."""
    data: list[str] = []
    async for line in _lines(chunks):
        if line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
        elif not line and data:
            yield "\n".join(data)
            data = []
    if data:
        yield "\n".join(data)


async def drain(chunks: AsyncIterator[bytes]) -> None:
    """Read what is left of a response that said everything, so that its connection can be used again."""
    try:
        async with asyncio.timeout(_REST):
            async for _ in chunks:
                pass
    except TimeoutError:
        pass  # then the connection is closed instead


def parse(data: str) -> JSON:
    """Return what a piece of JSON says. Raises `BadWire`."""
    try:
        parsed: JSON = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadWire("not JSON") from error
    if not isinstance(parsed, dict):
        raise BadWire("no object")
    return parsed


def dig(value: JSON, *path: str | int) -> JSON:
    """Return what stands at a path of keys and positions, or None where there is no such thing."""
    for step in path:
        if isinstance(step, str) and isinstance(value, dict):
            value = value.get(step)
        elif isinstance(step, int) and isinstance(value, list) and len(value) > step:
            value = value[step]
        else:
            return None
    return value


def text(value: JSON) -> str:
    """Return a text, or none for anything else."""
    return value if isinstance(value, str) else ""


def count(value: JSON) -> int:
    """Return a number of tokens, or 0 for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def usage(tokens_in: JSON, tokens_out: JSON, *, length: bool, refused: bool) -> Usage:
    """Return what a completion took, and why it ended."""
    return Usage(count(tokens_in), count(tokens_out), "refused" if refused else "length" if length else "stop")


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncGenerator[str]:
    rest = bytearray()
    async for chunk in chunks:
        rest += chunk
        if b"\n" in chunk:
            *whole, last = bytes(rest).split(b"\n")
            rest = bytearray(last)
            for line in whole:
                yield line.decode("utf-8", "replace").rstrip("\r")
        if len(rest) > _LONGEST:
            raise BadWire("a line without end")
    if rest:
        yield rest.decode("utf-8", "replace").rstrip("\r")
