import pytest
from pydantic import SecretStr

from bot.errors import BadModel, ServiceAway
from bot.llm.endpoints import Endpoints
from bot.llm.offers import Offer, configured, offers, tried
from tests.bot.llm.opening import KEY, PROVIDERS, endpoints
from tests.simulators.llm import Fail, LlmServer, Say

NOWHERE = "http://127.0.0.1:1"
AWAY = Endpoints(
    openai_api_key=SecretStr(KEY),
    openai_base_url=f"{NOWHERE}/v1",
    anthropic_api_key=SecretStr(KEY),
    anthropic_base_url=NOWHERE,
    ollama_host=NOWHERE,
)


def test_without_keys_and_addresses_only_ollama_is_worth_asking() -> None:
    assert configured((), Endpoints()) == ("ollama",)


def test_a_provider_is_asked_that_has_an_address_or_of_which_a_model_is_named() -> None:
    assert configured((), AWAY) == ("anthropic", "ollama", "openai")
    assert configured(("openai:x",), Endpoints()) == ("ollama", "openai")


async def test_every_provider_tells_what_it_offers() -> None:
    async with LlmServer() as server:
        told = await offers(PROVIDERS, endpoints(server))
    assert [(one.provider, set(one.models)) for one in told] == [(p, {f"{p}:tiny", f"{p}:tall"}) for p in PROVIDERS]


async def test_one_that_is_away_does_not_keep_the_others_from_telling() -> None:
    told = await offers(("ollama", "psychic", "anthropic"), Endpoints(ollama_host=NOWHERE))
    assert told[0] == Offer("ollama", error="It cannot be reached: is its server running, and is OLLAMA_HOST its address?")
    assert told[1].error.startswith("There is no provider 'psychic'")
    assert told[2] == Offer("anthropic", error="It needs a key: set ANTHROPIC_API_KEY.")


async def test_a_model_that_is_listed_is_not_made_to_speak() -> None:
    async with LlmServer(models=("tiny:latest",)) as server:
        assert await tried("ollama:tiny", endpoints(server)) == "ollama:tiny is offered by its server"
        assert server.requests == []


async def test_a_model_that_is_not_listed_has_to_say_something() -> None:
    async with LlmServer(Say(["Hello."]), models=()) as server:
        assert await tried("openai:any", endpoints(server)) == "openai:any answers"
        assert len(server.requests) == 1


@pytest.mark.parametrize("name", [f"{provider}:tiny" for provider in PROVIDERS])
async def test_a_model_that_cannot_be_used_is_away_and_the_sentence_says_why(name: str) -> None:
    with pytest.raises(ServiceAway, match=f"^{name} cannot be reached"):
        await tried(name, AWAY)
    async with LlmServer(Fail(404), models=()) as server:
        with pytest.raises(ServiceAway, match=f"^{name} is not"):
            await tried(name, endpoints(server))


async def test_a_provider_that_there_is_not_is_no_model() -> None:
    with pytest.raises(BadModel, match="There is no provider 'psychic'"):
        await tried("psychic:x", Endpoints())
