"""`twin remember` and `twin forget-me`."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import frame, shapes
from bot.cli.options import AsPerson, Json, Yes

if TYPE_CHECKING:
    from bot.settings import Settings

app = typer.Typer()


@app.command(epilog="Example: `twin remember 'My parking space is number 42.'`")
def remember(
    text: Annotated[str, typer.Argument(callback=frame.not_empty, help="What to remember, in quotes.")],
    person: AsPerson = frame.LOCAL,
    json: Json = False,
) -> None:
    """Have the twin remember something for one person, who alone is told of it.

    A note is a document like others: `twin docs list` shows it and `twin docs forget ID` forgets it.
    """

    async def command(settings: "Settings") -> int:
        from adapters.terminal import reports
        from bot.app import open_twin

        async with open_twin(settings) as twin:
            receipt = await twin.remember(text, **frame.here(person))
        if json:
            frame.show_json(next(shapes.receipts(receipt.name, receipt)))
        else:
            frame.show(reports.remembered(receipt))
        return frame.FAILURES if receipt.error else frame.DONE

    frame.run(command)


@app.command("forget-me", epilog="Example: `twin forget-me --yes`")
def forget_me(person: AsPerson = frame.LOCAL, yes: Yes = False, json: Json = False) -> None:
    """Forget a person for good: their notes, learned messages, questions with the answers, and what they thought of answers.

    Files that they taught stay: `twin docs forget` forgets those. It asks first; where nobody can be asked, --yes is needed.
    """

    async def command(settings: "Settings") -> int:
        from adapters.terminal import reports
        from adapters.terminal.keyboard import confirmed
        from bot.app import open_twin
        from bot.chat import Person

        if not yes and not sys.stdin.isatty():
            frame.tell("Forgetting cannot be undone, and nobody is here to confirm it. Add --yes if it is meant.")
            return frame.USAGE
        if not yes and not await confirmed(f"Forget all that is remembered of {person}, and all that they asked?"):
            frame.tell("Nothing was forgotten.")
            return frame.FAILURES
        async with open_twin(settings) as twin:
            documents, questions = await twin.forget_me(person=Person(person))
        if json:
            frame.show_json({"documents": documents, "questions": questions})
        else:
            frame.show(reports.forgotten_person(documents, questions))
        return frame.DONE

    frame.run(command)
