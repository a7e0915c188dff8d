"""Several studies side by side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from study_cases import study_of

from ila_core.errors import RunError
from ila_core.studies.advice import advise
from ila_core.studies.regression import explained
from ila_core.studies.tables import differences, markdown, named, shares


def both_units(**losses):
    """A study at equal records and, half a nat above, at equal tokens."""
    study = study_of(**losses)
    more = [{**row, "unit": "tokens", "micro": row["micro"] + (row["method"] != "random") / 2}
            for row in study.curves]  # fmt: skip
    return replace(study, curves=study.curves + more)


def cells(table: str) -> list[list[str]]:
    """The heads and lines of a Markdown table."""
    heads, rule, *lines = [line.strip("| ").split(" | ") for line in table.splitlines()]
    assert set(rule) == {"---"} and {len(line) for line in lines} == {len(heads)}
    return [heads, *lines]


def test_differences_by_hand():
    studies = {
        "tasks": both_units(random=[3.0, 3.5], ila=[2.75, 3.25], paper=[3.125, 3.5]),
        "maths": both_units(random=[2.0], **{"ila@patches=grid": [2.25]}),
    }
    assert cells(differences(studies, "micro")) == [
        ["pool", "budget", "random", "ila", "paper", "ila grid"],
        ["tasks", "10%", "3.250 ± 0.354 / 3.250 ± 0.354",
         "**-0.250 ± 0.000** / *+0.250 ± 0.000*", "+0.062 ± 0.088 / +0.562 ± 0.088", "– / –"],
        ["maths", "10%", "2.000 / 2.000", "– / –", "– / –", "*+0.250* / *+0.750*"],
    ]  # fmt: skip


def test_every_budget_has_a_line_and_one_of_tokens_one_number():
    study = study_of(random=[3.0], ila=[2.0])
    more = [{**row, "unit": "tokens", "budget": "9-tokens"} for row in study.curves]
    study = replace(study, curves=study.curves + more)
    assert [line[1:] for line in cells(differences({"one": study}, "macro"))[1:]] == [
        ["10%", "3.000", "**-1.000**"], ["9-tokens", "3.000", "**-1.000**"],
    ]  # fmt: skip


def with_regression(seed, kinds=("loss",)):
    rng = np.random.default_rng(seed)
    names = ["coverage", "reach", *(f"mean_relative_depth_{kind}" for kind in kinds)]
    rows = [{name: rng.uniform(0.1, 0.9) for name in (*names, "micro", "macro")} for _ in range(12)]
    return replace(study_of(random=[3.0]), regression=explained(rows, 0))


def test_what_explains_the_loss_pool_beside_pool():
    studies = {"a": with_regression(0), "b": with_regression(1, ("loss", "loss_reduction"))}
    heads, *lines = cells(shares(studies))
    assert heads == ["explained by", "a, micro", "a, macro", "b, micro", "b, macro"]
    of = {line[0]: line[1:] for line in lines}
    model = studies["a"].regression["models"][0]
    assert of["coverage"][1].split()[0] == f"{model['r2_macro_cv']:.2f}"
    assert of["coverage + loss-reduction"][:2] == ["–", "–"]
    added = next(e for e in studies["b"].regression["adds"] if e["variable"] == "loss-reduction")
    assert of["loss-reduction adds to coverage"][2] == (
        f"{added['micro']:+.2f} ({added['micro_low']:+.2f} to {added['micro_high']:+.2f})"
    )


def test_a_loss_that_nothing_explains_has_a_dash():
    study = with_regression(0)
    for entry in (*study.regression["models"], *study.regression["adds"]):
        entry |= {name: None for name in entry if "micro" in name}
    assert {line[1] for line in cells(shares({"a": study}))[1:]} == {"–"}


def test_the_whole_has_both_losses_what_explains_them_and_the_advice():
    study = both_units(random=[3.0, 3.5], ila=[2.75, 3.25])
    study = replace(study, advice=advise(study.losses, "loss").as_dict())
    text = markdown({"tasks": study, "sums": with_regression(0)})
    assert text.count("| pool | budget |") == 2 and text.count("| explained by |") == 1
    assert f"- tasks: {study.advised.summary()}" in text.splitlines()
    assert "- sums" not in text
    assert markdown({"none": replace(study, curves=[], advice={})}) == ""


def test_studies_are_named_by_their_folders(tmp_path):
    for folder in ("study-tasks", "maths", "more/maths"):
        (tmp_path / folder).mkdir(parents=True)
        study_of(random=[3.0]).save(tmp_path / folder)
    folders = [tmp_path / name for name in ("study-tasks", "maths", "more/maths")]
    assert list(named(folders)) == ["tasks", "maths", "maths (2)"]
    with pytest.raises(RunError, match="holds no finished study"):
        named([tmp_path])
