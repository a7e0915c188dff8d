"""Labels by likeness to a list of skills, and how far to trust them."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from ila_core.chance import stream
from ila_core.errors import IlaError
from ila_core.paths import ASSETS
from ila_core.skills.taxonomy import (
    Skill,
    calibrate,
    load_skills,
    shipped_threshold,
    taxonomy,
    taxonomy_identity,
)
from ila_core.space.encoders import load_encoder


class LetterEncoder:
    """Counts the letters a to d: likeness that can be worked out by hand."""

    def encode(self, texts):
        return np.array([[text.count(c) for c in "abcd"] for text in texts], dtype=np.float32)


LETTERS = [Skill(name, None, name * 9) for name in "abcd"]


def pairs_of(texts):
    """Records of which the response is empty."""
    return [(text, "") for text in texts]


def label(texts, *, known=LETTERS, **options):
    return taxonomy(lambda: pairs_of(texts), len(texts), LetterEncoder(), skills=known, **options)


def test_labels_are_those_above_the_threshold_best_first():
    assert label(["aaabb", "aabb", "cd", "d"], threshold=0.2) == [
        ("a", "b"),
        ("a", "b"),
        ("c", "d"),
        ("d",),
    ]


def test_the_most_similar_skill_is_given_however_unlike_it_is():
    assert label(["aaab"], threshold=0.999) == [("a",)]


def test_a_text_without_anything_known_gets_no_labels():
    assert label(["", "a"], threshold=0.5) == [None, ("a",)]


def test_no_text_no_labels():
    assert label([], threshold=0.5) == []


def test_at_most_eight_labels_are_given():
    many = [Skill(f"{k}", None, "ab"[k % 2] * (k + 1)) for k in range(20)]
    assert len(label(["aab"], known=many, threshold=-1.0)[0] or ()) == 8


def test_the_start_of_the_response_counts():
    assert taxonomy(
        lambda: [("a", "bbbbbb")], 1, LetterEncoder(), skills=LETTERS, threshold=0.9
    ) == [("b",)]


def test_labels_do_not_depend_on_how_records_are_batched():
    texts = ["".join("abcd"[int(d)] for d in np.base_repr(k, 4)) for k in range(2500)]
    told = []
    whole = label(texts, threshold=0.3, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (2500, 2500) and len(told) == 3
    assert whole == label(texts[:700], threshold=0.3) + label(texts[700:], threshold=0.3)


def test_calibration_finds_the_threshold_that_separates():
    pairs = ["ab", "bc", "cd", "ac", "a", "b", "c", "d"]
    texts = [p[0] * 5 + p[1:] * 4 for p in pairs] * 4
    labels = [tuple(p) for p in pairs] * 4
    found = calibrate(pairs_of(texts), labels, encoder=LetterEncoder(), skills=LETTERS)
    assert (found.precision, found.recall, found.f1) == (1, 1, 1)
    assert found.count_correlation == pytest.approx(1)
    assert found.n == 32 and found.unknown == 0 and found.first_right == 1
    assert label(texts, threshold=found.threshold) == labels


def test_a_label_that_the_taxonomy_lacks_counts_as_missed():
    found = calibrate(
        pairs_of("abcd" * 3),
        [("a", "z"), ("b", "z"), ("c", "z"), ("d", "z")] * 3,
        encoder=LetterEncoder(),
        skills=LETTERS,
    )
    assert (found.precision, found.recall, found.unknown) == (1, 0.5, 0.5)


def test_calibration_judges_each_half_with_the_threshold_of_the_other():
    """The obvious way: label everything with every threshold and count."""
    rng = np.random.default_rng(5)
    many = [Skill(f"s{k}", None, "".join(rng.choice(list("abcd"), 6))) for k in range(16)]
    texts = ["".join(rng.choice(list("abcd"), 7)) for _ in range(60)]
    # Half of the records have labels after one rule and half after another, so that halves differ.
    truth = [label([t], known=many, threshold=rng.choice([0.1, 0.9]))[0] for t in texts]
    given_at = {t / 50: label(texts, known=many, threshold=t / 50) for t in range(46)}

    def totals(threshold, rows):
        given_labels = [given_at[threshold][row] for row in rows]
        hits = sum(len({*g} & {*truth[row]}) for g, row in zip(given_labels, rows, strict=True))
        return np.array([hits, sum(map(len, given_labels)), sum(len(truth[r]) for r in rows)])

    def best(rows):
        f1 = {t: 2 * h / (g + n) for t in given_at for h, g, n in [totals(t, rows)]}
        return max(f1, key=f1.get)

    for seed in range(5):
        order = stream(seed, "taxonomy calibration").permutation(60)
        one, two = order[:30], order[30:]
        hits, made, real = totals(best(two), one) + totals(best(one), two)
        found = calibrate(pairs_of(texts), truth, encoder=LetterEncoder(), skills=many, seed=seed)
        assert found.threshold == best(range(60))
        assert found.precision == pytest.approx(hits / made)
        assert found.recall == pytest.approx(hits / real)


def test_calibration_says_how_many_records_it_needs():
    with pytest.raises(IlaError, match="1 labelled records are too few"):
        calibrate(pairs_of("a"), [("a",)], encoder=LetterEncoder(), skills=LETTERS)


def test_the_shipped_skills_form_a_tree_of_distinct_names():
    shipped = load_skills()
    by_name = {skill.name: skill for skill in shipped}
    assert len(by_name) == len(shipped) >= 120
    for skill in shipped:
        assert skill.name == skill.name.lower().strip() and skill.description.endswith(".")
        seen = {skill.name}
        while skill.parent:
            skill = by_name[skill.parent]
            assert skill.name not in seen
            seen.add(skill.name)


def test_a_broken_list_of_skills_is_named(tmp_path):
    (tmp_path / "skills.json").write_text('{"skills": [{"name": "sql"}]}')
    with pytest.raises(IlaError, match=r"skills\.json cannot be read"):
        load_skills(tmp_path / "skills.json")


def test_the_shipped_encoder_and_skills_know_plain_cases():
    records = [
        ("Write a SQL query that joins the tables orders and customers.", "SELECT * FROM orders"),
        ("Differentiate the function x^2 and find its integral.", "The derivative is 2x."),
        ("Which planets have a moon, and how far are they from the sun?", "Mars has two."),
    ]
    labels = taxonomy(lambda: records, 3, load_encoder("static"))
    for given_labels, expected in zip(labels, ["sql", "calculus", "astronomy"], strict=True):
        assert given_labels is not None and expected in given_labels[:2]


def test_the_shipped_threshold_is_the_best_point_of_its_curve():
    shipped = json.loads((ASSETS / "skills_calibration.json").read_text("utf-8"))
    f1 = {t: 2 * p * r / (p + r) for t, p, r in shipped["curve"]}
    assert shipped_threshold() == shipped["threshold"]
    assert f1[shipped["threshold"]] == pytest.approx(max(f1.values()), abs=1e-3)


def test_the_identity_of_the_taxonomy_follows_its_files(monkeypatch, tmp_path):
    before = taxonomy_identity()
    assert before == taxonomy_identity()
    shutil.copytree(ASSETS, tmp_path / "assets", ignore=lambda *_: ["pictures"])
    monkeypatch.setattr("ila_core.skills.taxonomy.ASSETS", tmp_path / "assets")
    assert taxonomy_identity() == before
    (tmp_path / "assets" / "skills_calibration.json").write_text('{"threshold": 0.123}')
    assert taxonomy_identity() != before
    (tmp_path / "assets" / "skills_calibration.json").unlink()
    with pytest.raises(IlaError, match=r"python assets/make_skills\.py"):
        taxonomy_identity()
