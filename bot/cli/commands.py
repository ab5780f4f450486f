"""The command line as a whole."""

import typer

from bot.cli import ask, conversations, digest, docs, measure, memory, models, people, platforms, process, teach

app = typer.Typer(
    name="twin",
    help="A digital twin that lives where your team talks: teach it files, ask, get answers with sources you can open.",
    epilog="Begin with `twin ingest handbook.pdf`, then `twin ask 'How many days of leave do I have?'`",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for group in (process, teach, ask, conversations, digest, memory, docs, models, people, platforms, measure):
    app.add_typer(group.app)
