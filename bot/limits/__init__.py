"""What keeps one from taking what is there for all: turns, rates, budgets, lengths, and an end to talk among bots."""

from bot.limits.budget import Allowance, Budget
from bot.limits.lengths import (
    ATTACHMENTS,
    FILE_NAME,
    MESSAGE,
    MODEL_NAME,
    NOTE,
    PERSONA,
    QUERY,
    QUESTION,
    REASON,
    SYSTEM_PROMPT,
    TAG,
    TAGS,
    Bound,
    bounded,
    counted,
)
from bot.limits.loops import LoopGuard
from bot.limits.rates import Rate, Rates, What
from bot.limits.turns import Turns, Urgency

__all__ = [
    "ATTACHMENTS",
    "FILE_NAME",
    "MESSAGE",
    "MODEL_NAME",
    "NOTE",
    "PERSONA",
    "QUERY",
    "QUESTION",
    "REASON",
    "SYSTEM_PROMPT",
    "TAG",
    "TAGS",
    "Allowance",
    "Bound",
    "Budget",
    "LoopGuard",
    "Rate",
    "Rates",
    "Turns",
    "Urgency",
    "What",
    "bounded",
    "counted",
]
