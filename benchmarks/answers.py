"""Do quotes hold the answer, and are questions of other fields declined? SQuAD paragraphs, through the whole pipeline.

`python -m benchmarks.answers DATA` prints the gates and the risk-coverage table; `python -m benchmarks.answers fit DATA` fits
the weights in `bot.llm.extractive` and `bot.answering.grounding` anew. DATA holds SQuAD and the other sets as folders in the
BEIR layout.
"""

import argparse
import asyncio
import json
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.regression import Floats, Truths, listwise, logistic
from bot import db
from bot.answering import grounding
from bot.answering.quoting.evidence import FEATURES, Evidence, Matrix
from bot.chat import Answer
from bot.llm.extractive import WORTH, Extractive, compose
from knowledge import Audience, Filters, Item, Knowledge, Options, minilm, open_knowledge

SQUAD = "squad2-dev"
OTHERS = ("scifact", "cranfield", "time")
EVERYONE = Audience(frozenset({"local"}))
FOLDS = 5
AT_A_TIME = 4


@dataclass(frozen=True, slots=True)
class Case:
    """A question put to the SQuAD paragraphs, or to a few of them; `answers` is empty when they do not hold the answer.

    `field` is "answerable", "near miss" (the right article, but it does not say) or the set it is from; `article` divides the
    questions for cross-validation.
    """

    text: str
    field: str
    article: str
    passage: str
    answers: tuple[str, ...] = ()
    among: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of a case: the evidence, what speaks for each sentence, and the answer with its confidence.

    `gold` is the document that the question was written for.
    """

    case: Case
    gold: str
    evidence: Evidence
    features: Matrix
    answer: Answer
    confidence: float
    seconds: float

    def holds(self, quote: str) -> bool:
        """Tell whether a quote has one of the gold answers in it."""
        return any(answer.casefold() in quote.casefold() for answer in self.case.answers)

    @property
    def first(self) -> bool:
        """Tell whether the first quote has the answer in it."""
        return not self.answer.abstained and self.holds(self.answer.sources[0].quote)

    @property
    def any(self) -> bool:
        """Tell whether any quote has."""
        return any(self.holds(source.quote) for source in self.answer.sources)


def records(path: Path) -> list[dict[str, object]]:
    """Read a file of JSON lines."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


def cases(data: Path, every: int) -> list[Case]:
    """Return every n-th question of SQuAD, and of the other sets all."""
    found = []
    for record in records(data / SQUAD / "queries.jsonl")[::every]:
        about = record["metadata"]
        assert isinstance(about, dict)
        answers = tuple(dict.fromkeys(answer["text"] for answer in about["answers"]))
        field = "near miss" if about["is_impossible"] else "answerable"
        found.append(Case(str(record["text"]), field, about["passage"].split("-")[0], about["passage"], answers))
    for name in OTHERS:
        for n, record in enumerate(records(data / name / "queries.jsonl")):
            found.append(Case(str(record["text"]), name, f"{name} {n % FOLDS}", ""))
    return found


def written(data: Path, folder: Path) -> Iterator[tuple[str, Path]]:
    """Write the SQuAD paragraphs, each as a file under its article's title; yield their ids and files."""
    for record in records(data / SQUAD / "corpus.jsonl"):
        path = folder / f"{record['_id']}.md"
        path.write_text(f"# {record['title']}\n\n{record['text']}\n", "utf-8")
        yield str(record["_id"]), path


@asynccontextmanager
async def taught(data: Path) -> AsyncIterator[tuple[Knowledge, dict[str, str]]]:
    """Teach the SQuAD paragraphs, each as a document; also yield the document ids by the paragraphs' ids."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        options = Options(home, minilm.NAME, "int8", minilm.default_model_dir())
        async with (
            db.open_database(f"sqlite+aiosqlite:///{home}/twin.db") as engine,
            open_knowledge(engine, options) as knowledge,
        ):
            ids: dict[str, str] = {}
            waiting = written(data, home)

            async def teach() -> None:
                for passage, path in waiting:
                    receipt = await knowledge.library.learn(path, Item(path.name, path.as_uri(), path.as_uri(), "local", "-"))
                    assert receipt.document, receipt.error
                    ids[passage] = receipt.document.id

            async with asyncio.TaskGroup() as group:
                for n in range(AT_A_TIME):
                    group.create_task(teach(), name=f"teach-{n}")
            yield knowledge, ids


class Remembering:
    """An embedding that does not do the same sentence twice: thousands of questions are asked of few passages."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._embedder = knowledge.embedder
        self._known: dict[str, NDArray[np.float32]] = {}

    async def __call__(self, texts: Sequence[str]) -> Matrix:
        """Return a row for each text."""
        new = list(dict.fromkeys(text for text in texts if text not in self._known))
        self._known.update(zip(new, await self._embedder.passages(new), strict=True))
        return np.array([self._known[text] for text in texts])


async def judge(knowledge: Knowledge, ids: dict[str, str], asked: Sequence[Case]) -> list[Judged]:
    """Put the questions."""
    embed = Remembering(knowledge)
    extractive = Extractive(embed)
    judged = []
    for case in asked:
        where = Filters(documents=tuple(ids[passage] for passage in case.among))
        results = await knowledge.retrieval.search(case.text, audience=EVERYONE, where=where)
        await extractive.weigh(case.text, results.found)  # so that the second time only our own code is timed
        start = time.perf_counter()
        evidence, features = await extractive.weigh(case.text, results.found)
        answer = compose(evidence, features)
        seconds = time.perf_counter() - start
        confidence = grounding.confidence(features, features @ WORTH, evidence.found)
        judged.append(Judged(case, ids.get(case.passage, ""), evidence, features, answer, confidence, seconds))
    return judged


def report(judged: Sequence[Judged]) -> None:
    """Print the gates and the risk-coverage table."""
    by = defaultdict(list)
    for one in judged:
        by[one.case.field].append(one)
    answerable = by["answerable"]
    others = [one for name in OTHERS for one in by[name]]
    print(f"{len(answerable)} answerable questions, {len(others)} of other fields, {len(by['near miss'])} near misses\n")
    print(f"answer in the first quote   {mean([one.first for one in answerable]):6.1%}   gate 70 %, goal 80 %")
    print(f"answer in any quote         {mean([one.any for one in answerable]):6.1%}   gate 88 %, goal 92 %")
    print(f"declined, answerable        {declined(answerable):6.1%}   gate at most 5 %, goal 3 %")
    print(f"declined, other fields      {declined(others):6.1%}   gate 93 %, goal 97 %")
    for name in (*OTHERS, "near miss"):
        print(f"    {name:<24}{declined(by[name]):6.1%}")
    sources = [one.answer.sources for one in answerable if one.answer.sources]
    print(f"quotes per answer {mean([len(quotes) for quotes in sources]):.2f}, ", end="")
    print(f"characters in the first {mean([len(quotes[0].quote) for quotes in sources]):.0f}, ", end="")
    print(f"own code {1000 * mean([one.seconds for one in judged]):.1f} ms\n")
    print("confidence   answered: answerable   other fields   near misses   best sentence right, of these")
    for least in (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95):
        kept = [[one for one in group if one.confidence >= least] for group in (answerable, others, by["near miss"])]
        shares = [len(k) / max(len(g), 1) for k, g in zip(kept, (answerable, others, by["near miss"]), strict=True)]
        right = mean([one.holds(one.evidence.units[int(np.argmax(one.features @ WORTH))].text) for one in kept[0]])
        print(f"{least:>10.2f}   {shares[0]:>20.1%}   {shares[1]:>12.1%}   {shares[2]:>11.1%}   {right:>12.1%}")


def mean(values: Sequence[float]) -> float:
    """Return the mean, 0 of nothing."""
    return sum(values) / max(len(values), 1)


def declined(judged: Sequence[Judged]) -> float:
    """Return the share of questions that were answered with "I don't know"."""
    return mean([one.answer.abstained for one in judged])


def tiny(asked: Sequence[Case], rng: random.Random) -> list[Case]:
    """Put some questions to three paragraphs only: of the right article with the right one among them, and of another."""
    articles = defaultdict(set)
    for case in asked:
        if case.passage:
            articles[case.article].add(case.passage)
    made = []
    for case in asked[::3]:
        if case.field == "answerable":
            same = rng.sample(sorted(articles[case.article] - {case.passage}), 2)
            other = rng.choice(sorted(articles.keys() - {case.article}))
            few = tuple(rng.sample(sorted(articles[other]), 3))
            made.append(Case(case.text, "answerable", case.article, case.passage, case.answers, (case.passage, *same)))
            made.append(Case(case.text, "elsewhere", case.article, case.passage, (), few))
    return made


def fold(case: Case, articles: Sequence[str]) -> int:
    """Return which part of the cross-validation a case belongs to: whole articles stay together."""
    return articles.index(case.article) % FOLDS


def ranked(judged: Sequence[Judged]) -> list[tuple[Floats, Truths]]:
    """Return the features of the sentences of each question, and which hold its answer where it was asked about."""
    groups = []
    for one in judged:
        documents = [one.evidence.found[unit.passage].passage.document_id for unit in one.evidence.units]
        right = [one.holds(unit.text) and at == one.gold for unit, at in zip(one.evidence.units, documents, strict=True)]
        if any(right):
            groups.append((one.features.astype(np.float64), np.array(right)))
    return groups


def signals_of(judged: Sequence[Judged], worth: Floats) -> Floats:
    """Return the signals of grounding with sentences ranked by these weights."""
    rows = [grounding.signals(one.features, (one.features @ worth).astype(np.float32), one.evidence.found) for one in judged]
    return np.array(rows, np.float64)


def balance(judged: Sequence[Judged]) -> Floats:
    """Weigh cases so that whole and tiny collections count alike, and in each the answerable as much as all others together."""
    keys = [(bool(one.case.among), one.case.field) for one in judged]
    shares = {(False, "answerable"): 1.0, (True, "answerable"): 0.3, (True, "elsewhere"): 0.3}
    shares.update({(False, name): 1 / len(OTHERS) for name in OTHERS})
    return np.array([1000 * shares.get(key, 0.0) / keys.count(key) for key in keys])


def fit(judged: Sequence[Judged]) -> None:
    """Print new weights, and what they reach on articles that they were not fitted on."""
    articles = sorted({one.case.article for one in judged})
    parts = np.array([fold(one.case, articles) for one in judged])
    whole = [one for one in judged if not one.case.among]
    right = np.array([one.case.field == "answerable" for one in judged])
    weights = balance(judged)
    odds = np.zeros(len(judged))
    firsts = []
    for part in range(FOLDS):
        worth = listwise(ranked([one for one in whole if fold(one.case, articles) != part]))
        signals = signals_of(judged, worth)
        support = logistic(signals[parts != part], right[parts != part], weights[parts != part])
        odds[parts == part] = (signals @ support[:-1] + support[-1])[parts == part]
        tested = [one for one in whole if one.case.answers and fold(one.case, articles) == part]
        firsts += [one.holds(one.evidence.units[int(np.argmax(one.features @ worth))].text) for one in tested]
    kind = np.array([one.case.field if not one.case.among else f"tiny {one.case.field}" for one in judged])
    print(f"cross-validated: best sentence has the answer {mean(firsts):.1%}")
    for most in (0.02, 0.03, 0.04, 0.05):
        least = float(np.quantile(odds[kind == "answerable"], most))
        shares = ", ".join(f"{name} {np.mean(odds[kind == name] < least):.1%}" for name in dict.fromkeys(kind))
        print(f"threshold {least:+.2f} declines: {shares}, all others {np.mean(odds[np.isin(kind, OTHERS)] < least):.1%}")
    worth = listwise(ranked(whole))
    signals = signals_of(judged, worth)
    support = logistic(signals, right, weights)
    print("extractive.WORTH  ", dict(zip(FEATURES, worth.round(2).tolist(), strict=True)))
    print("grounding._WORTH  ", dict(zip((*grounding.SIGNALS, "constant"), support.round(2).tolist(), strict=True)))


async def main() -> None:
    """Measure, or fit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", nargs="?", choices=("measure", "fit"), default="measure")
    parser.add_argument("data", type=Path)
    parser.add_argument("--every", type=int, default=1, help="only every n-th question of SQuAD")
    args = parser.parse_args()
    asked = cases(args.data, args.every)
    async with taught(args.data) as (knowledge, ids):
        if args.task == "fit":
            rng = random.Random(1)  # noqa: S311  # samples for a fit, not secrets
            asked = [case for case in asked if case.field != "near miss"]
            fit(await judge(knowledge, ids, [*asked, *tiny(asked, rng)]))
        else:
            report(await judge(knowledge, ids, asked))


if __name__ == "__main__":
    asyncio.run(main())
