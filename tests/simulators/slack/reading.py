"""What people read of what the app shows (pure)."""

from collections.abc import Mapping, Sequence
from typing import Any


def reads(blocks: Sequence[Mapping[str, Any]]) -> str:
    """Return the texts of blocks, one below the other."""
    found: list[str] = []
    for block in blocks:
        match block["type"]:
            case "markdown":
                found.append(block["text"])
            case "section" | "header":
                found += [text["text"] for text in (block.get("text"), *block.get("fields", ())) if text]
            case "context":
                found += [one["text"] for one in block["elements"] if "text" in one]
    return "\n".join(found)


def clickable(blocks: Sequence[Mapping[str, Any]], action_id: str) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Return what can be clicked under an action id, with the block that it stands in."""
    found = []
    for block in blocks:
        elements = [*block.get("elements", ()), *([block["accessory"]] if "accessory" in block else ())]
        found += [(block, element) for element in elements if element.get("action_id") == action_id]
    return found
