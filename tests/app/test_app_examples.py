"""The examples in the page's docstrings say what comes back."""

from __future__ import annotations

import doctest
from importlib import import_module

import pytest

from ila_core.paths import APP

WITH_EXAMPLES = [
    ".".join(path.relative_to(APP).with_suffix("").parts)
    for path in sorted(APP.rglob("*.py"))
    if ">>>" in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_examples_are_true(module: str) -> None:
    assert doctest.testmod(import_module(module)).failed == 0
