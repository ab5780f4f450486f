"""`twin run`, `twin chat`, `twin doctor`."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import frame, shapes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.doctor import Check
    from bot.settings import Settings

app = typer.Typer()


@app.command(epilog="Example: `TWIN_HTTP_PORT=9000 twin run`")
def run() -> None:
    """Start the twin and keep it running until Ctrl-C or SIGTERM.

    On a terminal it opens a conversation; /quit ends both. GET /health says that it is alive.
    """

    async def command(settings: "Settings") -> int:
        from bot.serving import serve

        await serve(settings)
        return frame.DONE

    frame.run(command, serving=True)


@app.command(epilog="Example: `printf 'notes.md\\nWhat did we decide?\\n' | twin chat`")
def chat() -> None:
    """Talk with the twin in this terminal; a typed or dropped file path teaches it.

    From a pipe it reads one question or path per line.
    """

    async def command(settings: "Settings") -> int:
        from adapters.terminal.adapter import Terminal
        from bot.apology import explain
        from bot.app import open_twin

        async with open_twin(settings) as twin:
            await Terminal(twin, explain=explain).run()
        return frame.DONE

    frame.run(command)


@app.command(epilog="Example: `twin doctor --json | jq '.checks[] | select(.ok | not)'`")
def doctor(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    post: Annotated[
        str,
        typer.Option(
            metavar="CHANNEL_OR_USER",
            help="Also post a message in Slack, see whether it is delivered to the twin, and delete it. Stop the twin first.",
        ),
    ] = "",
) -> None:
    """Try every setting and say in plain words what is wrong and how to mend it.

    Ends with exit code 3 when something that is needed does not work. A running twin is not disturbed.
    """

    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # heeded when first imported: a doctor looks, and downloads nothing

    from bot.doctor import examine, slack_delivery, wrong_settings
    from bot.errors import BadSettings

    async def command(settings: "Settings") -> int:
        checks = await examine(settings)
        if post:
            checks.append(await slack_delivery(settings, post))
        _show(checks, json)
        return frame.DONE if all(check.ok for check in checks if check.needed) else frame.AWAY

    try:
        frame.read_settings()
    except BadSettings as error:
        _show([wrong_settings(str(error))], json)
        raise typer.Exit(frame.USAGE) from error
    frame.run(command)


def _show(checks: "Sequence[Check]", json: bool) -> None:
    if json:
        frame.show_json(shapes.checks(checks))
        return
    for check in checks:
        frame.show(f"{'ok ' if check.ok else 'BAD' if check.needed else 'off'}  {check.name}: {check.detail}")
        if check.fix:
            frame.show(f"     {check.fix}")
