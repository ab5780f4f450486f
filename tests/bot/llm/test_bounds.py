"""What counts as saying the same over and over, and as nothing."""

from hypothesis import given
from hypothesis import strategies as st

from bot.llm.bounds import Bounds, blank, repeats


@given(st.text(min_size=1, max_size=400), st.text(max_size=200))
def test_what_is_said_eight_times_and_long_enough_repeats(said: str, before: str) -> None:
    assert repeats(before + said * max(9, 1_200 // len(said)))


def test_what_has_its_reasons_to_be_alike_does_not() -> None:
    assert not repeats("\n".join(f"| {n} | a row of a table | yes |" for n in range(200)))
    assert not repeats("The refrain of a song, sung again. " * 7)
    assert not repeats("Heading\n" + "=" * 200)
    assert not repeats("")


@given(st.lists(st.text(max_size=30), max_size=60), st.integers(1, 300))
def test_what_is_kept_is_the_beginning(pieces: list[str], most: int) -> None:
    bounds = Bounds(most)
    kept = "".join(bounds.within(piece) for piece in pieces)
    assert kept == "".join(pieces)[:most]
    assert bounds.reached or len(kept) < most


def test_what_cannot_be_seen_is_blank() -> None:
    assert blank(" \n\t\x00\u200b\ufeff\u202e")
    assert not blank("\u200b.")
    assert not blank("🦊")
