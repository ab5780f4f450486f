"""The vector index: one protocol, two implementations (embedded Qdrant in a worker process, Qdrant server)."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path

from knowledge.index.base import Index, IndexDamaged, WrongDimension

__all__ = ["Index", "IndexDamaged", "WrongDimension", "open_index"]


def open_index(
    *, folder: Path, collection: str, dimension: int, url: str | None = None, api_key: str | None = None, fresh: bool = False
) -> AbstractAsyncContextManager[Index]:
    """Open the index on the server at `url`, or, without one, in `folder`; `fresh` throws away what is there.

    Raises `IndexAway`, `WrongDimension`, and for a folder `IndexDamaged`.
    """
    # Only the engine in use is loaded: the server's client takes as long to import as everything else together.
    if url is None:
        from knowledge.index.embedded import EmbeddedIndex  # noqa: PLC0415

        return EmbeddedIndex.open(folder, dimension=dimension, fresh=fresh)
    from knowledge.index.server import ServerIndex  # noqa: PLC0415

    return ServerIndex.open(url, api_key=api_key, collection=collection, dimension=dimension, fresh=fresh)
