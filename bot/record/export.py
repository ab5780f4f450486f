"""A conversation as Markdown or JSON (pure)."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Literal

from bot.chat import Source
from bot.record.said import Said

Format = Literal["md", "json"]


def rendered(said: Sequence[Said], format: Format) -> str:
    """Render what was said, sources included."""
    return _json(said) if format == "json" else _markdown(said)


def _markdown(said: Sequence[Said]) -> str:
    return "\n\n".join(["# Conversation", *(_turn(one) for one in said)]) + "\n"


def _turn(one: Said) -> str:
    who = "Twin" if one.role == "assistant" else one.person or "Somebody"
    anew = ", answered anew later" if one.superseded else ""
    model = f" · {one.provider}:{one.model}" if one.model else ""
    parts = [f"## {who}, {one.said_at:%Y-%m-%d %H:%M} UTC{model}{anew}", one.text]
    if one.notice:
        parts.append(f"_{one.notice}_")
    if one.sources:
        parts.append("\n".join(_source(source) for source in one.sources))
    return "\n\n".join(parts)


def _source(source: Source) -> str:
    page = f", page {source.page}" if source.page is not None else ""
    heading = f" · {source.heading}" if source.heading else ""
    quote = " ".join(source.quote.split())
    return f"[{source.n}] {source.title}{page}{heading}: “{quote}” <{source.url}>  "


def _json(said: Sequence[Said]) -> str:
    messages = [asdict(one) | {"said_at": one.said_at.isoformat()} for one in said]
    return json.dumps({"messages": messages}, ensure_ascii=False, indent=2) + "\n"
