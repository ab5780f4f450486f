"""What tries of language models took, and what that costs (pure)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bot.errors import BadModel

Outcome = Literal["done", "timeout", "away", "refused", "cancelled", "garbage"]
"""What became of a try: `refused` is a model or server that will not, `away` one that cannot at the moment."""

Prices = Mapping[str, tuple[float, float]]
"""US dollars for a million tokens in and out, by the beginning of a model's name; none are built in, as they change."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What one try of one model took; tokens are estimated where the server does not say, `cost` is in US dollars."""

    provider: str
    model: str
    tokens_in: int
    tokens_out: int
    cost: float
    milliseconds: float
    outcome: Outcome


def parse(text: str) -> Prices:
    """Read prices such as `openai:gpt-x=2.5/10, anthropic:=3/15`, in dollars for a million tokens in/out. Raises `BadModel`."""
    return dict(_price(part.strip()) for part in text.split(",") if part.strip())


def cost(name: str, tokens_in: int, tokens_out: int, prices: Prices) -> float:
    """Return what a completion costs in US dollars by the longest beginning of its model's name; 0 where none fits."""
    fitting = max((start for start in prices if name.startswith(start)), key=len, default=None)
    if fitting is None:
        return 0.0
    each_in, each_out = prices[fitting]
    return (tokens_in * each_in + tokens_out * each_out) / 1_000_000


def _price(part: str) -> tuple[str, tuple[float, float]]:
    name, _, amounts = (each.strip() for each in part.rpartition("="))
    each_in, _, each_out = amounts.partition("/")
    if ":" not in name:
        raise BadModel(f"{part!r} is no price of a model: write provider:model=IN/OUT, such as openai:gpt-x=2.5/10.")
    return name, (_amount(each_in, part), _amount(each_out, part))


def _amount(text: str, part: str) -> float:
    try:
        amount = float(text)
    except ValueError:
        amount = math.nan
    if not 0 <= amount < math.inf:
        raise BadModel(f"{part!r} needs two amounts, dollars for a million tokens in and out, such as 2.5/10.")
    return amount
