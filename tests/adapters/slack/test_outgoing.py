"""An answer as blocks: what it says can do no harm, and every source can be opened."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.common.parts import parts
from adapters.slack import outgoing
from adapters.slack.outgoing import AGAIN, FEEDBACK, SOURCES, UNDO, WHY
from bot.chat import Answer, Notice, Source, Taught

POINTING = re.compile(r"<(?:[@!#]|https?)", re.IGNORECASE)
TRICKY = st.lists(
    st.sampled_from(
        [
            "<@U1>",
            "<!here>",
            "<#C1|x>",
            "<https://a.example|x>",
            "<HTTP://a.example>",
            "<",
            ">",
            "@here",
            "`",
            "```\n",
            "~~~\n",
            "\n",
            "\\",
            "&lt;!here&gt;",
            "&",
            "a",
            " ",
            "[x](<@U1>)",
            "|",
            "    ",
            "<!date^1^{date}|x>",
            "\u200b",
            "!",
            "#",
            "@",
            "http",
        ]
    ),
    max_size=12,
).map("".join)


def source(n: int, **values: Any) -> Source:
    given_values: dict[str, Any] = {
        "title": "Handbook",
        "page": 3,
        "heading": "Leave",
        "url": "https://files.example/handbook.pdf",
    } | values
    return Source(n, f"d{n}", quote="25 days", score=0.9, **given_values)


def answer(**values: Any) -> Answer:
    given: dict[str, Any] = {"text": "25 days [1].", "sources": (source(1),), "abstained": False, "provider": "", "model": ""}
    return Answer(**{**given, **values})


def actions(blocks: list[dict[str, Any]]) -> list[str]:
    found: list[str] = re.findall(r'"action_id": "(\w+)"', json.dumps(blocks))
    return found


def listed(blocks: list[dict[str, Any]]) -> list[str]:
    texts = [element["text"] for block in blocks if block["type"] == "context" for element in block["elements"]]
    return [line for text in texts for line in text.split("\n")]


@given(TRICKY | st.text())
def test_no_text_becomes_a_mention_a_broadcast_or_a_link_of_slacks_own(text: str) -> None:
    assert not POINTING.search(outgoing.escaped(text))
    assert not POINTING.search(outgoing.fallback(text))
    assert all(not POINTING.search(part) for part in parts(outgoing.escaped(text), 100))


@given(st.text("<>&@!#|`a\n"))
def test_a_label_cannot_break_out_of_its_link(text: str) -> None:
    made = outgoing.link("https://a.example/x", text)
    assert made.startswith("<https://a.example/x|")
    assert made.count("<") == made.count(">") == made.count("|") == 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("if a < b", "if a &lt; b"),
        ("AT&T", "AT&T"),
        ("&lt;!here&gt;", "&amp;lt;!here&amp;gt;"),
        ("`<@U1>` and `a < b`", "`< @U1>` and `a < b`"),
        ("```\nif (a <!b) x<y>\n```\n<!here>", "```\nif (a < !b) x<y>\n```\n&lt;!here>"),
        ("> quoted\n- [1]", "> quoted\n- [1]"),
        ("see <https://a.example/b(c)>", "see [https://a.example/b%28c%29](https://a.example/b%28c%29)"),
        ("[the plan](https://a.example/b)", "[the plan](https://a.example/b)"),
        ("<https://evil.example|the plan>", "&lt;https://evil.example|the plan>"),
    ],
)
def test_markdown_stays_as_it_is_but_for_what_points(text: str, shown: str) -> None:
    assert outgoing.escaped(text) == shown


def test_sources_are_listed_with_page_heading_and_link() -> None:
    blocks = outgoing.beneath(answer(sources=(source(1), source(2, page=None, heading=None, url="twin:F1"))))
    assert listed(blocks) == [
        "*Sources*",
        "[1] <https://files.example/handbook.pdf|Handbook, p. 3 › Leave>",
        "[2] Handbook",
    ]


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "https://", "https://a b", "file:///etc", "", "https://a.example/" + "x" * 2000]
)
def test_only_what_a_browser_opens_is_a_link(url: str) -> None:
    assert outgoing.link(url, "Plan <v2> | draft") == "Plan &lt;v2&gt; ¦ draft"


def test_an_address_cannot_break_out_of_its_link() -> None:
    assert outgoing.link("https://a.example/?a=1&b=|<!here>", "x") == "<https://a.example/?a=1&amp;b=%7C%3C!here%3E|x>"


def test_many_sources_stay_within_what_a_block_takes() -> None:
    blocks = outgoing.beneath(answer(sources=tuple(source(n, url=f"https://a.example/{'x' * 500}") for n in range(1, 31))))
    assert [line.split(" ")[0] for line in listed(blocks)[1:]] == [f"[{n}]" for n in range(1, 31)]
    assert all(len(block["elements"][0]["text"]) <= 3_000 for block in blocks if block["type"] == "context")
    assert len(blocks) <= 40


def test_an_answer_has_its_buttons() -> None:
    blocks = outgoing.beneath(answer(message_id="m1", notice="The model was away."))
    assert actions(blocks) == [FEEDBACK, SOURCES, AGAIN, WHY]
    assert blocks[0]["elements"][0]["text"] == "The model was away."
    assert {'"1:m1"', '"-1:m1"', '"m1"'} <= set(re.findall(r'"value": ("[^"]*")', json.dumps(blocks)))


def test_what_is_told_alone_cannot_be_told_anew_in_its_place() -> None:
    assert actions(outgoing.beneath(answer(message_id="m1"), alone=True)) == [FEEDBACK, SOURCES, WHY]


def test_who_does_not_know_offers_to_say_why() -> None:
    assert actions(outgoing.beneath(answer(message_id="m1", abstained=True, sources=()))) == [FEEDBACK, WHY]


def test_an_answer_that_is_nowhere_kept_has_no_buttons() -> None:
    assert actions(outgoing.beneath(answer())) == []


@pytest.mark.parametrize("count", [0, 1, 2, 40])
def test_each_document_taught_can_be_forgotten_after_a_question(count: int) -> None:
    blocks = outgoing.beneath(Notice("Learned.", tuple(Taught(f"d{n}", f"Title {n} {'x' * 400}") for n in range(count))))
    assert actions(blocks) == [UNDO] * min(count, 25)
    assert json.dumps(blocks).count('"confirm": {"title"') == min(count, 25)
    assert all(actions([block]) == [UNDO] for block in blocks)
    assert json.dumps(blocks).count("answers that rest on it are taken back.") == min(count, 25)


@given(st.text("aé😀<&`*", max_size=3_000))
def test_the_text_for_notifications_stays_within_what_slack_takes(text: str) -> None:
    said = outgoing.fallback(text * 5)
    assert 0 < len(said.encode()) <= 4_000
    assert not re.search(r"&(?!amp;|lt;|gt;)", said)
