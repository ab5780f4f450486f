"""Cheap signals tell whether what was found has to do with the question at all."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answering.support import ENOUGH, SIGNALS, SURE, signals, support
from knowledge import Found, Results
from tests.bot.answering.passages import passage

LEAVE = "Full-time employees are entitled to 25 days of paid leave per year. They expire after 31 March."
TRAVEL = "Business trips above 500 EUR are approved by the head of the department, Anna Berg."
PORTAL = "To order a new laptop, open the portal, pick a model, and collect it at the desk."
QUESTION = "How many days of paid leave do full-time employees get?"

cosines = st.floats(-0.2, 1.0)


def results(*texts: str, dense: float = 0.4, title: str = "Handbook") -> Results:
    return Results(tuple(Found(passage(text, n=n, title=title), 0.5, dense, 5.0) for n, text in enumerate(texts)), dense, 5.0)


def eight(first: str, *, dense: float = 0.4) -> Results:
    return results(first, *[f"The {n}th floor is open to all of us, and it is for the team." for n in range(7)], dense=dense)


def signal(name: str, question: str, found: Results) -> float:
    return signals(question, found)[SIGNALS.index(name)]


def test_nothing_found_supports_nothing() -> None:
    assert support(QUESTION, Results()) == 0.0


def test_words_and_cosine_that_agree_are_sure() -> None:
    assert support(QUESTION, eight(LEAVE, dense=0.7)) > 0.95


def test_a_question_of_another_field_is_not_enough() -> None:
    assert support("Which dinosaurs lived in the forests of Patagonia?", eight(LEAVE, dense=0.1)) < ENOUGH
    assert support("Which dinosaurs lived in Patagonia?", results(LEAVE, dense=0.0)) < ENOUGH  # though no word is shared


def test_a_question_in_other_words_is_enough_when_the_cosine_is_high() -> None:
    assert support("How much holiday is everybody given?", eight(LEAVE, dense=0.5)) > ENOUGH


def test_a_question_in_the_very_words_is_enough_when_the_cosine_is_low() -> None:
    assert support("Is paid leave 25 days per year?", eight(LEAVE, dense=0.3)) > ENOUGH


@given(cosines, cosines, st.sampled_from([QUESTION, "Who is Anna Berg?", "What is this about?", "Wie spät ist es?", "?"]))
def test_a_higher_cosine_never_supports_less(one: float, other: float, question: str) -> None:
    lower, higher = sorted((one, other))
    assert support(question, eight(LEAVE, dense=lower)) <= support(question, eight(LEAVE, dense=higher))


@given(st.text(max_size=80), st.lists(st.text(max_size=80), max_size=9), cosines)
def test_support_is_a_probability_whatever_is_asked_and_found(question: str, texts: list[str], dense: float) -> None:
    assert 0.0 <= support(question, results(*texts, dense=dense)) <= 1.0


def test_more_of_the_words_in_the_best_passage_support_more() -> None:
    shares = [signal("words", QUESTION, eight(text)) for text in (PORTAL, "Employees work 40 hours.", LEAVE)]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert shares[-1] > 0.9
    assert support(QUESTION, eight(PORTAL)) < support(QUESTION, eight(LEAVE))


def test_the_title_and_heading_count_as_what_a_passage_says() -> None:
    found = results("It is 25 days.", TRAVEL, title="Paid leave")
    assert signal("words", "How long is paid leave?", found) > signal("words", "How long is paid leave?", eight(TRAVEL))


def test_words_that_stand_together_support_more_than_words_apart() -> None:
    together, apart = eight("Ask for sick leave at once."), eight("Ask to leave at once when you are sick.")
    assert support("Where do I report sick leave?", together) > support("Where do I report sick leave?", apart)


@pytest.mark.parametrize("question", ["Does the limit of 700 hold for trips?", 'Are trips "over budget" approved?'])
def test_a_number_or_quotation_that_is_nowhere_speaks_against_an_answer(question: str) -> None:
    assert signal("absent", question, eight(TRAVEL)) == 1


def test_a_name_that_is_nowhere_speaks_against_an_answer() -> None:
    here, elsewhere = "Which trips does Anna Berg approve?", "Which trips does Clara Voss approve?"
    assert (signal("absent", here, eight(TRAVEL)), signal("absent", elsewhere, eight(TRAVEL))) == (0, 1)
    assert support(here, eight(TRAVEL)) > support(elsewhere, eight(TRAVEL))


def test_names_and_numbers_are_looked_for_in_the_best_passages_only() -> None:
    assert signal("absent", "What is booked for Anna?", results(LEAVE, TRAVEL)) == 0
    assert signal("absent", "What is booked for Anna?", results(LEAVE, PORTAL, PORTAL, TRAVEL)) == 1


def test_the_first_word_and_a_question_all_in_capitals_name_nobody() -> None:
    assert signal("absent", "Dinosaurs eat what?", eight(LEAVE)) == 0
    assert signal("absent", "WHICH DINOSAURS EAT PLANTS?", eight(LEAVE)) == 0


def test_the_best_of_few_passages_is_less_likely_to_be_near_by_chance() -> None:
    few, many = results(LEAVE, TRAVEL), eight(LEAVE)
    assert support("How much holiday is everybody given?", few) > support("How much holiday is everybody given?", many)
    assert signal("few", QUESTION, replace(many, found=many.found * 2)) == 0


@pytest.mark.parametrize(
    "question", ["What is this about?", "Summarise the document", "What do you know?", "Worum geht es in dem Dokument?"]
)
def test_a_question_about_the_documents_as_such_is_for_a_model_to_read(question: str) -> None:
    assert ENOUGH <= support(question, eight(LEAVE, dense=0.0)) < SURE


@pytest.mark.parametrize("question", ["Сколько дней отпуска?", "Wie viele Urlaubstage habe ich?", "有給休暇は 何日 ありますか"])
def test_a_question_in_another_language_is_for_a_model_to_read(question: str) -> None:
    assert ENOUGH <= support(question, eight(LEAVE, dense=0.0)) < SURE
