"""What is found on the disk at the start: nothing, leftovers, damage, another model's vectors."""

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from knowledge.errors import IndexAway
from knowledge.index import IndexDamaged, WrongDimension, open_index
from knowledge.index.embedded import EmbeddedIndex
from tests.knowledge.index.points import DIMENSION, point


async def _fill(folder: Path) -> None:
    async with EmbeddedIndex.open(folder, dimension=DIMENSION) as index:
        await index.upsert([point(n) for n in range(10)])


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a closed index with ten points."""
    folder = tmp_path_factory.mktemp("original")
    asyncio.run(_fill(folder))
    return folder


@pytest.fixture
def shard(original: Path, tmp_path: Path) -> Path:
    """The shard in a copy of it, which is `tmp_path`."""
    shutil.copytree(original, tmp_path, dirs_exist_ok=True)
    return tmp_path / str(json.loads((tmp_path / "CURRENT").read_bytes())["shard"])


async def test_the_index_is_opened_by_its_settings(tmp_path: Path) -> None:
    async with open_index(folder=tmp_path / "new" / "index", collection="twin", dimension=DIMENSION) as index:
        await index.upsert([point(1)])
        assert await index.count() == 1


async def test_another_models_index_names_the_command_that_helps(shard: Path, tmp_path: Path) -> None:
    with pytest.raises(WrongDimension, match=r"16 numbers.*makes 8.*`twin reindex`"):
        async with EmbeddedIndex.open(tmp_path, dimension=8):
            pass
    async with EmbeddedIndex.open(tmp_path, dimension=8, fresh=True) as index:
        assert await index.count() == 0


async def test_leftovers_of_an_interruption_go_and_other_files_stay(shard: Path, tmp_path: Path) -> None:
    shutil.copytree(shard, tmp_path / "shard-leftover")
    (tmp_path / "CURRENT.new").write_text("half of it")
    (tmp_path / "notes.txt").write_text("not ours")
    async with EmbeddedIndex.open(tmp_path, dimension=DIMENSION) as index:
        assert await index.count() == 10
    assert {path.name for path in tmp_path.glob("shard-*")} == {shard.name}
    assert (tmp_path / "notes.txt").exists()


async def test_an_index_whose_first_start_was_interrupted_begins_empty(shard: Path, tmp_path: Path) -> None:
    (tmp_path / "CURRENT").unlink()
    async with EmbeddedIndex.open(tmp_path, dimension=DIMENSION) as index:
        assert await index.count() == 0
    assert len(list(tmp_path.glob("shard-*"))) == 1


def _garble_pointer(shard: Path) -> None:
    (shard.parent / "CURRENT").write_text("{")


def _age(shard: Path) -> None:
    (shard.parent / "CURRENT").write_text(json.dumps({"shard": shard.name, "dimension": DIMENSION, "format": 0}))


def _lose_shard(shard: Path) -> None:
    shutil.rmtree(shard)


def _lose_segments(shard: Path) -> None:
    shutil.rmtree(shard / "segments")


def _garble_settings(shard: Path) -> None:
    (shard / "edge_config.json").write_text("{")


def _garble_segment(shard: Path) -> None:
    for file in shard.glob("segments/*/segment.json"):
        file.write_text("?")


@pytest.mark.parametrize("damage", [_garble_pointer, _age, _lose_shard, _lose_segments, _garble_settings, _garble_segment])
async def test_a_damaged_index_is_recognised(shard: Path, damage: Callable[[Path], None]) -> None:
    damage(shard)
    with pytest.raises(IndexDamaged, match=r"is damaged: .*`twin reindex`"):
        async with EmbeddedIndex.open(shard.parent, dimension=DIMENSION):
            pass


async def test_a_damaged_index_can_be_begun_again(shard: Path) -> None:
    _garble_pointer(shard)
    _garble_segment(shard)
    async with EmbeddedIndex.open(shard.parent, dimension=DIMENSION, fresh=True) as index:
        assert await index.count() == 0


async def test_a_sound_index_is_not_called_damaged_when_the_system_is_in_the_way(
    shard: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(IndexAway, match="ended while it was starting"):
        async with EmbeddedIndex.open(shard.parent, dimension=DIMENSION):
            pass
