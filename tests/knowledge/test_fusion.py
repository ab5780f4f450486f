"""How rankings are put together: the formulas, and what must hold whatever the scores are."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from knowledge import fusion
from knowledge.calibration import probability
from knowledge.duplicates import distinct
from knowledge.index.base import Vectors

SCORES = st.lists(st.floats(-50, 50, allow_nan=False).map(lambda score: round(score, 3)), min_size=1, max_size=150).map(
    np.array
)
SHARE = st.floats(0, 1)


@example(np.array([43.312, 43.312, 43.312]))
@given(SCORES)
def test_standardising_keeps_the_order(scores: fusion.Scores) -> None:
    standard = _standardised(scores)
    if np.ptp(scores[np.argsort(-scores)][: fusion.REFERENCE]) > 0:
        order = np.argsort(scores, kind="stable")
        assert (np.diff(standard[order]) >= 0).all()
    else:
        assert not standard.any()


@given(SCORES, st.floats(0.01, 100), st.floats(-100, 100))
def test_standardising_does_not_care_about_unit_and_zero(scores: fusion.Scores, unit: float, zero: float) -> None:
    if np.ptp(scores) in (0.0,) or np.ptp(np.sort(scores)[::-1][: fusion.REFERENCE]) == 0:
        return
    assert _standardised(scores) == pytest.approx(_standardised(scores * unit + zero), abs=1e-5)


@given(SCORES, SHARE)
def test_arms_that_agree_are_not_changed_by_fusing_them(scores: fusion.Scores, share: float) -> None:
    assert fusion.fused(scores, scores, np.full(len(scores), share)) == pytest.approx(scores)


def _standardised(scores: fusion.Scores) -> fusion.Scores:
    return fusion.Scale.of(scores).standardised(scores)


def _unit(*rows: Sequence[float]) -> Vectors:
    matrix = np.array(rows, np.float64)
    return np.asarray(matrix / np.linalg.norm(matrix, axis=1, keepdims=True), np.float32)


def test_a_question_moved_towards_the_best_passage_favours_what_is_like_it() -> None:
    question, *vectors = _unit([1, 0, 0.1], [1, 0.4, 0], [1, 0.6, 0.6], [1, -0.6, 0.6])
    best, like, unlike = fusion.moved(question, np.array(vectors))
    assert question @ vectors[1] == pytest.approx(question @ vectors[2])
    assert best > like > unlike


@given(st.integers(2, 20), st.integers(0, 1000))
def test_moving_the_question_keeps_mean_and_spread_of_the_cosines(size: int, seed: int) -> None:
    question, *vectors = _unit(*np.random.default_rng(seed).normal(size=(size + 1, 5)))
    cosines = np.array(vectors) @ question
    moved = fusion.moved(question, np.array(vectors))
    assert moved.mean() == pytest.approx(cosines.mean(), abs=1e-5)
    assert moved.std() == pytest.approx(cosines.std(), abs=1e-5)


def test_a_passage_gains_from_those_beside_it_and_nobody_loses() -> None:
    scores = np.array([3.0, 1.0, 1.0, 0.0])
    beside = np.zeros((4, 4), np.bool_)
    beside[0, 1] = beside[1, 0] = True
    assert fusion.supported(scores, beside, np.full(4, 0.5)).tolist() == [3.5, 2.5, 1.0, 0.0]


@given(st.integers(1, 12), st.integers(0, 1000))
def test_smoothing_makes_nothing_better_than_the_best_and_does_not_depend_on_order(size: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    vectors = draw.normal(size=(size, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    scores = draw.random(size)
    smooth = fusion.smoothed(scores, vectors)
    order = draw.permutation(size)
    assert fusion.smoothed(scores[order], vectors[order]) == pytest.approx(smooth[order], abs=1e-6)
    assert (smooth >= 0).all()
    assert smooth.max() <= scores.max() + 1e-9


def test_of_two_equal_scores_the_one_that_resembles_the_best_comes_first() -> None:
    vectors = np.array([[1, 0, 0], [0.99, 0.14, 0], [0, 0, 1]], np.float32)
    best, like, unlike = fusion.smoothed(np.array([2.0, 1.0, 1.0]), vectors)
    assert best > like > unlike


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(-10, 10), st.floats(0, 5), st.floats(0, 5))
def test_a_score_is_a_probability_that_rises_with_every_signal(
    dense: float, nearer: float, standing: float, higher: float, behind: float
) -> None:
    best = standing + higher + behind
    less, more = probability(dense, standing, best), probability(dense + nearer, standing + higher, best)
    assert 0 < less <= more < 1
    assert probability(dense, standing, best) <= probability(dense, standing, best - behind)


LONG = "The council decided in its spring session that the old harbour office moves to the market square before the end of 2024"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (LONG, True),
        (LONG.upper(), True),
        (f"{LONG}.", True),
        (LONG.replace("spring", "summer"), True),
        (LONG.replace("2024", "2025"), False),
        (LONG.replace("decided in", "never decided in"), False),
        (LONG + " and that the new library opens on the same day if money allows", False),
        ("Thanks!", False),
    ],
)
def test_only_what_says_the_same_is_folded(text: str, said: bool) -> None:
    assert distinct(["Thanks!", LONG, text], 9) == ([0, 1] if said else [0, 1, 2])
