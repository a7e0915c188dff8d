"""Overlaps with an evaluation set: by passage, by whole short questions, and by meaning."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import write_jsonl
from pools_apart import PARAGRAPHS, QUESTIONS, Pair, file_of, landscape_of

import ila_core as ila
from ila_core.errors import IlaError, UsageError
from ila_core.overlap.decontaminate import DecontaminationSettings, decontaminate
from ila_core.pipeline.build import build

BY_WORDS = DecontaminationSettings(by="words")
WORDS = [f"w{i}" for i in range(40)]


def words(start: int, end: int) -> str:
    return " ".join(WORDS[start:end])


def found_in(folder: Path, pool: list[Pair], evaluation: list[Pair], **settings: object):
    landscape = landscape_of(folder / "pool", pool)
    files = file_of(folder / "evaluation.jsonl", evaluation)
    return decontaminate(landscape, files, DecontaminationSettings(by="words", **settings))


def test_thirteen_words_in_a_row_and_not_twelve(tmp_path: Path) -> None:
    pool = [(f"x {words(0, 13)} y", "no"), (f"x {words(0, 12)} y", "no"), ("x", words(5, 25)),
            ("other", "words")]  # fmt: skip
    found = found_in(tmp_path, pool, [("ask", "say"), (words(0, 30), "answer")])
    assert found.rows.tolist() == [0, 2]
    first, second = found.matches
    assert (first.way, first.number, first.passage) == ("passage", 2, words(0, 13))
    assert (first.evaluation, second.passage) == (words(0, 30), words(5, 25))
    assert found.sentence == (
        "2 of 4 records overlap with 1 of the 2 evaluation records: 2 share 13 words or more in a "
        "row."
    )


def test_how_many_words_can_be_set(tmp_path: Path) -> None:
    pool = [(f"x {words(0, 4)} y", "no")]
    assert found_in(tmp_path, pool, [(words(0, 9), "a")], words=4).rows.tolist() == [0]
    assert not found_in(tmp_path, pool, [(words(0, 9), "a")], words=5).matches


def test_an_answer_of_the_evaluation_set_in_a_response(tmp_path: Path) -> None:
    found = found_in(tmp_path, [("tell me", words(3, 30))], [("ask", words(0, 20))])
    assert found.matches[0].passage == words(3, 20)


@pytest.mark.parametrize("language", PARAGRAPHS)
def test_passages_of_any_script_are_found_and_shown(tmp_path: Path, language: str) -> None:
    text = PARAGRAPHS[language]
    others = [(PARAGRAPHS[one], "No") for one in PARAGRAPHS if one != language]
    pool = [*others, (f"7 {QUESTIONS[language]} {text}", "Yes")]
    found = found_in(tmp_path, pool, [(text, "")])
    assert found.rows.tolist() == [len(others)]
    shown = "".join(found.matches[0].passage.split())
    assert len(shown) > 100 and shown[:10] == "".join(
        sign for sign in text.lower() if sign.isalnum() or ord(sign) > 0x300
    )[:10]  # fmt: skip


@pytest.mark.parametrize("language", QUESTIONS)
def test_short_questions_have_to_be_the_same_as_a_whole(tmp_path: Path, language: str) -> None:
    question = QUESTIONS[language]
    pool = [(question, "a"), (f"{question} {question}", "b"), ("so", question)]
    found = found_in(tmp_path, pool, [(question.upper() + " !", "")])
    assert found.rows.tolist() == [0] and found.matches[0].way == "whole"
    assert found.matches[0].passage == question


def test_what_many_evaluation_records_are_asked_with_is_no_overlap(tmp_path: Path) -> None:
    template = words(0, 20)
    asked = [(f"{template} question {i}", "") for i in range(40)]
    found = found_in(tmp_path, [(f"{template} another", "a"), ("b", "c")], asked)
    assert not found.matches and found.templates == 9  # eight, and one that ends with "question"
    few = found_in(tmp_path / "few", [(f"{template} another", "a")], asked[:10])
    assert few.rows.tolist() == [0] and few.templates == 0
    rare = [(f"{words(20, 40)} {i}", "") for i in range(15)] + [(f"n {i}", "") for i in range(985)]
    assert found_in(tmp_path / "rare", [(words(20, 40), "a")], rare).rows.tolist() == [0]


def test_files_of_any_form_tell_which_record_it_was(tmp_path: Path) -> None:
    chat = [{"messages": [{"role": "user", "content": words(0, 20)},
                          {"role": "assistant", "content": "yes"}]}]  # fmt: skip
    write_jsonl(tmp_path / "chat.jsonl", chat)
    (tmp_path / "table.csv").write_text(f"question\nnothing\n{words(20, 40)}\n", encoding="utf-8")
    (tmp_path / "lines.jsonl").write_text("not JSON\n" + json.dumps({"prompt": "unlike"}) + "\n")
    landscape = landscape_of(tmp_path / "pool", [(words(1, 19), "a"), (words(21, 39), "b")])
    files = [tmp_path / name for name in ("chat.jsonl", "table.csv", "lines.jsonl")]
    found = decontaminate(landscape, files, BY_WORDS)
    told = [(Path(match.file).name, match.number) for match in found.matches]
    assert told == [("chat.jsonl", 1), ("table.csv", 2)] and found.evaluated == 4


def test_an_empty_evaluation_file_and_one_that_is_not_there(tmp_path: Path) -> None:
    landscape = landscape_of(tmp_path / "pool", [("ask", "say")])
    empty = tmp_path / "empty.jsonl"
    empty.write_text("")
    with pytest.raises(IlaError, match=r"empty\.jsonl"):
        decontaminate(landscape, empty)
    with pytest.raises(IlaError, match=r"gone\.jsonl was not found"):
        decontaminate(landscape, tmp_path / "gone.jsonl")
    blank = write_jsonl(tmp_path / "blank.jsonl", [{"instruction": "", "output": ""}])
    with pytest.raises(IlaError, match="blank"):
        decontaminate(landscape, blank)


def test_the_pool_as_its_own_evaluation_set(tmp_path: Path) -> None:
    pool = [(words(0, 30), "a"), ("What is it?", "b"), ("?!", "c")]
    assert found_in(tmp_path, pool, pool).rows.tolist() == [0, 1, 2]
    assert found_in(tmp_path / "one", pool[:1], pool[:1]).rows.tolist() == [0]


# -- by meaning -----------------------------------------------------------------------------------


@pytest.mark.parametrize("encoder", ["multilingual", "lexical"])
def test_what_means_the_same_by_the_encoder_of_the_run(
    pool: Path, tmp_path: Path, encoder: str
) -> None:
    run = build(pool, out=tmp_path / "run", projection="pca", loss="none", encoder=encoder)
    asked = "spiders 10 have do? How many legs"  # the words of row 11 in another order
    files = write_jsonl(tmp_path / "evaluation.jsonl", [{"prompt": asked.replace("10", "11")}])
    settings = DecontaminationSettings(cosine=0.9)
    found = decontaminate(run, files, settings)
    assert 11 in found.rows and set(found.ways) == {"meaning"} and not found.notes
    match = next(match for match in found.matches if match.row == 11)
    assert match.cosine is not None and match.cosine >= 0.9 and match.passage == ""
    assert not decontaminate(run, files, DecontaminationSettings(by="words")).matches


def test_a_landscape_whose_vectors_were_made_elsewhere(pool: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.save(tmp_path / "v.npy", rng.normal(size=(60, 8)).astype(np.float32))
    run = build(pool, out=tmp_path / "run", projection="pca", loss="none",
                embeddings=str(tmp_path / "v.npy"))  # fmt: skip
    found = decontaminate(run, pool)
    assert len(found.matches) == 60 and set(found.ways) == {"whole"}
    assert "made elsewhere" in found.notes[0]
    with pytest.raises(IlaError, match="made elsewhere"):
        decontaminate(run, pool, DecontaminationSettings(by="meaning"))


def test_an_encoder_that_is_not_what_it_was(pool: Path, tmp_path: Path) -> None:
    run = build(pool, out=tmp_path / "run", projection="pca", loss="none")
    turned = run.vectors[:, ::-1]
    other = ila.Landscape.from_arrays(
        run.xy, vectors=np.ascontiguousarray(turned), records=run.records, manifest=run.manifest
    )
    with pytest.raises(IlaError, match="gives other vectors today"):
        decontaminate(other, pool, DecontaminationSettings(by="meaning"))


def test_what_cannot_be_meant(tmp_path: Path) -> None:
    landscape = landscape_of(tmp_path, [("Hi", "Yo")])
    with pytest.raises(UsageError, match="--words is 2; give a whole number from 3 to 1000"):
        decontaminate(landscape, tmp_path / "pool.jsonl", DecontaminationSettings(words=2))
    with pytest.raises(UsageError, match="Unknown by"):
        decontaminate(landscape, tmp_path / "pool.jsonl", DecontaminationSettings(by="luck"))
