"""Results that stay with a landscape."""

from __future__ import annotations

from ila_core.landscape.landscape import Landscape
from ila_core.landscape.memory import remembered


def test_the_latest_results_stay():
    pool, asked = Landscape.from_arrays([[0, 0]]), []

    @remembered(most=2)
    def square(landscape, number):
        asked.append(number)
        return number**2

    assert [square(pool, k) for k in (1, 2, 1, 3, 2, 1)] == [1, 4, 1, 9, 4, 1]
    assert asked == [1, 2, 3, 1]


def test_landscapes_do_not_share_results():
    @remembered(most=1)
    def size(landscape):
        return len(landscape)

    small, large = Landscape.from_arrays([[0, 0]]), Landscape.from_arrays([[0, 0]] * 3)
    assert (size(small), size(large), size(small)) == (1, 3, 1)
    assert size(small.moved([[1, 1]])) == 1


def test_a_result_may_be_dropped_by_another_thread_at_any_time():
    class Dropping(dict):
        def __contains__(self, key):  # what a look costs: another thread's turn comes after it
            return super().__contains__(key) and self.clear() is None

    @remembered(most=1)
    def square(landscape, number):
        return number**2

    pool = Landscape.from_arrays([[0, 0]])
    pool.memory[square.__wrapped__] = Dropping({(3,): 9})
    assert square(pool, 3) == 9
