"""Encoders in a build: which there are, and what is told of how they read a pool."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import cli
from conftest import small_pool, write_jsonl
from sentences import IN_LANGUAGES

from ila_core.pipeline.build import build
from ila_core.pipeline.estimate import estimate
from ila_core.pipeline.placing import reading_notes

QUICK: dict[str, Any] = {"projection": "pca", "loss": "none"}


def pool_of(folder: Path, texts: list[str]) -> Path:
    records = [{"instruction": text, "output": "Yes."} for text in texts]
    return write_jsonl(folder / "pool.jsonl", records)


def test_an_arabic_pool_is_told_to_be_one_spot_to_the_english_encoder(tmp_path: Path) -> None:
    arabic = [f"{row[2]} {row[2][::-1]}" for row in IN_LANGUAGES]
    pool = pool_of(tmp_path, arabic)
    poor = build(pool, out=tmp_path / "poor", encoder="static", **QUICK).manifest
    [note] = [note for note in poor["notes"] if "cosine" in note]
    assert "'static'" in note and "--encoder multilingual" in note and "--embeddings" in note
    assert poor["stages"]["embedding"]["likeness"] > 0.8
    good = build(pool, out=tmp_path / "good", encoder="multilingual", **QUICK).manifest
    assert not any("cosine" in note for note in good["notes"])
    told = cli("info", tmp_path / "good").stdout
    assert "multilingual; 512 dimensions; two records have a mean cosine of 0." in told
    assert note in " ".join(cli("info", tmp_path / "poor").stdout.split())


def test_pieces_that_are_unknown_are_told_with_the_way_out(tmp_path: Path) -> None:
    pool = pool_of(tmp_path, [f"ꀀꀁ{'ꀀ ᚠ' * i}" for i in range(9)] + ["A cat.", "A dog."])
    manifest = build(pool, out=tmp_path / "run", encoder="multilingual", **QUICK).manifest
    [note] = [note for note in manifest["notes"] if "30 % of the pieces" in note]
    assert note.startswith("In about 82% of the instructions")
    assert "--encoder lexical" in note and "--embeddings" in note
    assert any(note.startswith("9 instructions hold nothing") for note in manifest["notes"])


def test_long_instructions_are_counted_and_told_apart_by_their_tails(tmp_path: Path) -> None:
    document = "The harbour was full of ships from every country. " * 80
    pool = pool_of(tmp_path, ["Hello.", *(f"{document}{row[0]}" for row in IN_LANGUAGES)])
    for encoder in ("multilingual", "static", "lexical"):
        out = tmp_path / encoder
        landscape = build(pool, out=out, encoder=encoder, **QUICK)
        assert any(
            note.startswith("12 instructions are longer than 3,072 characters")
            and "first and last 1,536" in note
            for note in landscape.manifest["notes"]
        )
        assert len(np.unique(landscape.vectors, axis=0)) == 13
        assert "12 read by head and tail" in cli("info", out).stdout


def test_lexical_learns_the_pool_by_the_seed(tmp_path: Path) -> None:
    pool = write_jsonl(tmp_path / "pool.jsonl", small_pool(40))
    how = {**QUICK, "encoder": "lexical"}
    first = build(pool, out=tmp_path / "a", **how)
    again = build(pool, out=tmp_path / "b", **how)
    np.testing.assert_array_equal(first.vectors, again.vectors)
    assert first.manifest["stages"]["embedding"]["encoder"] == "lexical"
    key = first.manifest["stages"]["embedding"]["key"]
    other = build(pool, out=tmp_path / "c", seed=1, **how)
    assert other.manifest["stages"]["embedding"]["key"] != key
    assert "--encoder lexical" in first.manifest["command"]
    assert estimate([pool], encoder="lexical").seconds > 0


def test_vectors_from_elsewhere_are_told_to_be_alike(tmp_path: Path) -> None:
    pool = write_jsonl(tmp_path / "pool.jsonl", small_pool(20))
    vectors = np.ones((20, 3)) + np.random.default_rng(0).normal(0, 0.05, (20, 3))
    np.save(tmp_path / "v.npy", vectors)
    made = build(pool, out=tmp_path / "run", embeddings=str(tmp_path / "v.npy"), **QUICK)
    assert any("mean cosine of 1.00" in note for note in made.manifest["notes"])


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"likeness": 0.8, "unread": 0.1, "long": 0}, 0),
        ({"likeness": 0.81, "unread": 0.1, "long": 0}, 1),
        ({"likeness": None, "unread": 0.11, "long": None}, 1),
        ({}, 0),  # of a landscape that an older program built
    ],
)
def test_notes_begin_above_their_bounds(facts: dict[str, Any], said: int) -> None:
    assert len(reading_notes({"unknown": 0, "encoder": "static", **facts})) == said
