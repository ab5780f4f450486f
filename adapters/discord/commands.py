"""The commands of the twin, as Discord is told of them (pure)."""

from collections.abc import Mapping, Sequence
from typing import Any

Command = dict[str, Any]

TEACH = "Teach this to Twin"
_SLASH, _MESSAGE = 1, 3  # kinds of commands
_SUB, _STRING = 1, 3  # kinds of options
_GUILD_AND_DIRECT = {"integration_types": [0], "contexts": [0, 1]}

_WORDS = {
    "ask": ("Ask me something; the answer is for you alone", "question", True),
    "search": ("See the passages nearest to some words", "words", True),
    "docs": ("List what I have learned that you may see", "", False),
    "forget": ("Forget a document for good, or `me`: what I keep of you", "document", True),
    "teach": ("See how to teach me", "", False),
    "remember": ("Keep a note that only you are told of", "note", True),
    "notes": ("List your notes", "", False),
    "digest": ("Sum up the last week here; `on` or `off` for every Monday", "weekly", False),
    "link": ("Make an account elsewhere yours here too", "code", False),
    "unlink": ("Make this account somebody of its own again", "", False),
    "learn": ("Have me learn what is said and posted here, or not (owners)", "switch", False),
    "model": ("See who writes my answers here, or change it (owners)", "name", False),
    "stats": ("Sum up what you asked lately", "days", False),
    "help": ("See what I can do", "", False),
}
COMPLETED = frozenset({"forget"})
"""Whose option is completed while it is typed: with the documents that may be seen."""


def commands() -> list[Command]:
    """Return all of them."""
    twin: Command = {"name": "twin", "type": _SLASH, "description": "Ask me, teach me, and see what I know"}
    twin["options"] = [_sub(word, *about) for word, about in _WORDS.items()]
    ask: Command = {"name": "ask", "type": _SLASH, "description": _WORDS["ask"][0]}
    ask["options"] = [_option("question", "What do you want to know?", required=True)]
    teach: Command = {"name": TEACH, "type": _MESSAGE}
    return [{**one, **_GUILD_AND_DIRECT} for one in (twin, ask, teach)]


def are(known: Sequence[Mapping[str, Any]], made: Sequence[Command]) -> bool:
    """Say whether the commands that Discord knows are those that it is to be told of."""
    there = {(one["name"], one["type"]): one for one in known}
    return len(there) == len(made) and all(_same(there.get((one["name"], one["type"])), one) for one in made)


def _same(known: Any, made: Any) -> bool:
    """Say whether all that is told is known; Discord adds to it what it makes of it itself."""
    if isinstance(made, dict):
        return isinstance(known, Mapping) and all(
            _same(known.get(key), value) or not (value or known.get(key)) for key, value in made.items()
        )
    if isinstance(made, list):
        return isinstance(known, list) and len(known) == len(made) and all(map(_same, known, made))
    return bool(known == made)


def _sub(word: str, description: str, option: str, required: bool) -> Command:
    made: Command = {"name": word, "type": _SUB, "description": description}
    if option:
        made["options"] = [_option(option, description, required=required, completed=word in COMPLETED)]
    return made


def _option(name: str, description: str, *, required: bool, completed: bool = False) -> Command:
    option: Command = {"name": name, "type": _STRING, "description": description, "required": required}
    return option | ({"autocomplete": True} if completed else {"max_length": 4_000})
