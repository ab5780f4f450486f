"""What models are told: rules, history, and sources as inert data (pure)."""

from bot.citing import UNKNOWN
from bot.llm.base import Prompt
from bot.prompt.answering import build
from bot.prompt.leaning import condense, condensed, follow_up, summarise

__all__ = ["UNKNOWN", "Prompt", "build", "condense", "condensed", "follow_up", "summarise"]
