"""Language models that hang, stall, talk garbage or are overloaded: one answer all the same, and room for the next."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import pytest_asyncio

from bot.answering.writing import AWAY
from tests.faults.running import Running, running
from tests.simulators.llm import Fail, Hang, LlmServer, Raw, Say, Script
from tests.simulators.platform import Post, said

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

ANSWER = Say(["The canteen opens ", "at half past twelve [1]."])
SILENCE = 1.0
"""Seconds that a model is waited for here."""


@dataclass
class Talk:
    """A twin that answers one question at a time with the model of a server."""

    twin: Running
    server: LlmServer
    asked: int = field(default=0)

    async def ask(self, *scripts: Script) -> Post:
        """Have the server do something, one script a request; return the one post that this leads to."""
        self.server.scripts.clear()
        self.server.scripts.extend(scripts)
        self.server.requests.clear()
        self.asked += 1
        question = said(  # in a thread of its own, so that the model is asked for nothing but an answer
            "When does the canteen open?", self.asked, account=f"sim:T1:M{self.asked % 24}", thread=f"t{self.asked}"
        )
        assert await self.twin.deliver(question)
        await self.twin.said(question)
        [post] = self.twin.platform.visible(str(self.asked))
        assert post.finishes == 1
        return post

    async def works(self) -> None:
        """Hold that the next question is answered by the model, and with it that nothing holds the only turn there is."""
        post = await self.ask()
        assert post.text == "The canteen opens at half past twelve [1]."
        assert (post.notice, len(post.sources), len(self.server.requests)) == ("", 1, 1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def talk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Talk]:
    async with LlmServer() as server:
        server.default = ANSWER
        environment = {
            "TWIN_LLM": "openai:stub",
            "OPENAI_BASE_URL": f"{server.url}/v1",
            "OPENAI_API_KEY": "none",
            "TWIN_ANSWERS_AT_ONCE": "1",
            "SIMULATED_PATIENCE": str(SILENCE),
        }
        async with running(tmp_path_factory.mktemp("models"), environment) as twin:
            await twin.start()
            twin.platform.files["hours.md"] = b"# Hours\n\nThe canteen opens at half past twelve.\n"
            await twin.redeliver([message := said("", "file", files=("hours.md",))])
            await twin.said(message)
            yield Talk(twin, server)
            assert await twin.stop() == 0, twin.log()[-2000:]


def quoted(post: Post) -> None:
    """Hold that an answer is quoted from the sources, and says why."""
    assert "half past twelve" in post.text
    assert post.sources
    assert post.notice == AWAY


@pytest.mark.parametrize("silence", [Hang(), Say(["The canteen opens at half past twelve [1]. And "], ending="stall")])
async def test_a_model_that_hangs_is_waited_for_twice_and_then_the_sources_are_quoted(talk: Talk, silence: Script) -> None:
    quoted(await talk.ask(silence, silence))
    assert len(talk.server.requests) == 2
    for seen in talk.server.requests:  # the model does not go on for nobody
        await seen.gone.wait()
    await talk.works()


async def test_a_model_that_stalls_once_begins_anew_in_the_same_post(talk: Talk) -> None:
    post = await talk.ask(Say(["The canteen never opens [1]. And "], ending="stall"), ANSWER)
    assert (post.text, post.notice) == ("The canteen opens at half past twelve [1].", "")
    await talk.works()


HIDDEN = "\x00\x1b\u202e\u2066\u200b\ufeff"
GARBAGE: dict[str, Script] = {
    "hidden characters": Say(["The can\x00teen opens \u202eat half\u200b past\u2066 twelve [1].\ufeff\x1b"]),
    "mentions": Say(["@everyone <!channel> <@U1> The canteen opens at half past twelve [1]. @here"]),
    "links": Say(["The canteen opens at half past twelve [1]. ![x](https://evil.example/x) https://evil.example/y"]),
    "a tool call": Say(["The canteen opens at half past twelve [1]."], calls_tool=True),
    "five megabytes": Say(["The canteen opens at half past twelve [1]. " + "canteen " * 6_500] * 100),
    "the same for ever": Say(["The canteen opens at half past twelve [1]. "] * 5_000),
    "a forged source": Say(["The canteen opens at half past twelve [7]."]),
    "no stream": Raw(b"<html>It works!</html>", "text/html"),
    "no events": Raw(b"\xff\xfe\x00garbage\n\ndata: {]\n\n"),
    "nothing": Raw(b""),
}


@pytest.mark.parametrize("garbage", GARBAGE)
async def test_whatever_a_model_says_what_is_shown_is_short_sourced_and_harmless(talk: Talk, garbage: str) -> None:
    post = await talk.ask(*[GARBAGE[garbage]] * 4)
    for text in post.history:
        assert len(text) <= 20_100
        assert not set(text) & set(HIDDEN)
        for called in ("@everyone", "@here", "<!channel>", "<@U1>", "evil.example/x)", "https://evil.example/y"):
            assert called not in text
    assert "half past twelve" in post.text or post.text.startswith("I don't know")
    assert all(0 < n <= len(post.sources) for n in range(1, 9) if f"[{n}]" in post.text)
    assert not [one for one in talk.server.requests if one.body.get("tools")]
    await talk.works()


async def test_an_overloaded_model_is_asked_again_when_it_wants_to_be(talk: Talk) -> None:
    post = await talk.ask(Fail(429, {"Retry-After": "1"}), ANSWER)
    assert (post.text, post.notice) == ("The canteen opens at half past twelve [1].", "")
    first, second = (one.at for one in talk.server.requests)
    assert second - first >= 1
    await talk.works()


@pytest.mark.parametrize("failure", [Fail(429), Fail(500), Say([], ending="reset")])
async def test_an_answer_asks_a_failing_model_four_times_and_then_quotes(talk: Talk, failure: Script) -> None:
    quoted(await talk.ask(*[failure] * 4))
    assert len(talk.server.requests) == 4
    await talk.works()


async def test_a_model_that_keeps_failing_is_left_alone(talk: Talk) -> None:
    quoted(await talk.ask(*[Fail(529)] * 8))
    quoted(await talk.ask(*[Fail(529)] * 8))
    assert len(talk.server.requests) == 1  # the fifth failure in a row
    quoted(await talk.ask(*[Fail(529)] * 8))
    assert talk.server.requests == []
