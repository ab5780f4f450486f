"""What only Anthropic does."""

import json

import pytest

from bot.llm.base import ModelAway, Usage
from tests.bot.llm.opening import opened, told
from tests.simulators.llm import Fail, LlmServer, Raw


async def test_a_model_that_takes_no_temperature_is_asked_without() -> None:
    fault = Fail(400, body={"type": "error", "error": {"message": "`temperature` is deprecated for this model."}})
    async with LlmServer(fault) as server, opened("anthropic", server) as model:
        with pytest.raises(ModelAway) as raised:
            await told(model)
        assert raised.value.transient
        assert isinstance((await told(model))[-1], Usage)
    assert ["temperature" in seen.body for seen in server.requests] == [True, False]


@pytest.mark.parametrize(
    ("kind", "transient", "said"),
    [
        ("overloaded_error", True, "overloaded"),
        ("api_error", True, "failed at its server"),
        ("invalid_request_error", False, "failed at its server"),
    ],
)
async def test_an_error_within_the_stream_is_told_by_its_kind(kind: str, transient: bool, said: str) -> None:
    event = json.dumps({"type": "error", "error": {"type": kind, "message": "never shown"}})
    async with LlmServer(Raw(f"event: error\ndata: {event}\n\n".encode())) as server, opened("anthropic", server) as model:
        with pytest.raises(ModelAway, match=said) as raised:
            await told(model)
    assert raised.value.transient == transient
    assert "never shown" not in str(raised.value)
