"""`twin ingest` and `twin reindex`."""

from collections import Counter
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import frame, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.settings import Settings
    from knowledge import Receipt

KEPT = "Stopped. What was finished is kept; run it again to go on."

app = typer.Typer()

# What cannot be read is reported with the others, not refused with all of them.
Paths = Annotated[
    list[Path], typer.Argument(metavar="PATH…", readable=False, help="Files and folders; folders with all they contain.")
]
Scope = Annotated[str, typer.Option(callback=frame.one_word, help="Who may see it: a scope such as local or everyone.")]


@app.command(epilog="Examples: `twin ingest handbook.pdf`, `twin ingest docs/ notes/ --tag project-x --json`")
def ingest(
    paths: Paths,
    scope: Scope = "local",
    tag: Annotated[list[str] | None, typer.Option(help="A tag to find it by; may be given several times.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per file.")] = False,
) -> None:
    """Teach files and folders: PDF, Office, web pages, mail, Markdown, text, code, and archives of these.

    What is known already is left alone, a changed file becomes a new version, and a run that was interrupted goes on where
    it stopped. Ends with exit code 1 when a file, or one inside it, could not be learned.
    """

    async def command(settings: "Settings") -> int:
        from bot.app import open_twin
        from bot.chat import Person

        done, outcomes = 0, Counter[str]()
        async with open_twin(settings) as twin:
            files = twin.files_in(paths)
            with frame.progress("Reading") as bar:
                bar(0, len(files))

                def passages(path: Path, embedded: int, total: int) -> None:
                    bar(done, len(files), f"{path.name} ({embedded} of {total} passages)")

                learning = twin.learn(files, scope=scope, tags=tag or (), by=Person("local"), progress=passages)
                async with aclosing(learning):
                    async for path, receipt in learning:
                        done += 1
                        outcomes.update(_outcomes(receipt))
                        bar(done, len(files))
                        _show(path, receipt, json=json)
        if not json:
            frame.show(_summary(outcomes))
        return frame.FAILURES if outcomes["failed"] else frame.DONE

    frame.run(command, stopped=KEPT)


@app.command()
def reindex() -> None:
    """Rebuild the vector index from the database, for example after changing the embedding model."""

    async def command(settings: "Settings") -> int:
        from bot.app import open_twin

        async with open_twin(settings, rebuild=True) as twin:
            with frame.progress("Indexing passages") as bar:
                passages = await twin.reindex(bar)
        frame.show(f"The index holds {passages} passages.")
        return frame.DONE

    frame.run(command, stopped="Stopped. The index is not complete: run it again before asking.")


def _outcomes(receipt: "Receipt") -> "Iterator[str]":
    yield str(receipt.outcome)
    for one in receipt.attached:
        yield from _outcomes(one)


def _show(path: Path, receipt: "Receipt", *, json: bool) -> None:
    from adapters.terminal import outgoing

    if json:
        for line in shapes.receipts(path, receipt):
            frame.show_json(line)
    else:
        frame.show(outgoing.learned(receipt))


def _summary(outcomes: Counter[str]) -> str:
    words = {
        "learned": "learned",
        "updated": "updated",
        "duplicate": "known already",
        "unsupported": "left out",
        "failed": "failed",
    }
    counted = ", ".join(f"{outcomes[outcome]} {word}" for outcome, word in words.items() if outcomes[outcome])
    return counted.capitalize() + "." if counted else "There was nothing to learn."
