"""Results that stay with a landscape."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Event, Thread

from ila_core.landscape.landscape import Landscape
from ila_core.landscape.memory import remembered


@dataclass(frozen=True)
class Number:
    """A number that tells when it has been met again, as an argument of the same function."""

    value: int
    met: Event = field(default_factory=Event, compare=False)

    def __eq__(self, other):
        self.met.set()
        other.met.set()
        return self.value == other.value


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


def in_a_thread(function, *given):
    """Return the future of a call, by a thread that no end of the tests waits for."""
    future = Future()

    def call():
        try:
            future.set_result(function(*given))
        except ValueError as error:
            future.set_exception(error)

    Thread(target=call, daemon=True).start()
    return future


def asked_twice(function, pool, begun, go_on):
    """Return two calls for the same number, of which the second met the first on its way."""
    first = in_a_thread(function, pool, Number(3))
    assert begun.wait(60)
    waiting = Number(3)
    second = in_a_thread(function, pool, waiting)
    assert waiting.met.wait(60)
    go_on.set()
    return first, second


def test_two_threads_that_ask_at_once_are_given_one_result():
    pool, asked = Landscape.from_arrays([[0, 0]]), []
    begun, go_on = Event(), Event()

    @remembered(most=1)
    def square(landscape, number):
        asked.append(number)
        begun.set()
        assert go_on.wait(60)
        return [number.value**2]

    first, second = asked_twice(square, pool, begun, go_on)
    assert first.result(60) is second.result(60)
    assert square(pool, Number(3)) == [9] and len(asked) == 1


def test_what_is_on_its_way_is_not_dropped_for_what_it_asks_for_itself():
    pool = Landscape.from_arrays([[0, 0]])

    @remembered(most=1)
    def countdown(landscape, number):
        return 0 if number == 0 else 1 + countdown(landscape, number - 1)

    assert countdown(pool, 5) == 5 and countdown(pool, 5) == 5
    assert list(pool.memory[countdown.__wrapped__]) == [(5,)]  # the latest, not one it asked for


def test_who_waited_for_an_error_computes_it_too_and_it_is_not_kept():
    pool, asked = Landscape.from_arrays([[0, 0]]), []
    begun, go_on = Event(), Event()

    @remembered(most=1)
    def half(landscape, number):
        asked.append(number)
        begun.set()
        assert go_on.wait(60)
        if len(asked) == 1:
            raise ValueError("not yet")
        return number.value / 2

    first, second = asked_twice(half, pool, begun, go_on)
    assert isinstance(first.exception(60), ValueError)
    assert second.result(60) == 1.5 and len(asked) == 2
    assert half(pool, Number(3)) == 1.5 and len(asked) == 2
