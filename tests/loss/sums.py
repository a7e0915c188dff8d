"""A pool of 64 small sums, which several test modules score."""

from __future__ import annotations

from tiny_lm import ask

QUESTIONS = [f"What is {a} plus {b}?" for a in range(8) for b in range(8)]
SUMS = [ask(q, f"The answer is {a + b}.") for q, (a, b) in zip(
    QUESTIONS, [(a, b) for a in range(8) for b in range(8)], strict=True)]  # fmt: skip
