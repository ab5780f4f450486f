"""Texts to dense vectors, off the event loop: all-MiniLM-L6-v2 as it was packaged, or any other model fastembed knows."""

import asyncio
import difflib
import json
import os
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from fastembed import TextEmbedding
from fastembed.common.model_description import ModelSource, PoolingType
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
from numpy.typing import NDArray

from knowledge import minilm
from knowledge.errors import ModelMissing
from knowledge.index.base import Vector

Vectors = NDArray[np.float32]

_ASKED = 2  # threads for what somebody waits for
_HUB_SECONDS = 5.0
_TOKENIZER = ("tokenizer.json", "tokenizer_config.json")


@dataclass(frozen=True, slots=True)
class _Model:
    """What fastembed calls a model, and the folder its files are in."""

    registered: str
    files: Path
    dimension: int


class Embedder:
    """One embedding model, for any number of tasks at once.

    Passages go one text at a time through `threads` threads: without padding, and with activations that fit the processor's
    cache, that is faster than batches and memory stays flat. What somebody waits for has threads of its own, which go first.
    """

    def __init__(self, model: str, source: _Model, threads: int) -> None:
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # a pool of threads makes one short text a quarter dearer
        try:
            self._encoder = TextEmbedding(source.registered, specific_model_path=str(source.files), threads=1)
            self.window = _window(source.files)
        except Exception as error:  # the runtime raises a dozen kinds, none with a base of its own
            raise ModelMissing(f"The files in {source.files} are not those of {model}, or not all of them: {error}") from error
        self.model = model
        self.dimension = source.dimension
        self.tokenizer = source.files / "tokenizer.json"
        self._threads = threads
        self._bulk = ThreadPoolExecutor(threads, thread_name_prefix="embed-passages", initializer=_yield_to_others)
        self._asked = ThreadPoolExecutor(_ASKED, thread_name_prefix="embed-asked")

    @classmethod
    def open(
        cls, name: str = minilm.NAME, *, variant: minilm.Variant = "int8", models: Path | None = None, threads: int = 2
    ) -> Self:
        """Load a model. This blocks for a moment: call it with `asyncio.to_thread`, and `close` what it returns.

        `models` is the folder of all models, `minilm.default_model_dir()` if left out; `variant` concerns the packaged model
        only. Raises `ModelMissing` when there is no such model or its files are absent or damaged.
        """
        models = (models or minilm.default_model_dir()).resolve()
        if name.removeprefix("sentence-transformers/") == minilm.NAME:
            return cls(f"{minilm.NAME}/{variant}", _packaged(models, variant), threads)
        return cls(name, _by_name(models, name), threads)

    async def passages(self, texts: Sequence[str]) -> Vectors:
        """Return one row of length 1 for each text, in order; what is beyond `window` tokens of a text has no part in it."""
        return await self._embed(texts, self._bulk, self._threads)

    async def sentences(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of a few texts that somebody waits for, ahead of passages being learned; as `passages` does."""
        return await self._embed(texts, self._asked, _ASKED)

    async def query(self, text: str) -> Vector:
        """Return the vector of a question, without waiting for passages that are under way."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._asked, _one, self._encoder.query_embed, text)

    def close(self) -> None:
        """Finish the texts under way and stop the threads."""
        self._bulk.shutdown(cancel_futures=True)
        self._asked.shutdown(cancel_futures=True)

    async def _embed(self, texts: Sequence[str], pool: ThreadPoolExecutor, threads: int) -> Vectors:
        vectors = np.empty((len(texts), self.dimension), np.float32)
        waiting = iter(enumerate(texts))
        loop = asyncio.get_running_loop()

        async def embed_waiting() -> None:
            for n, text in waiting:
                vectors[n] = await loop.run_in_executor(pool, _one, self._encoder.passage_embed, text)

        async with asyncio.TaskGroup() as group:
            for n in range(min(threads + 1, len(texts))):  # one more than threads, so that none waits for the loop
                group.create_task(embed_waiting(), name=f"embed-{n}")
        return vectors


def _one(embed: Callable[[list[str]], Iterable[NDArray[Any]]], text: str) -> Vector:
    [vector] = embed([text.encode("utf-8", "replace").decode()])  # half characters, as terminals give them, are refused below
    exact = np.asarray(vector, np.float64)
    return (exact / max(float(np.linalg.norm(exact)), 1e-12)).astype(np.float32)


def _yield_to_others() -> None:
    """Lower this thread's priority, so that the event loop and queries go first: else the loop lags three times as long."""
    if sys.platform == "linux":  # elsewhere priorities belong to whole processes
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)


def _window(files: Path) -> int:
    """Return after how many tokens fastembed cuts a text off: the lowest limit in the tokenizer's settings."""
    settings = json.loads((files / "tokenizer_config.json").read_text("utf-8"))
    limits = (settings.get(key) for key in ("model_max_length", "max_length"))
    return min(limit for limit in limits if isinstance(limit, int) and 0 < limit <= sys.maxsize)


def _packaged(models: Path, variant: minilm.Variant) -> _Model:
    files = minilm.folder(models, variant)
    if files.exists():
        minilm.verify(files)
    else:
        minilm.prepare(models, variant)
    registered = f"twin/{minilm.NAME}"
    if registered not in _known():
        TextEmbedding.add_custom_model(
            registered,
            pooling=PoolingType.DISABLED,
            normalization=False,
            sources=ModelSource(hf=f"sentence-transformers/{minilm.NAME}"),
            dim=minilm.DIMENSION,
            model_file=minilm.MODEL_FILE,
        )
    return _Model(registered, files, minilm.DIMENSION)


def _by_name(models: Path, name: str) -> _Model:
    known = _known()
    if name not in known:
        close = difflib.get_close_matches(name, [minilm.NAME, *known], n=3, cutoff=0.5)
        meant = f"Did you mean {' or '.join(close)}?" if close else f"The one that needs no download is {minilm.NAME}."
        raise ModelMissing(f"There is no embedding model called {name!r}. {meant}")
    files = models / name
    return _Model(name, files if files.is_dir() else _from_hub(models, known[name]), known[name]["dim"])


def _known() -> dict[str, dict[str, Any]]:
    return {entry["model"]: entry for entry in TextEmbedding.list_supported_models()}


def _from_hub(models: Path, entry: dict[str, Any]) -> Path:
    """Return the folder with a model's files, downloading them unless that was done before.

    fastembed would do it too, but takes forty seconds of retries to say that there is no network.
    """
    wanted = [entry["model_file"], *entry["additional_files"], *_TOKENIZER]
    optional = ["config.json", "special_tokens_map.json", "preprocessor_config.json"]
    reason: Exception | None = None
    for offline in (True, False):
        try:
            found = snapshot_download(
                entry["sources"]["hf"],
                cache_dir=models / "hub",
                allow_patterns=wanted + optional,
                local_files_only=offline,
                etag_timeout=_HUB_SECONDS,
            )
        except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
            reason = error
        else:
            if all((Path(found) / name).exists() for name in wanted):
                return Path(found)
    raise ModelMissing(
        f"The files of the embedding model {entry['model']} are not in {models / entry['model']}, and the model hub could not "
        f"be reached or does not have them all. Put them there, or use {minilm.NAME}."
    ) from reason
