"""The page's rooms: who imports whom, downwards only and in no circle."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from ila_core.paths import APP

MAY_IMPORT = {
    "draw": set(),
    "view": {"draw"},
    "jobs": {"view"},
    "door": set(),
    "session": {"draw", "view", "jobs", "door"},
    "hand": {"jobs", "session"},
    "cache": {"draw", "jobs"},
    "cache_files": {"cache", "jobs"},
    "bundle": set(),
    "canvas": {"bundle"},
    "facets": {"bundle"},
    "parts": {
        "draw",
        "view",
        "jobs",
        "session",
        "hand",
        "cache",
        "cache_files",
        "canvas",
        "facets",
    },
    "screens": {"draw", "view", "jobs", "session", "hand", "cache", "cache_files", "parts"},
    "main": {"jobs", "session", "parts"},
    "serve": {"door", "jobs"},
}
"""Which rooms of the page each room may import beside the engine."""
MODULES = {
    ".".join(path.relative_to(APP).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(APP.rglob("*.py"))
}


def imports(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports, of the page and of anybody."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in MODULES else str(node.module)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def room(module: str) -> str:
    return module.partition(".")[0]


@pytest.mark.parametrize("module", MODULES)
def test_imports_run_downwards(module: str) -> None:
    for other in imports(MODULES[module]):
        if room(other) in MAY_IMPORT and room(other) != room(module):
            assert room(other) in MAY_IMPORT[room(module)], f"{module} imports {other}"


def test_there_is_no_circle() -> None:
    graph = {name: {o for o in imports(path) if o in MODULES} for name, path in MODULES.items()}
    done: set[str] = set()

    def walk(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, f"a circle: {' -> '.join((*way, name))}"
        if name not in done:
            for other in graph[name] - {name}:
                walk(other, (*way, name))
            done.add(name)

    for name in graph:
        walk(name, ())


def test_figures_are_pure_and_links_draw_nothing() -> None:
    for name, path in MODULES.items():
        heads = {room(other) for other in imports(path)}
        assert "streamlit" not in heads or room(name) not in ("draw", "view", "jobs", "door"), name
        assert "plotly" not in heads or room(name) == "draw", name


def test_one_file_spells_session_keys_and_one_decorates_caches() -> None:
    for name, path in MODULES.items():
        text = path.read_text(encoding="utf-8")
        assert "session_state" not in text or name == "session", name
        assert "st.cache_" not in text or name == "cache", name


def test_a_link_is_read_without_plotly() -> None:
    code = "import sys, view; print('plotly' in sys.modules, 'streamlit' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=APP)
    assert told.stdout.split() == ["False", "False"], told.stderr


def test_no_room_hides_an_installed_package() -> None:
    installed = {*packages_distributions(), *sys.stdlib_module_names}
    assert not {room(name) for name in MODULES} & installed


def test_files_and_functions_stay_short() -> None:
    for name, path in MODULES.items():
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 350, name
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                assert node.end_lineno - node.lineno < 60, f"{name}: {node.name}"
