"""What a computed task is, and the list of the families that make them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from random import Random

NAMES = (
    "Amira", "Ben", "Chiara", "Dmitri", "Elif", "Femi", "Grace", "Hiro", "Ines", "Jakub",
    "Kwame", "Leila", "Marta", "Nadia", "Oskar", "Priya", "Quentin", "Rosa", "Samir", "Tove",
)  # fmt: skip


@dataclass(frozen=True)
class Task:
    """An instruction and the answer that was computed for it; input is "" where there is none."""

    instruction: str
    output: str
    input: str = ""


@dataclass(frozen=True)
class Family:
    """A recipe for tasks of one kind; it takes everything it varies from the given Random."""

    name: str
    domain: str
    skills: tuple[str, ...]
    count: int
    make: Callable[[Random], Task]


FAMILIES: list[Family] = []
"""Every family, in the order in which the modules make_*_tasks.py define them."""


def family(
    domain: str, *skills: str, count: int
) -> Callable[[Callable[[Random], Task]], Callable[[Random], Task]]:
    """Register the decorated function as a family of ``count`` tasks under its own name."""

    def register(make: Callable[[Random], Task]) -> Callable[[Random], Task]:
        name = make.__name__.replace("_", "-")
        FAMILIES.append(Family(name, domain, skills, count, make))
        return make

    return register


def decimal(value: float | Fraction, places: int = 2) -> str:
    """The number with at most so many decimals, no trailing zeros, commas between thousands.

    >>> decimal(1234.50), decimal(Fraction(1, 3)), decimal(-0.001), decimal(20)
    ('1,234.5', '0.33', '0', '20')
    """
    text = f"{float(value):,.{places}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def money(value: float | Fraction, sign: str = "€") -> str:
    """An amount with two decimals, or none where it is whole.

    >>> money(1250), money(3.5, "$")
    ('€1,250', '$3.50')
    """
    return f"{sign}{float(value):,.0f}" if value == int(value) else f"{sign}{float(value):,.2f}"


def fraction(value: Fraction) -> str:
    """A fraction in lowest terms; a whole number stands alone.

    >>> fraction(Fraction(6, 8)), fraction(Fraction(4, 2))
    ('3/4', '2')
    """
    return str(value)


def listed(items: list[str] | tuple[str, ...], last: str = "and") -> str:
    """The items as English lists them.

    >>> listed(["a", "b", "c"]), listed(["a"])
    ('a, b and c', 'a')
    """
    *head, tail = items
    return f"{', '.join(head)} {last} {tail}" if head else tail


def table(header: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    """A Markdown table."""
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
