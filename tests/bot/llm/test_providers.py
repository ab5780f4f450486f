"""What every provider promises, held against a server that speaks its protocol over a real socket."""

import asyncio
import socket
from contextlib import aclosing
from typing import Any

import pytest
from pydantic import SecretStr

from bot.llm.base import ModelAway, Prompt, Turn, Usage
from bot.llm.endpoints import Endpoints
from bot.llm.faults import Garbled
from bot.llm.registry import offered, open_models
from tests.bot.llm.opening import KEY, PARAMETERS, PROMPT, PROVIDERS, SECRET_WORD, endpoints, opened, told
from tests.simulators.llm import TOKENS_IN, Fail, Hang, LlmServer, Raw, Say, Script

pytestmark = pytest.mark.parametrize("provider", PROVIDERS)

VARIABLES = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}


async def away(provider: str, *scripts: Script) -> ModelAway:
    async with LlmServer(*scripts) as server, opened(provider, server) as model:
        with pytest.raises(ModelAway) as raised:
            await told(model)
        assert len(server.requests) == 1, "the client library must not try again by itself"
    said = str(raised.value)
    assert said.startswith(f"{provider}:tiny ")
    assert KEY not in said
    assert SECRET_WORD not in said
    assert "sk-" not in said
    return raised.value


async def test_pieces_come_in_order_and_last_what_it_took(provider: str) -> None:
    pieces = ("Ein ", "Fuchs ", "🦊", "\n\n", "läuft [1].")
    async with LlmServer(Say(pieces)) as server, opened(provider, server) as model:
        assert await told(model) == [*pieces, Usage(TOKENS_IN, len(pieces), "stop")]


async def test_pieces_come_while_the_model_still_writes(provider: str) -> None:
    stalls = Say(("one", "two"), ending="stall")
    async with (
        LlmServer(stalls) as server,
        opened(provider, server) as model,
        aclosing(model.stream(PROMPT, PARAMETERS)) as stream,
    ):
        assert [await anext(stream), await anext(stream)] == ["one", "two"]


async def test_system_prompt_turns_and_parameters_are_sent_and_never_a_tool(provider: str) -> None:
    async with LlmServer() as server, opened(provider, server) as model:
        await told(model)
        window = model.capabilities.window
    body = server.requests[0].body
    system = {"role": "system", "content": PROMPT.system}
    turns = [{"role": turn.role, "content": turn.text} for turn in PROMPT.turns]
    expected: dict[str, Any] = {
        "openai": {
            "messages": [system, *turns],
            "max_tokens": 77,
            "temperature": 0.25,
            "stream_options": {"include_usage": True},
        },
        "anthropic": {"system": PROMPT.system, "messages": turns, "max_tokens": 77, "temperature": 0.25},
        "ollama": {
            "messages": [system, *turns],
            "options": {"num_predict": 77, "temperature": 0.25, "num_ctx": window},
            "tools": [],
        },
    }
    assert body == {"model": "tiny", "stream": True} | expected[provider]


async def test_nothing_is_sent_for_a_system_prompt_or_temperature_that_is_not_set(provider: str) -> None:
    async with LlmServer() as server, opened(provider, server) as model:
        async for _ in model.stream(Prompt("", (Turn("user", "Hi"),)), type(PARAMETERS)()):
            pass
    body = server.requests[0].body
    assert body["messages"] == [{"role": "user", "content": "Hi"}]
    assert "system" not in body
    assert "temperature" not in {**body, **body.get("options", {})}


async def test_a_text_that_is_no_unicode_is_sent_all_the_same(provider: str) -> None:
    async with LlmServer() as server, opened(provider, server) as model:
        async for _ in model.stream(Prompt("\udc80", (Turn("user", "Hi \ud800"),)), PARAMETERS):
            pass
    assert server.requests[0].body["messages"][-1]["content"] == "Hi ?"


async def test_closing_the_stream_ends_the_request_at_the_server(provider: str) -> None:
    async with LlmServer(Say(("one",), ending="stall")) as server, opened(provider, server) as model:
        stream = model.stream(PROMPT, PARAMETERS)
        assert await anext(stream) == "one"
        await stream.aclose()
        await asyncio.wait_for(server.requests[0].gone.wait(), 5)


@pytest.mark.parametrize("script", [Hang(), Say((), ending="stall"), Say(("one",), ending="stall")])
async def test_cancelling_the_asker_ends_the_request_at_the_server(provider: str, script: Script) -> None:
    async with LlmServer(script) as server, opened(provider, server) as model:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await told(model)
        await asyncio.wait_for(server.requests[0].gone.wait(), 5)


async def test_the_connection_of_a_whole_answer_is_used_again(provider: str) -> None:
    async with LlmServer() as server, opened(provider, server) as model:
        for _ in range(3):
            await told(model)
        assert not any(seen.gone.is_set() for seen in server.requests)


async def test_a_server_that_does_not_tell_the_tokens_leaves_them_open(provider: str) -> None:
    async with LlmServer(Say(("Hi",), tells=False)) as server, opened(provider, server) as model:
        text, usage = await told(model)
    assert text == "Hi"
    assert isinstance(usage, Usage)
    assert usage.tokens_out == 0


@pytest.mark.parametrize("finish", ["length", "refused"])
async def test_why_it_ended_is_told(provider: str, finish: Any) -> None:
    async with LlmServer(Say(("Hi",), finish=finish)) as server, opened(provider, server) as model:
        _, usage = await told(model)
    assert isinstance(usage, Usage)
    assert usage.finish == ("stop" if provider == "ollama" and finish == "refused" else finish)


async def test_thinking_is_a_sign_of_life_and_not_said(provider: str) -> None:
    async with LlmServer(Say(("Hi",), thoughts=("Hm", "Well"))) as server, opened(provider, server) as model:
        assert await told(model) == ["", "", "Hi", Usage(TOKENS_IN, 1)]


async def test_a_tool_call_not_asked_for_is_not_heard(provider: str) -> None:
    async with LlmServer(Say(("Hi",), calls_tool=True)) as server, opened(provider, server) as model:
        assert await told(model) == ["Hi", Usage(TOKENS_IN, 1)]


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
async def test_a_status_that_passes_is_transient(provider: str, status: int) -> None:
    assert (await away(provider, Fail(status))).transient


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 422])
async def test_a_status_that_stays_is_not(provider: str, status: int) -> None:
    assert not (await away(provider, Fail(status, {"Retry-After": "3"}))).transient


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("soon", None),
        ("-1", None),
        ("nan", None),
        ("inf", None),
        ("", None),
    ],
)
async def test_how_long_to_wait_is_read_where_it_makes_sense(provider: str, given: str, seconds: float | None) -> None:
    assert (await away(provider, Fail(429, {"Retry-After": given}))).retry_after == seconds


async def test_a_wrong_key_names_the_variable_to_set(provider: str) -> None:
    if provider == "ollama":
        return  # it has no keys
    async with LlmServer(key="another") as server, opened(provider, server) as model:
        with pytest.raises(ModelAway, match=VARIABLES[provider]) as raised:
            await told(model)
        with pytest.raises(ModelAway, match=VARIABLES[provider]):
            await offered(provider, endpoints(server))
    assert not raised.value.transient
    async with LlmServer(key=KEY) as server, opened(provider, server) as model:
        assert len(await told(model)) == 5


async def test_a_missing_key_is_told_without_asking_anybody(provider: str) -> None:
    if provider == "ollama":
        return
    async with open_models([f"{provider}:tiny"], Endpoints()) as (model,):
        with pytest.raises(ModelAway, match=f"set {VARIABLES[provider]}") as raised:
            await told(model)
    assert not raised.value.transient


async def test_nobody_at_the_address_is_transient(provider: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        nobody = Endpoints(SecretStr(KEY), f"{url}/v1", SecretStr(KEY), url, url)
        async with open_models([f"{provider}:tiny"], nobody) as (model,):
            with pytest.raises(ModelAway, match="cannot be reached") as raised:
                await told(model)
            with pytest.raises(ModelAway, match="cannot be reached"):
                await offered(provider, nobody)
    assert raised.value.transient


@pytest.mark.parametrize("ending", ["cut", "reset", "error"])
async def test_an_answer_that_breaks_off_is_no_answer(provider: str, ending: Any) -> None:
    assert (await away(provider, Say(("Hello",), ending=ending))).transient


async def test_an_answer_in_another_kind_is_garbage(provider: str) -> None:
    fault = await away(provider, Raw(b"<html>Please log in</html>", "text/html"))
    assert isinstance(fault, Garbled)


async def test_what_the_server_offers_is_listed(provider: str) -> None:
    async with LlmServer(models=("small", "large")) as server:
        assert await offered(provider, endpoints(server)) == (f"{provider}:large", f"{provider}:small")
