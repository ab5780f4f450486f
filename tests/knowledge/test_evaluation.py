"""Evaluation: folders are read or refused with a place, and the measures are those of trec_eval."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.evaluation import BadDataset, as_extracted, evaluate, load, mrr, ndcg, ranking, recall
from knowledge.extract.text import Extracted

JUDGED = {"a": 3, "b": 1, "c": 0, "d": 2, "e": 1, "x": -1, "never": 1}
DEEP = {**{f"n{i:02}": 1 - i / 100 for i in range(12)}, "a": 0.1, "d": 0.05}


@pytest.mark.parametrize(
    ("scores", "ndcg_10", "recall_10", "recall_100", "reciprocal_rank"),
    [
        ({"a": 0.9, "c": 0.8, "b": 0.7, "z": 0.6, "d": 0.5, "e": 0.4}, 0.8298243602337992, 0.8, 0.8, 1.0),
        (dict.fromkeys("abcdezy", 0.5), 0.48707132006396064, 0.8, 0.8, 0.3333333333333333),
        ({"a": 0.50000001, "z": 0.5, "b": 0.4}, 0.428862249148677, 0.4, 0.4, 0.5),
        (DEEP, 0.0, 0.0, 0.4, 0.07692307692307693),
        ({"z": 1.0}, 0.0, 0.0, 0.0, 0.0),
    ],
    ids=["grades", "ties", "ties in single precision", "beyond the tenth", "nothing relevant"],
)
def test_measures_agree_with_trec_eval(
    scores: dict[str, float], ndcg_10: float, recall_10: float, recall_100: float, reciprocal_rank: float
) -> None:
    """The figures are those of pytrec_eval 0.5.11."""
    found = ranking(scores)
    assert ndcg(found, JUDGED, 10) == pytest.approx(ndcg_10, abs=1e-12)
    assert recall(found, JUDGED, 10) == pytest.approx(recall_10)
    assert recall(found, JUDGED, 100) == pytest.approx(recall_100)
    assert mrr(found, JUDGED, 1000) == pytest.approx(reciprocal_rank)


def test_reciprocal_rank_ends_at_the_cut() -> None:
    assert mrr(ranking(DEEP), JUDGED, 10) == 0.0


def test_a_query_without_relevant_documents_counts_as_zero() -> None:
    assert (ndcg(["a"], {"a": 0}, 10), recall(["a"], {"a": 0}, 10), mrr(["a"], {"a": 0}, 10)) == (0.0, 0.0, 0.0)


@given(
    judged=st.dictionaries(st.sampled_from("abcdefghijklmnop"), st.integers(-1, 3), min_size=1),
    found=st.permutations("abcdefghijklmnop"),
)
def test_no_order_is_better_than_the_order_of_the_grades(judged: dict[str, int], found: list[str]) -> None:
    best = sorted(judged, key=lambda id_: -judged[id_])
    relevant = any(grade > 0 for grade in judged.values())
    assert ndcg(best, judged, 10) == pytest.approx(1.0 if relevant else 0.0)
    for measure in (ndcg, recall, mrr):
        assert 0.0 <= measure(found, judged, 10) <= measure(best, judged, 10) <= 1.0 + 1e-12


CORPUS = [
    {"_id": "d1", "title": "Apples", "text": "Apples grow on trees.\n\nThey are red."},
    {"_id": "d2", "title": "", "text": "Pears are green.", "metadata": {}},
    {"_id": "d3", "title": "Plums", "text": "Blue."},
]
QUERIES = [{"_id": "q1", "text": "red fruit"}, {"_id": "q2", "text": "green fruit"}, {"_id": "q3", "text": "unjudged"}]
QRELS = "query-id\tcorpus-id\tscore\nq1\td1\t1\nq2\td2\t2\nq2\td3\t1\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "fruit"
    (folder / "qrels").mkdir(parents=True)
    for name, records in (("corpus", CORPUS), ("queries", QUERIES)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    (folder / "qrels" / "test.tsv").write_text(QRELS, encoding="utf-8")
    return folder


def test_a_folder_becomes_documents_queries_and_judgements(folder: Path) -> None:
    dataset = load(folder)
    assert (dataset.name, dataset.split, dataset.left_out) == ("fruit", "test", 1)
    assert list(dataset.documents) == ["d1", "d2", "d3"]
    assert dataset.queries == {"q1": "red fruit", "q2": "green fruit"}
    assert dataset.judged == {"q1": {"d1": 1}, "q2": {"d2": 2, "d3": 1}}


def test_judgements_may_come_without_a_header_and_with_windows_line_ends(folder: Path) -> None:
    (folder / "qrels" / "dev.tsv").write_bytes(b"q1\td1\t1\r\n\r\nq2\td2\t1\r\n")
    assert load(folder, "dev").judged == {"q1": {"d1": 1}, "q2": {"d2": 1}}


@pytest.mark.parametrize(
    ("file", "content", "complaint"),
    [
        ("corpus.jsonl", '{"_id": "1", "text": "a"}\n{"_id": ', r"corpus\.jsonl, line 2: this is not JSON"),
        ("corpus.jsonl", "[]", r"corpus\.jsonl, line 1: this is not a JSON object"),
        ("corpus.jsonl", '{"_id": 1, "text": "a"}', r"corpus\.jsonl, line 1: '_id' should be a text"),
        ("corpus.jsonl", '\n{"_id": "1"}', r"corpus\.jsonl, line 2: 'text' should be a text"),
        ("corpus.jsonl", '{"_id": "1", "text": "a"}\n{"_id": "1", "text": "b"}', r"line 2: the id '1' is there twice"),
        ("queries.jsonl", '{"_id": "q1", "text": null}', r"queries\.jsonl, line 1: 'text' should be a text"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1 d1 1\n", r"test\.tsv, line 2: there should be query"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\td1\thigh\n", r"test\.tsv, line 2: the grade 'high'"),
        ("qrels/test.tsv", "q9\td1\t1\n", r"test\.tsv, line 1: the query 'q9' is not in queries\.jsonl"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\n", r"test\.tsv judges no documents"),
    ],
)
def test_a_bad_folder_is_refused_with_file_and_line(folder: Path, file: str, content: str, complaint: str) -> None:
    (folder / file).write_text(content, encoding="utf-8")
    with pytest.raises(BadDataset, match=complaint):
        load(folder)


def test_text_that_is_not_utf_8_is_refused(folder: Path) -> None:
    (folder / "queries.jsonl").write_bytes(b'{"_id": "q1", "text": "caf\xe9"}')
    with pytest.raises(BadDataset, match=r"queries\.jsonl is not UTF-8"):
        load(folder)


def test_a_missing_split_names_those_that_are_there(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match=r"train\.tsv is missing\. There are judgements for: test\."):
        load(folder, "train")
    with pytest.raises(BadDataset, match=r"corpus\.jsonl is missing"):
        load(tmp_path)


def parts(document: Extracted) -> list[tuple[str, str]]:
    return [(block.kind, document.text[block.start : block.end]) for block in document.blocks]


def test_a_document_is_its_title_and_its_paragraphs() -> None:
    document = as_extracted("Apples", "Grow on trees.\nMany.\n \nAre red.\n")
    assert document.title == "Apples"
    assert document.kind == "text"
    assert parts(document) == [("heading", "Apples"), ("paragraph", "Grow on trees.\nMany."), ("paragraph", "Are red.")]


def test_a_title_that_the_text_begins_with_is_not_repeated() -> None:
    document = as_extracted("a wing in a  slipstream .", "A wing in a slipstream . an experimental study")
    assert document.text == "A wing in a slipstream . an experimental study"
    assert parts(document) == [("paragraph", document.text)]


def test_a_document_may_lack_title_or_text() -> None:
    assert as_extracted("", "Text.").title is None
    assert parts(as_extracted("Title", " ")) == [("heading", "Title")]
    assert as_extracted("", "") == Extracted("text", "", ())


class WordCounting:
    """A twin that finds documents by the words they share with a query."""

    def __init__(self) -> None:
        self.documents: dict[str, Extracted] = {}

    async def teach(self, documents: Mapping[str, Extracted], /) -> None:
        self.documents.update(documents)

    async def rank(self, query: str, /) -> Mapping[str, float]:
        words = set(query.split())
        return {
            id_: float(len(words.intersection(document.text.replace(".", "").split())))
            for id_, document in self.documents.items()
        }


async def test_an_evaluation_teaches_everything_asks_every_judged_query_and_tells_how_far_it_is(folder: Path) -> None:
    twin, told = WordCounting(), []
    report = await evaluate(load(folder), teach=twin.teach, rank=twin.rank, progress=lambda *step: told.append(step))
    assert list(twin.documents) == ["d1", "d2", "d3"]
    assert told == [("documents", 3, 3), ("queries", 1, 2), ("queries", 2, 2)]
    assert (report.queries, report.documents, report.left_out) == (2, 3, 1)
    assert (report.ndcg_10, report.recall_10, report.recall_100, report.mrr_10) == (1.0, 1.0, 1.0, 1.0)


async def test_the_report_has_the_promised_shape(folder: Path) -> None:
    twin = WordCounting()
    report = (await evaluate(load(folder), teach=twin.teach, rank=twin.rank)).as_json()
    assert list(report) == [
        "dataset",
        "split",
        "queries",
        "documents",
        "ndcg@10",
        "recall@10",
        "recall@100",
        "mrr@10",
        "index_seconds",
        "query_ms",
    ]
    assert list(report["query_ms"]) == ["p50", "p95"]
    assert json.loads(json.dumps(report)) == report
