"""The server's index when the server is away, refuses, or holds something else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from qdrant_client import AsyncQdrantClient, models

from knowledge.errors import IndexAway
from knowledge.index import WrongDimension
from knowledge.index.server import ServerIndex
from tests.knowledge.index.points import DIMENSION


@asynccontextmanager
async def _answering(*statuses: int) -> AsyncIterator[tuple[ServerIndex, list[str]]]:
    """An index on a server that drops the connection (0) or answers with these statuses, one after another."""
    asked: list[str] = []
    left = list(statuses)

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        status = left.pop(0)
        if status == 0:
            assert request.transport is not None
            request.transport.close()
        body = {"result": {"count": 7}, "status": "ok", "time": 0.0} if status == 200 else {"status": {"error": "no"}}
        return web.json_response(body, status=status or 500)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server:
        client = AsyncQdrantClient(url=str(server.make_url("/")), check_compatibility=False)
        index = ServerIndex(client, "twin", DIMENSION, patience=(0.0, 0.0))
        yield index, asked
        await index.close()


async def test_a_lost_connection_is_tried_again() -> None:
    async with _answering(0, 0, 200) as (index, asked):
        assert await index.count() == 7
        assert len(asked) == 3


async def test_a_server_that_stays_away_is_reported_in_a_sentence() -> None:
    async with _answering(0, 0, 0) as (index, asked):
        with pytest.raises(IndexAway, match="does not answer"):
            await index.count()
        assert len(asked) == 3


@pytest.mark.parametrize(("status", "sentence"), [(500, "refused this \\(500"), (401, "API key"), (403, "API key")])
async def test_a_refusal_is_not_tried_again(status: int, sentence: str) -> None:
    async with _answering(status) as (index, asked):
        with pytest.raises(IndexAway, match=sentence):
            await index.count()
        assert len(asked) == 1


async def test_a_collection_of_another_model_names_the_command_that_helps() -> None:
    client = AsyncQdrantClient(":memory:")
    dense = models.VectorParams(size=8, distance=models.Distance.COSINE)
    await client.create_collection("twin", vectors_config={"dense": dense})
    with pytest.raises(WrongDimension, match=r"collection twin.*8 numbers.*makes 16.*`twin reindex`"):
        await ServerIndex(client, "twin", DIMENSION).prepare()
    await client.close()


async def test_a_collection_of_something_else_is_left_alone() -> None:
    client = AsyncQdrantClient(":memory:")
    await client.create_collection("twin", vectors_config=models.VectorParams(size=8, distance=models.Distance.COSINE))
    with pytest.raises(IndexAway, match="not one of Twin's"):
        await ServerIndex(client, "twin", DIMENSION).prepare()
    assert await client.collection_exists("twin")
    await client.close()
