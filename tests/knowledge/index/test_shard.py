"""What the engine does inside one shard, with vectors long enough for a graph."""

from pathlib import Path

from knowledge.index.base import Point
from knowledge.index.schema import Graph
from knowledge.index.shard import Shard, build
from tests.knowledge.index.points import point, vector

DIMENSION, SIZE = 4_096, 660  # 10.8 MB: the engine builds no graph below 10
GRAPH = Graph(m=4, ef_construct=8)


def _points(numbers: range) -> list[Point]:
    return [point(n, document=f"d{n % 3}", dense=vector(n, DIMENSION)) for n in numbers]


def test_only_what_was_written_since_graphs_were_built_is_loose(tmp_path: Path) -> None:
    shard = Shard.create(tmp_path / "new", DIMENSION, GRAPH)
    shard.upsert(_points(range(SIZE)))
    assert shard.loose() == SIZE
    shard.close()

    build(tmp_path / "new", tmp_path / "built", DIMENSION, GRAPH, afresh=False)
    shard = Shard.load(tmp_path / "built", DIMENSION, GRAPH)
    assert shard.loose() == 0
    shard.set_scopes("d1", ["everyone"])  # for this the engine takes these points out of the graph
    assert shard.loose() == SIZE // 3
    shard.set_scopes("d1", ["local"])
    assert shard.loose() == SIZE // 3
    shard.upsert(_points(range(SIZE, SIZE + 100)))
    assert shard.loose() == SIZE // 3 + 100
    shard.delete([known.id for known in _points(range(SIZE))])
    assert shard.loose() == shard.points() == 100
    shard.close()
