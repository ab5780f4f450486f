"""What can go wrong in the process itself, in sentences that may be shown to a person."""

from collections.abc import Sequence
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


class BadQuestion(TwinError):
    """A question that cannot be answered because of its form."""
