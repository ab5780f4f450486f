"""`twin digest`."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import frame, shapes
from bot.cli.options import Json

if TYPE_CHECKING:
    from bot.settings import Settings

app = typer.Typer()


@app.command(epilog="Examples: `twin digest --place slack:T1:C9`, `twin digest --since 2026-11-01 --json | jq .open`")
def digest(
    place: Annotated[
        str,
        typer.Option("--place", metavar="PLACE", callback=frame.one_word, help="Which place, e.g. slack:T1:C9."),
    ] = frame.LOCAL,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="The first day; a week ago if not given.")
    ] = None,
    json: Json = False,
) -> None:
    """Sum up a place: what was learned and by whom, how much was asked, and what nobody could answer.

    It is printed, and posted nowhere. `twin places list` shows the places.
    """

    async def command(settings: "Settings") -> int:
        from adapters.common import texts
        from bot.app import open_twin

        begin = since and since.replace(tzinfo=settings.timezone)
        async with open_twin(settings) as twin:
            summed = await twin.digest(**frame.here(frame.LOCAL, place), since=begin)
        if json:
            frame.show_json(shapes.digest(summed))
        else:
            frame.show(texts.digest(summed).replace("**", ""))
        return frame.DONE

    frame.run(command)
