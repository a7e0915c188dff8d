"""The loss stage: which one the settings ask for, and that it tells and keeps what it does."""

from __future__ import annotations

from pathlib import Path

import pytest

import ila_core as ila
from ila_core.pipeline.publish import StageFolder
from ila_core.pipeline.scoring import CountTokens, ScoreByModel, ScoreByNgrams, TakeLoss, score
from ila_core.pipeline.settings import BuildSettings
from ila_core.pipeline.step import Desk, Made


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"loss": "ngram"}, ScoreByNgrams),
        ({"loss": "none"}, CountTokens),
        ({"loss": "column:score"}, TakeLoss),
        ({"loss": "lm", "lm": "x"}, ScoreByModel),
    ],
)
def test_the_settings_say_who_scores(run: Path, options: dict[str, str], kind: type) -> None:
    records = Made(ila.open(run).records, "key")
    assert type(score(BuildSettings.of(**options), records)) is kind


def test_a_sample_has_a_key_of_its_own_unless_it_is_the_whole(run: Path, models: Path) -> None:
    records = Made(ila.open(run).records, "key")

    def key(**options: object) -> str:
        how = {"loss": "lm", "lm": str(models / "chat"), **options}
        return score(BuildSettings.of(**how), records).key

    assert len({key(), key(sample=9), key(sample=10), key(sample=9, seed=1)}) == 4
    assert key() == key(seed=1) == key(sample=60) == key(sample=61)


@pytest.mark.parametrize("loss", ["ngram", "none", "column:score"])
def test_counting_tokens_is_told_and_kept_as_scoring_is(
    run: Path, tmp_path: Path, loss: str
) -> None:
    told: list[tuple[int, int | None]] = []
    stage = score(BuildSettings.of(loss=loss), Made(ila.open(run).records, "key"))
    folder = StageFolder("loss", "key", tmp_path)
    stage.make(Desk(folder, progress=lambda done, total: told.append((done, total))))
    assert told and told[-1][0] == told[-1][1]
    assert list(folder.work.glob("tokens-*/pool.json"))
    more = {"loss_reduction"} if loss == "ngram" else set()
    assert set(stage.load(folder)) == {"loss", "tokens", *more}
