"""Models behind OpenAI's protocol: at OpenAI, or at any server that speaks it (llama.cpp, vLLM, LM Studio, OpenRouter…)."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any

from bot.chat import printable
from bot.llm import faults, wire
from bot.llm.base import Capabilities, ModelAway, Parameters, Piece, Prompt, Usage, estimate
from bot.llm.endpoints import Endpoints

if TYPE_CHECKING:
    import openai

PROVIDER = "openai"

_OWN_SERVER = "https://api.openai.com/v1"
_KEY, _ADDRESS = "OPENAI_API_KEY", "OPENAI_BASE_URL"
_OPTIONAL = ("stream_options", "temperature", "max_tokens")  # some servers and models refuse these
_WAIT, _CONNECT = 120.0, 10.0  # seconds for a byte to come: the last resort, patience is the chain's


class OpenAI:
    """A model at a server that speaks OpenAI's chat completions."""

    def __init__(self, client: "openai.AsyncOpenAI", model: str, *, keyless: bool, own: bool, window: int) -> None:
        self.name = f"{PROVIDER}:{model}"
        self.capabilities = Capabilities(window=window)
        self._client, self._model, self._keyless, self._own = client, model, keyless, own
        self._unknown = set[str]()  # what its server turned out not to take

    def count(self, text: str) -> int:
        """Return about how many tokens a text has."""
        return estimate(text)

    async def available(self) -> tuple[str, ...]:
        """Return the models that the server offers. Raises `ModelAway`."""
        self._check_key()
        try:
            page = await self._client.models.list()
            return tuple(sorted(model.id for model in page.data))
        except Exception as error:  # a server that is something else can make the library raise anything
            raise self._fault(error) from error

    async def stream(self, prompt: Prompt, parameters: Parameters) -> AsyncGenerator[Piece]:
        """Yield the completion as it is written, an empty piece where it is thought over, then its `Usage`."""
        self._check_key()
        answer = _Completion()
        request = self._request(prompt, parameters)
        try:
            # The events are read here, not by the library: it takes a line of any length, and chunks of any shape.
            messages = {"messages": request.pop("messages")}  # as they are: what the library does to each takes long
            create = self._client.chat.completions.with_streaming_response.create
            async with create(**request, messages=[], extra_body=messages) as response:
                wire.check(response.headers, "text/event-stream")
                chunks = response.iter_bytes()
                async with aclosing(wire.events(chunks)) as events:
                    async for data in events:
                        if data.startswith("[DONE]"):
                            await wire.drain(chunks)
                            answer.ended = True
                            break
                        if (piece := answer.read(wire.parse(data))) is not None:
                            yield piece
        except ModelAway:
            raise
        except Exception as error:  # what a server can make the library raise has no end
            raise self._fault(error) from error
        if not answer.ended:
            raise faults.broken_off(self.name)
        yield answer.usage()

    def _request(self, prompt: Prompt, parameters: Parameters) -> dict[str, Any]:
        system = [{"role": "system", "content": printable(prompt.system)}] if prompt.system else []
        request: dict[str, Any] = {
            "model": self._model,
            "messages": [*system, *({"role": turn.role, "content": printable(turn.text)} for turn in prompt.turns)],
            "stream": True,
            self._limit: parameters.max_tokens,
        }
        if "stream_options" not in self._unknown:
            request["stream_options"] = {"include_usage": True}
        if parameters.temperature is not None and "temperature" not in self._unknown:
            request["temperature"] = parameters.temperature
        return request

    @property
    def _limit(self) -> str:
        # OpenAI's newer models refuse the former name, other servers may not know the new one.
        return "max_completion_tokens" if self._own or "max_tokens" in self._unknown else "max_tokens"

    def _check_key(self) -> None:
        if self._own and self._keyless:
            raise faults.unopened(self.name, _KEY)

    def _fault(self, error: Exception) -> ModelAway:
        import openai  # noqa: PLC0415 - loaded by now

        match error:
            case openai.BadRequestError() | openai.UnprocessableEntityError() if faults.learned(
                error, _OPTIONAL, self._unknown
            ):
                return faults.without(self.name)
            case openai.RateLimitError() if error.code == "insufficient_quota":
                return ModelAway(f"{self.name} was refused: its account has nothing left to pay with.", transient=False)
            case openai.APIStatusError():
                return faults.refusal(self.name, error.status_code, error.response.headers, setting=_KEY)
            case openai.APIConnectionError():
                return faults.unreachable(self.name, _ADDRESS)
            case ValueError() | TypeError() | AttributeError() | openai.APIResponseValidationError():
                return faults.garbled(self.name)
            case _:
                return faults.broken_off(self.name)


class _Completion:
    """What a stream of chunks says."""

    def __init__(self) -> None:
        self.ended = False
        self._finish = ""
        self._refused = False
        self._usage: wire.JSON = None

    def read(self, chunk: wire.JSON) -> str | None:
        """Return the text of a chunk, an empty one when the model thinks, None when there is nothing of it."""
        if wire.dig(chunk, "error") is not None:
            raise ConnectionError("the server failed while it wrote")
        if (usage := wire.dig(chunk, "usage")) is not None:
            self._usage = usage
        choice = wire.dig(chunk, "choices", 0)
        if finish := wire.text(wire.dig(choice, "finish_reason")):
            self._finish, self.ended = finish, True
        delta = wire.dig(choice, "delta")
        if said := wire.text(wire.dig(delta, "content")):
            return said
        if declined := wire.text(wire.dig(delta, "refusal")):
            self._refused = True
            return declined
        return "" if wire.dig(delta, "reasoning_content") or wire.dig(delta, "reasoning") else None

    def usage(self) -> Usage:
        """Return what it took, zeros where the server did not say."""
        tokens = wire.dig(self._usage, "prompt_tokens"), wire.dig(self._usage, "completion_tokens")
        refused = self._refused or self._finish == "content_filter"
        return wire.usage(*tokens, length=self._finish == "length", refused=refused)


@asynccontextmanager
async def open_model(model: str, endpoints: Endpoints) -> AsyncIterator[OpenAI]:
    """Open a model at OpenAI or at the server that OPENAI_BASE_URL names; nothing is sent yet."""
    import openai  # noqa: PLC0415 - takes most of a second, which only those who use it should wait

    key = endpoints.openai_api_key.get_secret_value().strip() if endpoints.openai_api_key else ""
    address = endpoints.openai_base_url or _OWN_SERVER
    limits = type(openai.DEFAULT_CONNECTION_LIMITS)(**wire.CONNECTIONS)
    async with openai.AsyncOpenAI(
        api_key=key or "none",  # the library wants one even for servers that do not
        base_url=address,
        max_retries=0,  # there is one place that tries again: the chain
        timeout=openai.Timeout(_WAIT, connect=_CONNECT),
        http_client=openai.DefaultAioHttpClient(limits=limits),  # reads a piece in half the time of the usual one
    ) as client:
        own = address.rstrip("/") == _OWN_SERVER
        yield OpenAI(client, model, keyless=not key, own=own, window=endpoints.window or Capabilities().window)
