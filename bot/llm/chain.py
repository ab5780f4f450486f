"""Several models of which one answers: tries again, falls back, and keeps away from those that fail."""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping, Sequence
from contextlib import aclosing

import structlog

from bot.chat import Restart
from bot.llm.attempt import Attempt
from bot.llm.base import Model, ModelAway, Parameters, Piece, Prompt
from bot.llm.breaker import Breaker
from bot.llm.patience import Patience
from bot.llm.prices import Prices, Spent

log = structlog.get_logger()

Breakers = MutableMapping[str, Breaker]
"""The breakers of models, by name: chains that share them learn from each other which models are away."""


class Chain:
    """Answers with the first of its models that can.

    Of the models that may be asked at a moment, the one that failed least in this answer is, in the chain's order. A model
    that failed waits, as long as its server asks to or else by growing chance; meanwhile it is the next one's turn.
    """

    def __init__(
        self,
        models: Sequence[Model],
        patience: Patience = Patience(),
        *,
        prices: Prices | None = None,
        breakers: Breakers | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.models = tuple(models)
        self._patience, self._prices = patience, prices or {}
        self._breakers = {} if breakers is None else breakers
        self._clock, self._sleep, self._chance = clock, sleep, chance

    async def stream(
        self, prompt: Prompt, parameters: Parameters, *, spent: Callable[[Spent], None]
    ) -> AsyncGenerator[Piece | Restart]:
        """Yield an answer's pieces, last its `Usage`; a `Restart` comes before the pieces of another try.

        `spent` is told of every try, before the `Usage` is yielded, or when the generator is closed, which ends the request
        at the server. Raises `ModelAway` when no model could answer; what was yielded until then is void.
        """
        turns = _Turns(self._standings(), self._patience, self._clock, self._sleep)
        shown = False
        while (turn := await turns.next()) is not None:
            attempt = Attempt(turn.model, self._patience, self._clock, turns.deadline)
            anew = shown
            try:
                async with aclosing(attempt.pieces(prompt, parameters)) as pieces:
                    async for piece in pieces:
                        if anew:
                            yield Restart()
                        anew, shown = False, True
                        yield piece
            except ModelAway:
                pass  # it is kept by the attempt
            finally:
                turn.ended(attempt, self._clock())
                spent(attempt.spent(prompt, self._prices))
            if attempt.usage is not None:
                yield attempt.usage
                return
        raise ModelAway(turns.reasons())

    def _standings(self) -> "list[_Standing]":
        for model in self.models:
            if model.name not in self._breakers:
                self._breakers[model.name] = Breaker(self._clock)
        return [_Standing(model, self._breakers[model.name], self._patience, self._chance) for model in self.models]


class _Standing:
    """How a model stands within one answer."""

    def __init__(self, model: Model, breaker: Breaker, patience: Patience, chance: Callable[[], float]) -> None:
        self.model, self.breaker = model, breaker
        self.failures = 0
        self.out = False
        self.reason = ""
        self._patience, self._chance = patience, chance
        self._timeouts = 0
        self._not_before = 0.0
        self._late = patience.backoff(1, chance())  # all who wait for the same moment do not come at once

    def ready_at(self, now: float) -> float:
        """Return when it may be asked."""
        held = self.breaker.held_until
        return max(self._not_before, held + self._late if held > now else 0.0)

    def ended(self, attempt: Attempt, now: float) -> None:
        """Take note of a try."""
        outcome, fault = attempt.outcome(), attempt.fault
        if fault is None:
            self.breaker.left() if attempt.usage is None else self.breaker.worked()
            return
        self.failures += 1
        self._timeouts += outcome == "timeout"
        self.reason = str(fault)
        self.out = not fault.transient or self._timeouts >= self._patience.timeouts
        if fault.transient:
            asked = min(fault.retry_after or 0.0, self._patience.longest_hold)
            self._not_before = now + asked + self._patience.backoff(self.failures, self._chance())
            self.breaker.failed(asked)
        else:
            self.breaker.left()
        cause = type(fault.__cause__).__name__ if fault.__cause__ else None
        log.info("a language model failed", model=self.model.name, outcome=outcome, cause=cause, resting=self.breaker.open)


class _Turns:
    """Whose turn it is within one answer."""

    def __init__(
        self,
        standings: "list[_Standing]",
        patience: Patience,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self.deadline = clock() + patience.total
        self._standings, self._left = standings, patience.tries
        self._clock, self._sleep = clock, sleep

    async def next(self) -> _Standing | None:
        """Return who is to try, after a pause where one is due; None when nobody can in time."""
        while self._left:
            now = self._clock()
            able = sorted((each for each in self._standings if not each.out), key=lambda each: each.failures)
            for each in able:
                if each.ready_at(now) <= now < self.deadline and each.breaker.admits():
                    self._left -= 1
                    return each
            later = [at for each in able if not each.breaker.open and now < (at := each.ready_at(now)) < self.deadline]
            if not later:
                return None
            await self._sleep(min(later) - now)
        return None

    def reasons(self) -> str:
        """Return why nobody could answer."""
        said = " ".join(each.reason or _untried(each, self._clock()) for each in self._standings)
        return f"No language model could answer. {said}".strip()


def _untried(standing: _Standing, now: float) -> str:
    if standing.breaker.open:
        return f"{standing.model.name} failed again and again, and is left alone for a while."
    if standing.breaker.held_until > now:
        return f"{standing.model.name} asked to be left alone for a while."
    return f"{standing.model.name} was not asked: there was no time left, or tries."
