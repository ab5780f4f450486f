"""When a failing model is left alone, and when it is tried again."""

from bot.llm.breaker import Breaker
from tests.bot.llm.scripted import Clock


def failed(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        assert breaker.admits()
        breaker.failed()


def test_five_failures_in_a_row_within_half_a_minute_open_it() -> None:
    breaker = Breaker(Clock())
    failed(breaker, 4)
    assert not breaker.open
    failed(breaker, 1)
    assert breaker.open
    assert not breaker.admits()


def test_failures_far_apart_do_not() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    for _ in range(20):
        failed(breaker, 1)
        clock.now += 8
    assert not breaker.open


def test_a_success_between_them_begins_the_count_anew() -> None:
    breaker = Breaker(Clock())
    failed(breaker, 4)
    breaker.worked()
    failed(breaker, 4)
    assert not breaker.open


def test_after_a_rest_one_probe_at_a_time_is_let_through() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    failed(breaker, 5)
    clock.now += 30
    assert breaker.admits()
    assert not breaker.admits()
    breaker.failed()
    assert not breaker.admits()
    clock.now += 30
    assert breaker.admits()
    breaker.left()
    assert breaker.admits()
    breaker.worked()
    assert breaker.admits()
    assert breaker.admits()


def test_failures_of_those_who_were_let_in_before_do_not_prolong_the_rest() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    failed(breaker, 5)
    clock.now += 20
    breaker.failed()
    clock.now += 10
    assert breaker.admits()


def test_the_longest_time_that_the_server_asks_for_holds() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    breaker.failed(10)
    breaker.failed(2)
    assert breaker.held_until == clock.now + 10
