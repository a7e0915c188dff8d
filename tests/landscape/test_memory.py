"""Results that stay with a landscape."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from threading import Event

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


def test_two_threads_that_ask_at_once_are_given_one_result():
    pool, asked = Landscape.from_arrays([[0, 0]]), []
    begun, go_on = Event(), Event()

    @remembered(most=1)
    def square(landscape, number):
        asked.append(number)
        begun.set()
        assert go_on.wait(60)
        return [number**2]

    with ThreadPoolExecutor(2) as two:
        first = two.submit(square, pool, 3)
        assert begun.wait(60)
        second = two.submit(square, pool, 3)
        assert wait([second], 0.05).done == set()
        go_on.set()
        assert first.result() is second.result()
    assert asked == [3]
    assert square(pool, 3) == [9] and asked == [3]


def test_what_is_on_its_way_is_not_dropped_for_what_it_asks_for_itself():
    pool = Landscape.from_arrays([[0, 0]])

    @remembered(most=1)
    def countdown(landscape, number):
        return 0 if number == 0 else 1 + countdown(landscape, number - 1)

    assert countdown(pool, 5) == 5 and countdown(pool, 5) == 5
    assert list(pool.memory[countdown.__wrapped__]) == [(5,)]  # the latest, not one it asked for


def test_an_error_is_raised_to_all_who_wait_and_not_kept():
    pool, wrong = Landscape.from_arrays([[0, 0]]), [True]
    begun, go_on = Event(), Event()

    @remembered(most=1)
    def half(landscape, number):
        begun.set()
        assert go_on.wait(60)
        if wrong[0]:
            raise ValueError("not yet")
        return number / 2

    with ThreadPoolExecutor(2) as two:
        first = two.submit(half, pool, 3)
        assert begun.wait(60)
        second = two.submit(half, pool, 3)
        while not second.running():
            pass
        go_on.set()
        assert isinstance(first.exception(), ValueError)
        assert second.exception() is None or isinstance(second.exception(), ValueError)
    wrong[0] = False
    assert half(pool, 3) == 1.5
