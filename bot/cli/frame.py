"""How every command begins and ends: settings, log, event loop, exit code."""

import asyncio
import io
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypedDict

import typer

if TYPE_CHECKING:
    from bot.chat import Person, Place
    from bot.settings import Settings

DONE, FAILURES, USAGE, AWAY, INTERRUPTED = 0, 1, 2, 3, 130
LOCAL = "local"  # the terminal, and whoever sits at it


class Progress(Protocol):
    """Told how many of how many are done, and when it changes, what is being done."""

    def __call__(self, done: int, total: int, label: str | None = None, /) -> None:
        """Show it."""


class Here(TypedDict):
    """Who asks for something, and where."""

    place: "Place"
    person: "Person"


def here(person: str = LOCAL, place: str = LOCAL) -> Here:
    """Return who asks, and where: whoever sits at the terminal, at the terminal, when nothing else is said."""
    from bot.chat import Person, Place

    return {"place": Place(place), "person": Person(person)}


def on_screen() -> bool:
    """Say whether the result is read on a terminal."""
    return sys.stdout.isatty()


def run(
    command: "Callable[[Settings], Coroutine[Any, Any, int]]", *, stopped: str = "Stopped.", serving: bool = False
) -> NoReturn:
    """Run a command with the settings and leave with its exit code, or with the one that belongs to its error.

    A command that serves logs at the level that is set; the others log warnings only, unless a level was asked for.
    """
    raise typer.Exit(_outcome(command, stopped, serving=serving))


def tell(text: str) -> None:
    """Say something to the person at the terminal that is not the result."""
    typer.echo(text, err=True)


def show(result: str) -> None:
    """Print a result."""
    typer.echo(result)


def show_json(result: Mapping[str, object]) -> None:
    """Print a result as one line of JSON."""
    import json

    typer.echo(json.dumps(result, ensure_ascii=False))


def one_word(value: str) -> str:
    """Refuse an option whose value is empty or has white space in it: scopes, places and people have names of one word."""
    if value.split() != [value]:
        raise typer.BadParameter("It must be one word, such as local or everyone.")
    return value


def not_empty(value: str) -> str:
    """Refuse an argument that says nothing."""
    if not value.strip():
        raise typer.BadParameter("It is empty.")
    return value


@contextmanager
def progress(label: str) -> Iterator[Progress]:
    """Show how far a long command is, on standard error and only when that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar
    from rich.table import Column

    console = Console(stderr=True)
    label_column = TextColumn("{task.description}", table_column=Column(width=36, no_wrap=True, overflow="ellipsis"))
    columns = (label_column, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(
        *columns,
        console=console,
        transient=True,
        disable=not console.is_terminal,
        redirect_stdout=sys.stdout.isatty(),  # on the same terminal results go above the bar; elsewhere they must arrive
    ) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total, label=None: bar.update(task, completed=done, total=total, description=label)


def _outcome(command: "Callable[[Settings], Coroutine[Any, Any, int]]", stopped: str, *, serving: bool) -> int:
    import uvloop

    from bot import log

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # file names need not be text that can be encoded
    try:
        settings = read_settings()
        level = settings.log_level if serving or "log_level" in settings.model_fields_set else "warning"
        log.configure(level, settings.log_format)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(command(settings))
    except KeyboardInterrupt:
        _let_threads_go()
        tell(stopped)
        return INTERRUPTED
    except BrokenPipeError:
        raise  # the reader of our output has gone: the command line library ends quietly
    except Exception as error:
        from bot.apology import explain

        tell(explain(error))
        return exit_code(error)


def _let_threads_go() -> None:
    """Keep quiet about database threads that were interrupted while connecting: the loop they report to is closed."""
    usual = threading.excepthook

    def hook(ended: threading.ExceptHookArgs) -> None:
        if str(ended.exc_value) != "Event loop is closed":
            usual(ended)

    threading.excepthook = hook


def read_settings() -> "Settings":
    """Read the settings; raises `BadSettings` with one sentence for each that cannot be used."""
    from pydantic import ValidationError

    from bot.errors import BadSettings
    from bot.settings import Settings, complaints

    try:
        return Settings()
    except ValidationError as error:
        raise BadSettings(complaints(error)) from error


def exit_code(error: BaseException) -> int:
    """Return the exit code that belongs to an error."""
    from bot import errors
    from knowledge.errors import IndexAway, IndexOutdated, ModelMissing
    from knowledge.evaluation import BadDataset

    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    match error:
        case errors.BadSettings() | errors.BadFolder() | ModelMissing() | IndexOutdated() | BadDataset():
            return USAGE
        case errors.BadQuestion() | errors.TooLong() | errors.BadFeedback() | errors.BadModel() | errors.BadModelSetting():
            return USAGE
        case errors.InUse() | errors.ServiceAway() | IndexAway():
            return AWAY
        case _:
            return FAILURES
