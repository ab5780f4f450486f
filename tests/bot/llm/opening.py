"""Opening the twin's models against the simulated server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import SecretStr

from bot.llm.base import Model, Parameters, Piece, Prompt, Turn
from bot.llm.endpoints import Endpoints
from bot.llm.registry import open_models
from tests.simulators.llm import LlmServer

PROVIDERS = ("openai", "anthropic", "ollama")
KEY = "sk-the-key-of-the-test-0123456789"
SECRET_WORD = "xylophone"  # noqa: S105 - what is said and must not turn up in an error
PROMPT = Prompt(
    "Answer from the sources.",
    (Turn("user", "What is it?"), Turn("assistant", "A thing."), Turn("user", f"Which {SECRET_WORD} thing? ünïcödé 🦊")),
)
PARAMETERS = Parameters(temperature=0.25, max_tokens=77)


def endpoints(server: LlmServer, *, key: str = KEY) -> Endpoints:
    return Endpoints(
        openai_api_key=SecretStr(key),
        openai_base_url=f"{server.url}/v1",
        anthropic_api_key=SecretStr(key),
        anthropic_base_url=server.url,
        ollama_host=server.url,
    )


@asynccontextmanager
async def opened(provider: str, server: LlmServer) -> AsyncIterator[Model]:
    async with open_models([f"{provider}:tiny"], endpoints(server)) as (model,):
        yield model


async def told(model: Model) -> list[Piece]:
    return [piece async for piece in model.stream(PROMPT, PARAMETERS)]
