"""The packaged model: made once, verified always, never half there."""

import importlib
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from knowledge import minilm
from knowledge.errors import ModelMissing


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    models = tmp_path_factory.mktemp("models")
    minilm.prepare(models, "int8")
    return models


@pytest.fixture
def models(prepared: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(prepared, tmp_path / "models"))


def test_a_prepared_model_is_whole(prepared: Path) -> None:
    minilm.verify(minilm.folder(prepared, "int8"))
    assert [path.name for path in prepared.iterdir()] == ["all-MiniLM-L6-v2-int8"]


def test_the_tokenizer_counts_all_tokens_of_a_text(prepared: Path) -> None:
    tokenizer = Tokenizer.from_file(str(minilm.folder(prepared, "int8") / "tokenizer.json"))
    assert [len(tokenizer.encode("word " * n)) for n in (1, 1000)] == [3, 1002]


def test_what_is_there_and_whole_is_not_made_again(models: Path) -> None:
    before = (minilm.folder(models, "int8") / minilm.MODEL_FILE).stat()
    minilm.prepare(models, "int8")
    assert (minilm.folder(models, "int8") / minilm.MODEL_FILE).stat() == before


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_one_altered_byte_is_refused_and_the_refusal_says_what_to_do(models: Path, name: str) -> None:
    path = minilm.folder(models, "int8") / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelMissing, match=rf"damaged: .*{name}.* `make setup`"):
        minilm.verify(path.parent)


def test_a_missing_file_is_refused(models: Path) -> None:
    (minilm.folder(models, "int8") / "tokenizer_config.json").unlink()
    with pytest.raises(ModelMissing, match=r"tokenizer_config\.json"):
        minilm.verify(minilm.folder(models, "int8"))


@pytest.mark.parametrize("manifest", ["", "[]", "{}", '{"files": 1, "recipe": 1}'])
def test_a_broken_manifest_is_refused(models: Path, manifest: str) -> None:
    (minilm.folder(models, "int8") / "manifest.json").write_text(manifest)
    with pytest.raises(ModelMissing, match=r"damaged.*`make setup`"):
        minilm.verify(minilm.folder(models, "int8"))


def test_a_model_made_by_another_version_is_refused(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "RECIPE", minilm.RECIPE + 1)
    with pytest.raises(ModelMissing, match=r"another version.*`make setup`"):
        minilm.verify(minilm.folder(models, "int8"))


def test_no_model_at_all_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="`make setup`"):
        minilm.verify(tmp_path / "nowhere")


def test_preparing_mends_a_damaged_model(models: Path) -> None:
    (minilm.folder(models, "int8") / minilm.MODEL_FILE).write_bytes(b"")
    minilm.verify(minilm.prepare(models, "int8"))
    assert [path.name for path in models.iterdir()] == ["all-MiniLM-L6-v2-int8"]


def test_two_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        for folder in pool.map(lambda _: minilm.prepare(tmp_path, "int8"), range(2)):
            minilm.verify(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["all-MiniLM-L6-v2-int8"]


def test_weights_with_a_wrong_checksum_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / minilm.PACKAGE
    (package / "model").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "model" / "model.safetensors").write_bytes(b"something else")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    with pytest.raises(ModelMissing, match=r"model\.safetensors is not the file.*`make setup`"):
        minilm.prepare(tmp_path / "models", "int8")
    assert not (tmp_path / "models").exists()


def test_without_the_package_it_says_which_one_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "PACKAGE", "no_such_model")
    with pytest.raises(ModelMissing, match=r"no-such-model.*`make setup`"):
        minilm.prepare(tmp_path, "int8")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ModelMissing, match=r"cannot be put into .*file/models"):
        minilm.prepare(tmp_path / "file" / "models", "int8")


def test_the_command_prepares_what_is_asked_for(prepared: Path) -> None:
    assert minilm.main([str(prepared), "int8"]) == 0


def test_the_command_fails_with_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert minilm.main([str(tmp_path / "file" / "models")]) == 1
    assert capsys.readouterr().err.count("\n") == 1
