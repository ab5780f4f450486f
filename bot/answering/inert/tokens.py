"""What chat templates give a meaning to, broken up so that it is text like any other (pure)."""

import re

_NAMES = (
    r"s|bos|eos|pad|unk|mask|cls|sep|eod|eot|eom|turn|image|audio|video|img|box|ref|quad|tool|think|thinking|system|user|assistant"
    r"|human|model|developer|function\w*|tool_\w+|tools|start_of_\w+|end_of_\w+|im_\w+|begin_of_\w+|fim_\w+|unused_?\d+"
    r"|extra_id_\d+|reserved_\w+|special_\w+|sys|endoftext|0x[0-9a-f]{2}"
)
_BRACKETED = (
    r"INST|SYS|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS?|TOOL_RESULTS|TOOL_CONTENT|IMG\w*|PREFIX|SUFFIX|MIDDLE|gMASK|sop"
)
TOKEN = re.compile(
    rf"(?:<(?=[|｜])|\[(?=/?(?:{_BRACKETED})\])|<(?=/?(?:{_NAMES})>)|<(?=<?/?SYS>))|(?<=[|｜])(?=>)", re.IGNORECASE
)
"""Where a token of a chat template begins or ends."""


def broken(text: str, *marks: str) -> str:
    """Return a text with a blank inside every token of a chat template, and inside each of some marks."""
    text = TOKEN.sub(lambda begin: f"{begin.group()} ", text)
    for mark in filter(None, marks):
        half = re.escape(mark[: len(mark) // 2]), re.escape(mark[len(mark) // 2 :])
        text = re.sub(f"({half[0]})({half[1]})", r"\1 \2", text, flags=re.IGNORECASE)
    return text
