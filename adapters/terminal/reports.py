"""What the twin tells of itself: why it answered so, who writes, what people think, and what it took (pure)."""

from collections.abc import Sequence
from typing import Protocol

from adapters.terminal.outgoing import PLAIN, Document, Receipt, Style, where
from bot.chat import Answer

_SHOWN = 10  # passages: what fits on a screen


class Considered(Protocol):
    """What is shown of a passage that was considered; `score` from 0 to 1."""

    @property
    def title(self) -> str: ...
    @property
    def page(self) -> int | None: ...
    @property
    def heading(self) -> str | None: ...
    @property
    def score(self) -> float: ...
    @property
    def dense(self) -> float: ...
    @property
    def lexical(self) -> float: ...
    @property
    def prior(self) -> float: ...
    @property
    def fate(self) -> str: ...


class Why(Protocol):
    """What is shown of how an answer came about."""

    @property
    def answer(self) -> Answer: ...
    @property
    def query(self) -> str: ...
    @property
    def considered(self) -> Sequence[Considered]: ...


class Chosen(Protocol):
    """What is shown of how answers are written."""

    @property
    def model(self) -> str: ...
    @property
    def temperature(self) -> float | None: ...
    @property
    def max_tokens(self) -> int: ...
    @property
    def system_prompt(self) -> str: ...
    @property
    def persona(self) -> str: ...


class Opinion(Protocol):
    """What somebody thinks of an answer, and thought before: 1, -1, or 0 for nothing."""

    @property
    def value(self) -> int: ...
    @property
    def before(self) -> int: ...


class Use(Protocol):
    """What is shown of the uses of a model; `cost` in US dollars, `milliseconds` on average."""

    @property
    def provider(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def purpose(self) -> str: ...
    @property
    def times(self) -> int: ...
    @property
    def failed(self) -> int: ...
    @property
    def tokens_in(self) -> int: ...
    @property
    def tokens_out(self) -> int: ...
    @property
    def cost(self) -> float: ...
    @property
    def milliseconds(self) -> float: ...


class Figures(Protocol):
    """What is shown of what was asked."""

    @property
    def questions(self) -> int: ...
    @property
    def answers(self) -> int: ...
    @property
    def abstained(self) -> int: ...
    @property
    def uses(self) -> Sequence[Use]: ...


def why(why: Why, style: Style = PLAIN) -> str:
    """Return who wrote an answer, what was searched for, and each passage with its scores and what became of it."""
    lines = [_writer(why.answer), f"Searched for: {why.query}" if why.query else "Nothing was searched for."]
    if not why.considered:
        return "\n".join([*lines, "I found nothing that you may see."])
    lines.append("Passages, best first, with how likely each holds the answer, how near it is in meaning, and in words:")
    for n, one in enumerate(why.considered[:_SHOWN], 1):
        lines.append(f"{n:>3}. {style.strong}{one.title}{style.end}{where(one.page, one.heading)}")
        scores = f"{one.fate} · {one.score:.2f}, meaning {one.dense:.2f}, words {one.lexical:.1f}"
        liked = f", feedback {one.prior:+.2f}" if one.prior else ""
        lines.append(f"     {style.faint}{scores}{liked}{style.end}")
    if len(why.considered) > _SHOWN:
        lines.append(f"  … and {len(why.considered) - _SHOWN} more: `twin why {why.answer.message_id} --json`")
    return "\n".join(lines)


def model(chosen: Chosen) -> str:
    """Return who writes answers, and how."""
    names = [name.strip() for name in chosen.model.split(",")]
    first, *others = [name for name in names if name not in {"", "extractive"}] or [""]
    if not first:
        return "I quote my sources; no language model writes. TWIN_LLM or `/model ollama:NAME` would have one write."
    away = f" (when it is away: {', '.join(others)})" if others else ""
    heat = "" if chosen.temperature is None else f" at a temperature of {chosen.temperature:g}"
    lines = [f"My answers are written by {first}{away}{heat}, in at most {chosen.max_tokens:,} tokens."]
    lines += [f"Persona: {chosen.persona}"] if chosen.persona else []
    lines += [f"System prompt: {chosen.system_prompt}"] if chosen.system_prompt else []
    return "\n".join(lines)


def opinion(opinion: Opinion) -> str:
    """Return what was noted, and what was before."""
    names = {1: "good", -1: "bad"}
    before = names.get(opinion.before)
    match names.get(opinion.value):
        case None:
            return f"Taken back: you had called that answer {before}." if before else "You have said nothing about that answer."
        case now if now == before:
            return f"I have noted that already: {now}."
        case now:
            changed = f"; you had called it {before} before" if before else ""
            return f"Thank you, noted: that answer was {now}{changed}. /undo takes it back."


def figures(figures: Figures, days: int) -> str:
    """Return what was asked in the last days, and what models were used for it."""
    since = "In the last day" if days == 1 else f"In the last {days} days"
    asked = f"{_counted(figures.questions, 'question')} and {_counted(figures.answers, 'answer')}"
    lines = [f"{since}: {asked}, {figures.abstained} of them “I don't know”."]
    for use in figures.uses:
        failed = f" ({use.failed} failed)" if use.failed else ""
        tokens = f"{use.tokens_in:,} tokens in, {use.tokens_out:,} out"
        cost = f", ${use.cost:.4f}" if use.cost else ""
        each = f"{use.milliseconds / 1000:.1f} s each"
        lines.append(
            f"  {use.provider}:{use.model}, {use.purpose}: {_counted(use.times, 'time')}{failed}, {tokens}{cost}, {each}"
        )
    return "\n".join(lines if figures.uses else [*lines, "No language model was used."])


def remembered(receipt: Receipt) -> str:
    """Return what became of a note."""
    match receipt.outcome:
        case "learned" | "updated":
            return "I will remember that, and tell nobody but you. /notes lists your notes, `/forget ID` forgets one."
        case "duplicate":
            return "I remember that already."
        case _:
            return f"I could not remember that: {receipt.error}"


def notes(notes: Sequence[Document], style: Style = PLAIN) -> str:
    """Return one line for each note, with the beginning of its id."""
    lines = [f"  {style.faint}{one.id[:8]}{style.end}  {one.title.removeprefix('Your note: ')}" for one in notes]
    return "\n".join(lines) or "None yet. `/remember TEXT` keeps one for you."


def forgotten_person(documents: int, questions: int) -> str:
    """Return what went with a person."""
    went = f"{_counted(documents, 'note or message')}, {_counted(questions, 'question')} with what I answered"
    return f"Forgotten: {went}, and what you thought of answers. Files that you taught stay; `/forget ID` forgets one."


def _writer(answer: Answer) -> str:
    if answer.model and answer.provider != "extractive":
        return f"Written by {answer.provider}:{answer.model}."
    if answer.abstained:
        return "Nothing that I found supports an answer well enough."
    return f"Quoted from the sources, without a language model.{f' ({answer.notice})' if answer.notice else ''}"


def _counted(count: int, what: str) -> str:
    if count == 1:
        return f"1 {what}"
    return f"{count:,} {' or '.join(f'{word}s' for word in what.split(' or '))}"
