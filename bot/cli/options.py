"""Options that several commands have."""

from typing import Annotated

import typer

from bot.cli import frame

LOCAL = "local"

AsPerson = Annotated[
    str,
    typer.Option("--as", metavar="PERSON", callback=frame.one_word, help="Who asks; with --in it decides what may be used."),
]
InPlace = Annotated[
    str, typer.Option("--in", metavar="PLACE", callback=frame.one_word, help="Where the answer will be read, e.g. slack:T1:C9.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
InOnePlace = Annotated[
    str,
    typer.Option("--in", metavar="PLACE", callback=frame.one_word, help="For one place, e.g. slack:T1:C9; else everywhere."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether this is meant.")]
MessageId = Annotated[
    str,
    typer.Argument(
        metavar="MESSAGE_ID", callback=frame.one_word, help="The id of an answer: `message_id` of `twin ask --json`."
    ),
]
ConversationId = Annotated[
    str,
    typer.Argument(
        metavar="CONVERSATION_ID", callback=frame.one_word, help="The id of a conversation: `twin conversations` lists them."
    ),
]
