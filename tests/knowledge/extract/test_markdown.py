"""Markdown gives headings, items, tables and code; front matter gives the title."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from tests.knowledge.extract.samples import block_of, blocks, holds_together, read

GUIDE = """---
title: "The Guide"
author: Ada Lovelace
date: 2024-01-31
---
Setting up
==========

A paragraph with a [link](https://example.org/a_(b)) and **strong** words
that goes on.

## Steps ##

1. Do this
   and go on.
2. Do that.
- And <b>this</b>.

| Name | Cost |
|------|-----:|
| Tea  | 2    |

```python
# no heading
x = 1

y = 2
```

    indented code
"""


def test_blocks_are_what_they_are() -> None:
    extracted = read(GUIDE.encode(), "guide.md")
    assert blocks(extracted, "heading") == ["Setting up", "Steps"]
    assert blocks(extracted, "item") == ["1. Do this\nand go on.", "2. Do that.", "- And this."]
    assert blocks(extracted, "table") == ["Name | Cost\nTea | 2"]
    assert blocks(extracted, "code") == ["# no heading\nx = 1\n\ny = 2", "indented code"]
    assert block_of(extracted, "Tea").repeat == "Name | Cost"
    assert block_of(extracted, "Tea").path == ("Setting up", "Steps")


def test_marks_for_links_and_emphasis_are_left_out() -> None:
    assert "with a link and strong words\nthat" in read(GUIDE.encode(), "guide.md").text


def test_front_matter_says_title_author_and_date() -> None:
    extracted = read(GUIDE.encode(), "guide.md")
    assert (extracted.title, extracted.authors) == ("The Guide", ("Ada Lovelace",))
    assert extracted.created_at == datetime(2024, 1, 31, tzinfo=UTC)
    assert "author" not in extracted.text


def test_without_front_matter_the_first_heading_is_the_title() -> None:
    assert read(b"# Hello\n\nWords.", "a.md").title == "Hello"


def test_a_fence_that_never_ends_takes_the_rest() -> None:
    assert blocks(read(b"~~~\ncode\n\nmore", "a.md")) == ["code\n\nmore"]


_LINES = st.sampled_from(
    ["# a", "b", "- c", "1. d", "| e | f |", "|--|--|", "```", "    g", "---", "===", "", "> h", "\ti", "*j*", "[k](l)"]
)


@given(st.lists(_LINES | st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=20), max_size=30))
def test_blocks_hold_together_for_any_markdown(lines: list[str]) -> None:
    text = "# x\n" + "\n".join(lines)
    assert holds_together(read(text.encode(), "x.md"))
