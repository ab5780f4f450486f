"""What every index promises."""

from datetime import UTC, datetime
from typing import cast

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge.documents import Audience, Filters
from knowledge.errors import NoAudience
from knowledge.index.base import Index, Point, Sparse
from tests.knowledge.index.points import EVERYONE, identity, point, vector


def _numbers(hits: tuple[object, ...]) -> list[int]:
    return [cast(int, getattr(hit, "n")) for hit in hits]  # noqa: B009


async def test_an_empty_index_finds_nothing(index: Index) -> None:
    found = await index.search(vector(1), Sparse([1], [1.0]), audience=EVERYONE)
    assert (found.dense, found.lexical) == ((), ())
    assert await index.count() == 0
    assert [page async for page in index.ids()] == []


async def test_the_nearest_vector_comes_first_with_its_cosine_and_its_place(index: Index) -> None:
    await index.upsert([point(n, document=f"d{n}", version=f"d{n}-1", kind="pdf") for n in range(30)])
    best, second = (await index.search(vector(7), None, audience=EVERYONE, limit=2)).dense
    assert (best.id, best.document, best.version, best.n, best.kind) == (identity(7), "d7", "d7-1", 7, "pdf")
    assert best.score == pytest.approx(1.0, abs=1e-5)
    assert second.score == pytest.approx(float(vector(second.n) @ vector(7)), abs=1e-5)


async def test_a_rare_token_outweighs_a_common_one(index: Index) -> None:
    await index.upsert([point(n, tokens=(1,)) for n in range(20)] + [point(20, tokens=(2,))])
    hits = (await index.search(None, Sparse([1, 2], [1.0, 1.0]), audience=EVERYONE, limit=3)).lexical
    assert hits[0].n == 20
    assert hits[0].score > hits[1].score > 0


async def test_an_arm_that_was_not_asked_for_is_empty(index: Index) -> None:
    await index.upsert([point(1)])
    only_dense = await index.search(vector(1), None, audience=EVERYONE)
    only_lexical = await index.search(None, Sparse([1], [1.0]), audience=EVERYONE)
    no_token = await index.search(vector(1), Sparse([], []), audience=EVERYONE)
    nothing = await index.search(None, None, audience=EVERYONE)
    assert (_numbers(only_dense.dense), only_dense.lexical) == ([1], ())
    assert (only_lexical.dense, _numbers(only_lexical.lexical)) == ((), [1])
    assert (_numbers(no_token.dense), no_token.lexical) == ([1], ())
    assert (nothing.dense, nothing.lexical) == ((), ())


async def test_a_passage_without_any_token_is_found_by_its_vector(index: Index) -> None:
    await index.upsert([point(1, tokens=())])
    found = await index.search(vector(1), Sparse([1], [1.0]), audience=EVERYONE)
    assert (_numbers(found.dense), found.lexical) == ([1], ())


async def test_vectors_are_returned_normalised_for_the_ids_that_exist(index: Index) -> None:
    await index.upsert([point(1, dense=vector(1) * 3)])
    got = await index.vectors([identity(1), identity(2)])
    assert got.keys() == {identity(1)}
    np.testing.assert_allclose(got[identity(1)], vector(1), atol=1e-6)


@pytest.mark.parametrize("nobody", [None, frozenset({"local"}), ["local"], "local"])
async def test_a_search_that_does_not_say_who_reads_is_refused(index: Index, nobody: object) -> None:
    await index.upsert([point(1)])
    with pytest.raises(NoAudience):
        await index.search(vector(1), None, audience=cast(Audience, nobody))


async def test_a_point_is_seen_by_an_audience_that_shares_one_of_its_scopes(index: Index) -> None:
    await index.upsert([point(1, scopes=("a", "b")), point(2, scopes=("c",)), point(3, scopes=())])
    found = await index.search(vector(1), Sparse([1], [1.0]), audience=Audience(frozenset({"b", "x"})))
    assert (_numbers(found.dense), _numbers(found.lexical)) == ([1], [1])


async def test_filters_narrow_by_document_kind_tag_and_time(index: Index) -> None:
    await index.upsert(
        [
            point(1, document="d1", kind="pdf", tags=("x", "y"), time=100),
            point(2, document="d2", kind="eml", tags=("y",), time=200),
            point(3, document="d3", kind="pdf", tags=(), time=300),
        ]
    )

    async def found(where: Filters) -> set[int]:
        arms = await index.search(vector(1), Sparse([1], [1.0]), audience=EVERYONE, where=where)
        assert set(_numbers(arms.dense)) == set(_numbers(arms.lexical))
        return set(_numbers(arms.dense))

    def at(seconds: int) -> datetime:
        return datetime.fromtimestamp(seconds, UTC)

    assert await found(Filters()) == {1, 2, 3}
    assert await found(Filters(documents=("d1", "d3"))) == {1, 3}
    assert await found(Filters(kinds=("pdf",))) == {1, 3}
    assert await found(Filters(tags=("y",))) == {1, 2}
    assert await found(Filters(since=at(200))) == {2, 3}
    assert await found(Filters(until=at(200))) == {1, 2}
    assert await found(Filters(since=at(150), until=at(250))) == {2}
    assert await found(Filters(documents=("d1",), kinds=("eml",))) == set()


async def test_storing_a_point_again_replaces_it(index: Index) -> None:
    await index.upsert([point(1, document="old")])
    await index.upsert([point(1, document="new", dense=vector(99))])
    (hit,) = (await index.search(vector(99), None, audience=EVERYONE)).dense
    assert (await index.count(), hit.document) == (1, "new")
    assert hit.score == pytest.approx(1.0, abs=1e-5)


async def test_points_go_by_version_and_by_id(index: Index) -> None:
    await index.upsert([point(n, version=f"v{n % 3}") for n in range(9)])
    await index.delete_versions(["v0", "v9"])
    await index.delete([identity(1), identity(2), identity(77)])
    left = {i async for page in index.ids() for i in page}
    assert left == {identity(n) for n in (4, 5, 7, 8)}
    assert await index.count() == 4


async def test_asking_for_nothing_is_no_error(index: Index) -> None:
    await index.upsert([])
    await index.delete([])
    await index.delete_versions([])
    assert await index.vectors([]) == {}


async def test_a_document_moves_to_other_scopes(index: Index) -> None:
    await index.upsert([point(1, document="d1"), point(2, document="d2")])
    await index.set_scopes("d1", ["elsewhere"])
    here = await index.search(vector(1), None, audience=EVERYONE)
    there = await index.search(vector(1), None, audience=Audience(frozenset({"elsewhere"})))
    assert (_numbers(here.dense), _numbers(there.dense)) == ([2], [1])


async def test_all_ids_are_listed_over_several_pages(index: Index) -> None:
    await index.upsert([point(n) for n in range(2_100)])
    pages = [page async for page in index.ids()]
    assert len(pages) > 1
    assert sorted(i for page in pages for i in page) == sorted(identity(n) for n in range(2_100))


async def test_flushing_and_optimising_change_nothing_that_is_found(index: Index) -> None:
    await index.upsert([point(n) for n in range(50)])
    await index.delete([identity(3)])
    before = await index.search(vector(5), Sparse([1], [1.0]), audience=EVERYONE, limit=10)
    await index.flush()
    await index.optimize()
    after = await index.search(vector(5), Sparse([1], [1.0]), audience=EVERYONE, limit=10)
    assert _numbers(after.dense) == _numbers(before.dense)
    assert await index.count() == 49


async def test_a_wiped_index_is_empty_and_usable(index: Index) -> None:
    await index.upsert([point(n) for n in range(10)])
    await index.wipe()
    assert await index.count() == 0
    await index.upsert([point(1)])
    assert _numbers((await index.search(vector(1), None, audience=EVERYONE)).dense) == [1]


async def test_a_vector_of_another_length_is_refused_before_anything_is_stored(index: Index) -> None:
    with pytest.raises(ValueError, match="shape"):
        await index.upsert([point(1), point(2, dense=vector(2, dimension=3))])
    assert await index.count() == 0


_scopes = st.sets(st.sampled_from(["a", "b", "c", "d"]), max_size=3)
_documents = st.lists(st.tuples(_scopes, st.sampled_from(["pdf", "eml"]), st.integers(0, 5)), max_size=25)


@given(_documents, st.sets(st.sampled_from(["a", "b", "c", "x"]), min_size=1), st.sets(st.sampled_from(["pdf", "eml"])))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_exactly_what_the_audience_may_see_is_found(
    index: Index, drawn: list[tuple[set[str], str, int]], scopes: set[str], kinds: set[str]
) -> None:
    await index.delete([i async for page in index.ids() for i in page])
    points = [point(n, scopes=tuple(sorted(its)), kind=kind, tokens=(token,)) for n, (its, kind, token) in enumerate(drawn)]
    await index.upsert(points)
    query = vector(1_000)

    def may(candidate: Point) -> bool:
        return bool(scopes & set(candidate.scopes)) and (not kinds or candidate.kind in kinds)

    found = await index.search(
        query,
        Sparse([0, 1, 2], [1.0] * 3),
        audience=Audience(frozenset(scopes)),
        where=Filters(kinds=tuple(kinds)),
        limit=30,
    )
    ranked = sorted(filter(may, points), key=lambda p: -float(p.dense @ query))
    assert _numbers(found.dense) == [p.n for p in ranked]
    assert set(_numbers(found.lexical)) == {p.n for p in points if may(p) and p.sparse.indices[0] < 3}
