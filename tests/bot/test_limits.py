"""Everyone gets their turn, nobody more than is good for all, and who is refused hears it at once."""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import limits
from bot.errors import BudgetSpent, Busy, TooFast, TooLong
from bot.limits import Allowance, Budget, LoopGuard, Rate, Rates, Turns, Urgency, What
from bot.limits.turns import PATIENCE
from tests.bot import virtual_time

Clock = Callable[[], float]


# --- turns


@dataclass
class Log:
    """Who began when, in order; `seconds` is how long each has their turn."""

    turns: Turns
    seconds: float = 1.0
    began: list[str] = field(default_factory=list)

    async def one(self, person: str, urgency: Urgency = Urgency.ANSWER) -> None:
        async with self.turns.turn(person, urgency):
            self.began.append(person)
            await asyncio.sleep(self.seconds)


def test_one_question_does_not_wait_for_fifty_of_another() -> None:
    async def main(clock: Clock) -> None:
        log = Log(Turns(1, clock=clock))
        async with asyncio.TaskGroup() as group:
            for person in ["ada"] * 50 + ["bob"]:
                group.create_task(log.one(person))
        assert log.began.index("bob") == 2  # one of ada's was being answered, one was next
        assert Counter(log.began) == {"ada": 50, "bob": 1}

    virtual_time.run(main)


def test_one_person_leaves_turns_free_for_others() -> None:
    async def main(clock: Clock) -> None:
        log = Log(Turns(4, clock=clock))
        async with asyncio.TaskGroup() as group:
            for person in ["ada"] * 9 + ["bob"]:
                group.create_task(log.one(person))
            await asyncio.sleep(0.5)
            assert Counter(log.began) == {"ada": 2, "bob": 1}

    virtual_time.run(main)


def test_answers_come_before_what_happens_by_itself_and_find_a_turn_free() -> None:
    async def main(clock: Clock) -> None:
        log = Log(Turns(2, clock=clock))
        async with asyncio.TaskGroup() as group:
            for n in range(3):
                group.create_task(log.one(f"training {n}", Urgency.TRAINING))
            await asyncio.sleep(0.1)
            assert log.began == ["training 0"]
            for n in range(3):
                group.create_task(log.one(f"digest {n}", Urgency.DIGEST))
            group.create_task(log.one("ada"))
            group.create_task(log.one("bob"))
        assert log.began[:3] == ["training 0", "ada", "bob"]
        assert log.began[3:] == ["digest 0", "digest 1", "digest 2", "training 1", "training 2"]

    virtual_time.run(main)


def test_who_goes_away_while_waiting_leaves_nothing_behind() -> None:
    async def main(clock: Clock) -> None:
        turns = Turns(1, clock=clock)
        log = Log(turns)
        async with asyncio.TaskGroup() as group:
            group.create_task(log.one("ada"))
            await asyncio.sleep(0)
            leaving = [group.create_task(log.one("bob")) for _ in range(3)]
            group.create_task(log.one("eve"))
            await asyncio.sleep(0)
            assert (turns.running, turns.waiting, turns.people) == (1, 4, 3)
            for task in leaving:
                task.cancel()
            await asyncio.sleep(0)
            assert (turns.running, turns.waiting, turns.people) == (1, 1, 2)
        assert log.began == ["ada", "eve"]
        assert (turns.running, turns.waiting, turns.people) == (0, 0, 0)

    virtual_time.run(main)


def test_a_turn_given_to_someone_who_goes_in_the_same_instant_goes_to_the_next() -> None:
    async def main(clock: Clock) -> None:
        turns = Turns(1, clock=clock)
        log = Log(turns)
        async with asyncio.TaskGroup() as group:
            async with turns.turn("ada"):
                bob = group.create_task(log.one("bob"))
                group.create_task(log.one("eve"))
                await asyncio.sleep(0)
            bob.cancel()  # called when ada ended, and not awake yet
        assert log.began == ["eve"]
        assert turns.running == 0

    virtual_time.run(main)


def test_a_turn_ends_when_what_was_done_in_it_fails() -> None:
    async def main(clock: Clock) -> None:
        turns = Turns(1, clock=clock)
        with pytest.raises(ZeroDivisionError):
            async with turns.turn("ada"):
                raise ZeroDivisionError
        assert turns.running == 0

    virtual_time.run(main)


def test_what_waits_in_memory_is_bounded_for_one_and_for_all() -> None:
    async def main(clock: Clock) -> None:
        turns = Turns(1, waiting=5, waiting_each=3, clock=clock)
        log = Log(turns)
        async with asyncio.TaskGroup() as group:
            for person in ["ada"] * 4 + ["bob"] * 2:
                group.create_task(log.one(person))
            await asyncio.sleep(0)
            for person in ("ada", "eve"):
                with pytest.raises(Busy):
                    await log.one(person)
        assert len(log.began) == 6

    virtual_time.run(main)


def test_how_long_it_takes_is_learned_from_how_long_it_took() -> None:
    async def main(clock: Clock) -> None:
        turns = Turns(2, each=2, typical=8.0, clock=clock)
        assert turns.expected_wait("ada") == 0.0
        log = Log(turns, seconds=20.0)
        async with asyncio.TaskGroup() as group:
            for _ in range(20):
                group.create_task(log.one("ada"))
            await asyncio.sleep(1.0)
            assert turns.expected_wait("bob") == 8.0  # ada's next, then bob's own: two turns of 8 s, two at once
            await asyncio.sleep(140.0)
            assert turns.expected_wait("bob") == pytest.approx(20.0, rel=0.15)
            assert turns.expected_wait("ada") > turns.expected_wait("bob")
            assert turns.expected_wait("bob", Urgency.DIGEST) > turns.expected_wait("bob")

    virtual_time.run(main)


def test_so_many_are_admitted_as_can_be_answered_soon_and_the_rest_hears_how_long_it_takes() -> None:
    async def main(clock: Clock) -> None:
        turns = Turns(2, typical=10.0, clock=clock)
        turns.admit("ada")
        log = Log(turns, seconds=10.0)
        async with asyncio.TaskGroup() as group:
            for person in ("bob", "cyd"):
                group.create_task(log.one(person))
            await asyncio.sleep(0)
            turns.admit("ada", backlog=5)  # six may wait: 2 at once, 30 s of patience, 10 s a turn
            with pytest.raises(Busy, match=r"^I am busy right now\. Please ask me again in about 1 minute\.$"):
                turns.admit("ada", backlog=6)
            with pytest.raises(Busy, match=r"in about 9 minutes\.$") as busy:
                turns.admit("ada", backlog=99)
            assert busy.value.minutes == 9

    virtual_time.run(main)


def test_one_person_may_not_take_all_the_room_there_is() -> None:
    async def main(clock: Clock) -> None:
        turns = Turns(2, typical=10.0, clock=clock)
        log = Log(turns, seconds=10.0)

        def asks(group: asyncio.TaskGroup, person: str) -> bool:
            try:
                turns.admit(person)
            except Busy:
                return False
            group.create_task(log.one(person))
            return True

        async with asyncio.TaskGroup() as group:
            admitted = []
            for person in ["ada"] * 20 + ["bob"] * 20 + ["cyd"] * 20:
                if asks(group, person):
                    admitted.append(person)
                await asyncio.sleep(0)
            assert Counter(admitted) == {"ada": 4, "bob": 3, "cyd": 1}
            with pytest.raises(Busy):
                turns.admit("ada", backlog=2, own=2)

    virtual_time.run(main)


def test_when_answers_are_slow_one_may_wait_all_the_same() -> None:
    async def main(clock: Clock) -> None:
        turns = Turns(1, typical=90.0, clock=clock)
        async with turns.turn("ada"):
            turns.admit("bob")
            with pytest.raises(Busy):
                turns.admit("bob", backlog=1)

    virtual_time.run(main)


Step = tuple[str, int]
STEPS = st.lists(st.tuples(st.sampled_from(["ask", "ask", "end", "leave"]), st.integers(0, 4)), max_size=60)


@settings(deadline=None, max_examples=200)
@given(steps=STEPS, at_once=st.integers(1, 3))
def test_nobody_waits_for_more_than_one_turn_of_each_other_person(steps: list[Step], at_once: int) -> None:
    """Between asking, or one's last turn, and one's next turn everyone else begins at most one."""

    async def main(clock: Clock) -> None:
        turns = Turns(at_once, each=at_once, clock=clock)
        begun_meanwhile: dict[int, Counter[str]] = {}
        waiting: dict[str, list[int]] = defaultdict(list)
        having: list[tuple[asyncio.Event, str]] = []

        async def one(n: int, person: str) -> None:
            waiting[person].append(n)
            begun_meanwhile[n] = Counter()
            try:
                async with turns.turn(person):
                    began(n, person)
                    having.append((ended := asyncio.Event(), person))
                    await ended.wait()
            except asyncio.CancelledError:
                waiting[person].remove(n)

        def began(n: int, person: str) -> None:
            assert waiting[person].pop(0) == n  # one's own in the order they were asked
            assert all(times <= 1 for other, times in begun_meanwhile[n].items() if other != person)
            for theirs in waiting[person]:
                begun_meanwhile[theirs].clear()
            for others in waiting.values():
                for theirs in others:
                    begun_meanwhile[theirs][person] += 1

        tasks: dict[int, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as group:
            for n, (step, which) in enumerate(steps):
                if step == "ask":
                    tasks[n] = group.create_task(one(n, f"person {which}"))
                elif step == "end" and having:
                    having.pop(which % len(having))[0].set()
                elif step == "leave" and (all_waiting := [n for ns in waiting.values() for n in ns]):
                    tasks[all_waiting[which % len(all_waiting)]].cancel()
                await asyncio.sleep(0.001)  # everything that follows has happened then
                assert turns.running <= at_once
                assert turns.running == at_once or not turns.waiting
            while having:
                having.pop()[0].set()
                await asyncio.sleep(0.001)
        assert (turns.running, turns.waiting, turns.people) == (0, 0, 0)

    virtual_time.run(main)


# --- overload


@dataclass
class Load:
    """People who ask at random moments and go away when they are refused."""

    turns: Turns
    clock: Clock
    chance: random.Random
    mean: float
    waits: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    refusals: list[float] = field(default_factory=list)

    async def ask(self, person: str) -> None:
        asked = self.clock()
        try:
            self.turns.admit(person)
            async with self.turns.turn(person):
                self.waits.append(self.clock() - asked)
                await asyncio.sleep(self.chance.expovariate(1 / self.mean))
            self.whole.append(self.clock() - asked)
        except Busy:
            self.refusals.append(self.clock() - asked)

    async def run(self, group: asyncio.TaskGroup, person: Callable[[], str], each: float, seconds: float) -> None:
        """Let a question be asked every `each` seconds on average."""
        end = self.clock() + seconds
        while self.clock() < end:
            group.create_task(self.ask(person()))
            await asyncio.sleep(self.chance.expovariate(1 / each))


def percentile(of: list[float], percent: int) -> float:
    return sorted(of)[len(of) * percent // 100]


@pytest.mark.parametrize("at_once", [1, 4, 20])
def test_three_times_too_much_to_do_leaves_the_twin_fully_at_work_and_refusals_immediate(at_once: int) -> None:
    seconds, mean = 3_600.0, 8.0

    async def main(clock: Clock) -> Load:
        load = Load(Turns(at_once, clock=clock), clock, random.Random(7), mean)  # noqa: S311 - the same each time
        async with asyncio.TaskGroup() as group:
            await load.run(group, lambda: f"person {load.chance.randrange(50)}", mean / at_once / 3, seconds)
        return load

    load = virtual_time.run(main)
    in_time = sum(wait <= 2 * PATIENCE for wait in load.waits)
    assert in_time >= 0.9 * seconds / mean * at_once
    assert len(load.refusals) > 1.5 * len(load.waits)
    assert max(load.refusals) == 0.0
    assert percentile(load.waits, 50) < PATIENCE
    assert percentile(load.waits, 95) < 2 * PATIENCE


def test_one_who_asks_without_end_hardly_delays_the_others() -> None:
    async def others_beside(clock: Clock, abusers: int) -> Load:
        turns = Turns(8, clock=clock)
        others, abuser = (Load(turns, clock, random.Random(seed), 8.0) for seed in (1, 2))  # noqa: S311 - the same each time
        async with asyncio.TaskGroup() as group:
            for _ in range(abusers):
                group.create_task(abuser.run(group, lambda: "mallory", 0.2, 7_200))
            await others.run(group, lambda: f"person {others.chance.randrange(30)}", 4.0, 7_200)
        return others

    alone = virtual_time.run(partial(others_beside, abusers=0))
    beside = virtual_time.run(partial(others_beside, abusers=1))
    assert not beside.refusals
    assert percentile(beside.whole, 95) < 1.2 * percentile(alone.whole, 95)


# --- rates


class Hands:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_who_asks_too_fast_is_told_when_to_go_on() -> None:
    clock = Hands()
    rates = Rates(clock=clock)
    for _ in range(5):
        rates.take(What.QUESTION, "ada")
    for _ in range(3):  # to be refused costs nothing
        with pytest.raises(TooFast, match=r"^That was a lot of questions at once\. Ask me again in 6 seconds\.$") as refused:
            rates.take(What.QUESTION, "ada")
    rates.take(What.QUESTION, "bob")
    clock.now += refused.value.seconds
    rates.take(What.QUESTION, "ada")


def test_a_long_wait_is_said_in_minutes() -> None:
    rates = Rates(clock=Hands())
    rates.take(What.FILE, "ada", 30)
    with pytest.raises(TooFast, match=r"You can teach me more in 2 minutes\.$"):
        rates.take(What.FILE, "ada")


def test_what_is_refused_in_one_way_counts_in_none() -> None:
    clock = Hands()
    slow = Rate(1, 60.0, 1, "Slow down.", "Ask me again")
    rates = Rates({What.QUESTION: slow, What.PLACE: slow}, clock=clock)
    rates.take(What.PLACE, "slack:T1:C9")
    for _ in range(2):
        with pytest.raises(TooFast):
            rates.take_all({What.QUESTION: "ada", What.PLACE: "slack:T1:C9"})
    rates.take_all({What.QUESTION: "ada", What.PLACE: "slack:T1:C1"})


def test_more_at_once_than_is_ever_there_is_paid_for_afterwards() -> None:
    clock = Hands()
    rates = Rates({What.FILE: Rate(1, 1.0, 10, "Slow down.", "Go on")}, clock=clock)
    rates.take(What.FILE, "ada", 100)
    with pytest.raises(TooFast) as refused:
        rates.take(What.FILE, "ada")
    assert refused.value.seconds == pytest.approx(91.0)


def test_who_was_not_here_for_long_is_not_remembered() -> None:
    clock = Hands()
    rates = Rates(clock=clock)
    for n in range(500):
        rates.take(What.QUESTION, f"person {n}")
    assert rates.keys == 500
    clock.now += 60
    rates.take(What.QUESTION, "ada")
    assert rates.keys == 1


def test_memory_is_bounded_however_many_come() -> None:
    rates = Rates(clock=Hands())
    for n in range(10_100):
        rates.take(What.QUESTION, f"person {n}")
    assert rates.keys == 10_000


@given(st.lists(st.floats(0, 20), max_size=60), st.integers(1, 6), st.integers(1, 6))
def test_never_more_than_the_burst_and_what_came_in_since(pauses: list[float], burst: int, times: int) -> None:
    clock = Hands()
    rates = Rates({What.QUESTION: Rate(times, 10.0, burst, "Slow down.", "Ask me again")}, clock=clock)
    taken: list[float] = []
    for pause in pauses:
        clock.now += pause
        try:
            rates.take(What.QUESTION, "ada")
        except TooFast:
            continue
        taken.append(clock.now)
    for first in range(len(taken)):
        for last in range(first, len(taken)):
            assert last - first + 1 <= burst + (taken[last] - taken[first]) * times / 10.0 + 1e-6


# --- budgets


@dataclass(frozen=True)
class Sum:
    tokens: int = 0
    cost: float = 0.0


@dataclass(frozen=True)
class Today:
    own: Sum
    total: Sum
    until: datetime = datetime(2026, 11, 21, tzinfo=UTC)


@dataclass
class Used:
    """What was used today, as it is told; `asked` counts who wants to know."""

    own: Sum = Sum()
    total: Sum = Sum()
    asked: int = 0

    def today(self, person: str) -> Awaitable[Today]:
        self.asked += 1

        async def told() -> Today:
            return Today(self.own, self.total)

        return told()


@pytest.mark.parametrize(
    ("own", "total", "refusal"),
    [
        (Sum(999, 0.99), Sum(9_999, 9.99), None),
        (Sum(1_000), Sum(1_000), r"^Your budget for language models is used up for today\. It begins anew at 00:00 UTC\.$"),
        (Sum(0, 1.0), Sum(0, 1.0), "^Your budget"),
        (Sum(), Sum(10_000), "^The budget"),
        (Sum(), Sum(0, 10.0), "^The budget"),
    ],
)
async def test_what_is_used_up_is_said_and_until_when(own: Sum, total: Sum, refusal: str | None) -> None:
    budget = Budget(Used(own, total), each=Allowance(1_000, 1.0), total=Allowance(10_000, 10.0))
    if refusal is None:
        return await budget.check("ada")
    with pytest.raises(BudgetSpent, match=refusal) as spent:
        await budget.check("ada")
    assert spent.value.until == datetime(2026, 11, 21, tzinfo=UTC)
    return None


async def test_without_a_budget_nothing_is_looked_up() -> None:
    used = Used(Sum(10**9, 10**9), Sum(10**9, 10**9))
    await Budget(used).check("ada")
    assert used.asked == 0


# --- bots


def test_bots_are_not_answered_unless_their_place_was_named() -> None:
    guard = LoopGuard(frozenset({"slack:T1:C9"}))
    assert guard.allows("slack:T1:C1", None, from_bot=False)
    assert not guard.allows("slack:T1:C1", None, from_bot=True)
    assert guard.allows("slack:T1:C9", None, from_bot=True)


def test_bots_that_answer_each_other_come_to_an_end_until_a_human_speaks() -> None:
    guard = LoopGuard(frozenset({"C9"}), in_thread=3)
    assert [guard.allows("C9", "t1", from_bot=True) for _ in range(5)] == [True] * 3 + [False] * 2
    assert guard.allows("C9", "t2", from_bot=True)
    assert guard.allows("C9", "t1", from_bot=False)
    assert [guard.allows("C9", "t1", from_bot=True) for _ in range(4)] == [True] * 3 + [False]


def test_a_bot_that_begins_a_new_thread_each_time_comes_to_an_end_as_well() -> None:
    guard = LoopGuard(frozenset({"C9"}), in_place=10)
    assert sum(guard.allows("C9", f"t{n}", from_bot=True) for n in range(100)) == 10


def test_the_twin_never_answers_itself_whatever_the_platform_says() -> None:
    guard = LoopGuard(frozenset({"C9"}))
    guard.know("slack:T1:UTWIN")
    assert not guard.allows("C9", None, from_bot=False, account="slack:T1:UTWIN")
    assert not guard.allows("C9", None, from_bot=True, account="slack:T1:UTWIN")
    assert guard.allows("C9", None, from_bot=False, account="slack:T1:UADA")


# --- lengths


def test_what_is_not_too_long_is_taken_without_the_space_around_it() -> None:
    assert limits.bounded(f"  {'x' * 4_000}\n", limits.QUESTION) == "x" * 4_000
    assert limits.counted(20, limits.ATTACHMENTS) == 20


def test_what_is_too_long_is_refused_with_how_long_it_may_be() -> None:
    with pytest.raises(TooLong, match=r"^That question has 4,001 characters; please keep it within 4,000\.$"):
        limits.bounded("x" * 4_001, limits.QUESTION)
    with pytest.raises(TooLong, match=r"^21 files in a message are too many; please keep to 20\.$"):
        limits.counted(21, limits.ATTACHMENTS)
