"""Answers of language models, checked against the passages they rest on while they are written (pure)."""

from bot.citing.checked import UNKNOWN, UNSUPPORTED, Checked, Outcome
from bot.citing.sources import source

__all__ = ["UNKNOWN", "UNSUPPORTED", "Checked", "Outcome", "source"]
