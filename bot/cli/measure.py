"""`twin eval`."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import frame

if TYPE_CHECKING:
    from bot.settings import Settings

app = typer.Typer()


class Mode(StrEnum):
    """Which rankings are used."""

    HYBRID = "hybrid"
    DENSE = "dense"
    LEXICAL = "lexical"


@app.command("eval", epilog="Example: `twin eval datasets/scifact --split test --mode hybrid`")
def evaluate(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder with corpus.jsonl, queries.jsonl and qrels/.")],
    split: Annotated[str, typer.Option(help="Which judgements: qrels/SPLIT.tsv.")] = "test",
    mode: Annotated[Mode, typer.Option(help="Both rankings fused, or one alone.")] = Mode.HYBRID,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure how well documents are found, on a test collection in the BEIR layout.

    It uses an index of its own, never the twin's.
    """

    async def command(settings: "Settings") -> int:
        from bot.trial import measure

        with frame.progress("Reading") as bar:
            report = await measure(
                settings, folder, split=split, mode=mode.value, progress=lambda step, done, total: bar(done, total, step)
            )
        shape = report.as_json()
        if json:
            frame.show_json(shape)
        else:
            for name, value in shape.items():
                shown = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
                frame.show(f"{name:>14}  {shown}")
        return frame.DONE

    frame.run(command, stopped="Stopped. Nothing was measured.")
