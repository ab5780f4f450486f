"""Answers without a language model quote word for word, say where from, and know when they know nothing."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answering.quoting import courtesy
from bot.answering.quoting.evidence import Evidence
from bot.answering.quoting.question import Question
from bot.answering.quoting.quotes import LONGEST, MOST, choose
from bot.chat import Answer
from bot.llm.extractive import WORTH, Extractive, compose, pieces
from knowledge import Passage
from tests.bot.answering.passages import embed, found, passage

LEAVE = passage(
    "Leave\n\nFull-time employees are entitled to 25 days of paid leave per year. "
    "Unused days may be carried over until 31 March. They expire after that date.",
    page=12,
)
TRAVEL = passage(
    "Business trips are booked through the travel desk. Trips above 500 EUR need the approval of the department head. "
    "Anything above 5,000 EUR is signed off by the chief financial officer, Anna Berg.",
    n=1,
    page=14,
)
LAPTOP = passage(
    "To order a new laptop:\n1. Open the portal.\n2. Pick a model.\n3. Collect it at the desk.",
    title="Equipment",
    heading="Laptops",
)
OFFICES = passage(
    "City | Opening hours | Contact\nOslo | 8:00-16:00 | Ola Nordmann\nLyon | 8:30-17:00 | Claire Dubois", title="Offices"
)
ALL = (LEAVE, TRAVEL, LAPTOP, OFFICES)


async def ask(question: str, *passages: Passage) -> Answer:
    return await Extractive(embed).answer(question, await found(question, *(passages or ALL)))


async def test_the_sentence_that_answers_is_quoted_with_its_source() -> None:
    answer = await ask("How many days of paid leave do full-time employees get?")
    first = answer.sources[0]
    assert not answer.abstained
    assert "25 days of paid leave" in first.quote
    assert (first.n, first.title, first.page) == (1, "Handbook", 12)
    assert answer.text.startswith("**Handbook** (page 12)")
    assert f"> {first.quote} [1]" in answer.text


async def test_a_question_of_another_world_is_declined() -> None:
    answer = await ask("Which dinosaurs lived in Patagonia?")
    assert answer.abstained
    assert not answer.sources
    assert answer.text == "I don't know: nothing I have been taught answers that."


@pytest.mark.parametrize(
    ("text", "beginning"),
    [
        ("hi", "Hello!"),
        ("Good morning, Twin!", "Hello!"),
        ("Hallo Twin, wie geht's dir?", "Hello!"),
        ("Thanks a lot!", "You're welcome!"),
        ("ok, merci beaucoup", "You're welcome!"),
        ("Thank you, bye 👋", "Goodbye!"),
        ("До свидания", "Goodbye!"),
    ],
)
async def test_small_talk_is_answered_in_kind_and_nothing_is_quoted(text: str, beginning: str) -> None:
    answer = await ask(text, passage("Hello! Good morning. Thanks and bye."))
    assert answer.text.startswith(beginning)
    assert not answer.abstained
    assert not answer.sources


@pytest.mark.parametrize(
    "question", ["Who says hello to whom?", "Thanks, and who is Anna Berg?", "all", "what can you do?", ""]
)
def test_what_asks_for_something_is_no_small_talk(question: str) -> None:
    assert courtesy.reply(question) is None


async def test_with_nothing_found_nothing_is_known() -> None:
    answer = await Extractive(embed).answer("How many days?", [])
    assert answer.abstained
    assert "taught nothing" in answer.text


async def test_steps_are_quoted_as_one_list_with_its_lead() -> None:
    answer = await ask("How do I order a new laptop?")
    assert answer.sources[0].quote == LAPTOP.text


async def test_a_row_is_quoted_under_the_head_of_its_table() -> None:
    answer = await ask("Who is the contact in Lyon?")
    assert answer.sources[0].quote == "Lyon | 8:30-17:00 | Claire Dubois"
    assert "> City | Opening hours | Contact  \n> Lyon | 8:30-17:00 | Claire Dubois [1]" in answer.text


async def test_a_row_of_a_table_that_began_before_the_passage_has_its_head_too() -> None:
    text = "Lyon | 8:30-17:00 | Claire Dubois"
    rest = passage(text, title="Offices", heading="City | Opening hours | Contact")
    answer = await ask("Who is the contact in Lyon?", rest)
    assert "> City | Opening hours | Contact  \n> Lyon" in answer.text


async def test_a_sentence_that_leans_on_the_one_before_brings_it_along() -> None:
    answer = await ask("After which date do they expire?", LEAVE)
    assert answer.sources[0].quote == "Unused days may be carried over until 31 March. They expire after that date."


async def test_what_is_said_twice_is_quoted_once() -> None:
    copy = passage(LEAVE.text, title="Old handbook")
    answer = await ask("How many days of paid leave do full-time employees get?", LEAVE, copy)
    assert sum("25 days" in source.quote for source in answer.sources) == 1


async def test_a_second_document_is_introduced_by_name() -> None:
    other = passage("In France full-time employees get 30 days of paid leave per year instead.", title="France")
    answer = await ask("How many days of paid leave do full-time employees get per year?", LEAVE, other)
    assert {source.title for source in answer.sources} == {"Handbook", "France"}
    assert "adds:" in answer.text


async def test_what_is_only_near_in_another_document_is_not_quoted_beside_a_direct_answer() -> None:
    other = passage("Employees like their leave. Some days are full. Time is money. A year is long.", title="Poems")
    answer = await ask("How many days of paid leave do full-time employees get per year?", LEAVE, other)
    assert {source.title for source in answer.sources} == {"Handbook"}


async def test_a_row_of_another_table_is_not_quoted_beside_a_sentence() -> None:
    codes = passage("Code | Action\n03 | Approve trips\n04 | Approve leave", title="Codes")
    answer = await ask("Trips above 500 EUR need the approval of whom?", TRAVEL, codes)
    assert {source.title for source in answer.sources} == {"Handbook"}


async def test_headings_alone_are_not_quoted() -> None:
    answer = await ask("Travel expenses", passage("# Travel\n\n# Travel expenses\n\n# Expenses"))
    assert answer.abstained


async def test_a_question_in_a_text_is_answered_by_what_follows_it() -> None:
    answer = await ask("How long is the notice period?", passage("How long is the notice period? Three months, for everybody."))
    assert answer.sources[0].quote == "Three months, for everybody."


async def test_a_quote_with_numbers_in_brackets_has_its_own_set_apart() -> None:
    answer = await ask("When was the bridge opened?", passage("The bridge was opened in 2011.[1]"))
    assert answer.sources[0].quote == "The bridge was opened in 2011.[1]"
    assert answer.text.endswith("> The bridge was opened in 2011.[1] — **[1]**")


async def test_a_sentence_too_long_to_quote_is_cut_between_clauses_and_marked() -> None:
    long = (
        "The committee met, "
        + ", ".join(f"heard member number {n}" for n in range(30))
        + ", and elected Ada Vance as president, finally."
    )
    answer = await ask("Who was elected president by the committee?", passage(long))
    quote = answer.sources[0].quote
    assert len(quote) <= LONGEST
    assert quote in long
    assert "elected Ada Vance as president" in quote
    assert f"> … {quote}" in answer.text


@pytest.mark.parametrize(
    ("question", "expected"),
    [("Сколько дней отпуска положено?", "28 календарных дней"), ("Кто утверждает отпуск?", "Иванова")],
)
async def test_words_carry_a_language_the_embedding_does_not_know(question: str, expected: str) -> None:
    text = "Положено 28 календарных дней отпуска. Заявление подаётся за две недели. Отпуск утверждает директор Мария Иванова."
    answer = await ask(question, passage(text, title="Отпуск"), *ALL)
    assert expected in answer.sources[0].quote


WORDS = st.sampled_from(
    [
        "the",
        "leave",
        "days",
        "25",
        "who",
        "Anna",
        "approves",
        "They",
        ".",
        "!",
        ":",
        "\n",
        "\n\n",
        "-",
        "|",
        "1.",
        "“",
        "”",
        ",",
        "x" * 90,
    ]
)
TEXTS = st.lists(WORDS, min_size=1, max_size=120).map(" ".join).filter(str.strip)


@given(st.lists(TEXTS, min_size=1, max_size=4), st.sampled_from(["Who approves leave?", "How many days?", "what?", "25"]))
async def test_every_quote_of_any_text_is_exact_short_and_numbered(texts: list[str], question: str) -> None:
    passages = [passage(text, title=f"T{n % 2}", n=n) for n, text in enumerate(texts)]
    hits = await found(question, *passages)
    evidence = Evidence(Question(question), hits)
    features = evidence.features((await embed([question]))[0], await embed([unit.text for unit in evidence.units]))
    scores = features @ WORTH
    answer = compose(evidence, features)
    assert "".join(pieces(answer.text)) == answer.text
    assert answer.abstained or 1 <= len(answer.sources) <= MOST
    assert [source.n for source in answer.sources] == list(range(1, len(answer.sources) + 1))
    assert {int(n) for n in re.findall(r"\[(\d+)\]", answer.text)} == {source.n for source in answer.sources}
    for source in answer.sources:
        assert 0 < len(source.quote) <= LONGEST
        assert any(source.quote in one.text and source.document_id == one.document_id for one in passages)
    quotes = choose(evidence, features, scores)
    assert all(a is b or a.passage != b.passage or a.end <= b.start or b.end <= a.start for a in quotes for b in quotes)
