"""Who writes an answer, and what is written when the writer fails."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from secrets import token_hex

import structlog

from bot.answering import grounding, inert, prompt, support
from bot.answering.citing import Checked
from bot.answering.looking import Findings
from bot.chat import Answer, Delta, Person, Place, Restart, Spoken
from bot.errors import BudgetSpent
from bot.limits import Budget
from bot.llm.base import ModelAway, Parameters, Turn
from bot.llm.chain import Chain
from bot.llm.extractive import Extractive, pieces
from bot.llm.models import Chosen, ModelSettings
from bot.llm.prices import Spent
from bot.llm.shelf import Shelf
from bot.record.said import NOTHING_SAID, Fate, Recent
from bot.record.usage import Usage
from knowledge import Found

log = structlog.get_logger()

AWAY = "The language model is away: this is quoted from the sources."
BUDGET = "The budget for language models is used up for today: this is quoted from the sources."
_ALWAYS = 3  # passages that a model is told of in any case
_HARDLY = 10  # times less likely than the best one
_SMALL = 10.0  # seconds for what is only a help: without it there is a plainer way
_HEARD = 3_000  # characters of what others said in a thread, the latest
_REGENERATED = 0.7  # the least temperature of an answer that is asked for again


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be answered, to whom, and with what."""

    question: str
    place: Place
    person: Person
    query: str = ""
    findings: Findings = field(default_factory=Findings)
    recent: Recent = NOTHING_SAID
    again: bool = False
    heard: tuple[Spoken, ...] = ()

    @property
    def turns(self) -> tuple[Turn, ...]:
        return tuple(Turn("user" if one.role == "user" else "assistant", one.text) for one in self.recent.said)

    @property
    def earlier(self) -> str:
        """What is told of the conversation beside the turns: a summary of its beginning, and what others said in it."""
        heard = "\n".join(f"{one.author or 'Somebody'}: {one.text}" for one in self.heard)[-_HEARD:]
        return "\n\n".join(part for part in (self.recent.summary, heard) if part)


@dataclass(frozen=True, slots=True)
class Written:
    """A whole answer, what became of the passages that were found, and the documents behind what was said before it."""

    answer: Answer
    fates: dict[str, Fate] = field(default_factory=dict)
    before: frozenset[str] = frozenset()


Writing = AsyncGenerator[Delta | Restart | Written]


class Writer:
    """Has answers written by the model of a place, and quotes the sources when there is none or it is away."""

    def __init__(
        self,
        *,
        extractive: Extractive,
        shelf: Shelf,
        settings: ModelSettings,
        budget: Budget,
        usage: Usage,
    ) -> None:
        self._extractive = extractive
        self._shelf = shelf
        self._settings = settings
        self._budget = budget
        self._usage = usage

    async def write(self, draft: Draft) -> Writing:
        """Yield an answer as it is written, and last the whole."""
        chosen = await self._settings.of(draft.place.id)
        chain, notice = await self._chain(chosen, draft)
        if chain is None:
            writing = self._quoted(draft, notice)
        elif draft.findings.support < support.ENOUGH:
            writing = _declined(draft)
        else:
            writing = self._modelled(draft, chosen, chain)
        async with aclosing(writing) as pieces_:
            async for piece in pieces_:
                yield piece

    async def _modelled(self, draft: Draft, chosen: Chosen, chain: Chain) -> Writing:
        """Have a model write; when every model is away, quote, and say so."""
        began = False
        try:
            async with aclosing(self._completed(draft, chosen, chain)) as writing:
                async for piece in writing:
                    began = began or isinstance(piece, Delta)
                    yield piece
        except ModelAway as error:
            log.warning("quoting, since no model answers", reason=str(error))
        else:
            return
        if began:
            yield Restart()
        async with aclosing(self._quoted(draft, AWAY)) as writing:
            async for piece in writing:
                yield piece

    async def standalone(self, draft: Draft) -> str:
        """Return what is to be searched for a question that may lean on what was said before."""
        if not draft.recent.said and not draft.earlier:
            return draft.question
        plain = prompt.follow_up(draft.question, draft.turns or tuple(Turn("user", one.text) for one in draft.heard))
        chosen = await self._settings.of(draft.place.id)
        chain, _ = await self._chain(chosen, draft)
        if chain is None:
            return plain
        asked = prompt.condense(draft.question, draft.turns, draft.earlier)
        said = await self._said(chain, asked, draft, "condense")
        return prompt.condensed(said, draft.question) if said else plain

    async def summary(self, draft: Draft) -> str:
        """Return a summary of a conversation so far; empty when no model can make one."""
        chain, _ = await self._chain(await self._settings.of(draft.place.id), draft)
        if chain is None:
            return ""
        return await self._said(chain, prompt.summarise(draft.turns, draft.recent.summary), draft, "summarise")

    async def _chain(self, chosen: Chosen, draft: Draft) -> tuple[Chain | None, str]:
        """Return the models to ask; none when there is none, or when its budget is used up, which is then said."""
        chain = await self._shelf.chain(chosen.model)
        if chain is None:
            return None, ""
        try:
            await self._budget.check(draft.person.id)
        except BudgetSpent:
            return None, BUDGET
        return chain, ""

    async def _completed(self, draft: Draft, chosen: Chosen, chain: Chain) -> Writing:
        """Have a model write, each sentence checked before it is shown."""
        parameters = _parameters(chosen, again=draft.again)
        window = min(model.capabilities.window for model in chain.models)
        told = prompt.build(
            draft.question,
            _telling(draft.findings.found),
            history=draft.turns,
            summary=draft.earlier,
            persona=chosen.persona,
            instructions=chosen.system_prompt,
            window=window,
            max_tokens=parameters.max_tokens,
            count=chain.models[0].count,
            marker=token_hex(4),
        )
        checked, spent = Checked(told.found, draft.question), list[Spent]()
        try:
            async with aclosing(chain.stream(told, parameters, spent=spent.append)) as stream:
                async for piece in stream:
                    if isinstance(piece, Restart):
                        checked = Checked(told.found, draft.question)
                        yield piece
                    elif isinstance(piece, str) and (shown := checked.add(piece)):
                        yield Delta(shown)
        finally:
            await self._record(spent, draft, "answer")
        done = next((one for one in reversed(spent) if one.outcome == "done"), spent[-1])
        outcome = checked.end()
        if outcome.rest:
            yield Delta(outcome.rest)
        answer = Answer(outcome.text, outcome.sources, outcome.abstained, done.provider, done.model)
        yield Written(answer, _fates(draft.findings.found, told.found, answer), draft.recent.documents)

    async def _quoted(self, draft: Draft, notice: str) -> Writing:
        """Quote the sentences that answer best."""
        found = draft.findings.found
        answer = grounding.checked(await self._extractive.answer(draft.query or draft.question, found), found)
        answer = replace(answer, text=inert.harmless(answer.text, _addresses(answer)))
        for piece in pieces(answer.text):
            yield Delta(piece)
        cited = {source.passage_id: Fate.CITED for source in answer.sources}
        yield Written(replace(answer, notice=notice), cited)

    async def _said(self, chain: Chain, told: prompt.Prompt, draft: Draft, purpose: str) -> str:
        """Return what a model says to a small task; empty when it does not."""
        spent, said = list[Spent](), ""
        try:
            async with (
                asyncio.timeout(_SMALL),
                aclosing(chain.stream(told, Parameters(0.0, 256), spent=spent.append)) as stream,
            ):
                async for piece in stream:
                    said = "" if isinstance(piece, Restart) else said + piece if isinstance(piece, str) else said
        except (ModelAway, TimeoutError) as error:
            log.info("done without a model", purpose=purpose, reason=str(error))
            return ""
        finally:
            await self._record(spent, draft, purpose)
        return said

    async def _record(self, spent: Sequence[Spent], draft: Draft, purpose: str) -> None:
        for one in spent:
            await self._usage.record(one, person=draft.person.id, place=draft.place.id, purpose=purpose)


async def _declined(draft: Draft) -> Writing:
    """Say that nothing is known, without asking a model: nothing was found that could tell it."""
    answer = grounding.unknown(draft.findings.found, provider="twin", model="")
    answer = replace(answer, text=inert.harmless(answer.text))
    yield Delta(answer.text)
    yield Written(answer)


def _addresses(answer: Answer) -> frozenset[str]:
    """Return the links that an answer may show: those of its sources, and those that stand in what it quotes."""
    own = {source.url for source in answer.sources}
    return frozenset(own.union(*(inert.addresses(source.quote) for source in answer.sources)))


def _parameters(chosen: Chosen, *, again: bool) -> Parameters:
    """Return how to write; what is asked for again should not come out the same."""
    temperature = max(chosen.temperature or 0.0, _REGENERATED) if again else chosen.temperature
    return Parameters(temperature, chosen.max_tokens)


def _telling(found: Sequence[Found]) -> list[Found]:
    """Leave out what is hardly likely to help: it would cost tokens, and give the model something to go astray with."""
    best = max((one.score for one in found), default=0.0)
    return [one for n, one in enumerate(found) if n < _ALWAYS or one.score >= best / _HARDLY]


def _fates(found: Sequence[Found], told: Sequence[Found], answer: Answer) -> dict[str, Fate]:
    read = {one.passage.id for one in told}
    cited = {source.passage_id for source in answer.sources}
    return {
        one.passage.id: Fate.CITED if one.passage.id in cited else Fate.READ if one.passage.id in read else Fate.NO_ROOM
        for one in found
    }
