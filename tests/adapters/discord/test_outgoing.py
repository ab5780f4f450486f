"""What the twin says in Discord can do no harm, and fits."""

from hypothesis import given
from hypothesis import strategies as st

from adapters.discord import outgoing
from bot.chat import Answer, Notice, Source, Taught, What


def answer(text: str, *sources: Source) -> Answer:
    return Answer(text, sources, False, "stub", "stub", message_id="a" * 32)


def source(url: str = "https://discord.com/channels/1/2/3", title: str = "Handbook") -> Source:
    return Source(1, "d", title, 3, "Audit", "the third of March", url, 0.9)


def test_nobody_is_called_by_what_is_said() -> None:
    said = outgoing.shown("ask <@101> or <@&30> in <#20>, @everyone and @here: <a:wave:1>")
    assert not any(form in said.replace("\\<", "") for form in ("<@", "<#", "<a:"))
    assert "@everyone" not in said
    assert "@here" not in said


def test_code_is_left_as_it_is() -> None:
    code = "```py\nmail = '<@101>' # | no table |\n```"
    assert outgoing.shown(code) == code


def test_a_loose_address_shows_no_preview_and_a_link_stays_one() -> None:
    said = outgoing.shown("see https://example.com/a and [the page](https://example.com/b)")
    assert said == "see <https://example.com/a> and [the page](https://example.com/b)"


def test_a_table_becomes_code_with_straight_columns() -> None:
    table = "before\n\n| name | colour |\n|---|---|\n| fox | red |\n| 犬 | grey |\n\nafter"
    assert outgoing.shown(table) == "before\n\n```\nname  colour\n----  ------\nfox   red\n犬    grey\n```\n\nafter"


def test_a_source_is_a_line_with_a_link_that_opens_it() -> None:
    assert outgoing.source(source()) == "-# [1] [Handbook, p. 3 › Audit](<https://discord.com/channels/1/2/3>)"


def test_neither_a_title_nor_an_address_breaks_out_of_its_link() -> None:
    line = outgoing.source(source("https://x.example/a>)[b](c", "a](https://evil.example) @everyone"))
    assert "](https://evil" not in line
    assert "@everyone" not in line
    assert line.endswith("](<https://x.example/a%3E%29[b]%28c>)")
    assert "javascript" not in outgoing.source(source("javascript:alert(1)"))


def test_a_notice_offers_to_forget_what_was_taught() -> None:
    buttons = outgoing.beneath("receipt/p/1", Notice("✅", (Taught("d1", "Handbook"),)))
    assert [outgoing.action(one.id) for one in buttons] == [(outgoing.UNDO, "d1")]


def test_a_reply_is_known_by_its_buttons_and_no_other_is() -> None:
    ids = [one.id for one in outgoing.waiting("reply/p/1", What.REPLY)]
    assert outgoing.is_marked(ids, "reply/p/1")
    assert not outgoing.is_marked(ids, "reply/p/2")
    assert outgoing.is_marked([one.id for one in outgoing.beneath("reply/p/1", answer("so"))], "reply/p/1")


@given(st.text(st.sampled_from("ab <>@#`|-\n[](){}https://*_~1"), max_size=6_000))
def test_whatever_is_said_every_message_is_short_enough(text: str) -> None:
    for part in outgoing.texts(answer(text + "x", source())):
        assert 0 < len(part) <= 2_000
    assert all(len(one.id) <= 100 for one in outgoing.beneath("k" * 300, answer(text)))
    assert len(outgoing.nonce(text, 1)) <= 25
