"""Our OpenAI provider against a real llama.cpp server, with a tiny model made on the spot."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from bot.llm.base import ModelAway, Parameters, Prompt, Turn, Usage
from bot.llm.chain import Chain
from bot.llm.endpoints import Endpoints
from bot.llm.prices import Spent
from bot.llm.registry import offered, open_models
from tests.bot.llm import tiny

EXTRA = "needs the optional packages of the extra `llama`: pip install -e '.[llama]'"
gguf = pytest.importorskip("gguf", reason=EXTRA)
pytest.importorskip("llama_cpp", reason=EXTRA)
pytest.importorskip("starlette_context", reason=EXTRA)  # of llama-cpp-python's own extra `server`

PROMPT = Prompt("You are a fox.", (Turn("user", "Who are you?"), Turn("assistant", "A fox."), Turn("user", "Truly?")))


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[Endpoints]:
    """Run a llama.cpp server until it answers, and stop it at the end."""
    model = folder / "tiny.gguf"
    tiny.write(gguf, model)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    endpoints = Endpoints(openai_base_url=f"http://127.0.0.1:{port}/v1")
    arguments = (
        "--model",
        model,
        "--model_alias",
        "tiny",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--n_ctx",
        str(tiny.CONTEXT),
    )
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "llama_cpp.server", *arguments, "--n_threads", "1", stdout=log, stderr=log
        )
    try:
        while True:
            assert process.returncode is None, (folder / "log").read_text("utf-8", "replace")[-2_000:]
            try:
                assert await offered("openai", endpoints) == ("openai:tiny",)
                break
            except ModelAway:
                await asyncio.sleep(0.1)
        yield endpoints
    finally:
        process.terminate()
        await process.wait()


async def test_a_real_server_streams_a_completion_and_stops_when_nobody_listens(tmp_path: Path) -> None:
    async with serving(tmp_path) as endpoints, open_models(["openai:tiny"], endpoints) as models:
        spent: list[Spent] = []
        chain = Chain(models)
        asking = chain.stream(PROMPT, Parameters(temperature=0.0, max_tokens=24), spent=spent.append)
        async with aclosing(asking) as stream:
            *pieces, usage = [piece async for piece in stream]
        assert len(pieces) > 1
        said = "".join(piece for piece in pieces if isinstance(piece, str))
        assert len(said) == 24
        assert {ord(letter) for letter in said} <= set(tiny.VISIBLE)
        assert isinstance(usage, Usage)
        assert usage.finish == "length"
        assert min(usage.tokens_in, usage.tokens_out) > 0

        asking = chain.stream(PROMPT, Parameters(temperature=0.0, max_tokens=400), spent=spent.append)
        assert isinstance(await anext(asking), str)
        await asking.aclose()
        asking = chain.stream(PROMPT, Parameters(temperature=0.0, max_tokens=24), spent=spent.append)
        async with aclosing(asking) as stream:
            assert [piece async for piece in stream] == [*pieces, usage]
        assert [each.outcome for each in spent] == ["done", "cancelled", "done"]


async def test_what_does_not_fit_its_window_is_no_answer_and_the_next_one_is(tmp_path: Path) -> None:
    async with serving(tmp_path) as endpoints, open_models(["openai:tiny"], endpoints) as (model,):
        with pytest.raises(ModelAway):  # it says 200, and then nothing
            async for _ in model.stream(Prompt("", (Turn("user", "long " * 500),)), Parameters()):
                pass
        spent: list[Spent] = []
        async with aclosing(Chain([model]).stream(PROMPT, Parameters(max_tokens=8), spent=spent.append)) as stream:
            assert isinstance([piece async for piece in stream][-1], Usage)
        assert spent[-1].outcome == "done"
