"""Models that Ollama runs."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

import httpx

from bot.chat import printable
from bot.llm import faults, wire
from bot.llm.base import Capabilities, ModelAway, Parameters, Piece, Prompt, Usage, estimate
from bot.llm.endpoints import Endpoints

if TYPE_CHECKING:
    import ollama

PROVIDER = "ollama"

_OWN_SERVER = "http://127.0.0.1:11434"
_ADDRESS = "OLLAMA_HOST"
_WAIT, _CONNECT = 120.0, 10.0  # seconds for a byte to come: the last resort, patience is the chain's


class Ollama:
    """A model that Ollama runs."""

    def __init__(self, client: "ollama.AsyncClient", model: str, *, window: int) -> None:
        self.name = f"{PROVIDER}:{model}"
        self.capabilities = Capabilities(window=window)
        self._client, self._model = client, model

    def count(self, text: str) -> int:
        """Return about how many tokens a text has."""
        return estimate(text)

    async def available(self) -> tuple[str, ...]:
        """Return the models that the server offers. Raises `ModelAway`."""
        try:
            listed = await self._client.list()
            return tuple(sorted(model.model for model in listed.models if model.model))
        except Exception as error:  # a server that is something else can make the library raise anything
            raise self._fault(error) from error

    async def stream(self, prompt: Prompt, parameters: Parameters) -> AsyncGenerator[Piece]:
        """Yield the completion as it is written, an empty piece where it is thought over, then its `Usage`."""
        usage: Usage | None = None
        try:
            parts = await self._client.chat(**self._request(prompt, parameters))
            async with aclosing(cast("AsyncGenerator[ollama.ChatResponse]", parts)) as stream:
                async for part in stream:
                    if part.message.content:
                        yield part.message.content
                    elif part.message.thinking:
                        yield ""
                    if part.done:
                        length = part.done_reason == "length"
                        usage = wire.usage(part.prompt_eval_count, part.eval_count, length=length, refused=False)
        except Exception as error:  # what a server can make the library raise has no end
            raise self._fault(error) from error
        if usage is None:
            raise faults.broken_off(self.name)
        yield usage

    def _request(self, prompt: Prompt, parameters: Parameters) -> dict[str, Any]:
        system = [{"role": "system", "content": printable(prompt.system)}] if prompt.system else []
        # Without num_ctx Ollama takes a small window and silently drops what does not fit, the system prompt first.
        options: dict[str, Any] = {"num_predict": parameters.max_tokens, "num_ctx": self.capabilities.window}
        if parameters.temperature is not None:
            options["temperature"] = parameters.temperature
        return {
            "model": self._model,
            "messages": [*system, *({"role": turn.role, "content": printable(turn.text)} for turn in prompt.turns)],
            "stream": True,
            "options": options,
        }

    def _fault(self, error: Exception) -> ModelAway:
        match error:
            case _Refused():
                if error.status == HTTPStatus.NOT_FOUND:
                    return ModelAway(f"{self.name} is not at its server: `ollama pull {self._model}` gets it.", transient=False)
                return faults.refusal(self.name, error.status, error.headers, setting=_ADDRESS)
            case httpx.ConnectError() | httpx.ConnectTimeout() | ConnectionError():
                return faults.unreachable(self.name, _ADDRESS)
            case ValueError() | TypeError() | AttributeError():
                return faults.garbled(self.name)
            case _:
                return faults.broken_off(self.name)


class _Refused(Exception):
    """A server's HTTP status with its headers, of which the library keeps only the status."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__(f"HTTP {response.status_code}")
        self.status, self.headers = response.status_code, response.headers


async def _check(response: httpx.Response) -> None:
    if response.is_error:
        raise _Refused(response)
    wire.check(response.headers, "application/x-ndjson", "application/json")


@asynccontextmanager
async def open_model(model: str, endpoints: Endpoints) -> AsyncIterator[Ollama]:
    """Open a model of the Ollama at OLLAMA_HOST, this machine's if that is not set; nothing is sent yet."""
    import ollama  # noqa: PLC0415 - only those who use it should wait for it

    async with ollama.AsyncClient(
        endpoints.ollama_host or _OWN_SERVER,
        timeout=httpx.Timeout(_WAIT, connect=_CONNECT),
        limits=httpx.Limits(**wire.CONNECTIONS),
        event_hooks={"response": [_check]},
    ) as client:
        yield Ollama(client, model, window=endpoints.window or Capabilities().window)
