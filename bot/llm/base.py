"""What the twin asks of a language model: a stream of text with what it cost at the end."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Literal, Protocol

from bot.chat import Source
from knowledge import Found


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a chat, as models read it."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """Everything a model is told.

    `turns` ends with the question, in which the sources stand as an inert block; `question` and `found` are the same in
    their parts, for those who need no prompt. `[n]` in an answer is `found[n - 1]`.
    """

    system: str
    turns: tuple[Turn, ...]
    question: str = ""
    found: tuple[Found, ...] = ()


@dataclass(frozen=True, slots=True)
class Parameters:
    """How a model is to write; `None` leaves it to the server."""

    temperature: float | None = None
    max_tokens: int = 1_024


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What can be expected of a model: its window in tokens, and whether it names its sources itself, as `Source` pieces."""

    window: int = 8_192
    cites: bool = False


@dataclass(frozen=True, slots=True)
class Usage:
    """What a completion took, in tokens as the server counts them, and why it ended; the last piece of every stream."""

    tokens_in: int = 0
    tokens_out: int = 0
    finish: Literal["stop", "length", "refused"] = "stop"


@dataclass(frozen=True, slots=True)
class Declined:
    """The model knows that it does not know: what was written so far is an abstention."""


Piece = str | Source | Declined | Usage


class Model(Protocol):
    """A language model. `name` is `provider:model`, as TWIN_LLM has it."""

    @property
    def name(self) -> str: ...

    @property
    def capabilities(self) -> Capabilities: ...

    def count(self, text: str) -> int:
        """Return how many tokens a text has, or rather more."""

    def stream(self, prompt: Prompt, parameters: Parameters) -> AsyncGenerator[Piece]:
        """Yield the completion as it is written, then its `Usage`.

        Closing the generator stops the request at the server. Raises `ModelAway`.
        """


class ModelAway(Exception):
    """A model could not answer; `transient` when it may be able to soon, `retry_after` seconds if it says so."""

    def __init__(self, reason: str, *, transient: bool = True, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.transient = transient
        self.retry_after = retry_after


def estimate(text: str) -> int:
    """Return about how many tokens a text has where its tokenizer is not at hand: bytes of UTF-8 by three, rather too many.

    English has about four bytes a token in common vocabularies, other scripts two to three.
    """
    return len(text.encode("utf-8", "replace")) // 3 + 1


def named(model: Model) -> tuple[str, str]:
    """Return provider and model of a name."""
    provider, _, name = model.name.partition(":")
    return provider, name
