"""Text of models and documents made harmless: no foreign links, no images, no mentions, nothing invisible (pure)."""

from bot.answering.inert.address import addresses
from bot.answering.inert.seen import visible
from bot.answering.inert.text import REMOVED, harmless, line
from bot.answering.inert.tokens import broken

__all__ = ["REMOVED", "addresses", "broken", "harmless", "line", "visible"]
