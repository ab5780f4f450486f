"""Which model answers, when one is tried again, and what is told of each try."""

from collections.abc import Sequence
from contextlib import aclosing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat import Restart
from bot.llm.base import Declined, ModelAway, Parameters, Piece, Prompt, Turn, Usage
from bot.llm.breaker import Breaker
from bot.llm.chain import Breakers, Chain
from bot.llm.patience import Patience
from bot.llm.prices import Spent
from tests.bot.llm.scripted import HANG, Clock, Scripted, Step

PROMPT = Prompt("Be brief.", (Turn("user", "What is it?"),))
QUICK = Patience(first=0.03, between=0.03, total=120)
GOOD: Sequence[Step] = ("It is ", "a fox.", Usage(10, 4))
AWAY = ModelAway("x:1 is away.")
REFUSED = ModelAway("x:1 needs a key: set X.", transient=False)
SHOWN = ["It is ", "a fox.", Usage(10, 4)]


class Told:
    """Asks a chain and keeps what it yields and reports."""

    def __init__(self, *models: Scripted, patience: Patience = QUICK, breakers: Breakers | None = None) -> None:
        self.clock = Clock()
        self.spent: list[Spent] = []
        self.pieces: list[Piece | Restart] = []
        self.chain = Chain(
            models,
            patience,
            prices={"y:": (1.0, 2.0)},
            breakers=breakers,
            clock=self.clock,
            sleep=self.clock.sleep,
            chance=lambda: 0.5,
        )

    async def ask(self) -> list[Piece | Restart]:
        self.pieces, self.spent = [], []
        async with aclosing(self.chain.stream(PROMPT, Parameters(), spent=self.spent.append)) as stream:
            async for piece in stream:
                self.pieces.append(piece)
        return self.pieces

    @property
    def outcomes(self) -> list[str]:
        return [f"{each.provider}:{each.model} {each.outcome}" for each in self.spent]


async def test_the_first_model_answers_and_what_it_took_is_told() -> None:
    first, second = Scripted("y:1", GOOD), Scripted("y:2", GOOD)
    told = Told(first, second)
    assert await told.ask() == SHOWN
    assert second.asked == 0
    assert told.spent == [Spent("y", "1", 10, 4, 18 / 1_000_000, 0.0, "done")]


async def test_what_is_spent_is_told_before_the_usage_is_yielded() -> None:
    told = Told(Scripted("y:1", GOOD))
    async with aclosing(told.chain.stream(PROMPT, Parameters(), spent=told.spent.append)) as stream:
        async for piece in stream:
            assert bool(told.spent) == isinstance(piece, Usage)


async def test_tokens_that_are_not_told_are_estimated() -> None:
    told = Told(Scripted("y:1", ("It is a fox.", Usage())))
    await told.ask()
    usage = told.pieces[-1]
    assert isinstance(usage, Usage)
    assert usage.tokens_in > 0
    assert usage.tokens_out > 0
    assert (told.spent[0].tokens_in, told.spent[0].tokens_out) == (usage.tokens_in, usage.tokens_out)


async def test_a_model_that_is_away_is_replaced_at_once_by_the_next() -> None:
    told = Told(Scripted("x:1", [AWAY]), Scripted("y:2", GOOD))
    assert await told.ask() == SHOWN
    assert told.clock.slept == []
    assert told.outcomes == ["x:1 away", "y:2 done"]
    assert (told.spent[0].tokens_in, told.spent[0].tokens_out) == (0, 0)


async def test_what_was_shown_of_a_failed_try_is_void_once_another_has_something_to_show() -> None:
    told = Told(Scripted("x:1", ["It ", "may be", REFUSED]), Scripted("y:2", [AWAY], GOOD))
    assert await told.ask() == ["It ", "may be", Restart(), *SHOWN]
    assert told.spent[0].tokens_out > 0


async def test_a_model_alone_is_tried_again_after_growing_pauses_four_times_at_most() -> None:
    model = Scripted("x:1", [AWAY])
    told = Told(model)
    with pytest.raises(ModelAway, match=r"No language model could answer. x:1 is away.") as raised:
        await told.ask()
    assert raised.value.transient
    assert model.asked == 4
    assert told.clock.slept == [0.25, 0.5, 1.0]  # half of 0.5, 1 and 2: full jitter, chance being a half


async def test_all_models_together_are_tried_four_times_at_most() -> None:
    models = [Scripted(f"x:{n}", [AWAY]) for n in range(3)]
    with pytest.raises(ModelAway):
        await Told(*models).ask()
    assert [model.asked for model in models] == [2, 1, 1]


async def test_a_model_that_refuses_is_not_tried_again() -> None:
    model = Scripted("x:1", [REFUSED])
    told = Told(model)
    with pytest.raises(ModelAway, match="set X") as raised:
        await told.ask()
    assert raised.value.transient
    assert (model.asked, told.outcomes) == (1, ["x:1 refused"])


async def test_a_model_that_declines_without_a_word_is_replaced_and_one_that_says_so_is_heard() -> None:
    told = Told(Scripted("x:1", [Usage(5, 0, "refused")]), Scripted("y:2", ["I will not.", Usage(5, 3, "refused")]))
    assert await told.ask() == ["I will not.", Usage(5, 3, "refused")]
    assert told.outcomes == ["x:1 refused", "y:2 refused"]


async def test_a_silent_model_is_waited_for_twice_at_most() -> None:
    model = Scripted("x:1", [HANG])
    told = Told(model)
    with pytest.raises(ModelAway, match="did not begin to answer in time"):
        await told.ask()
    assert (model.asked, model.closed) == (2, 2)
    assert told.outcomes == ["x:1 timeout"] * 2
    assert told.spent[0].tokens_in > 0


async def test_a_model_that_stops_in_the_middle_is_replaced() -> None:
    stalling = Scripted("x:1", ["It ", HANG])
    told = Told(stalling, Scripted("y:2", GOOD))
    assert await told.ask() == ["It ", Restart(), *SHOWN]
    assert (stalling.closed, told.outcomes) == (1, ["x:1 timeout", "y:2 done"])


async def test_a_model_that_thinks_is_waited_for_and_nothing_of_it_shown() -> None:
    told = Told(Scripted("y:1", ("", "", *GOOD)))
    assert await told.ask() == SHOWN


async def test_an_answer_that_is_still_being_written_when_time_is_up_is_cut() -> None:
    told = Told(Scripted("y:1", ["It is", HANG]), patience=Patience(first=5, between=5, total=0.05))
    assert (await told.ask())[0] == "It is"
    assert told.pieces[-1] == Usage(told.spent[0].tokens_in, told.spent[0].tokens_out, "length")
    assert told.outcomes == ["y:1 done"]


@pytest.mark.parametrize("nothing", [[], [""], [" ", "\n\n"], ["\u200b", "\x00", "\u202e"], [" "] * 3_000])
async def test_an_answer_in_which_nothing_can_be_seen_is_none(nothing: list[Step]) -> None:
    told = Told(Scripted("x:1", [*nothing, Usage(5, 2)]), Scripted("y:2", GOOD))
    assert await told.ask() == SHOWN
    assert told.outcomes == ["x:1 garbage", "y:2 done"]


async def test_blanks_before_an_answer_come_with_it() -> None:
    assert await Told(Scripted("x:1", [" ", "\n", "Hi", " ", Usage(1, 1)])).ask() == [" \nHi", " ", Usage(1, 1)]


async def test_what_is_too_long_is_cut() -> None:
    told = Told(Scripted("x:1", [f"{n} " for n in range(9_999)]), patience=Patience(characters=1_000))
    *pieces, usage = await told.ask()
    assert len("".join(str(piece) for piece in pieces)) == 1_000
    assert isinstance(usage, Usage)
    assert usage.finish == "length"


async def test_what_is_said_over_and_over_is_cut() -> None:
    model = Scripted("x:1", ["It is a fox. "] * 9_999)
    told = Told(model)
    *pieces, usage = await told.ask()
    assert len(pieces) < 100
    assert isinstance(usage, Usage)
    assert usage.finish == "length"
    assert model.closed == 1


async def test_a_character_that_cannot_be_stored_is_replaced() -> None:
    assert (await Told(Scripted("x:1", ["a\udc80b", Usage(1, 1)])).ask())[0] == "a?b"


async def test_pieces_that_are_no_text_come_through() -> None:
    assert await Told(Scripted("x:1", ["I do not know.", Declined(), Usage(1, 1)])).ask() == [
        "I do not know.",
        Declined(),
        Usage(1, 1),
    ]


async def test_a_provider_that_breaks_its_promise_is_a_model_that_failed() -> None:
    told = Told(Scripted("x:1", ["It", KeyError(f"{PROMPT.system}")]), Scripted("y:2", GOOD))
    assert await told.ask() == ["It", Restart(), *SHOWN]
    assert told.outcomes == ["x:1 garbage", "y:2 done"]


async def test_a_server_is_given_the_time_it_asks_for() -> None:
    told = Told(Scripted("x:1", [ModelAway("x:1 is busy.", retry_after=7.0)], GOOD))
    assert await told.ask() == SHOWN
    assert told.clock.slept == [pytest.approx(7.25)]


async def test_a_server_that_asks_for_more_time_than_there_is_is_not_waited_for() -> None:
    busy = Scripted("x:1", [ModelAway("x:1 is busy.", retry_after=200.0)], GOOD)
    told = Told(busy)
    with pytest.raises(ModelAway, match="x:1 is busy"):
        await told.ask()
    with pytest.raises(ModelAway, match="asked to be left alone"):
        await told.ask()
    assert (busy.asked, told.clock.slept) == (1, [])
    told.clock.now += 200
    assert await told.ask() == SHOWN


async def test_a_model_that_keeps_failing_is_left_alone_and_then_tried_once() -> None:
    shared: dict[str, Breaker] = {}
    failing, good = Scripted("x:1", [AWAY]), Scripted("y:2", GOOD)
    told = Told(failing, good, breakers=shared)
    for _ in range(8):
        assert await told.ask() == SHOWN
    assert failing.asked == 5
    told.clock.now += 30
    for _ in range(3):
        assert await told.ask() == SHOWN
    assert failing.asked == 6
    alone = Told(Scripted("x:1", GOOD), breakers=shared)
    with pytest.raises(ModelAway, match="left alone"):
        await alone.ask()
    told.clock.now += 30
    assert await alone.ask() == SHOWN
    assert not shared["x:1"].open


async def test_chains_that_share_nothing_do_not_suffer_for_each_other() -> None:
    failing = Told(Scripted("x:1", [AWAY]))
    for _ in range(2):
        with pytest.raises(ModelAway):
            await failing.ask()
    assert await Told(Scripted("x:1", GOOD)).ask() == SHOWN


async def test_who_stops_listening_stops_the_model_and_is_told_what_it_took() -> None:
    model = Scripted("y:1", ["It is ", HANG])
    told = Told(model)
    stream = told.chain.stream(PROMPT, Parameters(), spent=told.spent.append)
    assert await anext(stream) == "It is "
    await stream.aclose()
    assert (model.closed, told.outcomes) == (1, ["y:1 cancelled"])
    assert told.spent[0].tokens_in > 0
    assert told.spent[0].tokens_out > 0


async def test_a_probe_that_was_abandoned_makes_room_for_another() -> None:
    model = Scripted("x:1", *[[AWAY]] * 5, ["It is ", HANG], GOOD)
    told = Told(model)
    for _ in range(2):
        with pytest.raises(ModelAway):
            await told.ask()
    told.clock.now += 30
    stream = told.chain.stream(PROMPT, Parameters(), spent=told.spent.append)
    assert await anext(stream) == "It is "
    with pytest.raises(ModelAway, match="left alone"):
        await told.ask()
    await stream.aclose()
    assert await told.ask() == SHOWN


async def test_a_chain_without_models_is_away() -> None:
    with pytest.raises(ModelAway, match="No language model could answer"):
        await Told().ask()


STEPS = st.one_of(
    st.sampled_from(["It ", "is", "", " ", "\x00", "long " * 50]),
    st.just(HANG),
    st.sampled_from([AWAY, REFUSED, ModelAway("x:1 is busy.", retry_after=3.0), KeyError("a bug")]),
    st.sampled_from([Usage(3, 2), Usage(), Usage(3, 0, "refused"), Declined()]),
)
SCRIPTS = st.lists(st.lists(STEPS, max_size=5), min_size=1, max_size=4)


@settings(deadline=None, max_examples=150)
@given(st.lists(SCRIPTS, max_size=4))
async def test_whatever_models_do_there_is_one_whole_answer_or_none(chain: list[list[list[Step]]]) -> None:
    models = [Scripted(f"x:{n}", *scripts) for n, scripts in enumerate(chain)]
    told = Told(*models, patience=Patience(first=0.002, between=0.002, total=60, characters=400))
    try:
        await told.ask()
    except ModelAway as away:
        assert away.transient
        assert not any(isinstance(piece, Usage) for piece in told.pieces)
    else:
        assert [isinstance(piece, Usage) for piece in told.pieces[-2:]] == [False, True]
        assert sum(isinstance(piece, Usage) for piece in told.pieces) == 1
        assert told.spent[-1].outcome in {"done", "refused"}
    assert len(told.spent) == sum(model.asked for model in models) <= 4
    assert all(model.asked == model.closed for model in models)
    assert "" not in told.pieces
