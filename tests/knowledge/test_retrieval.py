"""What a search finds, for whom, in which order, and how it is joined for reading."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.candidates import Candidates
from knowledge.documents import Audience, Filters, Found, Passage, Reason
from knowledge.index.base import Arms, Hit, Index, Point, Sparse, Vector
from knowledge.lexical import Lexical
from knowledge.retrieval import Mode, Retrieval, runs
from tests.knowledge.fakes import MemoryIndex

ALL = Audience(frozenset({"all"}))
TEXT = """The harbour office opens at nine and closes at five. Ships are registered there in the order of their arrival.

A berth costs forty crowns a day. Fishing boats pay half of that. The fee is due on the first day.

The lighthouse was built in 1871 by the engineer Maren Lund. It burns gas, and is tended by two keepers."""
PARTS = TEXT.split("\n\n")


class WordEmbedder:
    """Texts with words in common are near each other; remembers the questions."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def query(self, text: str) -> Vector:
        self.asked.append(text)
        return self.embed(text)

    def embed(self, text: str) -> Vector:
        vector = np.full(64, 0.01, np.float32)
        for word in text.lower().replace(".", "").split():
            vector[zlib.crc32(word.encode()) % 64] += 1
        return vector / np.float32(np.linalg.norm(vector))


class BothArms(MemoryIndex):
    """The index in memory with the BM25 arm, too; remembers the searches."""

    def __init__(self) -> None:
        super().__init__()
        self.searches: list[tuple[bool, bool, Filters]] = []

    async def search(
        self,
        dense: Vector | None,
        sparse: Sparse | None,
        *,
        audience: Audience,
        where: Filters = Filters(),
        limit: int = 100,
    ) -> Arms:
        self.searches.append((dense is not None, sparse is not None, where))
        near, worded = [], []
        for point in self.points.values():
            if not audience.scopes.isdisjoint(point.scopes):
                if dense is not None:
                    near.append(_hit(point, float(point.dense @ dense)))
                if sparse is not None and (score := _dot(point.sparse, sparse)) > 0:
                    worded.append(_hit(point, score))
        return Arms(_best(near, limit), _best(worded, limit))


def _hit(point: Point, score: float) -> Hit:
    return Hit(point.id, score, point.document, point.version, point.n, point.kind)


def _dot(one: Sparse, other: Sparse) -> float:
    weights = dict(zip(one.indices, one.values, strict=True))
    return sum(weights.get(index, 0.0) * value for index, value in zip(other.indices, other.values, strict=True))


def _best(hits: list[Hit], limit: int) -> tuple[Hit, ...]:
    return tuple(sorted(hits, key=lambda hit: (-hit.score, hit.id))[:limit])


class Shelf:
    """The database: what stands on it, and for whom."""

    def __init__(self) -> None:
        self.there: dict[str, tuple[Passage, str, str]] = {}
        self.questions = 0

    async def passages(self, ids: Sequence[str], audience: Audience) -> dict[str, Passage]:
        self.questions += 1
        return {i: self.there[i][0] for i in ids if i in self.there and self.there[i][1] in audience.scopes}

    async def stretch(self, passage: Passage, start: int, end: int) -> str:
        return self.there[passage.id][2][start:end]


class Thoughts:
    """What people think."""

    def __init__(self) -> None:
        self.values: dict[str, float] = {}

    async def of(self, ids: Sequence[str]) -> Mapping[str, float]:
        return {i: self.values[i] for i in ids if i in self.values}


class House:
    """A library that is taught passages."""

    def __init__(self) -> None:
        self.index, self.shelf, self.lexical, self.embedder = BothArms(), Shelf(), Lexical(), WordEmbedder()
        index: Index = self.index
        self.thoughts = Thoughts()
        self.retrieval = Retrieval(self.embedder, self.lexical, index, self.shelf, self.thoughts)

    async def teach(self, document: str, parts: Sequence[str], *, scope: str = "all", kind: str = "text") -> None:
        whole, start = "\n\n".join(parts), 0
        for n, part in enumerate(parts):
            passage = Passage(f"{document}/{n}", document, document, kind, n, start, start + len(part), part, document, "")
            self.shelf.there[passage.id] = (passage, scope, whole)
            point = Point(
                passage.id, self.embedder.embed(part), self.lexical.document(part), document, document, n, kind, (scope,), (), 0
            )
            await self.index.upsert([point])
            start += len(part) + 2

    async def found(self, query: str, *, audience: Audience = ALL, limit: int = 8, mode: Mode = "hybrid") -> list[str]:
        results = await self.retrieval.search(query, audience=audience, limit=limit, mode=mode)
        return [one.passage.id for one in results.found]


@pytest.fixture
async def house() -> House:
    house = House()
    await house.teach("harbour", PARTS)
    await house.teach("bakery", ["Bread is baked at four in the morning.", "Cakes are ordered a day before."])
    return house


@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
async def test_the_passage_that_answers_comes_first(house: House, mode: Mode) -> None:
    assert (await house.found("who built the lighthouse", mode=mode))[0] == "harbour/2"


@pytest.mark.parametrize(("mode", "arms"), [("hybrid", (True, True)), ("dense", (True, False)), ("lexical", (False, True))])
async def test_a_mode_asks_only_its_arms(house: House, mode: Mode, arms: tuple[bool, bool]) -> None:
    await house.found("lighthouse", mode=mode)
    dense, lexical = (any(asked) for asked in zip(*(search[:2] for search in house.index.searches), strict=True))
    assert (dense, lexical) == arms


async def test_a_question_of_stop_words_alone_is_still_answered(house: House) -> None:
    assert await house.found("what is it")


async def test_an_empty_library_finds_nothing() -> None:
    results = await House().retrieval.search("lighthouse", audience=ALL)
    assert (results.found, results.dense, results.lexical) == ((), 0.0, 0.0)


async def test_no_more_is_found_than_asked_for(house: House) -> None:
    assert len(await house.found("the lighthouse", limit=2)) == 2


async def test_filters_reach_the_index(house: House) -> None:
    where = Filters(tags=("ships",))
    await house.retrieval.search("lighthouse", audience=ALL, where=where)
    assert house.index.searches[-1][2] == where


async def test_what_was_forgotten_since_it_was_indexed_is_not_found(house: House) -> None:
    del house.shelf.there["harbour/2"]
    assert "harbour/2" not in await house.found("who built the lighthouse")
    documents = await house.retrieval.ranked_documents("bread", audience=ALL)
    assert list(documents) == ["bakery", "harbour"]


async def test_what_this_audience_may_no_longer_see_is_not_found(house: House) -> None:
    passage, _, whole = house.shelf.there["harbour/2"]
    house.shelf.there["harbour/2"] = (passage, "few", whole)
    assert "harbour/2" not in await house.found("who built the lighthouse")


async def test_a_copy_of_a_passage_is_shown_once_and_leaves_room_for_others(house: House) -> None:
    await house.teach("copy", [PARTS[2]])
    found = await house.found("who built the lighthouse", limit=3)
    assert len({"copy/0", "harbour/2"}.intersection(found)) == 1
    assert len(found) == 3


async def test_scores_fall_with_the_rank_and_are_probabilities(house: House) -> None:
    results = await house.retrieval.search("what does a berth cost a day", audience=ALL)
    scores = [one.score for one in results.found]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


async def test_a_question_that_is_answered_scores_higher_than_one_that_is_not(house: House) -> None:
    answered = await house.retrieval.search("what does a berth cost a day", audience=ALL)
    strange = await house.retrieval.search("why do transformers need positional encodings", audience=ALL)
    assert answered.found[0].score > strange.found[0].score
    assert answered.lexical > strange.lexical == 0


async def test_the_signals_are_the_best_of_what_was_found(house: House) -> None:
    results = await house.retrieval.search("the fee for fishing boats", audience=ALL)
    assert results.dense == max(one.dense for one in results.found)
    assert results.lexical == max(one.lexical for one in results.found) > 0


async def test_a_message_is_found_by_the_one_it_answers() -> None:
    house = House()
    chat = ["Where did Jo put the spare key?", "Under the blue pot.", "Nice weather today.", "Lunch?"]
    await house.teach("chat", chat, kind="message")
    await house.teach("noise", [f"Meeting {n} is moved." for n in range(8)], kind="message")
    assert (await house.found("where is the spare key", limit=2)) == ["chat/0", "chat/1"]


async def test_documents_are_ranked_by_their_best_passage(house: House) -> None:
    documents = await house.retrieval.ranked_documents("order a cake", audience=ALL)
    assert list(documents) == ["bakery", "harbour"]
    assert documents["bakery"] > documents["harbour"]


async def test_a_search_for_two_audiences_embeds_the_question_once(house: House) -> None:
    await house.teach("secret", ["The lighthouse was sold to the harbour master."], scope="me")
    both = Audience(frozenset({"all", "me"}))
    query = "who was the lighthouse sold to"
    seen, alone = await house.retrieval.search_both(query, audience=ALL, private=both, limit=4)
    assert house.embedder.asked == [query]
    assert seen == await house.retrieval.search(query, audience=ALL, limit=4)
    assert alone == await house.retrieval.search(query, audience=both, limit=4)
    assert alone.found[0].passage.id == "secret/0"
    question = house.retrieval.question(query)
    house.embedder.asked.clear()
    assert await house.retrieval.search(question, audience=ALL, limit=4) == seen
    assert await house.retrieval.search(question, audience=both, limit=4) == alone
    assert house.embedder.asked == [query]


async def test_what_was_left_out_is_named_with_the_reason_and_costs_no_question_more(house: House) -> None:
    await house.teach("copy", [PARTS[2]])
    house.shelf.questions = 0
    results = await house.retrieval.search("who built the lighthouse", audience=ALL, limit=2)
    assert house.shelf.questions == 1
    found, left = [one.passage.id for one in results.found], {one.passage_id: one for one in results.left_out}
    [repeated] = {"copy/0", "harbour/2"}.difference(found)
    assert left[repeated].reason is Reason.REPEATS
    assert left[repeated].document_id == repeated.split("/")[0]
    assert {one.reason for i, one in left.items() if i != repeated} == {Reason.RANKED_LOWER}
    assert len(found) + len(left) == 6
    scores = [one.score for one in results.left_out]
    assert scores == sorted(scores, reverse=True)
    assert all(one.score <= results.found[0].score for one in results.left_out)


async def test_what_may_not_be_seen_or_is_gone_is_not_named_as_left_out(house: House) -> None:
    passage, _, whole = house.shelf.there["harbour/1"]
    house.shelf.there["harbour/1"] = (passage, "few", whole)
    del house.shelf.there["bakery/0"]
    results = await house.retrieval.search("the lighthouse", audience=ALL, limit=1)
    assert {one.passage_id for one in results.left_out} <= {"harbour/0", "harbour/2", "bakery/1"}


async def test_only_the_best_that_were_left_out_are_named(house: House) -> None:
    for n in range(40):
        await house.teach(f"note-{n:02}", [f"The lighthouse note {n} says {'so ' * n}little."])
    results = await house.retrieval.search("lighthouse note", audience=ALL, limit=20)
    assert (len(results.found), len(results.left_out)) == (20, 8)
    repeated = [" ".join(["The lighthouse keeper wrote the same report on every day of the month and week and year"] * 2)]
    for n in range(40):
        await house.teach(f"copy-{n:02}", repeated)
    results = await house.retrieval.search("lighthouse keeper wrote report", audience=ALL, limit=4)
    assert (len(results.found), len(results.left_out)) == (4, 12)


async def test_without_opinions_of_what_is_found_nothing_moves(house: House) -> None:
    before = await house.retrieval.search("what does a berth cost a day", audience=ALL)
    house.thoughts.values = {"another": 1.0}
    assert await house.retrieval.search("what does a berth cost a day", audience=ALL) == before


async def test_the_worst_opinion_of_the_best_and_the_best_of_the_others_do_not_change_what_stands_out(house: House) -> None:
    await house.teach("log", [f"Ship {n} left on day {n} of the year with coal for the north." for n in range(40)])
    before = await house.found("what does a berth cost a day", limit=40)
    house.thoughts.values = dict.fromkeys(before[1:], 1.0) | {before[0]: -1.0}
    assert (await house.found("what does a berth cost a day"))[0] == before[0]


@given(st.integers(0, 500), st.randoms())
def test_opinions_move_no_passage_past_one_that_is_better_by_more_than_half_a_deviation(seed: int, draw: Random) -> None:
    before = Candidates.of(_arms(seed), limit=100)
    score = {hit.id: float(value) for hit, value in zip(before.hits, before.scores, strict=True)}
    after = before.swayed({i: draw.uniform(-1, 1) for i in score if draw.random() < 0.5})
    ids = [hit.id for hit in after.hits]
    assert sorted(ids) == sorted(score)
    for n, one in enumerate(ids):
        assert all(score[later] <= score[one] + 0.5 + 1e-9 for later in ids[n + 1 :])


@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=6, unique=True), st.randoms())
async def test_nothing_is_found_that_the_audience_may_not_see(hidden: list[str], draw: Random) -> None:
    house = House()
    for name in "abcdefgh":
        words = draw.choices(["key", "pot", "boat", "fee", "light"], k=5)
        await house.teach(name, [" ".join(words)], scope="few" if name in hidden else "all")
    found = await house.found("key boat light")
    assert not {i[0] for i in found}.intersection(hidden)
    assert len(found) == 8 - len(hidden)


def _arms(seed: int) -> Arms:
    draw = np.random.default_rng(seed)
    hits = [Hit(f"p{n}", 0.0, f"d{n // 3}", f"v{n // 3}", n % 3, draw.choice(["text", "message"])) for n in range(20)]
    scored = [
        [
            replace(hits[n], score=float(score))
            for n, score in zip(draw.permutation(20), draw.random(most).round(1), strict=False)
        ]
        for most in draw.integers(0, 20, 2)
    ]
    return Arms(*(_best(arm, 20) for arm in scored))


@given(st.integers(0, 500), st.randoms())
def test_the_order_does_not_depend_on_the_order_of_arrival(seed: int, shuffled: Random) -> None:
    arms = _arms(seed)
    other = Arms(*(tuple(shuffled.sample(arm, len(arm))) for arm in (arms.dense, arms.lexical)))
    one, two = Candidates.of(arms, limit=100), Candidates.of(_reordered(other), limit=100)
    assert [hit.id for hit in one.hits] == [hit.id for hit in two.hits]
    assert sorted(hit.id for hit in one.hits) == sorted({hit.id for hit in (*arms.dense, *arms.lexical)})
    assert (np.diff(one.scores) <= 0).all()


def _reordered(arms: Arms) -> Arms:
    """Sort by score again; equals stay in the order of arrival."""
    dense, lexical = (tuple(sorted(arm, key=lambda hit: -hit.score)) for arm in (arms.dense, arms.lexical))
    return Arms(dense, lexical)


@given(st.integers(0, 500), st.integers(0, 20))
def test_refining_loses_nobody_and_keeps_the_others_behind(seed: int, most: int) -> None:
    draw = np.random.default_rng(seed)
    before = Candidates.of(_arms(seed), limit=100)
    vectors = draw.normal(size=(21, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    pool = [hit.id for hit in before.hits[:most]]
    after = before.refined(vectors[20], {id_: vectors[int(id_[1:])] for id_ in pool})
    assert sorted(hit.id for hit in after.hits) == sorted(hit.id for hit in before.hits)
    assert {hit.id for hit in after.hits[: len(pool)]} == set(pool)
    assert (np.diff(after.scores) <= 0).all()


async def test_neighbours_are_joined_exactly_as_they_are_stored(house: House) -> None:
    results = await house.retrieval.search("berth fee, bread, lighthouse keepers", audience=ALL)
    kept = [one for one in results.found if one.passage.id in ("harbour/1", "harbour/2", "bakery/0")]
    joined = {one.passage.document_id: one for one in await house.retrieval.joined(kept)}
    assert len(joined) == 2
    harbour = joined["harbour"].passage
    assert harbour.text == f"{PARTS[1]}\n\n{PARTS[2]}" == TEXT[harbour.start : harbour.end]
    assert joined["harbour"].score == max(one.score for one in kept if one.passage.document_id == "harbour")
    assert joined["bakery"].passage.text == "Bread is baked at four in the morning."


async def test_passages_of_two_pages_are_not_joined(house: House) -> None:
    one, other = _found("a", 1), _found("a", 2)
    paged = [replace(found, passage=replace(found.passage, page=n)) for n, found in enumerate((one, other))]
    assert len(await house.retrieval.joined(paged)) == 2


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 6)), unique=True))
def test_runs_hold_every_passage_once_in_reading_order_led_by_the_best(places: list[tuple[str, int]]) -> None:
    found = [_found(document, n) for document, n in places]
    grouped = runs(found)
    assert sorted(map(_place, (one for run in grouped for one in run))) == sorted(places)
    for run in grouped:
        assert [one.passage.n for one in run] == list(range(run[0].passage.n, run[0].passage.n + len(run)))
        assert len({one.passage.document_id for one in run}) == 1
    best = [min(found.index(one) for one in run) for run in grouped]
    assert best == sorted(best)


def _found(document: str, n: int) -> Found:
    return Found(Passage(f"{document}{n}", document, "", "text", n, 0, 1, "x", "", ""), 0.5, 0.5, 0.5)


def _place(one: Found) -> tuple[str, int]:
    return one.passage.document_id, one.passage.n


async def test_many_repetitions_do_not_crowd_out_what_else_there_is(house: House) -> None:
    report = (
        "The lighthouse was inspected and found to be in good order by the keeper and the harbour master on every day of week"
    )
    for n in range(40):
        await house.teach(f"report-{n:02}", [f"{report} again and again."])
    found = await house.found("was the lighthouse inspected and found in good order", limit=3)
    assert len(found) == 3
    assert sum(i.startswith("report") for i in found) == 1
