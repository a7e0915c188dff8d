"""Who imports whom: downwards only, in no circle, and nothing heavy before it is needed."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ila_core.paths import APP, ROOT

PACKAGE = ROOT / "ila_core"

BASE = (
    "_version", "artifacts", "errors", "paths", "identity", "chance", "shapes", "options", "files",
    "hashes", "blocks", "progress", "twos",
)  # fmt: skip
"""Single modules that every room may import; they import only those before them."""

MAY_IMPORT = {
    "pool": set(),
    "space": set(),
    "loss": set(),
    "lm": {"loss"},  # the type of the result
    "skills": {"pool"},  # the parser of labels
    "landscape": {"pool", "space"},  # the regions of a map and their names
    "selection": {"landscape"},
    "search": {"space", "landscape"},
    "methods": {"space", "landscape", "selection"},
    "measure": {"space", "landscape", "selection", "methods"},
    "studies": {"pool", "loss", "lm", "landscape", "selection", "methods", "measure"},
    "distributed": set(),  # it is handed the stages' own functions
    "pipeline": {"pool", "space", "loss", "lm", "skills", "landscape", "distributed"},
    "mine": {"landscape", "selection", "methods"},
    "overlap": {"pool", "space", "landscape", "search"},
    "exports": {"pool", "space", "landscape", "selection", "overlap"},
    "report": {"pool", "landscape", "selection", "measure", "exports"},
}
"""Which rooms each room may import beside the base; the command line may import all."""
MAY_IMPORT["cli"] = set(MAY_IMPORT)


def modules(folder: Path = PACKAGE) -> dict[str, Path]:
    """Every module of the engine by its dotted name."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted(folder.rglob("*.py"))
        if "_bundle" not in path.parts
    }


MODULES = modules()


def imports(path: Path) -> Iterator[str]:
    """Yield the engine's modules that a file imports anywhere but for type checking."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ila_core"):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in MODULES else str(node.module)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("ila_core."))


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


@pytest.mark.parametrize("module", [name for name in MODULES if room(name)])
def test_imports_run_downwards(module: str) -> None:
    own = room(module)
    for other in imports(MODULES[module]):
        if other == "ila_core":
            assert own == "cli", f"{module} imports the package itself"
        elif own in BASE:
            assert BASE.index(room(other)) < BASE.index(own), f"{module} imports {other}"
        elif room(other) not in {own, *BASE}:
            assert room(other) in MAY_IMPORT[own], f"{module} imports {other}"


def test_every_module_has_its_room() -> None:
    assert {room(name) for name in MODULES} - {""} == {*BASE, *MAY_IMPORT}


def test_no_circle_not_even_inside_a_room() -> None:
    graph = {name: set(imports(path)) for name, path in MODULES.items()}
    done: set[str] = set()

    def walk(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, f"a circle: {' -> '.join((*way, name))}"
        if name in done or name not in graph:
            return
        for other in graph[name] - {name}:
            walk(other, (*way, name))
        done.add(name)

    for name in graph:
        walk(name, ())


def test_the_engine_knows_no_front_end() -> None:
    for path in MODULES.values():
        text = path.read_text(encoding="utf-8")
        assert "import streamlit" not in text and "import plotly" not in text, path


def test_nobody_imports_private_names_of_the_engine() -> None:
    tests = ROOT / "tests"
    for path in [*APP.rglob("*.py"), *MODULES.values(), *tests.rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ila_core"):
                private = [a.name for a in node.names if a.name.startswith("_")]
                assert private in ([], ["__version__"]), f"{path} imports {private}"


def test_only_chance_makes_generators() -> None:
    for name, path in MODULES.items():
        if name != "ila_core.chance":
            assert "default_rng" not in path.read_text(encoding="utf-8"), path


def test_import_loads_nothing_heavy() -> None:
    heavy = ["pandas", "numba", "umap", "torch", "transformers", "sklearn", "pyarrow"]
    heavy += ["streamlit", "plotly", "ray"]
    code = f"import sys, ila_core; print([m for m in {heavy} if m in sys.modules])"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert output.strip() == "[]"
