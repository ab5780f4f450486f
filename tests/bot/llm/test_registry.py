"""Which models can be opened, and what is said of those that cannot."""

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from bot.errors import BadModel
from bot.llm import registry
from bot.llm.endpoints import Endpoints
from bot.llm.registry import offered, open_models, providers
from tests.bot.llm.scripted import Scripted


@asynccontextmanager
async def open_outside(model: str, _endpoints: Endpoints) -> AsyncIterator[Scripted]:
    yield Scripted(f"outside:{model}", ["Hi"])


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> None:
    here = __name__
    points = [
        EntryPoint("outside", f"{here}:open_outside", registry.GROUP),
        EntryPoint("ollama", f"{here}:open_outside", registry.GROUP),
        EntryPoint("broken", f"{here}_that_is_not_there:open_outside", registry.GROUP),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda **which: EntryPoints(points).select(**which))


async def test_models_are_opened_in_order_by_name() -> None:
    names = ["ollama:llama3:8b", " openai : gpt-x ", "anthropic:claude-x"]
    async with open_models(names, Endpoints()) as models:
        assert [model.name for model in models] == ["ollama:llama3:8b", "openai:gpt-x", "anthropic:claude-x"]
        assert [model.capabilities.window for model in models] == [8_192, 8_192, 200_000]


async def test_the_window_can_be_set() -> None:
    async with open_models(["ollama:a", "openai:b", "anthropic:c"], Endpoints(window=1_000)) as models:
        assert {model.capabilities.window for model in models} == {1_000}


async def test_every_text_has_tokens() -> None:
    async with open_models(["ollama:a", "openai:b", "anthropic:c"], Endpoints()) as models:
        assert all(model.count("Ein Fuchs 🦊 läuft.") >= 6 for model in models)


async def test_an_unknown_provider_is_told_with_those_there_are() -> None:
    with pytest.raises(BadModel, match=r"no provider 'gpt'.*extractive, anthropic:MODEL, ollama:MODEL, openai:MODEL\."):
        async with open_models(["gpt:4"], Endpoints()):
            pass
    with pytest.raises(BadModel, match="no provider 'gpt'"):
        await offered("gpt", Endpoints())


@pytest.mark.parametrize("name", ["openai", "openai:", "openai: "])
async def test_a_name_without_a_model_is_told_how_to_write_it(name: str) -> None:
    with pytest.raises(BadModel, match="openai:MODEL"):
        async with open_models([name], Endpoints()):
            pass


@pytest.mark.usefixtures("outside")
async def test_installed_packages_bring_providers_that_cannot_replace_ours() -> None:
    assert providers() == ("anthropic", "broken", "ollama", "openai", "outside")
    async with open_models(["outside:fox", "ollama:fox"], Endpoints()) as (fox, ours):
        assert isinstance(fox, Scripted)
        assert not isinstance(ours, Scripted)
    assert await offered("outside", Endpoints()) == ()


@pytest.mark.usefixtures("outside")
async def test_a_provider_that_cannot_be_loaded_is_in_nobodys_way_until_it_is_asked_for() -> None:
    async with open_models(["ollama:fox"], Endpoints()):
        pass
    with pytest.raises(BadModel, match="'broken' of language models cannot be loaded: ModuleNotFoundError"):
        async with open_models(["broken:fox"], Endpoints()):
            pass


def test_no_client_library_is_loaded_before_a_model_of_it_is_opened() -> None:
    script = "import sys, bot.llm.registry, bot.llm.chain; sys.exit(bool({'openai', 'anthropic', 'ollama'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0  # noqa: S603
