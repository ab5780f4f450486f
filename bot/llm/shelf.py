"""Models that were opened, and the chains made of them."""

from contextlib import AsyncExitStack

from bot.llm import extractive
from bot.llm.base import Model
from bot.llm.breaker import Breaker
from bot.llm.chain import Chain
from bot.llm.endpoints import Endpoints
from bot.llm.patience import Patience
from bot.llm.prices import Prices
from bot.llm.registry import open_models


class Shelf:
    """Opens each model once, when it is first asked for; they are closed with the stack.

    `default` names the models of the twin, separated by commas: the first is asked, the others stand in for it.
    """

    def __init__(
        self,
        stack: AsyncExitStack,
        endpoints: Endpoints,
        *,
        default: str,
        prices: Prices,
        patience: Patience = Patience(),
    ) -> None:
        self._stack = stack
        self._endpoints = endpoints
        self._default = default
        self._prices = prices
        self._patience = patience
        self._breakers: dict[str, Breaker] = {}
        self._models: dict[str, Model] = {}
        self._chains: dict[str, Chain | None] = {}

    async def chain(self, chosen: str) -> Chain | None:
        """Return the chain that begins with the chosen models and goes on with the twin's own; `None` is to quote.

        Raises `BadModel`.
        """
        if chosen not in self._chains:
            self._chains[chosen] = await self._made(chosen)
        return self._chains[chosen]

    async def _made(self, chosen: str) -> Chain | None:
        names = names_of(chosen)
        if not names:
            return None
        names = tuple(dict.fromkeys((*names, *names_of(self._default))))
        for name in names:
            if name not in self._models:
                [self._models[name]] = await self._stack.enter_async_context(open_models([name], self._endpoints))
        models = [self._models[name] for name in names]
        return Chain(models, self._patience, prices=self._prices, breakers=self._breakers)


def names_of(chosen: str) -> tuple[str, ...]:
    """Return the models that a setting names; none where the sources are to be quoted."""
    names = tuple(name.strip() for name in chosen.split(",") if name.strip())
    return tuple(name for name in names if name != extractive.PROVIDER)
