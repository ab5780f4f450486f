"""How a job that does not succeed says what should become of it, in sentences that may be shown to a person."""


class JobError(Exception):
    """A job failed; it is tried again a few times, and the text is the reason when it is given up."""


class Later(JobError):
    """What the job needs is away for the moment; trying again costs none of its attempts."""

    def __init__(self, seconds: float, reason: str = "Something it needs is away.") -> None:
        super().__init__(reason)
        self.seconds = seconds


class GiveUp(JobError):
    """Trying again is of no use; the text is the reason."""
