"""Exports that are killed before each of their writes, renames and removals."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import script
from conftest import small_pool, write_jsonl

import ila_core as ila

KILLED = """
import hashlib, json, shutil, sys
from pathlib import Path
import ila_core as ila
from killed import killed_before

run, place, format = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
landscape = ila.open(run)
how = {"format": format}
if format == "jsonl":
    how |= {"validation": "20%", "dataset_info": True}
old, new = (ila.select(landscape, budget=budget) for budget in (10, 20))

def export(selection, folder):
    ila.export(selection, folder / f"chosen.{'parquet' if 'parquet' in format else 'jsonl'}", **how)

def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}

def told(name, content):
    # a manifest tells when it was written, which is another moment each time
    if not name.endswith(".manifest.json"):
        return content
    return {key: value for key, value in json.loads(content).items() if key != "written"}

def check(folder, before, after):
    for name, content in files(folder).items():
        if name.endswith(".part"):
            continue
        assert content in (before.get(name), after.get(name)) or told(name, content) in (
            told(name, before.get(name, b"{}")), told(name, after.get(name, b"{}"))), name
        if name.endswith(".manifest.json"):
            of = folder / name.removesuffix(".manifest.json")
            digest = hashlib.sha256(of.read_bytes()).hexdigest()
            assert json.loads(content)["sha256"] == digest, name

def made(name, *selections):
    (place / name).mkdir()
    for selection in selections:
        export(selection, place / name)
    return files(place / name)

before, after = made("before", old), made("after", old, new)
step = 1
while True:
    folder = place / str(step)
    shutil.copytree(place / "before", folder)
    killed = killed_before(step, folder, lambda: export(new, folder))
    check(folder, before, after)
    export(new, folder)  # the same command again
    assert sorted(files(folder)) == sorted(after), (step, sorted(files(folder)))
    assert all(told(n, c) == told(n, after[n]) for n, c in files(folder).items()), step
    if not killed:
        break
    step += 1
print(step - 1)
"""


@pytest.mark.parametrize("format", ["jsonl", "scored", "parquet", "axolotl", "pool-parquet"])
def test_an_export_that_is_killed_leaves_no_manifest_beside_other_records(
    tmp_path: Path, format: str
) -> None:
    pool = write_jsonl(tmp_path / "pool.jsonl", small_pool(60))
    ila.build(pool, out=tmp_path / "run", projection="pca")
    assert int(script(KILLED, tmp_path / "run", tmp_path, format)) >= 4
