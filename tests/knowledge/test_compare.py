"""What a new document may replace, told by its name, and which sentences of it are compared."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.compare import nearly_the_same, one_of_a_series, spread
from knowledge.documents import Document, State


def named(name: str, title: str = "") -> Document:
    return Document(
        name, name, title or name, "pdf", State.READY, 1, ("local",), (), 9, "0" * 64, datetime(2026, 5, 3, tzinfo=UTC), ""
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("handbook", "Handbook"),
        ("travel_policy", "Travel Policy"),
        ("travel-policy (1)", "travel policy"),
        ("policy v1", "policy_v2_final"),
        ("Plan 2024", "plan-2024"),
    ],
)
def test_names_are_nearly_the_same_however_they_are_written_and_copied(one: str, other: str) -> None:
    assert nearly_the_same(one, other)


@pytest.mark.parametrize(
    ("one", "other"), [("handbook", "yearbook"), ("plan 2024", "plan 2025"), ("minutes 1", "minutes 2"), ("final", "(1)")]
)
def test_names_that_say_something_else_are_not(one: str, other: str) -> None:
    assert not nearly_the_same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (named("report-2023.pdf"), named("report-2024.pdf")),
        (named("Minutes 3 May.docx"), named("Minutes 10 June.docx")),
        (named("sales_q1.pdf"), named("sales_q2.pdf")),
        (named("a.pdf", "Report of January"), named("b.pdf", "Report of March")),
    ],
)
def test_reports_of_several_times_are_a_series(one: Document, other: Document) -> None:
    assert one_of_a_series(one, other)
    assert one_of_a_series(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (named("handbook.pdf"), named("handbook.pdf")),
        (named("policy.pdf"), named("policy-2024.pdf")),
        (named("policy v1.pdf"), named("policy v2.pdf")),
        (named("report-2023.pdf"), named("plan-2024.pdf")),
    ],
)
def test_what_may_replace_something_is_no_series(one: Document, other: Document) -> None:
    assert not one_of_a_series(one, other)


@settings(max_examples=50)
@given(st.integers(0, 200), st.integers(1, 50))
def test_sentences_are_taken_from_all_over_a_document(there: int, most: int) -> None:
    sentences = [str(n) for n in range(there)]
    taken = spread(sentences, most)
    assert len(taken) == min(there, most)
    assert taken == sorted(set(taken), key=int)
    assert taken[:1] == sentences[:1]
    if len(taken) > 1:
        assert int(taken[-1]) >= there - there / len(taken) - 1
