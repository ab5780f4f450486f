"""Words divided at the end of a line are made whole; hyphens that belong to a word stay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.extract.hyphens import HYPHEN, Words


@pytest.mark.parametrize(
    ("lines", "elsewhere", "joined"),
    [
        (["check every quota-", "tion"], "", "check every quotation"),
        (["Alterna\ufffe", "tively"], "", "Alternatively"),
        (["alter\ufffenatively"], "", "alternatively"),
        (["for-", "mation"], "for all", "formation"),
        (["Trace-", "Monkey"], "TraceMonkey runs", "TraceMonkey"),
        (["trace-compi-", "lation"], "compilation", "trace-compilation"),
        (["bitops-bitwise-", "and"], "", "bitops-bitwise-and"),
        (["math-", "spectral-norm"], "math-spectral-norm", "math-spectral-norm"),
        (["floating-", "point"], "a floating balloon has a point", "floating-point"),
        (["floating-", "point"], "floating-point and floatingpoint and floating-point", "floating-point"),
        (["an e-", "mail"], "", "an e-mail"),
        (["SHA-", "256"], "", "SHA-256"),
        (["1990-", "2000"], "", "1990-2000"),
        (["Smith-", "Jones"], "", "Smith-Jones"),
        (["an aside -", "so to say"], "", "an aside - so to say"),
    ],
)
def test_the_rest_of_the_document_decides(lines: list[str], elsewhere: str, joined: str) -> None:
    assert Words([*lines, elsewhere]).join(lines) == joined


@given(st.lists(st.text("ab- \ufffe\xad1", max_size=12), max_size=6))
def test_joining_loses_no_letter_and_leaves_no_mark(lines: list[str]) -> None:
    joined = Words(lines).join(lines)
    assert HYPHEN not in joined
    assert [c for c in joined if c.isalnum()] == [c for line in lines for c in line if c.isalnum()]
