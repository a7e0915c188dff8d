"""Calibrate the skill taxonomy (assets/skills.json) and say how good its labels are.

    python assets/make_skills.py            write assets/skills_calibration.json
    python assets/make_skills.py --show 20  and print the labels of 20 records beside the true ones

The records are the labelled ones of sample_data/pool.jsonl, or of the pool named. The threshold is
the one with the best F1 on all of them; precision and recall are those of each half judged with the
other half's threshold. The encoder is the shipped static one: calibrate again whenever it, the
descriptions or the sample pool change. No network, no chance beyond the fixed seed of the halving.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from ila_core.pool.reading import read_pool
from ila_core.pool.record import Record
from ila_core.skills.taxonomy import Calibration, calibrate, taxonomy
from ila_core.space.encoders import Encoder, load_encoder

ASSETS = Path(__file__).resolve().parent
POOL = ASSETS.parent / "sample_data" / "pool.jsonl"
TARGET = ASSETS / "skills_calibration.json"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("pool", nargs="?", type=Path, default=POOL, help="labelled records")
    options.add_argument("--show", type=int, default=0, metavar="N", help="records to print (0)")
    chosen = options.parse_args()
    records = labelled_records(chosen.pool)
    encoder = load_encoder("static")
    found = judge(records, encoder)
    by_origin = {
        origin: judge([r for r in records if origin_of(r) == origin], encoder)
        for origin in sorted({origin_of(record) for record in records})
    }
    TARGET.write_text(as_json(found, by_origin), "utf-8")
    for name, one in {"all": found, **by_origin}.items():
        print(
            f"{name}: {one.n} records, threshold {one.threshold:.2f}, "
            f"precision {one.precision:.3f}, recall {one.recall:.3f}, F1 {one.f1:.3f}, "
            f"first label right {one.first_right:.3f}, rank correlation of the number of labels "
            f"{one.count_correlation:.3f}, true labels not in the list {one.unknown:.3f}"
        )
    if chosen.show:
        shown = records[:: max(1, len(records) // chosen.show)]
        given = taxonomy(lambda: pairs_of(shown), len(shown), encoder, threshold=found.threshold)
        for record, labels in zip(shown, given, strict=True):
            print(f"\n{record.instruction[:100]!r}\n  true  {record.labels}\n  given {labels}")


def labelled_records(pool: Path) -> list[Record]:
    """Return the records of a pool that say which skills they need."""
    return [item for item in read_pool(pool) if isinstance(item, Record) and item.labels]


def origin_of(record: Record) -> str:
    """Return how a record of the sample pool came to be: written by hand, computed, ..."""
    return str(json.loads(record.original).get("origin", "unknown"))


def judge(records: list[Record], encoder: Encoder) -> Calibration:
    """Return what the encoder's likeness is worth on these records."""
    return calibrate(pairs_of(records), [record.labels for record in records], encoder=encoder)


def pairs_of(records: list[Record]) -> list[tuple[str, str]]:
    """Return instruction and response of every record."""
    return [(record.instruction, record.response) for record in records]


def as_json(found: Calibration, by_origin: dict[str, Calibration]) -> str:
    """Return the calibration as JSON, figures to four digits, one point of the curve a line."""
    figures = {**figures_of(found), "by_origin": {k: figures_of(v) for k, v in by_origin.items()}}
    points = ",\n".join(f"    {json.dumps([round(x, 4) for x in p])}" for p in found.curve)
    head = json.dumps(figures, indent=2)[:-2]
    return f'{head},\n  "curve": [\n{points}\n  ]\n}}\n'


def figures_of(found: Calibration) -> dict[str, float]:
    """Return all of a calibration but its curve."""
    return {k: round(v, 4) for k, v in asdict(found).items() if k != "curve"}


if __name__ == "__main__":
    main()
