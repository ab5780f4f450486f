"""What can go wrong in the process itself, in sentences that may be shown to a person."""

from collections.abc import Sequence
from datetime import datetime
from math import ceil
from pathlib import Path


class TwinError(Exception):
    """Something a person can understand and act on; its text is safe to show."""


class BadSettings(TwinError):
    """Settings that cannot be used: one sentence each."""

    def __init__(self, complaints: Sequence[str]) -> None:
        super().__init__("\n".join(complaints))


class InUse(TwinError):
    """Another process has the data folder open; embedded parts have one writer."""

    def __init__(self, folder: Path, pid: int | None) -> None:
        holder = f"process {pid}" if pid is not None else "another process"
        super().__init__(
            f"The data folder {folder} is in use by {holder}. Stop that one first, or point TWIN_DATA_DIR at another folder."
        )


class BadFolder(TwinError):
    """A data folder that cannot be used."""

    def __init__(self, folder: Path, reason: str | None) -> None:
        super().__init__(f"The data folder {folder} cannot be written to: {reason}. Set TWIN_DATA_DIR to another one.")


class ServiceAway(TwinError):
    """A service that is needed cannot be reached; the text names it and what to do."""


class UnknownConversation(TwinError):
    """No conversation of this person in this place has this id."""

    def __init__(self, conversation_id: str) -> None:
        super().__init__(f"There is no conversation {conversation_id!r} here. Ask without one to begin anew.")


class UnknownMessage(TwinError):
    """No message has this id, or none that may be seen from here: the two read alike."""

    def __init__(self) -> None:
        super().__init__("I have no such message here. It may have been deleted.")


class BadFeedback(TwinError):
    """Feedback that cannot be understood."""


class BadQuestion(TwinError):
    """A question that cannot be answered because of its form."""


class Busy(TwinError):
    """More is asked than can be answered soon; `minutes` is about how long that lasts."""

    def __init__(self, minutes: int) -> None:
        super().__init__(f"I am busy right now. Please ask me again in about {_counted(minutes, 'minute')}.")
        self.minutes = minutes


class TooFast(TwinError):
    """Somebody does something more often than is good for all; `what` says what, `seconds` when they may go on."""

    def __init__(self, what: str, then: str, seconds: float) -> None:
        super().__init__(f"{what} {then} in {_duration(seconds)}.")
        self.seconds = seconds


class TooLong(TwinError):
    """Something longer, or more of something, than is taken."""


class BudgetSpent(TwinError):
    """What language models may be used for in a day is used up until `until`; answers without them go on."""

    def __init__(self, whose: str, until: datetime) -> None:
        super().__init__(f"{whose} budget for language models is used up for today. It begins anew at {until:%H:%M %Z}.")
        self.until = until


class BadModel(TwinError):
    """A language model that there is not, or what is said of one and cannot be used."""


class BadModelSetting(TwinError):
    """A setting of a language model that cannot be used."""


def _duration(seconds: float) -> str:
    whole = max(1, ceil(seconds))
    return _counted(whole, "second") if whole < 100 else _counted(ceil(whole / 60), "minute")


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count:,} {what}s"
