"""Who is trained, and how well they do on what was held out."""

from __future__ import annotations

import numpy as np
import pytest
import tiny_lm
from study_cases import NAN, built, pool_of

from ila_core.errors import IlaError
from ila_core.landscape.landscape import Landscape
from ila_core.studies.settings import StudySettings
from ila_core.studies.students import dev_loss, student_of


@pytest.fixture(scope="module")
def landscape(tmp_path_factory: pytest.TempPathFactory) -> Landscape:
    return built(tmp_path_factory.mktemp("study"), loss="none")


def test_dev_loss_by_hand():
    nats, tokens = np.array([2.0, 12.0, NAN, 0.0]), np.array([2, 4, 3, 0])
    micro, macro = dev_loss(nats, tokens, np.array([0, 2, 0, 1]))
    assert micro == pytest.approx(14 / 6) and macro == pytest.approx((1 + 3) / 2)
    with pytest.raises(IlaError, match="none of the held-out"):
        dev_loss(np.array([NAN]), np.array([3]), np.array([0]))


def test_a_landscape_without_texts_has_no_students(tmp_path):
    with pytest.raises(IlaError, match="reads the records' texts"):
        student_of(pool_of(900), StudySettings(), tmp_path)


def test_an_ngram_student_learns_from_the_rows_it_is_given(landscape, tmp_path):
    student = student_of(landscape, StudySettings(), tmp_path)
    student.prepare()
    haiku, others = np.arange(2, 900, 5), np.arange(0, 900, 5)
    taught, untaught = (
        dev_loss(*student.losses(rows[:60], haiku[100:], 0, 60), np.zeros(80, int))[0]
        for rows in (haiku, others)
    )
    assert taught < untaught - 1


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    tokenizer = tiny_lm.make_tokenizer()
    model = tiny_lm.make_model(vocabulary=len(tokenizer))
    return tiny_lm.save(tmp_path_factory.mktemp("lm") / "base", model, tokenizer)


@pytest.fixture
def one_thread():
    yield from tiny_lm.one_thread()


def test_a_language_model_learns_from_the_rows_it_is_given(landscape, base, one_thread, tmp_path):
    """Fifty steps on one kind of task lower the loss on that kind."""
    options = StudySettings.of(student="lm", lm=base, steps=50, lr=1e-2, batch_tokens=300)
    student = student_of(landscape, options, tmp_path)
    haiku, nothing = np.arange(2, 900, 5), np.zeros(0, dtype=np.int64)
    taught, other, untaught = (
        dev_loss(*student.losses(rows, haiku[100:120], 0, 60), np.zeros(20, int))[0]
        for rows in (haiku[:60], haiku[:60] + 1, nothing)
    )
    assert taught < other - 0.3 and other < untaught


def test_all_students_of_a_budget_take_the_steps_that_its_random_picks_would(
    landscape, base, tmp_path
):
    student = student_of(landscape, StudySettings.of(student="lm", lm=base, epochs=2), tmp_path)
    student.prepare()
    one, hundred = student.steps(1), student.steps(100)
    tokens = 2 * 100 * student.mean_length
    assert one == 1 and hundred == -(-tokens // 2048)
    assert 10 < student.mean_length < 200
    fixed = StudySettings.of(student="lm", lm=base, steps=7)
    assert student_of(landscape, fixed, tmp_path).steps(100) == 7
