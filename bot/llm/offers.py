"""What the servers of language models offer, and whether a model can be used."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from bot.errors import BadModel, ServiceAway
from bot.llm import anthropic, openai, registry
from bot.llm.base import ModelAway, Parameters, Prompt, Turn
from bot.llm.endpoints import Endpoints

_PATIENCE = 10.0  # seconds that a server has to list its models
_LONG = 60.0  # seconds that a model has to say a word: a server of one's own may have to load it first
_HELLO = Prompt("", (Turn("user", "Say hello."),))


@dataclass(frozen=True, slots=True)
class Offer:
    """The models of a provider as `provider:model`, or in a sentence why they cannot be told."""

    provider: str
    models: tuple[str, ...] = ()
    error: str = ""


def configured(names: Iterable[str], endpoints: Endpoints) -> tuple[str, ...]:
    """Return the providers that models are named of or that have a key or an address, and Ollama, which needs neither."""
    own = {openai.PROVIDER, anthropic.PROVIDER}
    known = {name.partition(":")[0] for name in names}
    if endpoints.openai_api_key or endpoints.openai_base_url:
        known.add(openai.PROVIDER)
    if endpoints.anthropic_api_key or endpoints.anthropic_base_url:
        known.add(anthropic.PROVIDER)
    return tuple(each for each in registry.providers() if each in known or each not in own)


async def offers(providers: Sequence[str], endpoints: Endpoints) -> list[Offer]:
    """Ask all providers at once what they offer."""
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(_offer(each, endpoints), name=f"offers-{each}") for each in providers]
    return [task.result() for task in asked]


async def _offer(provider: str, endpoints: Endpoints) -> Offer:
    try:
        async with asyncio.timeout(_PATIENCE):
            return Offer(provider, await registry.offered(provider, endpoints))
    except TimeoutError:
        return Offer(provider, error="It does not answer.")
    except BadModel as error:
        return Offer(provider, error=str(error))
    except ModelAway as error:  # which begins with the model's name, and here there is none
        return Offer(provider, error=str(error).replace(f"{provider}: ", "It ", 1))


async def tried(name: str, endpoints: Endpoints) -> str:
    """Return how it is known that a model can be used: its server lists it, or it said something.

    Raises `BadModel` and `ServiceAway`.
    """
    provider, _, _ = name.partition(":")
    listed = (await _offer(provider, endpoints)).models
    if {name, f"{name}:latest"} & set(listed):
        return f"{name} is offered by its server"
    # Some servers list nothing, or take any name: the model itself has to speak.
    try:
        async with (
            asyncio.timeout(_LONG),
            registry.open_models([name], endpoints) as (model,),
            aclosing(model.stream(_HELLO, Parameters(0.0, 16))) as said,
        ):
            async for _ in said:
                pass
    except ModelAway as error:
        raise ServiceAway(str(error)) from error
    except TimeoutError as error:
        raise ServiceAway(f"{name} does not answer.") from error
    return f"{name} answers"
