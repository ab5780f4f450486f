"""`twin ask` and `twin search`."""

import shutil
import sys
from contextlib import aclosing
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import frame, shapes
from bot.cli.options import AsPerson, InPlace

if TYPE_CHECKING:
    from bot.settings import Settings

app = typer.Typer()

Day = typer.Option(formats=["%Y-%m-%d"], metavar="YYYY-MM-DD")


@app.command(epilog="Examples: `twin ask 'Who signs the invoices?'`, `twin ask 'Who signs?' --json | jq -r .answer`")
def ask(
    question: Annotated[str, typer.Argument(help="The question, in quotes.")],
    conversation: Annotated[
        str | None, typer.Option(metavar="ID", help="Go on with this conversation; without it a new one begins.")
    ] = None,
    person: AsPerson = frame.LOCAL,
    place: InPlace = frame.LOCAL,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Ask a question; the answer comes with numbered sources, or says that it does not know."""

    async def command(settings: "Settings") -> int:
        from adapters.terminal import outgoing
        from adapters.terminal.adapter import speak
        from bot.app import open_twin

        on_screen = frame.on_screen()
        width = min(shutil.get_terminal_size().columns, 100) if on_screen else 0
        style = outgoing.ANSI if on_screen else outgoing.PLAIN
        write = _write if on_screen and not json else _silent  # what turns out to be void must not get into a file
        async with (
            open_twin(settings) as twin,
            aclosing(twin.ask(question, **frame.here(person, place), conversation=conversation)) as pieces,
        ):
            answer = await speak(pieces, write, width, style)
        if json:
            frame.show_json(shapes.answer(answer))
            return frame.DONE
        if not on_screen:
            frame.show(answer.text)
        for below in (outgoing.sources, outgoing.notice):
            if text := below(answer, style):
                frame.show(f"\n{text}")
        if answer.aside:
            frame.tell(outgoing.aside(answer, style))
        return frame.DONE

    frame.run(command)


@app.command(epilog="Example: `twin search 'notice period' --type pdf --since 2026-01-01 --limit 3`")
def search(
    query: Annotated[str, typer.Argument(callback=frame.not_empty, help="Words or a sentence.")],
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many passages at most.")] = 10,
    document: Annotated[
        list[str] | None, typer.Option(help="Only in this document, by id; may be given several times.")
    ] = None,
    kind: Annotated[list[str] | None, typer.Option("--type", help="Only in files of this type, e.g. pdf.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Only in what has this tag.")] = None,
    since: Annotated[datetime | None, Day] = None,
    until: Annotated[datetime | None, Day] = None,
    person: AsPerson = frame.LOCAL,
    place: InPlace = frame.LOCAL,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per passage.")] = False,
) -> None:
    """Show the passages nearest to a query, best first, with scores from 0 to 1. Dates are those of the documents."""

    async def command(settings: "Settings") -> int:
        from adapters.terminal import outgoing
        from bot.app import open_twin
        from knowledge import Filters

        async with open_twin(settings) as twin:
            here = frame.here(person, place)
            where = Filters(
                documents=tuple([(await twin.document(each, **here)).id for each in document or ()]),
                kinds=tuple(kind or ()),
                tags=tuple(tag or ()),
                since=since and since.replace(tzinfo=settings.timezone),
                until=until and until.replace(hour=23, minute=59, second=59, tzinfo=settings.timezone),
            )
            found = await twin.search(query, **here, where=where, limit=limit)
        if json:
            for line in shapes.found(found):
                frame.show_json(line)
        else:
            frame.show(outgoing.passages(found, outgoing.ANSI if frame.on_screen() else outgoing.PLAIN))
        return frame.DONE

    frame.run(command)


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _silent(_text: str) -> None:
    pass
