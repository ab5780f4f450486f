"""Dense vectors, with the real model."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fastembed import TextEmbedding
from huggingface_hub import constants

from knowledge import minilm
from knowledge.embeddings import Embedder
from knowledge.errors import ModelMissing

TEXTS = [
    "To regain access to the mailbox, click 'Forgot password'.",
    "The plan costs five dollars a month.",
    "",
    "🎉",
    "In case of fire leave the building and call the fire brigade. " * 12,
    "Документы и договоры",
]


@pytest.fixture(scope="module", params=minilm.VARIANTS)
def embedder(request: pytest.FixtureRequest) -> Iterator[Embedder]:
    opened = Embedder.open(variant=request.param)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def fast() -> Iterator[Embedder]:
    opened = Embedder.open()
    yield opened
    opened.close()


async def test_what_means_the_same_is_closest(embedder: Embedder) -> None:
    passages = await embedder.passages(TEXTS)
    for n, question in enumerate(["How do I reset my mail password?", "How much is the subscription?"]):
        assert int(np.argmax(passages @ await embedder.query(question))) == n


async def test_vectors_are_of_length_one_whatever_the_text(embedder: Embedder) -> None:
    vectors = await embedder.passages([*TEXTS, "word " * 20_000, "x" * 100_000, "\0 and \ud800, half a character"])
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(TEXTS) + 3, embedder.dimension)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


async def test_no_texts_give_no_vectors(fast: Embedder) -> None:
    assert (await fast.passages([])).shape == (0, 384)


async def test_every_passage_stands_in_its_place(fast: Embedder) -> None:
    texts = [f"Room {n} is on floor {n // 10}." for n in range(40)]
    alone = [await fast.query(text) for text in texts]
    np.testing.assert_allclose(await fast.passages(texts), alone, atol=1e-6)


def test_a_text_has_the_same_vector_alone_and_in_a_batch(embedder: Embedder) -> None:
    encoder = TextEmbedding(f"twin/{minilm.NAME}", specific_model_path=str(embedder.tokenizer.parent), threads=1)
    together = np.array(list(encoder.embed(TEXTS)), np.float32)
    alone = np.array([next(iter(encoder.embed([text]))) for text in TEXTS], np.float32)
    np.testing.assert_allclose(together, alone, atol=2e-6)


async def test_the_small_variant_points_where_the_exact_one_does(fast: Embedder) -> None:
    exact = Embedder.open(variant="fp32")
    similarity = np.sum(await fast.passages(TEXTS) * await exact.passages(TEXTS), axis=1)
    exact.close()
    assert similarity.min() > 0.98


async def test_only_the_window_counts(fast: Embedder) -> None:
    within = "word " * (fast.window - 2)  # two places are for the marks of beginning and end
    same, beyond, shorter = await fast.passages([within, within + "fire fire fire", within[:-10] + "fire fire"])
    np.testing.assert_array_equal(same, beyond)
    assert not np.allclose(same, shorter, atol=1e-3)


async def test_a_query_does_not_wait_for_the_passages_under_way(fast: Embedder) -> None:
    async with asyncio.TaskGroup() as group:
        passages = group.create_task(fast.passages(TEXTS * 20))
        await asyncio.sleep(0)
        await fast.query("How much is it?")
        assert not passages.done()


async def test_sentences_have_the_vectors_of_passages(fast: Embedder) -> None:
    np.testing.assert_array_equal(await fast.sentences(TEXTS), await fast.passages(TEXTS))
    assert (await fast.sentences([])).shape == (0, 384)


async def test_sentences_do_not_take_turns_with_the_passages_under_way(fast: Embedder) -> None:
    async with asyncio.TaskGroup() as group:
        passages = group.create_task(fast.passages(["word " * 10_000] * 16))
        await asyncio.sleep(0)
        await fast.sentences(["How much is it?"] * 64)  # so many that, taking turns, the passages would be done first
        assert not passages.done()


async def test_passages_can_be_abandoned(fast: Embedder) -> None:
    task = asyncio.create_task(fast.passages(TEXTS * 100))
    await fast.query("let it begin")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await fast.passages(["what comes next is not held up"])).shape == (1, 384)


def test_it_says_what_it_is(embedder: Embedder) -> None:
    assert embedder.model in {"all-MiniLM-L6-v2/int8", "all-MiniLM-L6-v2/fp32"}
    assert (embedder.dimension, embedder.window) == (384, 256)
    assert embedder.tokenizer.is_file()


def test_a_damaged_model_says_what_to_do(tmp_path: Path) -> None:
    shutil.copytree(minilm.prepare(minilm.default_model_dir(), "int8"), minilm.folder(tmp_path, "int8"))
    (minilm.folder(tmp_path, "int8") / minilm.MODEL_FILE).write_bytes(b"not a model")
    with pytest.raises(ModelMissing, match=r"damaged.*`make setup`"):
        Embedder.open(models=tmp_path)


def test_a_model_that_is_not_there_yet_is_made(tmp_path: Path) -> None:
    Embedder.open(models=tmp_path).close()
    minilm.verify(minilm.folder(tmp_path, "int8"))


def test_a_misspelt_name_is_answered_with_the_right_one() -> None:
    with pytest.raises(ModelMissing, match="Did you mean BAAI/bge-small-en"):
        Embedder.open("bge-small-en-v1.5")


def test_an_unknown_name_is_answered_with_the_model_that_is_always_there() -> None:
    with pytest.raises(ModelMissing, match=r"no embedding model called 'qqq'.*all-MiniLM-L6-v2"):
        Embedder.open("qqq")


def test_without_files_and_hub_it_says_where_to_put_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")  # nobody listens there
    with pytest.raises(ModelMissing, match=r"not in .*BAAI/bge-small-en-v1\.5.*or use all-MiniLM-L6-v2"):
        Embedder.open("BAAI/bge-small-en-v1.5", models=tmp_path)


async def test_any_model_whose_files_are_present_works_without_a_hub(tmp_path: Path) -> None:
    files = tmp_path / "BAAI/bge-small-en-v1.5"
    shutil.copytree(minilm.prepare(minilm.default_model_dir(), "int8"), files)
    (files / minilm.MODEL_FILE).rename(files / "model_optimized.onnx")
    other = Embedder.open("BAAI/bge-small-en-v1.5", models=tmp_path)
    assert (other.model, other.dimension, other.window) == ("BAAI/bge-small-en-v1.5", 384, 256)
    assert (await other.query("hello")).shape == (384,)
    other.close()


def test_incomplete_files_of_another_model_are_named(tmp_path: Path) -> None:
    (tmp_path / "BAAI/bge-small-en-v1.5").mkdir(parents=True)
    with pytest.raises(ModelMissing, match=r"not those of BAAI/bge-small-en-v1\.5, or not all of them"):
        Embedder.open("BAAI/bge-small-en-v1.5", models=tmp_path)
