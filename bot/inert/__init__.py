"""Text of models and documents made harmless: no foreign links, no images, no mentions, nothing invisible (pure)."""

from bot.inert.address import addresses
from bot.inert.seen import visible
from bot.inert.text import REMOVED, harmless, line
from bot.inert.tokens import broken

__all__ = ["REMOVED", "addresses", "broken", "harmless", "line", "visible"]
