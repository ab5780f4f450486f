"""The simulated server under load, as a process of its own."""

import asyncio
import sys
from collections.abc import AsyncGenerator

from pydantic import SecretStr

from bot.llm.base import Parameters, Piece, Prompt, Turn, Usage
from bot.llm.endpoints import Endpoints
from bot.llm.registry import open_models
from tests.bot.llm.opening import PROVIDERS
from tests.simulators.llm import TOKENS_IN, divided


def test_a_text_is_divided_into_as_many_pieces_as_wanted() -> None:
    assert divided("a b c d", 2) == ["a b ", "c d "]
    assert divided("a b", 5) == ["a ", "b ", "a ", "b ", "a "]


async def test_everybody_gets_the_answer_from_a_process_of_its_own() -> None:
    asked = ("--pieces", "5", "--interval", "0.01", "--text", "one two")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.simulators.llm", *asked, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout
        url = (await process.stdout.readline()).decode().strip()
        endpoints = Endpoints(
            openai_base_url=f"{url}/v1", anthropic_base_url=url, ollama_host=url, anthropic_api_key=SecretStr("any")
        )
        prompt = Prompt("", (Turn("user", "What is it?"),))
        async with (
            open_models([f"{provider}:tiny" for provider in PROVIDERS], endpoints) as models,
            asyncio.TaskGroup() as group,
        ):
            answers = [
                group.create_task(_told(model.stream(prompt, Parameters())), name=f"{model.name} {n}")
                for model in models
                for n in range(10)
            ]
        for answer in answers:
            assert answer.result() == ["one ", "two ", "one ", "two ", "one ", Usage(TOKENS_IN, 5)]
    finally:
        process.terminate()
        await process.wait()


async def _told(stream: AsyncGenerator[Piece]) -> list[Piece]:
    return [piece async for piece in stream]
