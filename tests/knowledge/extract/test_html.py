"""HTML pages give what a reader came for: headings, text, lists, tables; not menus, scripts or hidden words."""

from datetime import UTC, datetime

import pytest

from tests.knowledge.extract.samples import block_of, blocks, holds_together, read

LONG = "This sentence is about the way a garden grows when nobody looks after it for a year. " * 8

ARTICLE = f"""<!doctype html><html lang=en><head><title>Wild gardens | The Gardener</title>
<meta property="og:title" content="Wild gardens">
<meta name="author" content="Ada Lovelace"><meta name="date" content="2024-01-31">
</head><body><nav><ul><li><a href=/>Home</a></li><li><a href=/about>About us</a></li></ul></nav>
<article><h1>Wild gardens</h1><p>{LONG}</p><h2>In spring</h2><p>{LONG}</p>
<ul><li>Do nothing in March.</li><li>Do nothing in April.</li></ul>
<table><tr><th>Month</th><th>Work</th></tr><tr><td>May</td><td>None</td></tr></table><p>{LONG}</p></article>
<footer><p>Copyright The Gardener. Subscribe to our newsletter.</p></footer></body></html>"""


def test_the_main_text_is_taken_and_the_rest_left() -> None:
    extracted = read(ARTICLE.encode())
    assert "Wild gardens" in extracted.text
    assert "About us" not in extracted.text
    assert "newsletter" not in extracted.text
    assert holds_together(extracted)


def test_headings_lists_and_tables_stay_what_they_are() -> None:
    extracted = read(ARTICLE.encode())
    assert blocks(extracted, "heading") == ["Wild gardens", "In spring"]
    assert blocks(extracted, "item") == ["Do nothing in March.", "Do nothing in April."]
    assert blocks(extracted, "table") == ["Month | Work\nMay | None"]
    assert block_of(extracted, "March").path == ("Wild gardens", "In spring")


def test_what_the_page_says_of_itself_is_kept() -> None:
    extracted = read(ARTICLE.encode())
    assert extracted.title == "Wild gardens"
    assert extracted.authors == ("Ada Lovelace",)
    assert extracted.created_at == datetime(2024, 1, 31, tzinfo=UTC)


def test_a_short_page_is_taken_whole() -> None:
    assert (
        read(b"<html><body>Loose words<p>A paragraph.</p>more<br>lines</body></html>").text
        == "Loose words\n\nA paragraph.\n\nmore\nlines"
    )


@pytest.mark.parametrize(
    "hidden",
    [
        "<p style='display: none'>Hidden</p>",
        "<p hidden>Hidden</p>",
        "<span style='font-size:0'>Hidden</span>",
        "<div style='visibility:hidden'><p>Hidden</p></div>",
        "<p aria-hidden=true>Hidden</p>",
        "<script>Hidden()</script>",
        "<style>.Hidden{}</style>",
        "<template><p>Hidden</p></template>",
        "<!-- Hidden -->",
        "<noscript>Hidden</noscript>",
    ],
)
def test_what_nobody_sees_is_not_read(hidden: str) -> None:
    assert read(f"<html><body><p>Before</p>{hidden}<p>After</p></body></html>".encode()).text == "Before\n\nAfter"


def test_words_after_something_hidden_stay() -> None:
    assert read(b"<html><body><p>One<span hidden>x</span> two</p></body></html>").text == "One two"


@pytest.mark.parametrize(
    ("meta", "encoding"),
    [('<meta charset="windows-1251">', "cp1251"), ("", "utf-8"), ('<meta charset="iso-8859-1">', "utf-8"), ("", "utf-16")],
)
def test_the_characters_are_right_whatever_the_page_claims(meta: str, encoding: str) -> None:
    page = f"<html><head>{meta}</head><body><p>Уважаемый читатель</p></body></html>"
    assert read(page.encode(encoding)).text == "Уважаемый читатель"


def test_code_keeps_its_lines() -> None:
    extracted = read(b"<html><body><pre>if true:\n    go()</pre></body></html>")
    assert blocks(extracted, "code") == ["if true:\n    go()"]


def test_a_layout_table_is_no_table() -> None:
    extracted = read(b"<html><body><table><tr><td><p>First.</p><p>Second.</p></td></tr></table></body></html>")
    assert blocks(extracted) == ["First.", "Second."]


def test_deep_nesting_is_read() -> None:
    assert "deep" in read(b"<html><body>" + b"<div>" * 1000 + b"deep").text
