"""What is loaded is data: no program comes with a model, and no JSON is taken at its word."""

from __future__ import annotations

import ast
import copy
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ila_core
from faults.counts import EXAMPLES, count
from ila_core.errors import IlaError
from ila_core.landscape.folder import open_run, read_manifest
from ila_core.paths import SAMPLE
from ila_core.studies.findings import Study
from ila_core.studies.journal import planned

LOADERS = {"AutoTokenizer", "AutoConfig", "AutoModelForCausalLM", "SentenceTransformer"}
SAYS = {"trust_remote_code", "NO_CODE", "NUMBERS"}


def calls() -> Iterator[tuple[str, ast.Call]]:
    for path in Path(ila_core.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                yield path.name, node


def test_whatever_is_loaded_is_told_to_bring_no_code() -> None:
    seen = 0
    for file, call in calls():
        made = call.func
        owner = made.value if isinstance(made, ast.Attribute) else made
        name = getattr(owner, "id", "")
        loads = name == "SentenceTransformer" or getattr(made, "attr", "") == "from_pretrained"
        if name in LOADERS and loads:
            words = {word.arg or getattr(word.value, "id", "") for word in call.keywords}
            assert words & SAYS, f"{file}:{call.lineno}"
            seen += 1
    assert seen >= 6


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 10**30), st.text(max_size=5), st.just([]),
    st.just({}), st.just([[None]]), st.just({"a": {"b": []}}), st.floats(allow_nan=True),
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path to every part of a JSON value, of long lists the first three."""
    yield path
    if isinstance(value, dict):
        for name, part in value.items():
            yield from places(part, (*path, name))
    elif isinstance(value, list):
        for place, part in enumerate(value[:3]):
            yield from places(part, (*path, place))


def broken(value: Any, path: tuple[Any, ...], new: Any, *, gone: bool) -> Any:
    """The value with another part at a place, or none."""
    if not path:
        return new
    changed = copy.deepcopy(value)
    part = changed
    for step in path[:-1]:
        part = part[step]
    if gone:
        del part[path[-1]]
    else:
        part[path[-1]] = new
    return changed


def tried(file: Path, whole: Any, places: list[Any], read: Callable[[], Any]) -> None:
    """Break a JSON file in many ways: it is read, or refused in one sentence."""

    @settings(max_examples=EXAMPLES, database=None)
    @given(st.sampled_from(places), VALUES, st.booleans())
    def each(path: tuple[Any, ...], new: Any, gone: bool) -> None:
        file.write_text(json.dumps(broken(whole, path, new, gone=gone)), encoding="utf-8")
        try:
            read()
        except IlaError as error:
            assert "\n" not in str(error)
        count("broken inputs of our own JSON")

    each()


@pytest.fixture
def run_copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SAMPLE / "landscape", tmp_path / "run"))


def test_no_manifest_breaks_a_reader(run_copy: Path) -> None:
    whole = read_manifest(run_copy)
    tried(run_copy / "manifest.json", whole, list(places(whole)), lambda: open_run(run_copy))


def test_no_study_breaks_a_reader(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SAMPLE / "study", tmp_path / "study"))
    whole = json.loads((folder / "study.json").read_text("utf-8"))
    whole["curves"] = [row for row in whole["curves"] if row["seed"] == 0][:40]

    def read() -> None:
        study = Study.open(folder)
        for loss in ("micro", "macro"):
            study.verdicts(loss)
            study.headline(loss)
        assert study.losses is not None and str(study.advised)

    tried(folder / "study.json", whole, list(places(whole)), read)


def test_no_plan_breaks_a_reader(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SAMPLE / "study", tmp_path / "study"))
    if not (folder / "plan.json").is_file():
        pytest.skip("the sample study keeps no plan")
    whole = json.loads((folder / "plan.json").read_text("utf-8"))
    tried(folder / "plan.json", whole, list(places(whole)), lambda: planned(folder))


@pytest.mark.parametrize("text", ["[" * 100_000, '{"format": 1e999}', "\ud800", "nul", "[]", "7"])
def test_a_manifest_that_is_none_is_damaged(run_copy: Path, text: str) -> None:
    (run_copy / "manifest.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(IlaError, match="damaged"):
        open_run(run_copy)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_not_called_damaged(run_copy: Path) -> None:
    (run_copy / "manifest.json").chmod(0)
    with pytest.raises(IlaError, match="cannot be read"):
        open_run(run_copy)


def test_what_cannot_be_read_is_not_called_damaged(
    run_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path, *_: Any, **__: Any) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_text", refused)
    with pytest.raises(IlaError, match=r"manifest\.json cannot be read \(Permission denied\)"):
        open_run(run_copy)
    with pytest.raises(IlaError, match=r"study\.json cannot be read \(Permission denied\)"):
        Study.open(SAMPLE / "study")
