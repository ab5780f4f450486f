"""One try of one model, held to what patience and bounds allow."""

import asyncio
from collections.abc import AsyncGenerator, Callable

import structlog

from bot.chat import Source, printable
from bot.llm import prices
from bot.llm.base import Declined, Model, ModelAway, Parameters, Piece, Prompt, Usage, named
from bot.llm.bounds import Bounds, blank
from bot.llm.faults import Garbled
from bot.llm.patience import Patience

log = structlog.get_logger()

_MOST_BLANK = 2_000  # characters of nothing before a model is given up


class TooSlow(ModelAway):
    """A model did not begin, or stopped in the middle."""


class Attempt:
    """A try of a model: its `pieces`, and afterwards what became of it.

    `usage` is there when the answer is whole, `fault` when it is not; with neither, the asker went away.
    """

    def __init__(self, model: Model, patience: Patience, clock: Callable[[], float], deadline: float) -> None:
        self.usage: Usage | None = None
        self.fault: ModelAway | None = None
        self._model, self._patience, self._clock, self._deadline = model, patience, clock, deadline
        self._began = clock()
        self._silent_until = self._began + patience.first
        self._bounds = Bounds(patience.characters)
        self._text: list[str] = []
        self._held = ""  # what cannot be seen is kept back until something can: it may be all there is
        self._shown = False
        self._cut = False

    async def pieces(self, prompt: Prompt, parameters: Parameters) -> AsyncGenerator[str | Source | Declined]:
        """Yield what the model writes, bounded; nothing that cannot be seen before something that can. Raises `ModelAway`."""
        usage = Usage()
        stream = self._model.stream(prompt, parameters)
        try:
            while (piece := await self._next(stream)) is not None:
                if isinstance(piece, Usage):
                    usage = piece
                    break
                shown = self._seen(piece) if isinstance(piece, str) else piece
                if shown != "":
                    self._shown = True
                    yield shown
                if self._bounds.reached:
                    self._cut = True
                    break
            self.usage = self._whole(usage, prompt)
        except ModelAway as fault:
            self.fault = fault
            raise
        except Exception as error:  # a provider from outside may break its promise to raise nothing else
            log.warning("a provider of language models broke", model=self._model.name, error=type(error).__name__)
            self.fault = Garbled(f"{self._model.name} failed in a way its provider does not know.")
            raise self.fault from error
        finally:
            await stream.aclose()

    def outcome(self) -> prices.Outcome:
        """Return what became of it."""
        if self.usage is not None:
            return "refused" if self.usage.finish == "refused" else "done"
        match self.fault:
            case None:
                return "cancelled"
            case TooSlow():
                return "timeout"
            case Garbled():
                return "garbage"
            case fault:
                return "away" if fault.transient else "refused"

    def spent(self, prompt: Prompt, table: prices.Prices) -> prices.Spent:
        """Return what it took; what a server turned down at once took nothing."""
        usage = self.usage
        if usage is None:
            begun = self._text or self.outcome() in {"timeout", "cancelled"}
            usage = self._estimated(Usage(), prompt) if begun else Usage()
        return prices.Spent(
            *named(self._model),
            usage.tokens_in,
            usage.tokens_out,
            prices.cost(self._model.name, usage.tokens_in, usage.tokens_out, table),
            (self._clock() - self._began) * 1_000,
            self.outcome(),
        )

    async def _next(self, stream: AsyncGenerator[Piece]) -> Piece | None:
        """Return the next piece, None after the last or when time is up for a model that is writing."""
        now = self._clock()
        silence, left = self._silent_until - now, self._deadline - now
        try:
            async with asyncio.timeout(min(silence, left)):
                piece = await anext(stream, None)
        except TimeoutError as error:
            if self._shown and left <= silence:  # it writes, slowly: what there is is worth more than nothing
                self._cut = True
                return None
            if self._text:
                raise TooSlow(f"{self._model.name} stopped in the middle of its answer.") from error
            raise TooSlow(f"{self._model.name} did not begin to answer in time.") from error
        life = self._clock() + self._patience.between
        self._silent_until = life if self._text else max(life, self._silent_until)
        return piece

    def _seen(self, text: str) -> str:
        """Return what can be shown now that this was written."""
        kept = self._bounds.within(printable(text))
        if kept:
            self._text.append(kept)
        if self._shown:
            return kept
        self._held += kept
        if blank(self._held):
            if len(self._held) > _MOST_BLANK:
                raise Garbled(f"{self._model.name} writes nothing but blanks.")
            return ""
        return self._held

    def _whole(self, usage: Usage, prompt: Prompt) -> Usage:
        if self._shown:
            usage = Usage(usage.tokens_in, usage.tokens_out, "length") if self._cut else usage
            return usage if usage.tokens_in or usage.tokens_out else self._estimated(usage, prompt)
        if usage.finish == "refused":
            raise ModelAway(f"{self._model.name} declined to answer.", transient=False)
        raise Garbled(f"{self._model.name} answered nothing.")

    def _estimated(self, usage: Usage, prompt: Prompt) -> Usage:
        texts = (prompt.system, *(turn.text for turn in prompt.turns))
        said = "".join(self._text)
        tokens_out = self._model.count(said) if said else 0
        return Usage(sum(self._model.count(text) for text in texts if text), tokens_out, usage.finish)
