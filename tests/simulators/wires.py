"""The protocols of language model servers, as they write them."""

import json
from collections.abc import Mapping
from typing import Literal, Protocol

Finish = Literal["stop", "length", "refused"]
Told = tuple[int, int] | None
"""Tokens in and out, if the server tells."""


class Wire(Protocol):
    """Writes the parts of a streamed answer."""

    content_type: str
    path: str

    def begin(self, tokens_in: int) -> bytes: ...
    def piece(self, text: str) -> bytes: ...
    def thought(self, text: str) -> bytes: ...
    def tool(self) -> bytes: ...
    def alive(self) -> bytes: ...
    def error(self) -> bytes: ...
    def end(self, finish: Finish, told: Told) -> bytes: ...


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


class OpenAIWire:
    """https://platform.openai.com/docs/api-reference/chat-streaming"""

    content_type = "text/event-stream"
    path = "/v1/chat/completions"
    _REASONS: Mapping[Finish, str] = {"stop": "stop", "length": "length", "refused": "content_filter"}

    def begin(self, tokens_in: int) -> bytes:
        return self._chunk({"role": "assistant", "content": ""})

    def piece(self, text: str) -> bytes:
        return self._chunk({"content": text})

    def thought(self, text: str) -> bytes:
        return self._chunk({"reasoning_content": text})

    def tool(self) -> bytes:
        call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "delete_all", "arguments": "{}"}}
        return self._chunk({"tool_calls": [call]})

    def alive(self) -> bytes:
        return b": alive\n\n"

    def error(self) -> bytes:
        return b"data: " + _json({"error": {"message": "sk-secret-of-the-server broke", "type": "server_error"}}) + b"\n\n"

    def end(self, finish: Finish, told: Told) -> bytes:
        last = self._chunk({}, self._REASONS[finish])
        if told is None:
            return last + b"data: [DONE]\n\n"
        usage = {"prompt_tokens": told[0], "completion_tokens": told[1], "total_tokens": sum(told)}
        whole = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "tiny", "choices": [], "usage": usage}
        return last + b"data: " + _json(whole) + b"\n\ndata: [DONE]\n\n"

    def _chunk(self, delta: object, finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        chunk = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "tiny", "choices": [choice]}
        return b"data: " + _json(chunk) + b"\n\n"


class AnthropicWire:
    """https://docs.anthropic.com/en/docs/build-with-claude/streaming"""

    content_type = "text/event-stream; charset=utf-8"
    path = "/v1/messages"
    _REASONS: Mapping[Finish, str] = {"stop": "end_turn", "length": "max_tokens", "refused": "refusal"}

    def begin(self, tokens_in: int) -> bytes:
        usage = {"input_tokens": tokens_in, "output_tokens": 1}
        message = {"id": "m1", "type": "message", "role": "assistant", "content": [], "model": "tiny", "usage": usage}
        return (
            self._event("message_start", message=message | {"stop_reason": None, "stop_sequence": None})
            + self._event("content_block_start", index=0, content_block={"type": "text", "text": ""})
            + self.alive()
        )

    def piece(self, text: str) -> bytes:
        return self._event("content_block_delta", index=0, delta={"type": "text_delta", "text": text})

    def thought(self, text: str) -> bytes:
        return self._event("content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": text})

    def tool(self) -> bytes:
        block = {"type": "tool_use", "id": "toolu_1", "name": "delete_all", "input": {}}
        return self._event("content_block_start", index=1, content_block=block) + self._event(
            "content_block_delta", index=1, delta={"type": "input_json_delta", "partial_json": "{}"}
        )

    def alive(self) -> bytes:
        return self._event("ping")

    def error(self) -> bytes:
        return self._event("error", error={"type": "overloaded_error", "message": "sk-secret-of-the-server broke"})

    def end(self, finish: Finish, told: Told) -> bytes:
        delta = {"stop_reason": self._REASONS[finish], "stop_sequence": None}
        return (
            self._event("content_block_stop", index=0)
            + self._event("message_delta", delta=delta, usage={"output_tokens": told[1] if told else 0})
            + self._event("message_stop")
        )

    def _event(self, kind: str, **data: object) -> bytes:
        return f"event: {kind}\ndata: ".encode() + _json({"type": kind, **data}) + b"\n\n"


class OllamaWire:
    """https://github.com/ollama/ollama/blob/main/docs/api.md"""

    content_type = "application/x-ndjson"
    path = "/api/chat"

    def begin(self, tokens_in: int) -> bytes:
        return b""

    def piece(self, text: str) -> bytes:
        return self._line({"role": "assistant", "content": text}, done=False)

    def thought(self, text: str) -> bytes:
        return self._line({"role": "assistant", "content": "", "thinking": text}, done=False)

    def tool(self) -> bytes:
        call = {"function": {"name": "delete_all", "arguments": {}}}
        return self._line({"role": "assistant", "content": "", "tool_calls": [call]}, done=False)

    def alive(self) -> bytes:
        return b""

    def error(self) -> bytes:
        return _json({"error": "sk-secret-of-the-server broke"}) + b"\n"

    def end(self, finish: Finish, told: Told) -> bytes:
        counts = {"prompt_eval_count": told[0], "eval_count": told[1]} if told else {}
        reason = "length" if finish == "length" else "stop"
        return self._line({"role": "assistant", "content": ""}, done=True, done_reason=reason, **counts)

    def _line(self, message: object, **more: object) -> bytes:
        return _json({"model": "tiny", "created_at": "2026-01-01T00:00:00Z", "message": message, **more}) + b"\n"


WIRES: tuple[Wire, ...] = (OpenAIWire(), AnthropicWire(), OllamaWire())
