"""Models at Anthropic, by its messages protocol."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any

from bot.chat import printable
from bot.llm import faults, wire
from bot.llm.base import Capabilities, ModelAway, Parameters, Piece, Prompt, Usage, estimate
from bot.llm.endpoints import Endpoints

if TYPE_CHECKING:
    import anthropic

PROVIDER = "anthropic"

_OWN_SERVER = "https://api.anthropic.com"
_KEY, _ADDRESS = "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"
_WAIT, _CONNECT = 120.0, 10.0  # seconds for a byte to come: the last resort, patience is the chain's
_WINDOW = 200_000  # tokens; https://docs.anthropic.com/en/docs/about-claude/models
_FOR_GOOD = {"authentication_error", "permission_error", "invalid_request_error", "not_found_error", "billing_error"}
_FULL = {"max_tokens", "model_context_window_exceeded"}


class Anthropic:
    """A model at Anthropic."""

    def __init__(self, client: "anthropic.AsyncAnthropic", model: str, *, keyless: bool, window: int) -> None:
        self.name = f"{PROVIDER}:{model}"
        self.capabilities = Capabilities(window=window)
        self._client, self._model, self._keyless = client, model, keyless
        self._unknown = set[str]()  # what its server turned out not to take

    def count(self, text: str) -> int:
        """Return about how many tokens a text has."""
        return estimate(text)

    async def available(self) -> tuple[str, ...]:
        """Return the models that the server offers. Raises `ModelAway`."""
        self._check_key()
        try:
            page = await self._client.models.list(limit=1_000)
            return tuple(sorted(model.id for model in page.data))
        except Exception as error:  # a server that is something else can make the library raise anything
            raise self._fault(error) from error

    async def stream(self, prompt: Prompt, parameters: Parameters) -> AsyncGenerator[Piece]:
        """Yield the completion as it is written, an empty piece where it is thought over, then its `Usage`."""
        self._check_key()
        answer = _Completion(self.name)
        request = self._request(prompt, parameters)
        try:
            # The events are read here, not by the library: it takes a line of any length, and chunks of any shape.
            async with self._client.messages.with_streaming_response.create(**request) as response:
                wire.check(response.headers, "text/event-stream")
                chunks = response.iter_bytes()
                async with aclosing(wire.events(chunks)) as events:
                    async for data in events:
                        if (piece := answer.read(wire.parse(data))) is not None:
                            yield piece
                        if answer.ended:
                            await wire.drain(chunks)
                            break
        except ModelAway:
            raise
        except Exception as error:  # what a server can make the library raise has no end
            raise self._fault(error) from error
        if not answer.ended:
            raise faults.broken_off(self.name)
        yield answer.usage()

    def _request(self, prompt: Prompt, parameters: Parameters) -> dict[str, Any]:
        request: dict[str, Any] = {
            "model": self._model,
            "messages": [{"role": turn.role, "content": printable(turn.text)} for turn in prompt.turns],
            "stream": True,
            "max_tokens": parameters.max_tokens,
        }
        if prompt.system:
            request["system"] = printable(prompt.system)
        if parameters.temperature is not None and "temperature" not in self._unknown:
            request["extra_body"] = {
                "temperature": parameters.temperature
            }  # older models take it; the library does not know it
        return request

    def _check_key(self) -> None:
        if self._keyless:
            raise faults.unopened(self.name, _KEY)

    def _fault(self, error: Exception) -> ModelAway:
        import anthropic  # noqa: PLC0415 - loaded by now

        match error:
            case anthropic.BadRequestError() if faults.learned(error, ("temperature",), self._unknown):
                return faults.without(self.name)
            case anthropic.APIStatusError():
                return faults.refusal(self.name, error.status_code, error.response.headers, setting=_KEY)
            case anthropic.APIConnectionError():
                return faults.unreachable(self.name, _ADDRESS)
            case ValueError() | TypeError() | AttributeError() | anthropic.APIResponseValidationError():
                return faults.garbled(self.name)
            case _:
                return faults.broken_off(self.name)


class _Completion:
    """What a stream of events says."""

    def __init__(self, name: str) -> None:
        self.ended = False
        self._name = name
        self._finish = ""
        self._tokens_in: wire.JSON = None
        self._tokens_out: wire.JSON = None

    def read(self, event: wire.JSON) -> str | None:
        """Return the text of an event, an empty one when the model thinks, None when there is nothing of it."""
        match wire.dig(event, "type"):
            case "message_start":
                self._tokens_in = wire.dig(event, "message", "usage", "input_tokens")
            case "content_block_delta":
                delta = wire.dig(event, "delta")
                if said := wire.text(wire.dig(delta, "text")):
                    return said
                return "" if wire.dig(delta, "thinking") else None
            case "message_delta":
                self._finish = wire.text(wire.dig(event, "delta", "stop_reason")) or self._finish
                self._tokens_out = wire.dig(event, "usage", "output_tokens")
            case "message_stop":
                self.ended = True
            case "error":
                raise self._failed(wire.text(wire.dig(event, "error", "type")))
        return None

    def usage(self) -> Usage:
        """Return what it took, zeros where the server did not say."""
        return wire.usage(self._tokens_in, self._tokens_out, length=self._finish in _FULL, refused=self._finish == "refusal")

    def _failed(self, kind: str) -> ModelAway:
        if kind == "overloaded_error":
            return faults.refusal(self._name, faults.OVERLOADED, {}, setting=_KEY)
        return ModelAway(f"{self._name} failed at its server while it wrote.", transient=kind not in _FOR_GOOD)


@asynccontextmanager
async def open_model(model: str, endpoints: Endpoints) -> AsyncIterator[Anthropic]:
    """Open a model at Anthropic; nothing is sent yet."""
    import anthropic  # noqa: PLC0415 - takes more than a second, which only those who use it should wait

    key = endpoints.anthropic_api_key.get_secret_value().strip() if endpoints.anthropic_api_key else ""
    limits = type(anthropic.DEFAULT_CONNECTION_LIMITS)(**wire.CONNECTIONS)
    async with anthropic.AsyncAnthropic(
        api_key=key or "none",  # without one the library would look for others on this machine
        base_url=endpoints.anthropic_base_url or _OWN_SERVER,
        max_retries=0,  # there is one place that tries again: the chain
        timeout=anthropic.Timeout(_WAIT, connect=_CONNECT),
        http_client=anthropic.DefaultAioHttpClient(limits=limits),  # reads a piece in half the time of the usual one
        open_telemetry=False,
    ) as client:
        yield Anthropic(client, model, keyless=not key, window=endpoints.window or _WINDOW)
