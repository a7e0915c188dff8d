"""Landscapes with texts, and a finished study: a plugin, since several test modules use them."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import small_pool, write_jsonl
from study_cases import SMALL

import ila_core as ila
from ila_core.landscape.landscape import Landscape
from ila_core.studies.run import study


@pytest.fixture(scope="session")
def landscape(tmp_path_factory: pytest.TempPathFactory) -> Landscape:
    """A landscape of 900 records with their texts, projected by PCA."""
    folder = tmp_path_factory.mktemp("study")
    pool = write_jsonl(folder / "pool.jsonl", small_pool(900))
    return ila.build(pool, out=folder / "run", projection="pca")


@pytest.fixture(scope="session")
def flat(tmp_path_factory: pytest.TempPathFactory) -> Landscape:
    """The same records without any depth."""
    folder = tmp_path_factory.mktemp("flat")
    pool = write_jsonl(folder / "pool.jsonl", small_pool(900))
    return ila.build(pool, out=folder / "run", projection="pca", loss="none")


@pytest.fixture(scope="session")
def finished(
    landscape: Landscape, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[str]]:
    """The folder of an undisturbed study, not to be changed, and what it said on the way."""
    out, said = tmp_path_factory.mktemp("finished") / "study", []
    study(landscape, out=out, say=said.append, **SMALL)
    return out, said
