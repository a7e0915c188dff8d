"""The names of the files that builds and studies write."""

from __future__ import annotations

MANIFEST = "manifest.json"
"""How a landscape was made: with it a folder holds one."""
STAGES = ".stages"
"""One folder a stage of its build."""
BESIDE = ".beside"
"""What was worked out of a landscape since, to be looked up again; it can be deleted."""
RECORDS, REJECTS = "records.parquet", "rejects.jsonl"
VECTORS, TABLE = "embeddings.npy", "landscape.parquet"
LABELS = "labels.parquet"
"""The labels that a build gave."""
TUNED = "tuned_rows.txt"
"""The rows that a build's tuned model has learned from."""
ARTIFACTS = (RECORDS, REJECTS, VECTORS, TABLE, LABELS, TUNED)
"""The files of a run that people read, the last two not of every run."""

PLAN = "plan.json"
"""What a study's folder says of itself: the landscape's identity, and the settings."""
STUDENTS = "runs.jsonl"
"""Its finished students."""
FINDINGS = "study.json"
"""With it a folder holds a finished study."""
CURVES, REGRESSION = "curves.parquet", "regression.parquet"
