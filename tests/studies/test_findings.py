"""What a study has found out, in numbers and in words."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from study_cases import study_of

from ila_core.errors import RunError
from ila_core.paths import SAMPLE
from ila_core.selection.spec import Spec
from ila_core.studies.findings import Study
from ila_core.studies.regression import explained, r_squared
from ila_core.studies.variant import ILA, RANDOM, Place, Variant

HERE = Place("records", "10%")


def subsets_of(micro: np.ndarray, macro: np.ndarray) -> list[dict[str, float]]:
    rng = np.random.default_rng(0)
    return [
        {"subset": i, "seed": 0, "records": 9, "tokens": 9.0, "coverage": rng.uniform(0.1, 1),
         "reach": rng.uniform(0.1, 1), "mean_relative_depth_loss": rng.uniform(0.2, 0.8),
         "micro": float(micro[i]), "macro": float(macro[i])}
        for i in range(len(micro))
    ]  # fmt: skip


def explaining(micro: np.ndarray, macro: np.ndarray) -> Study:
    rows = subsets_of(micro, macro)
    return Study("ngram", 200, [], rows, explained(rows, 0))


# -- who wins -------------------------------------------------------------------------------------


def test_the_summary_says_plainly_when_random_wins():
    study = study_of(random=[3.0, 3.1, 3.2], ila=[3.4, 3.45, 3.65], nested=[3.5, 3.6, 3.7])
    assert "At 10% and equal records, ILA is WORSE than random (+0.400); the lowest loss is that " \
           "of random, 3.100." in study.summary()  # fmt: skip


def test_the_summary_says_when_ila_wins_and_when_nobody_does():
    assert (
        "ILA is better than random (-0.400)"
        in study_of(random=[3.4, 3.45, 3.65], ila=[3.0, 3.1, 3.2]).summary()
    )
    draw = study_of(random=[3.0, 3.1, 3.2], ila=[3.1, 3.05, 3.2], deita=[2, 2.5, 3]).summary()
    assert "no better and no worse than random" in draw and "that of deita, 2.500" in draw
    assert (
        "ILA is better than random (-1.000, on one seed)"
        in study_of(random=[3.0], ila=[2.0]).summary()
    )


def test_a_summary_without_the_two_has_no_verdict():
    assert study_of(nested=[3.0], deita=[2.0]).verdicts() == []
    assert study_of(nested=[3.0]).headline() == "This study does not set ILA against random."


def test_the_two_losses_have_findings_of_their_own():
    study = study_of(random=[3.0, 3.1, 3.2], ila=[2.5, 2.6, 2.7])
    for row in study.curves:
        row["macro"] = 5.0 + (row["method"] == "ila")
    assert "ILA is better than random (-0.500)" in study.verdicts()[0]
    assert "ILA is WORSE than random (+1.000)" in study.verdicts("macro")[0]
    assert study.headline("macro") == "At equal records random beats ILA at 10%."
    text = study.summary()
    first, second = text.index("nats per token over all"), text.index("nats per token as the mean")
    assert first < text.index("better than random (-0.500)") < second
    assert second < text.index("WORSE than random (+1.000)")
    assert "6.000 ± 0.000" in text[second:]


def test_the_headline_says_where_who_wins():
    study = study_of(random=[3.0, 3.1, 3.2], ila=[3.4, 3.45, 3.65])
    assert study.headline() == "At equal records random beats ILA at 10%."
    more = [
        {**row, "budget": budget, "micro": row["micro"] + shift * (row["method"] == "ila")}
        for budget, shift in (("20%", -1.0), ("30%", -1.0), ("40%", -0.4))
        for row in study.curves
    ]
    assert replace(study, curves=study.curves + more).headline() == (
        "At equal records ILA beats random at 20% and 30%, random beats ILA at 10%, neither wins "
        "at 40%."
    )


def test_a_curve_stands_beside_random_seed_by_seed():
    study = study_of(random=[3.0, 5.0], deita=[2.9, 4.89], nested=[3.1, 4.0])
    gap = study.against_random(Variant(Spec("deita")), HERE)
    assert gap.mean == pytest.approx(-0.105) and (gap.seeds, gap.outcome) == (2, "better")
    assert study.against_random(Variant(Spec("nested")), HERE).outcome == "even"
    assert study.against_random(Variant(Spec("random")), HERE).outcome == "even"
    assert study.against_random(Variant(Spec("ila")), HERE) is None
    assert study.against_random(Variant(Spec("deita", depth="loss")), HERE) is None
    assert study.against_random(Variant(Spec("deita")), Place("records", "30%")) is None


def test_places_and_curves_are_those_of_the_rows():
    study = study_of(random=[3.0], ila=[2.0])
    more = [{**row, "unit": "tokens", "depth_target": 0.5} for row in study.curves[1:]]
    study = replace(study, curves=[*more, *study.curves])
    assert study.variants == [
        Variant(Spec("ila", depth_target=0.5)),
        Variant(Spec("random")),
        Variant(Spec("ila")),
    ]
    assert study.places == [HERE, Place("tokens", "10%")]
    assert study.units == ["records", "tokens"] and study.places_of("records") == [HERE]
    assert study.by_seed(Variant(Spec("ila", depth_target=0.5)), Place("tokens", "10%")) == {0: 2.0}
    assert study.mean(Variant(Spec("ila")), HERE, "tokens").mean == 99.0


def test_a_curve_that_lacks_a_place_is_not_the_lowest_there():
    study = study_of(random=[3.0], ila=[2.0])
    study = replace(study, curves=[*study.curves, {**study.curves[0], "budget": "1%"}])
    text = study.summary()
    assert "the lowest loss is that of ila, 2.000" in text and "nan" not in text
    assert study.verdicts() == [
        "At 10% and equal records, ILA is better than random (-1.000, on one seed); the lowest "
        "loss is that of ila, 2.000."
    ]


def test_ila_stands_beside_the_papers_recipe_too():
    study = study_of(random=[3.0, 3.1, 3.2], ila=[3.0, 3.1, 3.2], paper=[3.5, 3.6, 3.75])
    assert (
        study.headline("micro", Variant(Spec("paper")))
        == "At equal records ILA beats paper at 10%."
    )
    assert study.summary().count("ILA beats paper at 10%.") == 2  # for either loss
    assert "paper" not in study_of(random=[3.0], ila=[2.0]).summary()


def test_what_each_part_is_worth_is_told_over_all_budgets():
    study = study_of(
        ila=[3.0, 3.2], **{"ila@patches=grid": [3.5, 3.75], "ila@depth_target=1.0": [2.9, 3.1]}
    )
    more = [{**row, "budget": "1%", "micro": row["micro"] + 1} for row in study.curves]
    more[2]["micro"] += 0.5  # the grid's first seed at 1 %
    lines = replace(study, curves=study.curves + more).summary().splitlines()
    assert "  --patches grid          +0.650 ± 0.141 at equal records" in lines
    assert "  --depth-target 1        -0.100 ± 0.000 at equal records" in lines
    assert "part of it changed" not in study_of(random=[3.0], ila=[2.0]).summary()


def test_a_gap_over_places_counts_seeds_that_are_at_all_of_them():
    study = study_of(random=[3.0, 5.0], ila=[2.0, 4.5])
    more = [{**row, "budget": "1%"} for row in study.curves if row["seed"] == 1]
    places = [HERE, Place("records", "1%")]
    gap = replace(study, curves=study.curves + more).against(RANDOM, ILA, places)
    assert (gap.mean, gap.seeds) == (-0.5, 1)
    assert study.against(RANDOM, ILA, []) is None


def test_an_older_studys_ila_is_not_todays():
    """Its rows tell of no patches: there was a grid, and the loss was the depth."""
    rows = [
        {"method": method, "depth_target": target, "budget": "10%", "unit": "records", "seed": 0,
         "records": 9, "tokens": 99.0, "micro": 2.0, "macro": 2.0}
        for method, target in (("random", 1.0), ("ila", 1.0), ("ila", 0.5), ("depth-only", 1.0))
    ]  # fmt: skip
    study = Study("ngram", 200, rows)
    names = ["random", "ila grid q=1", "ila grid q=0.5", "depth-only"]
    assert [str(variant) for variant in study.variants] == names
    assert study.verdicts() == [] and study.advised is None
    assert study.headline() == "This study does not set ILA against random."


# -- what explains the loss -----------------------------------------------------------------------


def test_the_summary_tells_what_explains_the_loss():
    rng = np.random.default_rng(3)
    lines = explaining(rng.random(12), rng.random(12)).summary().splitlines()
    first = lines.index(
        next(line for line in lines if line.startswith("Over 12 subsets that no method chose, log"))
    )
    assert "mean relative depth (loss) explain" in lines[first]
    assert "% of the macro loss (" in lines[first] and "% of the micro loss (" in lines[first]
    assert lines[first + 1].startswith("Log coverage alone explains ")
    assert lines[first + 2].split() == ["cross-validated", "R2", "of", "micro", "macro"]
    assert lines[-1].strip().startswith("reach adds to loss ")


def test_predictions_are_those_behind_the_cross_validated_share():
    rng = np.random.default_rng(3)
    study = explaining(rng.random(12), rng.random(12))
    for loss in ("micro", "macro"):
        actual, predicted = study.predictions(loss)
        assert actual.tolist() == [row[loss] for row in study.subsets]
        assert r_squared(actual, predicted) == pytest.approx(study.fit(loss).r2_cv)
    assert len(study_of(random=[1.0]).predictions()[0]) == 0


def test_a_constant_loss_is_told_in_words_and_written_as_json_knows_it(tmp_path):
    study = explaining(np.full(12, 2.5), np.full(12, 2.5))
    study.save(tmp_path)
    text = (tmp_path / "study.json").read_text()
    assert "NaN" not in text and json.loads(text)["regression"]["r2_micro_cv"] is None
    assert "nan" not in study.summary()
    for loss in ("macro", "micro"):
        assert f"12 subsets that no method chose, the {loss} loss is the same: nothing can be " \
               "explained." in study.summary()  # fmt: skip
        assert study.fit(loss) is None and len(study.predictions(loss)[0]) == 0
    assert Study.open(tmp_path) == study


def test_one_constant_loss_hides_nothing_of_the_other():
    study = explaining(np.full(12, 2.5), np.random.default_rng(1).random(12))
    summary = study.summary()
    assert "of the macro loss (" in summary and "the micro loss is the same" in summary
    assert study.fit("macro") is not None


def test_a_study_that_an_older_program_wrote_with_nan_is_read(tmp_path):
    study = explaining(np.full(12, 2.5), np.full(12, 2.5))
    study.save(tmp_path)
    path = tmp_path / "study.json"
    path.write_text(path.read_text().replace("null", "NaN"))
    assert Study.open(tmp_path) == study


# -- on disk --------------------------------------------------------------------------------------


def both() -> Study:
    """A study with curves and subsets."""
    rng = np.random.default_rng(3)
    return replace(explaining(rng.random(12), rng.random(12)), curves=study_of(ila=[2.0]).curves)


def test_a_study_is_read_back_as_it_was(tmp_path):
    both().save(tmp_path)
    assert Study.open(tmp_path) == both()


def test_the_study_that_ships_is_read():
    study = Study.open(SAMPLE / "study")
    assert {"random", "ila", "nested"} <= {variant.method for variant in study.variants}
    assert RANDOM in study.variants and len(study.places) == 8
    assert study.fit("macro").r2_cv == study.regression["r2_macro_cv"]
    text = study.summary()
    for words in ("Student ngram, judged by 200", "Loss at equal records", "Loss at equal tokens",
                  "q=0.5", "Over 60 subsets that no method chose"):  # fmt: skip
        assert words in text
    assert len(study.predictions()[0]) == 60


def test_a_missing_or_damaged_study_is_told(tmp_path):
    with pytest.raises(RunError, match=r"no finished study \(no study.json\)"):
        Study.open(tmp_path)
    for text in ("{", "[]", '{"student": "ngram"}', '{"surprise": 1}'):
        (tmp_path / "study.json").write_text(text)
        with pytest.raises(RunError, match=r"study.json is damaged .*; run the study again"):
            Study.open(tmp_path)
    both().save(tmp_path)
    (tmp_path / "regression.parquet").write_bytes(b"PAR1")
    with pytest.raises(RunError, match="damaged"):
        Study.open(tmp_path)
