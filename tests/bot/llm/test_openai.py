"""What only the servers do that speak OpenAI's protocol."""

import pytest

from bot.llm.base import ModelAway, Usage
from bot.llm.endpoints import Endpoints
from bot.llm.registry import open_models
from tests.bot.llm.opening import opened, told
from tests.simulators.llm import Fail, LlmServer, Raw, Say


async def test_a_server_that_does_not_know_the_wish_for_usage_is_not_asked_it_again() -> None:
    unknown = Fail(422, body={"error": {"message": "extra fields not permitted: stream_options"}})
    async with LlmServer(unknown, Say(("Hi",), tells=False)) as server, opened("openai", server) as model:
        with pytest.raises(ModelAway) as raised:
            await told(model)
        assert raised.value.transient
        assert await told(model) == ["Hi", Usage()]
    assert "stream_options" not in server.requests[1].body


@pytest.mark.parametrize(("refused", "sent"), [("temperature", None), ("max_tokens", "max_completion_tokens")])
async def test_what_a_model_does_not_take_is_left_out_from_then_on(refused: str, sent: str | None) -> None:
    fault = Fail(400, body={"error": {"message": f"Unsupported parameter: '{refused}' is not supported with this model."}})
    async with LlmServer(fault) as server, opened("openai", server) as model:
        with pytest.raises(ModelAway):
            await told(model)
        await told(model)
    assert refused in server.requests[0].body
    assert refused not in server.requests[1].body
    assert sent is None or sent in server.requests[1].body


async def test_a_server_without_keys_needs_none() -> None:
    async with LlmServer() as server, open_models(["openai:tiny"], Endpoints(openai_base_url=f"{server.url}/v1")) as (model,):
        assert len(await told(model)) == 5


async def test_an_account_with_nothing_left_is_not_asked_again() -> None:
    spent = Fail(429, body={"error": {"code": "insufficient_quota", "message": "You exceeded your current quota."}})
    async with LlmServer(spent) as server, opened("openai", server) as model:
        with pytest.raises(ModelAway, match="nothing left") as raised:
            await told(model)
    assert not raised.value.transient


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
async def test_events_are_read_however_lines_end_and_without_a_done(newline: bytes) -> None:
    lines = [
        b": a comment",
        b'data:{"choices":[{"delta":{"content":"Hi"}}]}',
        b"",
        b"id: 7",
        b'data: {"choices":[{"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1}}',
    ]
    async with LlmServer(Raw(newline.join(lines))) as server, opened("openai", server) as model:
        assert await told(model) == ["Hi", Usage(3, 1)]


async def test_a_refusal_is_said_and_told() -> None:
    body = b'data: {"choices":[{"delta":{"refusal":"I will not."},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
    async with LlmServer(Raw(body)) as server, opened("openai", server) as model:
        assert await told(model) == ["I will not.", Usage(finish="refused")]
