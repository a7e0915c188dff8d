"""Writes pool.jsonl, the sample pool: the same bytes on every run.

    python sample_data/make_pool.py [FILE]

Four origins: records written by hand (written/*.md), tasks whose answers are computed
(make_*_tasks.py), near-duplicates of written ones, and shallow boilerplate (make_noise.py).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import make_maths_tasks  # noqa: F401  (registers its families)

import make_code_tasks  # noqa: F401  isort: skip
import make_world_tasks  # noqa: F401  isort: skip
from make_noise import boilerplate, near_duplicates
from make_tasks import FAMILIES, Family
from make_written import written_records

SEED = 20250911
NEAR_DUPLICATES = 250
BOILERPLATE = 250

POOL = Path(__file__).parent / "pool.jsonl"


def computed_records(family: Family) -> Iterator[dict[str, object]]:
    """The family's tasks, all of them different; two of three carry its skills."""
    rng = Random(f"{SEED} {family.name}")  # adding a family leaves the others as they are
    seen: set[tuple[str, str]] = set()
    while len(seen) < family.count:
        task = family.make(rng)
        if (task.instruction, task.input) in seen:
            continue
        seen.add((task.instruction, task.input))
        record: dict[str, object] = {
            "id": f"{family.name}-{len(seen):03d}",
            "instruction": task.instruction,
        }
        if task.input:
            record["input"] = task.input
        record |= {"output": task.output, "domain": family.domain, "origin": "computed"}
        if len(seen) % 3:
            record["skills"] = list(family.skills)
        yield record


def pool_records() -> list[dict[str, object]]:
    """All records in a seeded shuffle."""
    written = list(written_records())
    records = [
        *written,
        *(record for family in FAMILIES for record in computed_records(family)),
        *near_duplicates(written, Random(f"{SEED} near-duplicates"), NEAR_DUPLICATES),
        *boilerplate(Random(f"{SEED} boilerplate"), BOILERPLATE),
    ]
    Random(SEED).shuffle(records)
    return records


def write_pool(path: Path) -> int:
    """Write the pool as JSONL and return its number of records."""
    records = pool_records()
    lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in records]
    path.write_text("".join(lines), encoding="utf-8", newline="\n")
    return len(lines)


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else POOL
    print(f"{write_pool(target):,} records in {target}")
