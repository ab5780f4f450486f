"""Is a model asked when it could answer, and spared the questions of other fields? Several collections are asked both.

`python -m benchmarks.support DATA` prints the risk-coverage table and how reliable `bot.answering.support` is, over questions
that it was not fitted on; `python -m benchmarks.support DATA fit` fits its weights, and cross-validates them. DATA holds SQuAD
and the other sets as folders in the BEIR layout.
"""

import argparse
import asyncio
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from zlib import crc32

import numpy as np

from benchmarks import answers
from benchmarks.regression import Floats, Truths, logistic
from benchmarks.retrieval import CHAT, SPLITS, collection, questions
from benchmarks.taught import ANYONE, Question, taught
from bot.answering.support import ENOUGH, SIGNALS, SURE, signals, support
from knowledge import Filters, Results
from knowledge.embeddings import Embedder
from knowledge.evaluation import load

SQUAD, TINY = "SQuAD", "three paragraphs"
KIN = {"adi": "cisi", "cisi": "adi"}  # both are about libraries and indexing: not other fields to each other
FOLDS = 5
FITTED = 2  # every second question is for fitting, the others are for testing
STRANGERS = 150  # questions of each other collection
LEAST = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question put to a collection: "answerable", "near miss" or "other" field; `held` is whether what answers was found.

    `part` divides the questions for cross-validation: those of an article or a conversation stay together. `confidence` is
    that of the extractive answer, where there was one.
    """

    collection: str
    field: str
    part: int
    text: str
    results: Results
    held: bool
    confidence: float = np.nan


async def squad(data: Path) -> list[Asked]:
    """Ask about SQuAD's paragraphs, all of them and only three, and have the answers quoted."""
    cases = answers.cases(data, 1)
    cases += answers.tiny([case for case in cases if case.field != "near miss"], random.Random(1))  # noqa: S311  # a sample
    articles = sorted({case.article for case in cases})
    async with answers.taught(data) as (knowledge, ids):
        judged = await answers.judge(knowledge, ids, cases)
    return [_of_squad(one, articles) for one in judged]


def _of_squad(one: answers.Judged, articles: Sequence[str]) -> Asked:
    found = tuple(one.evidence.found)
    dense, lexical = (max((getattr(hit, name) for hit in found), default=0.0) for name in ("dense", "lexical"))
    field = one.case.field if one.case.field in ("answerable", "near miss") else "other"
    held = one.gold in {hit.passage.document_id for hit in found}
    part = answers.fold(one.case, articles)
    return Asked(
        TINY if one.case.among else SQUAD, field, part, one.case.text, Results(found, dense, lexical), held, one.confidence
    )


def near_misses(data: Path, name: str) -> set[str]:
    """Return the questions that are put to a collection on its subject and that it does not answer."""
    if name == CHAT:
        asked = answers.records(data.parent / "chat" / CHAT / "qa.jsonl")
        return {str(record["question"]) for record in asked if record["category"] == 5}  # what nobody has said
    claims = answers.records(data / name / "queries.jsonl") if name == "scifact" else []
    return {str(claim["text"]) for claim in claims if not claim["metadata"]["evidence"]}  # type: ignore[index]


async def others(embedder: Embedder, data: Path, name: str, cache: Path | None) -> list[Asked]:
    """Ask a collection its own questions and some of all others."""
    rng = random.Random(2)  # noqa: S311  # a sample
    passages, own = await collection(embedder, data.parent, name)
    among = list(dict.fromkeys(question.documents for question in own))
    missing = near_misses(data, name)
    cases = [("near miss" if question.text in missing else "answerable", question) for question in own]
    for other, split in SPLITS.items():
        texts = [question.text for question in questions(load(data / other, split))]
        for text in rng.sample(texts, min(STRANGERS, len(texts))) if other not in (name, KIN.get(name)) else ():
            cases.append(("other", Question(text, {}, rng.choice(among))))
    asked = []
    with tempfile.TemporaryDirectory() as folder:
        async with taught(embedder, passages, Path(folder), cache=cache) as retrieval:
            for n, (field, question) in enumerate(cases):
                results = await retrieval.search(question.text, audience=ANYONE, where=Filters(documents=question.documents))
                ids = {id_ for hit in results.found for id_ in (hit.passage.id, hit.passage.document_id)}
                part = among.index(question.documents) if question.documents else n
                asked.append(Asked(name, field, part % FOLDS, question.text, results, not ids.isdisjoint(question.judged)))
    return asked


@dataclass(frozen=True, slots=True)
class Observed:
    """All that was asked, as arrays: a row of signals for each question, and whether its collection answers it."""

    asked: Sequence[Asked]
    signals: Floats
    answerable: Truths
    parts: Floats
    collections: tuple[str, ...]

    @classmethod
    def of(cls, asked: Sequence[Asked]) -> "Observed":
        """Take the signals of what was asked."""
        rows = np.array([signals(one.text, one.results) for one in asked])
        names = tuple(dict.fromkeys(one.collection for one in asked))
        return cls(asked, rows, np.array([one.field == "answerable" for one in asked]), _array(asked, "part"), names)

    def at(self, collection: str = "", field: str = "") -> Truths:
        """Tell which questions were put to a collection, and belong to a field."""
        return np.array([collection in ("", one.collection) and field in ("", one.field) for one in self.asked])

    def tested(self) -> Truths:
        """Tell which questions are for testing; the same question put to two collections is for one thing only."""
        return np.array([crc32(one.text.encode()) % FITTED > 0 for one in self.asked])

    def balance(self, among: Truths) -> Floats:
        """Weigh questions so that collections count alike, and in each the answerable as much as other fields.

        Near misses do not count, nor what is answerable and was not found.
        """
        weights = np.zeros(len(self.asked))
        held = _array(self.asked, "held").astype(np.bool_) | ~self.answerable
        for name in self.collections:
            for field in ("answerable", "other"):
                chosen = self.at(name, field) & among & held
                weights[chosen] = 1000 / max(chosen.sum(), 1)
        return weights

    def fitted(self, among: Truths) -> Floats:
        """Fit the weights on some of the questions; the last number is the constant."""
        weights = self.balance(among)
        chosen = weights > 0
        return logistic(self.signals[chosen], self.answerable[chosen], weights[chosen])

    def odds(self, worth: Floats) -> Floats:
        """Return the log-odds that weights give to each question."""
        return np.asarray(self.signals @ worth[:-1] + worth[-1])


def _array(asked: Sequence[Asked], name: str) -> Floats:
    return np.array([getattr(one, name) for one in asked], np.float64)


def auroc(higher: Floats, lower: Floats) -> float:
    """Return how often one of the first exceeds one of the second; equals count half."""
    ordered = np.sort(lower)
    below, upto = np.searchsorted(ordered, higher, "left"), np.searchsorted(ordered, higher, "right")
    return float((below + upto).mean() / 2 / max(len(lower), 1))


def line(*cells: object) -> None:
    """Print a row of a table."""
    print(f"| {' | '.join(map(str, cells))} |")


def share(of: Truths) -> str:
    """Return a share as it is printed; nothing of nothing."""
    return f"{100 * of.mean():.1f} %" if len(of) else "–"


def separation(seen: Observed, judges: dict[str, Floats], tested: Truths) -> None:
    """Print for each collection how well answerable questions are told from those of other fields, and from near misses."""
    line("AUROC: other fields / near misses", "answerable", *judges)
    line(*["---"] * (len(judges) + 2))
    for name in seen.collections:
        own, other, near = (tested & seen.at(name, field) for field in ("answerable", "other", "near miss"))
        cells = []
        for values in judges.values():
            known = not np.isnan(values[own]).any()
            apart = [f"{auroc(values[own], values[group]):.3f}" if known and group.any() else "–" for group in (other, near)]
            cells.append(" / ".join(apart))
        line(name, own.sum(), *cells)


def coverage(seen: Observed, values: Floats, tested: Truths) -> None:
    """Print what is answered from each threshold on: the mean of the collections, and SQuAD."""
    fields = ("answerable", "other", "near miss")
    line("support at least", *(f"{who}: {field}" for who in ("mean", SQUAD) for field in fields))
    line(*["---"] * 7)
    for least in LEAST:
        cells = []
        for field in fields:
            groups = [group for name in seen.collections if (group := tested & seen.at(name, field)).any()]
            cells.append(share(np.array([(values[group] >= least).mean() for group in groups])))
        cells += [share(values[tested & seen.at(SQUAD, field)] >= least) for field in fields]
        line(f"{least:.2f}", *cells)


def declined(seen: Observed, judges: dict[str, Floats], tested: Truths) -> None:
    """Print how many questions of other fields are declined where a few of the answerable ones are: SQuAD, and all alike."""
    weights = seen.balance(tested)
    line("declined of the answerable", *(f"{name}: {who}" for name in judges for who in ("all", SQUAD)))
    line(*["---"] * (2 * len(judges) + 1))
    for most in (0.01, 0.02, 0.04):
        cells = []
        for values in judges.values():
            for among in (tested, tested & seen.at(SQUAD)):
                own, other = among & seen.at(field="answerable"), among & seen.at(field="other")
                order = np.argsort(values[own])
                passed = np.cumsum(weights[own][order]) / weights[own].sum()
                least = values[own][order][np.searchsorted(passed, most)]
                known = not np.isnan(values[own]).any()
                cells.append(f"{100 * np.average(values[other] < least, weights=weights[other]):.1f} %" if known else "–")
        line(f"{100 * most:.0f} %", *cells)


def reliability(seen: Observed, values: Floats, tested: Truths) -> None:
    """Print for each tenth of support how many questions are answerable; all collections and both fields weigh alike."""
    weights = seen.balance(tested)
    line("support", "mean of it", "answerable", "questions")
    line(*["---"] * 4)
    for low in np.arange(0, 1, 0.1):
        inside = (weights > 0) & (values >= low) & (values < low + 0.1 + (low > 0.85))
        means = [f"{np.average(what[inside], weights=weights[inside]):.2f}" for what in (values, seen.answerable)]
        line(f"{low:.1f}–{low + 0.1:.1f}", *means, inside.sum())


def measure(seen: Observed) -> None:
    """Print how good the weights are that are used, over questions that they were not fitted on."""
    began = process_time()
    values = np.array([support(one.text, one.results) for one in seen.asked])
    print(f"{1000 * (process_time() - began) / len(values):.2f} ms of processor time each; ENOUGH {ENOUGH}, SURE {SURE}\n")
    tested = seen.tested()
    judges = {
        "support": values,
        "cosine": seen.signals[:, SIGNALS.index("cosine")],
        "score": np.array([max((hit.score for hit in one.results.found), default=0.0) for one in seen.asked]),
        "quotes' confidence": _array(seen.asked, "confidence"),
    }
    separation(seen, judges, tested)
    print()
    coverage(seen, values, tested)
    print()
    declined(seen, judges, tested)
    print()
    reliability(seen, values, tested)


def fit(seen: Observed) -> None:
    """Print new weights; and how good such weights are on articles, and on whole collections, that they were not fitted on."""
    fitting = ~seen.tested()
    articles, foreign = np.zeros(len(seen.asked)), np.zeros(len(seen.asked))
    for part in range(FOLDS):
        there = seen.parts == part
        articles[there] = seen.odds(seen.fitted(fitting & ~there))[there]
    for name in seen.collections:
        there = seen.at(name)
        kin = seen.at(SQUAD) | seen.at(TINY) if name in (SQUAD, TINY) else there  # they are the same paragraphs
        foreign[there] = seen.odds(seen.fitted(fitting & ~kin))[there]
    judges = {"articles held out": articles, "collections held out": foreign}
    for report in (separation, declined):
        report(seen, judges, ~fitting)
        print()
    coverage(seen, 1 / (1 + np.exp(-articles)), ~fitting)
    print("\nsupport._WORTH, _BIAS", dict(zip((*SIGNALS, "constant"), seen.fitted(fitting).round(2).tolist(), strict=True)))


async def main() -> None:
    """Measure, or fit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("task", nargs="?", choices=("measure", "fit"), default="measure")
    parser.add_argument("--cache", type=Path, help="folder to keep embeddings in")
    told = parser.parse_args()
    asked = await squad(told.data)
    embedder = await asyncio.to_thread(Embedder.open)
    for name in (*(name for name in SPLITS if not name.startswith("squad")), CHAT):
        if (told.data / name).is_dir() or (told.data.parent / "chat" / name).is_dir():
            asked += await others(embedder, told.data, name, told.cache)
    embedder.close()
    {"measure": measure, "fit": fit}[told.task](Observed.of(asked))


if __name__ == "__main__":
    asyncio.run(main())
