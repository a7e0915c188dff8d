"""Who supplies the skill labels of a record: a column, the shipped taxonomy, or a server.

Labels are names such as ``python`` or ``word problems``. A record's S is the number of its
distinct labels and multiplies its loss in the information depth (METHOD 3).
"""

from __future__ import annotations

from ila_core.pool.labels import Labels, count_skills, distinct, from_column, record_text
from ila_core.skills.answers import parse_answer
from ila_core.skills.endpoint import (
    EndpointReport,
    EndpointResult,
    Estimate,
    endpoint,
    estimate,
)
from ila_core.skills.settings import KEY_VARIABLE, EndpointSettings
from ila_core.skills.taxonomy import (
    Calibration,
    Skill,
    calibrate,
    load_skills,
    shipped_calibration,
    shipped_threshold,
    taxonomy,
    taxonomy_identity,
)

__all__ = [
    "KEY_VARIABLE",
    "Calibration",
    "EndpointReport",
    "EndpointResult",
    "EndpointSettings",
    "Estimate",
    "Labels",
    "Skill",
    "calibrate",
    "count_skills",
    "distinct",
    "endpoint",
    "estimate",
    "from_column",
    "load_skills",
    "parse_answer",
    "record_text",
    "shipped_calibration",
    "shipped_threshold",
    "taxonomy",
    "taxonomy_identity",
]
