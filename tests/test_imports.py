"""Who imports whom: downwards only, and nothing heavy before it is needed."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from ila_core.paths import APP, ROOT

PACKAGE = ROOT / "ila_core"

# A module may import from the layers above its own line in this list, never from those below.
LAYERS = [
    {"errors", "progress", "paths", "_version"},
    {"files", "monitor"},
    {"neighbours"},
    {"formats", "grid", "kernels", "embed", "losses", "skills", "project", "depth", "containers"},
    {"records"},
    {"landscape"},
    {"selection", "reason"},
    {"metrics"},
    {"methods", "export"},
    {"store"},
    {"study", "pipeline", "doctor"},
    {"cli"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
INDEPENDENT = {"formats", "grid", "embed", "losses", "skills", "project"}


def modules() -> list[Path]:
    return sorted(p for p in PACKAGE.rglob("*.py") if "_bundle" not in p.parts)


def own_name(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Return the modules of the package that a file imports anywhere but for type checking."""
    found: set[str] = set()
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
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("ila_core"):
            if node.module == "ila_core":
                found |= {alias.name for alias in node.names if alias.name in LEVEL}
            else:
                found.add(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("ila_core.")}
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_run_downwards(path: Path) -> None:
    name = own_name(path)
    if name == "__init__":
        return
    for other in imported(path) - {name}:
        assert LEVEL[other] <= LEVEL[name], f"{name} imports {other}, which is above it"
        if LEVEL[other] == LEVEL[name]:
            assert not {name, other} <= INDEPENDENT, f"{name} and {other} do not know each other"


def test_every_module_has_its_layer() -> None:
    assert {own_name(path) for path in modules()} - {"__init__"} == set(LEVEL)


def test_the_engine_knows_no_front_end() -> None:
    for path in modules():
        text = path.read_text(encoding="utf-8")
        assert "import streamlit" not in text and "import plotly" not in text, path


def test_the_page_imports_only_public_modules() -> None:
    for path in APP.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ila_core"):
                assert not any(alias.name.startswith("_") for alias in node.names), path


def test_import_loads_nothing_heavy() -> None:
    heavy = ["pandas", "numba", "umap", "torch", "transformers", "sklearn", "pyarrow"]
    heavy += ["streamlit", "plotly"]
    code = f"import sys, ila_core; print([m for m in {heavy} if m in sys.modules])"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert output.strip() == "[]"
