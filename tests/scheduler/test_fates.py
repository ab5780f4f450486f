"""What becomes of a job follows from what happened to it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.errors import GiveUp, JobError, Later
from scheduler.fates import (
    ALONE,
    CRASHED,
    LONGEST_PAUSE,
    REPORTS,
    Fate,
    State,
    Taken,
    backoff,
    crashed,
    failed,
    interrupted,
    succeeded,
)

NOW = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
JOB = Taken("learn/1", "learn", "1", "learn", None, failures=0, crashes=0, not_before=NOW - timedelta(minutes=1))
REPORT = replace(JOB, lane=REPORTS, reason="The disk is full.")


def again(fate: Fate, job: Taken = JOB) -> Taken:
    """Take a job again."""
    assert fate.state is State.WAITING
    return replace(
        job,
        lane=fate.lane,
        reason=fate.reason,
        failures=fate.failures,
        crashes=fate.crashes,
        not_before=fate.not_before,
    )


def fail(job: Taken, error: Exception, attempts: int = 4) -> Fate:
    return failed(job, error, attempts=attempts, pause=1.0, now=NOW)


def test_a_job_ends_done_and_one_that_is_given_up_ends_told() -> None:
    assert (succeeded(JOB, NOW).state, succeeded(JOB, NOW).finished_at) == (State.DONE, NOW)
    assert (succeeded(REPORT, NOW).state, succeeded(REPORT, NOW).reason) == (State.GIVEN_UP, "The disk is full.")


def test_the_last_attempt_makes_it_a_report_with_attempts_of_its_own() -> None:
    job = JOB
    for failures in (1, 2, 3):
        job = again(fail(job, JobError("not today")))
        assert (job.failures, job.reason, job.lane) == (failures, None, "learn")
    report = again(fail(job, JobError("not today")))
    assert (report.lane, report.reason, report.failures, report.not_before) == (REPORTS, "not today", 0, NOW)
    for _ in range(3):
        report = again(fail(report, OSError()))
    assert (fail(report, OSError()).state, fail(report, OSError()).finished_at) == (State.GIVEN_UP, NOW)


@pytest.mark.parametrize(
    ("error", "reason"), [(GiveUp("It is empty."), "It is empty."), (ValueError("a secret"), "It failed with ValueError.")]
)
def test_only_the_words_of_our_own_errors_are_shown(error: Exception, reason: str) -> None:
    assert fail(JOB, error, attempts=1).reason == reason


@given(st.floats(0, 1e6))
def test_waiting_for_something_that_is_away_costs_nothing_and_ends(seconds: float) -> None:
    fate = fail(replace(JOB, failures=3), Later(seconds))
    assert (fate.state, fate.failures) == (State.WAITING, 3)
    assert NOW <= fate.not_before <= NOW + timedelta(seconds=LONGEST_PAUSE)


def test_an_interruption_leaves_a_job_as_it_was() -> None:
    job = replace(JOB, failures=2, crashes=3, lane=ALONE)
    assert again(interrupted(job), job) == job


def test_who_is_there_at_two_crashes_runs_alone_and_who_is_there_at_four_is_given_up() -> None:
    job, lanes = JOB, []
    for _ in range(3):
        job = again(crashed(job, NOW))
        lanes.append(job.lane)
    assert lanes == ["learn", ALONE, ALONE]
    report = again(crashed(job, NOW))
    assert (report.lane, report.reason, report.crashes) == (REPORTS, CRASHED, 0)
    for _ in range(3):
        report = again(crashed(report, NOW))
        assert report.reason == CRASHED
    assert crashed(report, NOW).state is State.GIVEN_UP


@given(st.integers(1, 2000), st.floats(0.001, 10))
def test_pauses_double_with_a_random_half_and_have_an_end(failures: int, first: float) -> None:
    whole = min(LONGEST_PAUSE, first * 2.0 ** min(failures - 1, 100))
    assert whole / 2 <= backoff(failures, first) <= whole
