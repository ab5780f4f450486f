"""Nightly upkeep: the index made equal to the database, then optimised."""

from typing import Protocol

import structlog

log = structlog.get_logger()


class Upkeep(Protocol):
    """What upkeep needs of the twin."""

    async def mend(self) -> int:
        """Make the index equal to the database; return how many points were wrong."""

    async def optimize(self) -> None:
        """Build graphs and reclaim what was deleted."""


class Tidies(Protocol):
    """Lets go of what is not needed any more."""

    async def tidy(self) -> None:
        """Let go of it."""


async def keep_fit(twin: Upkeep, desk: Tidies) -> None:
    """Mend, tidy and optimise; a failure is logged and tried again the next night."""
    try:
        wrong = await twin.mend()
        await desk.tidy()
        await twin.optimize()
    except Exception:
        log.exception("upkeep failed")
    else:
        log.info("upkeep done", mended=wrong)
