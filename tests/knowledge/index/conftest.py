"""The three indexes that must behave the same: embedded, a server, and the server's client without one."""

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from qdrant_client import AsyncQdrantClient

from knowledge.index.base import Index
from knowledge.index.embedded import EmbeddedIndex
from knowledge.index.server import ServerIndex
from tests.knowledge.index.points import DIMENSION

URL = os.environ.get("QDRANT_URL")


@asynccontextmanager
async def _in_memory() -> AsyncIterator[Index]:
    index = ServerIndex(AsyncQdrantClient(":memory:"), "twin", DIMENSION)
    await index.prepare()
    yield index
    await index.close()


@asynccontextmanager
async def _on_server(url: str) -> AsyncIterator[Index]:
    name = f"twin-test-{uuid.uuid4().hex}"
    key = os.environ.get("QDRANT_API_KEY")
    async with ServerIndex.open(url, api_key=key, collection=name, dimension=DIMENSION) as index:
        yield index
        await index.drop()


def _opened(engine: str, folder: Path) -> AbstractAsyncContextManager[Index]:
    match engine:
        case "embedded":
            return EmbeddedIndex.open(folder, dimension=DIMENSION)
        case "server":
            return _on_server(URL or "")
        case _:
            return _in_memory()


@pytest.fixture(
    params=[
        "embedded",
        pytest.param(
            "memory",
            marks=[
                pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant:UserWarning"),
                pytest.mark.filterwarnings("ignore:Local mode performs exact:UserWarning"),
            ],
        ),
        pytest.param("server", marks=pytest.mark.skipif(URL is None, reason="QDRANT_URL is not set")),
    ]
)
async def index(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Index]:
    """An empty index of each kind."""
    async with _opened(request.param, tmp_path / "index") as opened:
        yield opened
