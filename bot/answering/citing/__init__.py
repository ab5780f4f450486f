"""Answers of language models, checked against the passages they rest on while they are written (pure)."""

from bot.answering.citing.checked import UNKNOWN, UNSUPPORTED, Checked, Outcome
from bot.answering.citing.sources import source

__all__ = ["UNKNOWN", "UNSUPPORTED", "Checked", "Outcome", "source"]
