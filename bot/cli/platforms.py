"""`twin manifest …` and `twin invite …`: how the twin gets onto platforms."""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import frame

if TYPE_CHECKING:
    from bot.settings import Settings

app = typer.Typer()
manifest = typer.Typer(help="What an app is created from on a platform.", no_args_is_help=True)
app.add_typer(manifest, name="manifest")
invite = typer.Typer(help="Where the twin is added to a platform.", no_args_is_help=True)
app.add_typer(invite, name="invite")


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


@invite.command(epilog="Example: `twin invite discord`")
def discord(
    application: Annotated[
        str, typer.Option("--application", metavar="ID", help="The id of the app, when DISCORD_TOKEN is not set yet.")
    ] = "",
) -> None:
    """Print the address at which the twin is added to a Discord server, with the permissions that it needs.

    Whoever opens it must be allowed to manage that server. docs/discord.md goes through it step by step.
    """
    from adapters.discord.checks import application_of
    from adapters.discord.mode import invitation
    from bot import modes
    from bot.errors import BadSettings

    async def command(settings: "Settings") -> int:
        mode = modes.discord(settings)
        if not (application or mode.wanted):
            raise BadSettings(["Set DISCORD_TOKEN, or name the app: twin invite discord --application ID."])
        frame.show(invitation(application or await application_of(mode)))
        return frame.DONE

    frame.run(command)
