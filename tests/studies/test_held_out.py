"""What each held-out record costs a student, and how sure a difference is."""

from __future__ import annotations

import numpy as np
import pytest

from ila_core.studies.held_out import HeldOut


def test_the_error_is_what_other_held_out_records_would_show():
    """Drawn anew a thousand times, the difference spreads as the error of one draw says."""
    chance = np.random.default_rng(5)
    records = 150

    def difference() -> tuple[float, float]:
        tokens = chance.integers(1, 60, records)
        ours = tokens * chance.normal(2.0, 0.5, records)
        theirs = ours + tokens * chance.normal(1.0, 0.4, records)
        error = HeldOut(ours, tokens).error_beside(HeldOut(theirs, tokens))
        assert error is not None
        return (ours - theirs).sum() / tokens.sum(), error

    gaps, errors = np.array([difference() for _ in range(1000)]).T
    assert errors.mean() == pytest.approx(gaps.std(), rel=0.1)


def test_records_that_one_of_two_cannot_score_do_not_count():
    tokens = np.array([3, 4, 5, 0])
    own = HeldOut(np.array([3.0, np.nan, 5.0, 0.0]), tokens)
    other = HeldOut(np.array([6.0, 1.0, 5.0, 0.0]), tokens)
    alone = HeldOut(np.array([3.0, 5.0]), np.array([3, 5]))
    beside = HeldOut(np.array([6.0, 5.0]), np.array([3, 5]))
    assert own.error_beside(other) == pytest.approx(alone.error_beside(beside))
    first, second = (HeldOut(each.nats[:2], tokens[:2]) for each in (own, other))
    assert first.error_beside(second) is None


def test_what_is_kept_is_read_again(tmp_path):
    made = HeldOut(np.array([1.5, np.nan]), np.array([3, 0]))
    made.save(tmp_path, "a")
    read = HeldOut.read(tmp_path, "a")
    np.testing.assert_array_equal(read, made)
    assert HeldOut.read(tmp_path, "b") is None
    (tmp_path / "held_out" / "c.npy").write_bytes(b"torn")
    assert HeldOut.read(tmp_path, "c") is None
