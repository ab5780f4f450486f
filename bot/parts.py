"""What the face stands on, as it is wired in `bot.app`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.access import Access
from bot.engine import Engine
from bot.limits import Rates
from bot.llm.models import ModelSettings
from bot.llm.shelf import Shelf
from bot.people.linking import Linking
from bot.people.register import People
from bot.record.digest import Digests
from bot.record.feedback import Feedback
from bot.record.history import History
from bot.record.memory import Memory
from bot.record.recall import Recall
from bot.record.usage import Usage
from bot.teaching import Teaching
from knowledge import Knowledge


@dataclass(frozen=True, slots=True)
class Parts:
    """What the face stands on."""

    knowledge: Knowledge
    access: Access
    engine: Engine
    history: History
    recall: Recall
    feedback: Feedback
    memory: Memory
    teaching: Teaching
    shelf: Shelf
    models: ModelSettings
    usage: Usage
    rates: Rates
    people: People
    digests: Digests
    linking: Linking
    retell: Callable[[], Awaitable[None]]
    """Shows anew, on platforms, the answers that rested on what was forgotten."""
    compact: Callable[[], Awaitable[None]]
