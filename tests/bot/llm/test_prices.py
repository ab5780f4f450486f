"""What models cost."""

import pytest

from bot.errors import BadModel
from bot.llm.prices import cost, parse


def test_prices_are_read_and_the_longest_name_that_fits_counts() -> None:
    prices = parse("openai:=1/2, openai:gpt-x=2.5/10,anthropic:claude = 3 / 15,")
    assert prices == {"openai:": (1, 2), "openai:gpt-x": (2.5, 10), "anthropic:claude": (3, 15)}
    assert cost("openai:gpt-x-mini", 1_000_000, 100_000, prices) == 3.5
    assert cost("openai:gpt-y", 1_000_000, 100_000, prices) == 1.2


def test_what_is_not_known_costs_nothing() -> None:
    assert parse("") == {}
    assert cost("ollama:llama", 1_000, 1_000, parse("openai:=1/2")) == 0.0


def test_a_model_with_an_equals_sign_in_its_name_has_a_price_too() -> None:
    assert parse("x:a=b=1/2") == {"x:a=b": (1, 2)}


@pytest.mark.parametrize("text", ["gpt-x=1/2", "=1/2", "openai:gpt-x", "openai:x=1", "openai:x=1/", "openai:x=a/b"])
def test_what_is_no_price_is_told_with_an_example(text: str) -> None:
    with pytest.raises(BadModel, match=r"2\.5/10"):
        parse(text)


@pytest.mark.parametrize("amounts", ["-1/2", "1/-2", "nan/1", "1/inf"])
def test_an_amount_that_is_none_is_told(amounts: str) -> None:
    with pytest.raises(BadModel, match="two amounts"):
        parse(f"openai:x={amounts}")
