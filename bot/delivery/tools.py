"""What errands are done with."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.access import Access
from bot.chat import Adapter
from bot.delivery.contents import Answers
from bot.delivery.inbox import Inbox
from bot.delivery.outbox import Outbox
from bot.record.history import History
from bot.record.memory import Memory
from bot.record.recall import Recall
from knowledge import Knowledge


@dataclass(frozen=True, slots=True)
class Tools:
    """The parts of the house that errands use; `tidy` has the bytes of what was forgotten overwritten soon."""

    inbox: Inbox
    outbox: Outbox
    answers: Answers
    history: History
    recall: Recall
    knowledge: Knowledge
    access: Access
    memory: Memory
    adapter: Callable[[str], Adapter]
    max_upload: int
    tidy: Callable[[], None]
