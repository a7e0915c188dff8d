"""Round marks of a log scale, and what is written at them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def decades(low: float, high: float) -> list[float]:
    """Return the powers of ten in a range; 1, 2 and 5 times of them where these are few.

    >>> decades(0.5, 20), decades(0.07, 3000)
    ([0.5, 1, 2, 5, 10, 20], [0.1, 1, 10, 100, 1000])
    """
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    for steps in ((1,), (1, 2, 5)):
        marks = [float(f"{step}e{power}") for power in powers for step in steps]
        marks = [mark for mark in marks if low * 0.999 <= mark <= high * 1.001]
        if len(marks) >= 3:
            return [int(mark) if mark >= 1 else mark for mark in marks]
    return [int(mark) if mark >= 1 else mark for mark in marks]


def labels(ticks: Sequence[float]) -> list[str]:
    """Return the labels of a scale's ticks: long numbers in thousands and millions.

    >>> labels([500, 1000, 2000]), labels([500, 5000, 20_000]), labels([10**5, 10**6])
    (['500', '1,000', '2,000'], ['500', '5k', '20k'], ['100k', '1M'])
    """
    if max(ticks, default=0) < 10_000:
        return [f"{tick:,g}" for tick in ticks]
    units = (1e6, "M"), (1e3, "k"), (0.0, "")
    fitting = [next((size, name) for size, name in units if tick >= size) for tick in ticks]
    return [
        f"{tick / (size or 1):g}{name}" for tick, (size, name) in zip(ticks, fitting, strict=True)
    ]
