"""Who supplies the skill labels of a record beside the pool: the shipped taxonomy, or a server.

Labels are names such as ``python`` or ``word problems``. A record's S is the number of its
distinct labels and multiplies its loss in the information depth (METHOD 3).
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    """Names that have moved, until every caller has."""
    from importlib import import_module

    homes = dict.fromkeys(("count_skills", "from_column", "Labels"), "pool.labels")
    homes |= dict.fromkeys(("EndpointReport", "EndpointResult", "Estimate", "estimate"),
                           "skills.endpoint")  # fmt: skip
    homes |= dict.fromkeys(("KEY_VARIABLE", "EndpointSettings"), "skills.settings")
    homes |= dict.fromkeys(("Calibration", "calibrate", "load_skills", "shipped_calibration",
                            "taxonomy_identity"), "skills.taxonomy")  # fmt: skip
    if name not in homes:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"ila_core.{homes[name]}"), name)
