"""Lines and confirmations from whoever types, and lines from a pipe."""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import TextIO


async def prompted(say: Callable[[str], object]) -> AsyncIterator[str]:
    """Yield lines typed at a prompt with editing and recall, until Ctrl-D or Ctrl-C twice on an empty line."""
    from prompt_toolkit import PromptSession  # noqa: PLC0415  # slow to import, and only a terminal needs it

    session: PromptSession[str] = PromptSession()
    warned = False
    while True:
        try:
            line = await session.prompt_async("› ", reserve_space_for_menu=0)
        except EOFError:
            return
        except KeyboardInterrupt:
            half_typed = bool(session.default_buffer.text)
            if warned and not half_typed:
                return
            if not half_typed:
                say("Ctrl-C once more leaves; so do Ctrl-D and /quit.")
            warned = not half_typed
        else:
            warned = False
            yield line


async def confirmed(question: str) -> bool:
    """Ask at the terminal, on standard error, whether something is meant; only a plain yes is one."""
    from prompt_toolkit import PromptSession  # noqa: PLC0415  # slow to import, and only a terminal needs it
    from prompt_toolkit.output import create_output  # noqa: PLC0415

    session: PromptSession[str] = PromptSession(output=create_output(stdout=sys.stderr))
    try:
        typed = await session.prompt_async(f"{question} [y/N] ", reserve_space_for_menu=0)
    except (EOFError, KeyboardInterrupt):
        return False
    return typed.strip().lower() in {"y", "yes"}


async def piped(stream: TextIO) -> AsyncIterator[str]:
    """Yield the lines of a pipe or file as they come.

    A daemon thread reads them: it works for every kind of file, and a read that never returns does not keep the process.
    """
    loop, lines = asyncio.get_running_loop(), asyncio.Queue[str | None]()

    def read() -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody listens any more
            for line in stream:
                loop.call_soon_threadsafe(lines.put_nowait, line)
            loop.call_soon_threadsafe(lines.put_nowait, None)

    threading.Thread(target=read, name="standard input", daemon=True).start()
    while (line := await lines.get()) is not None:
        yield line
