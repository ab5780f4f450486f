"""How long a model is waited for, and how often and when it is tried again (pure)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """Bounds of an answer, over all models of a chain; times in seconds."""

    first: float = 30.0
    """until a model begins to write"""
    between: float = 20.0
    """from one sign of life to the next"""
    total: float = 120.0
    tries: int = 4
    timeouts: int = 2
    """How often one model may keep an answer waiting for nothing."""
    characters: int = 40_000
    """What is longer is cut."""
    pause: float = 0.5
    """The most before the second try of a model; it doubles with each."""
    longest_pause: float = 8.0
    longest_hold: float = 3_600.0
    """What a server may ask for at most by Retry-After."""

    def backoff(self, failures: int, chance: float) -> float:
        """Return how long to wait after some failures of a model, for a chance within [0, 1).

        Full jitter, so that many who failed at once do not come back at once:
        https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
        """
        return chance * min(self.longest_pause, self.pause * 2.0 ** (failures - 1))
