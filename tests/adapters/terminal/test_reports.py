import pytest

from adapters.terminal import reports
from bot.chat import Answer
from tests.adapters.terminal.fakes import Chosen, Considered, Figures, Use, Why
from tests.adapters.terminal.test_outgoing import Document, Receipt

QUOTED = Answer("Thirty days.", (), False, "extractive", "quotes", message_id="m1")


def test_why_tells_the_query_and_each_passage_with_its_scores_and_what_became_of_it() -> None:
    told = Why(QUOTED, considered=(Considered(), Considered(page=None, heading=None, prior=-0.25, fate="ranked lower")))
    assert reports.why(told).splitlines() == [
        "Quoted from the sources, without a language model.",
        "Searched for: days of leave",
        "Passages, best first, with how likely each holds the answer, how near it is in meaning, and in words:",
        "  1. Handbook, page 3 · Leave",
        "     cited · 0.91, meaning 0.80, words 12.0",
        "  2. Handbook",
        "     ranked lower · 0.91, meaning 0.80, words 12.0, feedback -0.25",
    ]


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (Answer("Yes.", (), False, "ollama", "llama3.2"), "Written by ollama:llama3.2."),
        (Answer("?", (), True, "twin", ""), "Nothing that I found supports an answer well enough."),
        (
            Answer("Yes.", (), False, "extractive", "quotes", notice="It is away."),
            "Quoted from the sources, without a language model. (It is away.)",
        ),
    ],
)
def test_why_tells_who_wrote(answer: Answer, line: str) -> None:
    assert reports.why(Why(answer)).splitlines()[0] == line


def test_why_tells_when_there_was_nothing() -> None:
    assert reports.why(Why(QUOTED, "", ())).splitlines()[1:] == [
        "Nothing was searched for.",
        "I found nothing that you may see.",
    ]


def test_of_many_passages_the_first_are_shown() -> None:
    lines = reports.why(Why(QUOTED, considered=(Considered(),) * 23)).splitlines()
    assert len(lines) == 3 + 2 * 10 + 1
    assert lines[-1] == "  … and 13 more: `twin why m1 --json`"


@pytest.mark.parametrize(
    ("chosen", "lines"),
    [
        (
            Chosen("extractive"),
            ["I quote my sources; no language model writes. TWIN_LLM or `/model ollama:NAME` would have one write."],
        ),
        (Chosen("ollama:a"), ["My answers are written by ollama:a, in at most 1,024 tokens."]),
        (
            Chosen("extractive, ollama:a,openai:b", 0.2, 99, "Be kind.", "A pirate"),
            [
                "My answers are written by ollama:a (when it is away: openai:b) at a temperature of 0.2, in at most 99 tokens.",
                "Persona: A pirate",
                "System prompt: Be kind.",
            ],
        ),
    ],
)
def test_who_writes_is_told_with_how(chosen: Chosen, lines: list[str]) -> None:
    assert reports.model(chosen).splitlines() == lines


def test_figures_are_told_in_a_sentence_and_a_line_for_each_use() -> None:
    uses = (Use(), Use("openai", "x", "condense", times=1, failed=1, cost=0.0125))
    assert reports.figures(Figures(1, 1, 0, uses), 1).splitlines() == [
        "In the last day: 1 question and 1 answer, 0 of them “I don't know”.",
        "  ollama:llama3.2, answer: 12 times, 8,000 tokens in, 900 out, 0.8 s each",
        "  openai:x, condense: 1 time (1 failed), 8,000 tokens in, 900 out, $0.0125, 0.8 s each",
    ]
    assert reports.figures(Figures(), 7).splitlines()[1:] == ["No language model was used."]


@pytest.mark.parametrize(
    ("receipt", "beginning"),
    [
        (Receipt("learned", document=Document()), "I will remember that"),
        (Receipt("duplicate", document=Document()), "I remember that already."),
        (Receipt("failed", error="It says nothing."), "I could not remember that: It says nothing."),
    ],
)
def test_what_became_of_a_note_is_a_sentence(receipt: Receipt, beginning: str) -> None:
    assert reports.remembered(receipt).startswith(beginning)


def test_what_went_with_a_person_is_counted() -> None:
    assert reports.forgotten_person(1, 0).startswith("Forgotten: 1 note or message, 0 questions with what I answered")
