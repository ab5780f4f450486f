"""Servers that hang, talk garbage, or are overloaded: what of it reaches the one who asks."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from bot.chat import Restart
from bot.llm.base import Model, ModelAway, Piece, Usage
from bot.llm.breaker import Breaker
from bot.llm.chain import Breakers, Chain
from bot.llm.patience import Patience
from bot.llm.prices import Spent
from tests.bot.llm.opening import KEY, PARAMETERS, PROMPT, PROVIDERS, SECRET_WORD, opened
from tests.bot.llm.scripted import Clock, Scripted
from tests.simulators.llm import Fail, Hang, LlmServer, Raw, Say, Script
from tests.simulators.wires import WIRES, Wire

pytestmark = pytest.mark.parametrize("provider", PROVIDERS)

PATIENT = Patience(pause=0.001)
ANSWER: list[Piece] = ["It is a fox.", Usage(1, 1)]
WIRE: dict[str, Wire] = dict(zip(PROVIDERS, WIRES, strict=True))


class Asked:
    """A chain with what it yielded and reported."""

    def __init__(self, *models: Model, breakers: Breakers | None = None, patience: Patience = PATIENT) -> None:
        self.clock = Clock()
        self.spent: list[Spent] = []
        self.pieces: list[Piece | Restart] = []
        self._chain = Chain(models, patience, breakers=breakers, clock=self.clock, sleep=self.clock.sleep)

    async def ask(self) -> list[Piece | Restart]:
        self.pieces, self.spent = [], []
        async with aclosing(self._chain.stream(PROMPT, PARAMETERS, spent=self.spent.append)) as stream:
            async for piece in stream:
                self.pieces.append(piece)
        return self.pieces

    async def fail(self) -> str:
        with pytest.raises(ModelAway) as raised:
            await self.ask()
        said = str(raised.value)
        assert raised.value.transient
        assert not any(secret in said for secret in (KEY, SECRET_WORD, "sk-"))
        return said


def fallback() -> Scripted:
    return Scripted("spare:1", ANSWER)


@asynccontextmanager
async def serving(provider: str, script: Script) -> AsyncIterator[tuple[LlmServer, Model]]:
    """Serve the same script to every request."""
    async with LlmServer() as server, opened(provider, server) as model:
        server.default = script
        yield server, model


# --- hangs


HANGS: dict[str, Script] = {
    "no first byte": Hang(),
    "no first piece": Say((), ending="stall"),
    "alive, but nothing is written": Say((), ending="stall", alive_every=0.02),
    "silent in the middle": Say(("It ", "may "), ending="stall"),
    "alive, but silent in the middle": Say(("It ", "may "), ending="stall", alive_every=0.02),
}


def hurried(hang: str) -> Patience:
    """Return patience that is short only for the silence that is meant."""
    return Patience(first=30 if "middle" in hang else 0.2, between=0.2, pause=0.001)


@pytest.mark.parametrize("hang", HANGS)
async def test_a_server_that_hangs_is_given_up_and_let_go(provider: str, hang: str) -> None:
    async with serving(provider, HANGS[hang]) as (server, model):
        asked = Asked(model, patience=hurried(hang))
        await asked.fail()
        assert [each.outcome for each in asked.spent] == ["timeout", "timeout"]
        for seen in server.requests:
            await asyncio.wait_for(seen.gone.wait(), 1)


@pytest.mark.parametrize("hang", HANGS)
async def test_when_a_server_hangs_another_model_answers(provider: str, hang: str) -> None:
    async with serving(provider, HANGS[hang]) as (server, model):
        asked = Asked(model, fallback(), patience=hurried(hang))
        shown = ["It ", "may ", Restart()] if "middle" in hang else []
        assert await asked.ask() == [*shown, *ANSWER]
        assert len(server.requests) <= 1


async def test_who_stops_listening_frees_the_server(provider: str) -> None:
    async with serving(provider, Say(itertools.repeat("fox "), interval=0.001)) as (server, model):
        chain = Chain([model], PATIENT)
        spent: list[Spent] = []
        stream = chain.stream(PROMPT, PARAMETERS, spent=spent.append)
        assert await anext(stream) == "fox "
        await stream.aclose()
        await asyncio.wait_for(server.requests[0].gone.wait(), 1)
    assert [each.outcome for each in spent] == ["cancelled"]


# --- garbage


def garbage(provider: str) -> dict[str, Script]:
    """Return what a broken, strange or hostile server may send."""
    wire = WIRE[provider]
    whole = wire.begin(1) + wire.piece("It is ") + wire.piece("a fox.") + wire.end("stop", (1, 2))
    middle = len(whole) // 2

    def event(value: object) -> bytes:
        text = json.dumps(value).encode()
        return text + b"\n" if provider == "ollama" else b"data: " + text + b"\n\n"

    def around(middle: bytes) -> Raw:
        return Raw(wire.begin(1) + wire.piece("It is ") + middle + wire.end("stop", (1, 2)))

    shapes: list[object] = [None, 7, "text", [], {}, [{}], {"choices": 7}, {"choices": [7]}, {"choices": [{"delta": [1]}]}]
    shapes += [{"type": "content_block_delta", "delta": 7}, {"type": "message_start", "message": []}, {"type": []}]
    shapes += [{"message": 7}, {"message": {"role": "assistant", "content": {"a": 1}}}, {"usage": {"prompt_tokens": "x"}}]
    shapes += [{"error": SECRET_WORD}, {"error": {"message": SECRET_WORD}}, {"type": "error", "error": 7}]
    cases: dict[str, Script] = {
        "empty body": Raw(b""),
        "blank lines": Raw(b"\n\n\n\n"),
        "a login page": Raw(b"<html>Please log in</html>", "text/html"),
        "text": Raw(b"Service starting, come back later.", "text/plain"),
        "no content type": Raw(whole, "application/octet-stream"),
        "HTML in the right kind": Raw(b"<html><body>502</body></html>\n\n"),
        "JSON cut": Raw(whole[:middle]),
        "JSON cut in the middle of a message": around(event({"a": "b"})[:-8] + b"\n\n"),
        "invalid JSON": around(b'data: {"choices": [}\n\n'),
        "not UTF-8": around(b"data: \xff\xfe\xfa\n\n"),
        "deep nesting": around(b"data: " + b"[" * 100_000 + b"\n\n"),
        "a huge number": around(b'data: {"choices": ' + b"9" * 10_000 + b"}\n\n"),
        "a compressed body that is none": Raw(b"\x1f\x8b\x00\x00garbage"),
        "5 MB in one line without end": Raw(wire.begin(1) + b"data: " + b"x" * 5_000_000),
        "16 MB in one line": around(b"data: " + b"x" * 16_000_000 + b"\n\n"),
        "5 MB in one piece": Say(("x" * 5_000_000,)),
        "5 MB in many pieces": Say(f"{n:<999}\n" for n in range(5_000)),
        "endless repetition": Say(itertools.repeat("It is a fox. ")),
        "endless blanks": Say(itertools.repeat(" ")),
        "endless thoughts and no word": Say((), thoughts=["hm"] * 500),
        "NUL": Say(("It is\x00 ", "a \x00fox.")),
        "bidirectional overrides": Say(("\u202eIt is ", "a fox.\u202c")),
        "zero width": Say(("\u200b", "\u2060", "\ufeff")),
        "half a character": Say(("It is \ud83e", "\udd8a a fox")),
        "mentions and markup": Say(("@everyone <!channel> <@U1> ", "![](http://x.invalid/a.png)")),
        "nothing": Say(()),
        "nothing but spaces": Say((" ", "\n")),
        "a tool call alone": Say((), calls_tool=True),
        "a tool call beside": Say(("It is a fox.",), calls_tool=True),
        "cut": Say(("It is ",), ending="cut"),
        "reset": Say(("It is ",), ending="reset"),
        "an error in the middle": Say(("It is ",), ending="error"),
    }
    return cases | {f"the shape {json.dumps(shape)}": around(event(shape)) for shape in shapes}


CASES = sorted(garbage("openai"))


@pytest.mark.parametrize("case", CASES)
async def test_garbage_is_an_answer_within_bounds_or_a_model_that_is_away(provider: str, case: str) -> None:
    async with serving(provider, garbage(provider)[case]) as (server, model):
        asked = Asked(model)
        try:
            *pieces, usage = await asked.ask()
        except ModelAway as away:
            assert not any(secret in str(away) for secret in (KEY, SECRET_WORD, "sk-"))
        else:
            assert isinstance(usage, Usage)
            shown = "".join(piece for piece in pieces if isinstance(piece, str))
            assert 0 < len(shown) <= 4 * PATIENT.characters
            shown.encode()
        assert len(asked.spent) == len(server.requests) <= 4
        assert asked.spent[-1].outcome in {"done", "away", "garbage", "timeout", "refused"}
        assert all("tools" not in seen.body or not seen.body["tools"] for seen in server.requests)


async def test_when_one_model_talks_garbage_another_answers(provider: str) -> None:
    async with serving(provider, Raw(b"<html></html>", "text/html")) as (_, model):
        assert await Asked(model, fallback()).ask() == ANSWER


async def test_a_long_line_is_read_no_further_than_an_answer_can_need(provider: str) -> None:
    if provider == "ollama":
        return  # its library reads a line of any length
    async with serving(provider, garbage(provider)["16 MB in one line"]) as (_, model):
        assert "no answer of a language model" in await Asked(model).fail()


# --- overload


OVERLOADS: dict[str, Script] = {
    "429": Fail(429),
    "429 with a time": Fail(429, {"Retry-After": "2"}),
    "529": Fail(529),
    "529 with a time": Fail(529, {"Retry-After": "2"}),
    "500": Fail(500),
    "reset in the middle": Say(("It ",), ending="reset"),
}


@pytest.mark.parametrize("overload", OVERLOADS)
async def test_an_overloaded_server_is_asked_four_times_and_as_late_as_it_wants(provider: str, overload: str) -> None:
    async with serving(provider, OVERLOADS[overload]) as (server, model):
        asked = Asked(model)
        await asked.fail()
        assert len(server.requests) == len(asked.spent) == 4
        assert len(asked.clock.slept) == 3
        if "time" in overload:
            assert all(2 <= seconds < 2.1 for seconds in asked.clock.slept)


@pytest.mark.parametrize("overload", OVERLOADS)
async def test_a_server_that_recovers_answers_after_all(provider: str, overload: str) -> None:
    async with LlmServer(OVERLOADS[overload], Say(("It is a fox.",))) as server, opened(provider, server) as model:
        pieces = await Asked(model).ask()
        assert pieces[-2] == "It is a fox."
        assert len(server.requests) == 2


@pytest.mark.parametrize("overload", OVERLOADS)
async def test_a_breaker_keeps_everybody_from_a_failing_server_and_lets_one_try_it_again(provider: str, overload: str) -> None:
    breakers: dict[str, Breaker] = {}
    async with serving(provider, OVERLOADS[overload]) as (server, model):
        asked = Asked(model, fallback(), breakers=breakers)
        for _ in range(9):
            assert (await asked.ask())[-2:] == ANSWER
            asked.clock.now += 2.1  # so that none waits for what the server asked
        assert len(server.requests) == 5
        asked.clock.now += 30
        server.default = Say(("It is back.",))
        assert (await asked.ask())[0] == "It is back."
        assert (await asked.ask())[0] == "It is back."
        assert len(server.requests) == 7


async def test_the_failures_of_one_model_do_not_touch_another(provider: str) -> None:
    breakers: dict[str, Breaker] = {}
    async with serving(provider, Fail(500)) as (_, failing), serving(provider, Say(("It is a fox.",))) as (_, good):
        good.name = f"{provider}:other"  # type: ignore[misc]
        for _ in range(3):
            await Asked(failing, breakers=breakers).fail()
        assert (await Asked(good, breakers=breakers).ask())[0] == "It is a fox."
