"""`twin manifest …`: what platforms want to be told of the twin."""

from typing import Annotated

import typer

from bot.cli import frame

app = typer.Typer()
manifest = typer.Typer(help="What an app is created from on a platform.", no_args_is_help=True)
app.add_typer(manifest, name="manifest")


def _address(value: str | None) -> str | None:
    from urllib.parse import urlsplit

    if value is not None and (urlsplit(value).scheme != "https" or not urlsplit(value).hostname):
        raise typer.BadParameter("It must be an address such as https://twin.example.com.")
    return value and value.rstrip("/")


@manifest.command(epilog="Example: `twin manifest slack > twin.json`")
def slack(
    guests: Annotated[
        bool, typer.Option("--guests", help="Without Slack's surface for agents, which guests of a workspace cannot use.")
    ] = False,
    http: Annotated[
        str | None,
        typer.Option(metavar="URL", callback=_address, help="Where Slack reaches the twin, when it is to post events there."),
    ] = None,
) -> None:
    """Print the manifest of the Slack app as JSON, to be pasted at https://api.slack.com/apps › Create New App.

    Without --http it connects over Socket Mode, which needs no address. docs/slack.md goes through it step by step.
    """
    import json

    from adapters.slack.manifest import manifest as made

    frame.show(json.dumps(made(guests=guests, http=http), indent=2, ensure_ascii=False))
