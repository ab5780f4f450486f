"""Which providers of language models there are, and opening models by name."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from importlib.metadata import entry_points
from typing import Protocol, runtime_checkable

from bot.errors import BadModel
from bot.llm import anthropic, extractive, ollama, openai
from bot.llm.base import Model
from bot.llm.endpoints import Endpoints

GROUP = "twin.models"
"""The entry points by which installed packages bring providers of their own: each names a `Provider`."""


class Provider(Protocol):
    """Opens a model by its name within the provider; the name is empty when only its list is wanted."""

    def __call__(self, model: str, endpoints: Endpoints) -> AbstractAsyncContextManager[Model]:
        """Open it, without asking anything of its server yet."""


@runtime_checkable
class Lists(Protocol):
    """What a model can also do: tell which models its server offers."""

    async def available(self) -> Sequence[str]:
        """Return their names within the provider. Raises `ModelAway`."""


@asynccontextmanager
async def open_models(names: Sequence[str], endpoints: Endpoints) -> AsyncIterator[tuple[Model, ...]]:
    """Open models by their names, `provider:model`, in this order; raises `BadModel`.

    Nothing is asked of their servers yet: one that is away shows when it is to answer.
    """
    wanted = [_split(name) for name in names]
    async with AsyncExitStack() as stack:
        yield tuple([await stack.enter_async_context(provider(model, endpoints)) for provider, model in wanted])


async def offered(name: str, endpoints: Endpoints) -> tuple[str, ...]:
    """Return what a provider's server offers, as names `provider:model`. Raises `BadModel` and `ModelAway`."""
    async with _provider(name)("", endpoints) as model:
        listed = await model.available() if isinstance(model, Lists) else ()
    return tuple(f"{name}:{each}" for each in listed)


def providers() -> tuple[str, ...]:
    """Return the names of all providers: ours, and those of installed packages."""
    return tuple(sorted(PROVIDERS.keys() | entry_points(group=GROUP).names))


def _split(name: str) -> tuple[Provider, str]:
    provider, _, model = (part.strip() for part in name.partition(":"))
    opens = _provider(provider)
    if not model:
        raise BadModel(f"{name!r} names no model: write {provider}:MODEL. `twin models list` shows which there are.")
    return opens, model


def _provider(name: str) -> Provider:
    if name in PROVIDERS:  # no package can put itself in the place of ours
        return PROVIDERS[name]
    for point in entry_points(group=GROUP, name=name):
        try:
            loaded: Provider = point.load()
        except Exception as error:  # whatever another's package does when it is loaded
            package = point.dist.name if point.dist else point.module
            raise BadModel(
                f"The provider {name!r} of language models cannot be loaded: {type(error).__name__} in the package {package}. "
                "Install it anew, or name another model."
            ) from error
        return loaded
    there_are = ", ".join([extractive.PROVIDER, *(f"{each}:MODEL" for each in providers())])
    raise BadModel(f"There is no provider {name!r} of language models. There are: {there_are}.")


PROVIDERS: Mapping[str, Provider] = {
    openai.PROVIDER: openai.open_model,
    ollama.PROVIDER: ollama.open_model,
    anthropic.PROVIDER: anthropic.open_model,
}
