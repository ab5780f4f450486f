"""What models are told: rules, history, and sources as inert data (pure)."""

from bot.answering.citing import UNKNOWN
from bot.answering.prompt.answering import build
from bot.answering.prompt.leaning import condense, condensed, follow_up, summarise
from bot.llm.base import Prompt

__all__ = ["UNKNOWN", "Prompt", "build", "condense", "condensed", "follow_up", "summarise"]
