"""`twin conversations`, `twin export`, `twin why`, `twin feedback`, `twin stats`."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import frame, shapes
from bot.cli.options import AsPerson, ConversationId, InPlace, Json, MessageId

if TYPE_CHECKING:
    from bot.settings import Settings

app = typer.Typer()


class Format(StrEnum):
    """How a conversation is written down."""

    MD = "md"
    JSON = "json"


class Thought(StrEnum):
    """What somebody thinks of an answer."""

    GOOD = "good"
    BAD = "bad"
    UNDO = "undo"


@app.command(epilog="Example: `twin conversations --json | jq -r '.conversations[0].id'`")
def conversations(person: AsPerson = frame.LOCAL, json: Json = False) -> None:
    """List a person's conversations with id, place and beginning, newest first. `twin export ID` writes one of them down."""

    async def command(settings: "Settings") -> int:
        from bot.app import open_twin
        from bot.chat import Person

        async with open_twin(settings) as twin:
            held = await twin.conversations(person=Person(person))
        if json:
            frame.show_json({"conversations": [shapes.conversation(*each) for each in held]})
            return frame.DONE
        for id, place, began in held:
            frame.show(f"{id}  {began.astimezone(settings.timezone):%Y-%m-%d %H:%M}  {place}")
        if not held:
            frame.show("None yet. `twin ask 'What can you do?'` begins one.")
        return frame.DONE

    frame.run(command)


@app.command(epilog="Example: `twin export 0a1b2c… --format json > conversation.json`")
def export(
    conversation: ConversationId,
    format: Annotated[Format, typer.Option(help="Markdown for people, JSON for programs.")] = Format.MD,
    person: AsPerson = frame.LOCAL,
    place: InPlace = frame.LOCAL,
) -> None:
    """Write a conversation down with the sources of each answer, on standard output.

    What rests on a document that may not be seen there now, or that was forgotten, is left out and says so.
    """

    async def command(settings: "Settings") -> int:
        from bot.app import open_twin

        async with open_twin(settings) as twin:
            text = await twin.export(conversation, format.value, **frame.here(person, place))
        frame.show(text.rstrip("\n"))
        return frame.DONE

    frame.run(command)


@app.command(epilog="Example: `twin why 4d5e6f… --json | jq '.considered[0]'`")
def why(message: MessageId, person: AsPerson = frame.LOCAL, place: InPlace = frame.LOCAL, json: Json = False) -> None:
    """Tell how an answer came about: what was searched for, which passages were considered, and what became of each.

    The scores are how likely a passage holds the answer, its likeness in meaning and in words, and what feedback adds.
    """

    async def command(settings: "Settings") -> int:
        from adapters.terminal import outgoing, reports
        from bot.app import open_twin

        async with open_twin(settings) as twin:
            told = await twin.why(message, **frame.here(person, place))
        if json:
            frame.show_json(shapes.why(told))
        else:
            frame.show(f"{told.answer.text}\n\n{reports.why(told, outgoing.ANSI if frame.on_screen() else outgoing.PLAIN)}")
        return frame.DONE

    frame.run(command)


@app.command(
    epilog="Examples: `twin feedback 4d5e6f… good`, `twin feedback 4d5e6f… bad --reason 'The numbers are of last year.'`"
)
def feedback(
    message: MessageId,
    thought: Annotated[
        Thought, typer.Argument(metavar="good|bad|undo", help="What you think of the answer; undo takes it back.")
    ],
    reason: Annotated[str, typer.Option(help="Why, in a sentence.")] = "",
    person: AsPerson = frame.LOCAL,
    place: InPlace = frame.LOCAL,
    json: Json = False,
) -> None:
    """Say whether an answer was good or bad: the passages that it cites are found a little more or less easily from then on.

    Each person has one opinion of an answer; the latest counts.
    """

    async def command(settings: "Settings") -> int:
        from adapters.terminal import reports
        from bot.app import open_twin

        value = {Thought.GOOD: 1, Thought.BAD: -1, Thought.UNDO: 0}[thought]
        async with open_twin(settings) as twin:
            opinion = await twin.give_feedback(message, value, reason, **frame.here(person, place))
        if json:
            frame.show_json({"message_id": message, "value": opinion.value, "before": opinion.before})
        else:
            frame.show(reports.opinion(opinion))
        return frame.DONE

    frame.run(command)


@app.command(epilog="Example: `twin stats --days 30 --all --json | jq .uses`")
def stats(
    days: Annotated[int, typer.Option(min=1, max=3_650, help="How many days back.")] = 7,
    all_people: Annotated[bool, typer.Option("--all", help="What all people asked, not one alone; for owners.")] = False,
    person: AsPerson = frame.LOCAL,
    place: InPlace = frame.LOCAL,
    json: Json = False,
) -> None:
    """Sum up what was asked and answered in the last days, and what language models were used for, took and cost."""

    async def command(settings: "Settings") -> int:
        from adapters.terminal import reports
        from bot.app import open_twin

        async with open_twin(settings) as twin:
            figures = await twin.stats(**frame.here(person, place), days=days, all_people=all_people)
        if json:
            frame.show_json(shapes.figures(figures, days))
        else:
            frame.show(reports.figures(figures, days))
        return frame.DONE

    frame.run(command)
