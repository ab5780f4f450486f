"""`twin docs …`: what the twin has learned."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import frame, shapes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from bot.settings import Settings
    from knowledge import Document

app = typer.Typer()
docs = typer.Typer(help="What the twin has learned: list, show, forget, read anew.", no_args_is_help=True)
app.add_typer(docs, name="docs")

DocumentId = Annotated[
    str, typer.Argument(metavar="ID", help="The document's id, or as much of its beginning as tells it apart.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@docs.command("list", epilog="Example: `twin docs list --json | jq -r '.documents[].title'`")
def list_(json: Json = False) -> None:
    """List all documents, newest first, with those that failed and those that a newer version has replaced."""

    async def command(settings: "Settings") -> int:
        from bot.app import open_twin

        async with open_twin(settings) as twin:
            documents = await twin.documents(**frame.here())
        if json:
            frame.show_json({"documents": [shapes.document(each) for each in documents]})
        else:
            _show_table(documents, settings.timezone)
        return frame.DONE

    frame.run(command)


@docs.command(epilog="Example: `twin docs show 3f2a --text | less`")
def show(
    document_id: DocumentId,
    text: Annotated[bool, typer.Option("--text", help="Print the stored text instead.")] = False,
    json: Json = False,
) -> None:
    """Show all that is known of a document, or its stored text."""

    async def command(settings: "Settings") -> int:
        from bot.app import open_twin

        async with open_twin(settings) as twin:
            document = await twin.document(document_id, **frame.here())
            stored = await twin.text(document.id, **frame.here()) if text else None
        if json:
            frame.show_json(shapes.document(document) | ({} if stored is None else {"text": stored}))
        elif stored is not None:
            frame.show(stored)
        else:
            for name, value in shapes.document(document).items():
                if value not in (None, (), ""):
                    frame.show(f"{name:>12}  {', '.join(value) if isinstance(value, tuple) else value}")
        return frame.DONE

    frame.run(command)


@docs.command(epilog="Example: `twin docs forget 3f2a --yes`")
def forget(
    document_id: DocumentId,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether this is meant.")] = False,
    json: Json = False,
) -> None:
    """Forget a document for good: its text, vectors and file, and what answers have quoted of it.

    It asks first; where nobody can be asked, --yes is needed.
    """

    async def command(settings: "Settings") -> int:
        from adapters.terminal.keyboard import confirmed
        from bot.app import open_twin

        if not yes and not sys.stdin.isatty():
            frame.tell("Forgetting cannot be undone, and nobody is here to confirm it. Add --yes if it is meant.")
            return frame.USAGE
        async with open_twin(settings) as twin:
            document = await twin.document(document_id, **frame.here())
            if not yes and not await confirmed(f"Forget “{document.title}” for good?"):
                frame.tell("Nothing was forgotten.")
                return frame.FAILURES
            await twin.forget(document.id, **frame.here())
        if json:
            frame.show_json(shapes.document(document) | {"forgotten": True})
        else:
            frame.show(f"Forgotten: “{document.title}”. Nothing of it is left.")
        return frame.DONE

    frame.run(command)


@docs.command(epilog="Example: `twin docs reindex 3f2a`")
def reindex(document_id: DocumentId, json: Json = False) -> None:
    """Read a document anew from its kept file; the old reading is found until the new one is complete."""

    async def command(settings: "Settings") -> int:
        from adapters.terminal import outgoing
        from bot.app import open_twin

        async with open_twin(settings) as twin:
            with frame.progress("Reading") as bar:
                receipt = await twin.relearn(document_id, **frame.here(), progress=bar)
        if json:
            for line in shapes.receipts(receipt.name, receipt):
                frame.show_json(line)
        else:
            frame.show(outgoing.learned(receipt))
        return frame.FAILURES if receipt.error else frame.DONE

    frame.run(command)


def _show_table(documents: "Sequence[Document]", timezone: "ZoneInfo") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from adapters.terminal import outgoing

    if not documents:
        frame.show("Nothing yet. `twin ingest PATH` teaches files and folders.")
        return
    table = Table(box=None, pad_edge=False)
    for heading, right in (
        ("id", False),
        ("title", False),
        ("type", False),
        ("pages", True),
        ("passages", True),
        ("added", False),
    ):
        table.add_column(heading, justify="right" if right else "left", no_wrap=heading != "title")
    for each in documents:
        remarks = outgoing.remarks(each)
        title = f"{each.title} ({', '.join(remarks)})" if remarks else each.title
        pages = "" if each.pages is None else str(each.pages)
        added = f"{each.added_at.astimezone(timezone):%Y-%m-%d %H:%M}"
        cells = (each.id[:8], title, each.kind, pages, str(each.passages), added)
        table.add_row(*(Text(cell) for cell in cells))
    # A pipe has no width: nothing is cut off there.
    Console(width=None if sys.stdout.isatty() else 200).print(table)
