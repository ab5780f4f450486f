"""What is cited stands where it is said to, and weak evidence is no answer."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bot.answering.grounding import ENOUGH, checked, confidence, unknown
from bot.answering.quoting.evidence import FEATURES
from bot.chat import Answer, Source
from knowledge import Found
from tests.bot.answering.passages import passage

TEXT = "Leave is 25 days. Ask Anna Berg."
FOUND = [Found(passage(TEXT), 0.9, 0.8, 7.0)]


def source(n: int, quote: str, document_id: str = "Handbook") -> Source:
    return Source(n, document_id, "Handbook", 1, None, quote, "", 0.9)


def answer(*sources: Source) -> Answer:
    text = " ".join(f"Said [{source.n}]." for source in sources)
    return Answer(text, sources, False, "any", "model")


def sure(
    score: float = 0.0,
    cosine: float = 0.0,
    coverage: float = 0.0,
    passages: int = 8,
    hits: Sequence[Found] = FOUND,
    pairs: float = 0.0,
) -> float:
    values = {"cosine": cosine, "passage coverage": coverage, "pairs": pairs}
    row = [values.get(name, 0.0) for name in FEATURES]
    return confidence(np.array([row], np.float32), np.array([score], np.float32), [*hits] * passages)


def test_exact_quotes_are_kept() -> None:
    given = answer(source(1, "Leave is 25 days."), source(2, "Ask Anna Berg."))
    assert checked(given, FOUND) == given


def test_a_quote_that_does_not_stand_in_its_document_is_not_shown() -> None:
    given = answer(source(1, "Leave is 25 days."), source(2, "Leave is 30 days."), source(3, "Ask Anna Berg.", "Elsewhere"))
    kept = checked(given, FOUND)
    assert [source.n for source in kept.sources] == [1]
    assert kept.text == "Said [1]. Said. Said."


def test_without_any_true_citation_nothing_is_known() -> None:
    kept = checked(answer(source(1, "Leave is 30 days.")), FOUND)
    assert kept.abstained
    assert kept.provider == "any"


def test_an_abstention_is_left_alone() -> None:
    given = unknown(FOUND, provider="any", model="model")
    assert checked(given, FOUND) is given


def test_the_nearest_documents_are_named_once_each_with_their_headings_and_not_quoted() -> None:
    places = [("A", "Leave › Sick"), ("B", "Prices › rows 65–96"), ("A", "Travel"), ("C", None)]
    hits = [Found(passage("secret", title=title, heading=heading), 0.3, 0.3, 0.3) for title, heading in places]
    text = unknown(hits, provider="any", model="model").text
    assert text.endswith("The nearest I have is **A** (“Sick” and “Travel”) and **B**.")
    assert "secret" not in text


def test_nothing_is_named_when_nothing_is_near() -> None:
    text = unknown([Found(passage("secret"), 0.05, 0.2, 1.0)], provider="any", model="model").text
    assert text == "I don't know: nothing I have been taught answers that."


def test_a_passage_that_resembles_the_question_is_near_however_improbable() -> None:
    assert "**Handbook**" in unknown([Found(passage("secret"), 0.05, 0.4, 1.0)], provider="any", model="model").text


def test_a_mark_that_stands_apart_goes_with_its_citation() -> None:
    text = "> Leave is 25 days. — **[1]**\n> Leave is 30 days. [2]"
    given = Answer(text, (source(1, "Leave is 30 days."), source(2, "Leave is 25 days.")), False, "any", "model")
    assert checked(given, FOUND).text == "> Leave is 25 days.\n> Leave is 30 days. [2]"


def test_words_met_by_chance_in_improbable_passages_are_no_evidence() -> None:
    weak = [replace(FOUND[0], score=0.1)]
    assert sure(score=20, cosine=0.4, coverage=1, hits=weak) == 0
    assert sure(score=20, cosine=0.8, coverage=1, hits=weak) > ENOUGH
    assert sure(score=20, cosine=0.4, coverage=1, passages=3, hits=weak) > ENOUGH  # of so few, the words have to carry


def test_a_phrase_of_the_question_is_no_chance_however_improbable_the_passage() -> None:
    weak = [replace(FOUND[0], score=0.03)]
    assert sure(score=20, cosine=0.5, coverage=0.8, hits=weak, pairs=0.75) > ENOUGH


def test_more_evidence_never_makes_less_confident() -> None:
    assert sure() < ENOUGH < sure(score=20, cosine=0.8, coverage=1)
    assert sure() < sure(score=10) < sure(score=10, cosine=0.5) < sure(score=10, cosine=0.5, coverage=0.5)


def test_the_best_of_few_passages_is_less_likely_to_be_good_by_chance() -> None:
    assert sure(score=10, passages=2) > sure(score=10, passages=8) == sure(score=10, passages=20)


def test_no_evidence_gives_no_confidence() -> None:
    assert confidence(np.zeros((0, len(FEATURES)), np.float32), np.zeros(0, np.float32), []) == 0.0
