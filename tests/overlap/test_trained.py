"""Records that were trained on already, in whatever form they were kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import small_pool, write_jsonl
from pools_apart import PARAGRAPHS, file_of, landscape_of

import ila_core as ila
from ila_core.errors import IlaError
from ila_core.overlap.trained import trained


@pytest.mark.parametrize("format", ["jsonl", "scored", "trl", "axolotl"])
def test_every_export_of_ours_is_known_again(run: Path, tmp_path: Path, format: str) -> None:
    landscape = ila.open(run)
    chosen = ila.select(landscape, budget=12)
    path = ila.export(chosen, tmp_path / "before.jsonl", format)
    known = trained(landscape, path)
    assert known.rows.tolist() == sorted(chosen.rows.tolist())
    assert (known.matched, known.unmatched) == (12, 0)
    assert known.sentence == "12 of the 12 records trained on are 12 records of this pool."


def test_the_parquet_export_and_other_names_of_fields(run: Path, tmp_path: Path) -> None:
    landscape = ila.open(run)
    renamed = [{"question": record["instruction"], "answer": record["output"]}
               for record in small_pool()[:5]]  # fmt: skip
    renamed.append({"question": "never in the pool", "answer": "no"})
    known = trained(landscape, write_jsonl(tmp_path / "qa.jsonl", renamed))
    assert known.rows.tolist() == [0, 1, 2, 3, 4]
    assert (known.matched, known.unmatched) == (5, 1)
    assert known.sentence.endswith("; the pool does not hold the other 1.")


def test_what_was_selected_of_a_pool_with_fields_of_its_own_is_read_by_its_map(
    tmp_path: Path,
) -> None:
    rows = [{"ticket": i, "customer text": f"Question {i}?", "agent reply": f"Answer {i}."}
            for i in range(30)]  # fmt: skip
    pool = write_jsonl(tmp_path / "helpdesk.jsonl", rows)
    fields = "instruction=customer text,response=agent reply"
    landscape = ila.build(pool, out=tmp_path / "run", map=fields, loss="none", projection="pca")
    chosen = ila.select(landscape, budget=7)
    known = trained(landscape, ila.export(chosen, tmp_path / "before.jsonl"))
    assert known.rows.tolist() == sorted(chosen.rows.tolist())


def test_equal_records_are_all_known_and_scripts_do_not_matter(tmp_path: Path) -> None:
    pairs = [(text, "Yes") for text in PARAGRAPHS.values()]
    landscape = landscape_of(tmp_path / "pool", [*pairs, *pairs, ("other", "one")])
    spelled = [json.dumps({"prompt": f" {ask}\n", "completion": say}) for ask, say in pairs]
    (tmp_path / "before.jsonl").write_text("\n".join(spelled))  # \u escapes
    known = trained(landscape, tmp_path / "before.jsonl")
    assert known.rows.tolist() == list(range(2 * len(pairs))) and known.matched == len(pairs)


def test_an_answer_that_differs_is_not_known(tmp_path: Path) -> None:
    landscape = landscape_of(tmp_path / "pool", [("Name a river.", "The Ebro.")])
    other = file_of(tmp_path / "before.jsonl", [("Name a river.", "The Rhine.")])
    assert not len(trained(landscape, other).rows)


def test_a_file_that_holds_nothing(tmp_path: Path) -> None:
    landscape = landscape_of(tmp_path / "pool", [("Name a river.", "The Ebro.")])
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(IlaError, match=r"empty\.jsonl"):
        trained(landscape, tmp_path / "empty.jsonl")
