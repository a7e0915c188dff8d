"""Tasks of mathematics whose answers are computed: from a sum to a quadratic equation."""

from __future__ import annotations

import math
import statistics
from fractions import Fraction
from itertools import combinations, pairwise, product
from random import Random

from make_tasks import NAMES, Task, decimal, family, fraction, money, table

MATHS, MONEY, DATA = "mathematics", "finance", "data analysis and statistics"


@family(MATHS, "arithmetic", count=44)
def order_of_operations(rng: Random) -> Task:
    a, b, c = rng.randint(3, 60), rng.randint(2, 15), rng.randint(2, 12)
    d = rng.randint(2, 30)
    text, steps, value = rng.choice(
        [
            (f"{a} + {b} × {c}", [f"{b} × {c} = {b * c}", f"{a} + {b * c}"], a + b * c),
            (f"({a} + {b}) × {c}", [f"{a} + {b} = {a + b}", f"{a + b} × {c}"], (a + b) * c),
            (
                f"{a} × {b} − {c} × {d}",
                [f"{a} × {b} = {a * b}", f"{c} × {d} = {c * d}", f"{a * b} − {c * d}"],
                a * b - c * d,
            ),
            (
                f"{b * c} ÷ {b} + {a} × {d}",
                [f"{b * c} ÷ {b} = {c}", f"{a} × {d} = {a * d}", f"{c} + {a * d}"],
                c + a * d,
            ),
            (f"{a}² − {b}²", [f"{a}² = {a * a}", f"{b}² = {b * b}", f"{a * a} − {b * b}"],
             a * a - b * b),
        ]
    )  # fmt: skip
    ask = rng.choice(
        [
            "What is {}?", "Calculate {}.", "Work out {}.", "Evaluate {}.",
            "Please compute {} and mind the order of operations.", "{} = ?",
        ]
    )  # fmt: skip
    answer = f"{value}".replace("-", "−")
    if rng.random() < 0.5:
        return Task(ask.format(text), answer)
    rule = rng.choice(
        [
            "Brackets and powers first, then products and quotients, sums last.",
            "Multiplication and division bind more tightly than addition and subtraction.",
        ]
    )
    return Task(
        ask.format(text) + rng.choice(["", " Show the steps."]),
        f"{rule}\n\n" + "\n".join(f"- {step}" for step in steps[:-1])
        + f"\n- {steps[-1]} = {answer}\n\nThe result is {answer}.",
    )  # fmt: skip


GOODS = (
    ("notebooks", 240), ("pencils", 85), ("mugs", 690), ("apples", 45), ("bread rolls", 60),
    ("postcards", 125), ("light bulbs", 375), ("tickets", 1150), ("jars of honey", 580),
    ("packs of seeds", 195),
)  # fmt: skip


@family(MATHS, "word problems", "arithmetic", count=33)
def shopping(rng: Random) -> Task:
    who = rng.choice(NAMES)
    (one, cost), (other, price) = rng.sample(GOODS, 2)
    n, m = rng.randint(2, 9), rng.randint(2, 8)
    total = n * cost + m * price
    note = next(value for value in (1000, 2000, 5000, 10000, 20000, 50000) if value >= total)
    bill = f"{n} {one} at {money(cost / 100)} each and {m} {other} at {money(price / 100)} each"
    if rng.random() < 0.5:
        ask = f"{who} buys {bill}, and pays with {money(note / 100)}. How much change is due?"
        answer = money((note - total) / 100)
        last = f"Change: {money(note / 100)} − {money(total / 100)} = {answer}."
        end = f"{who} gets {answer} back."
    else:
        ask = f"A shop sells {who} {bill}. What does the whole order of {n + m} things cost?"
        answer, last = money(total / 100), ""
        end = f"The order costs {answer}."
    if rng.random() < 0.4:
        return Task(ask, end)
    work = [
        f"{one.capitalize()}: {n} × {money(cost / 100)} = {money(n * cost / 100)}.",
        f"{other.capitalize()}: {m} × {money(price / 100)} = {money(m * price / 100)}.",
        f"Together: {money(total / 100)}.",
        last,
    ]
    return Task(ask + rng.choice(["", " Explain."]), "\n".join([w for w in work if w] + [end]))


@family(MATHS, "word problems", "arithmetic", "physics", count=26)
def journeys(rng: Random) -> Task:
    speed, other = rng.choice((48, 60, 72, 80, 90, 96)), rng.choice((36, 40, 54, 64, 100))
    hours = Fraction(rng.randint(2, 10), 2)
    kind = rng.randrange(3)
    if kind == 0:
        distance = speed * hours
        ask = rng.choice(
            [
                f"A train covers {decimal(distance)} km at a steady {speed} km/h. "
                "How long does it take?",
                f"How many hours does a lorry need for {decimal(distance)} km at {speed} km/h?",
            ]
        )
        work = f"Time = distance ÷ speed = {decimal(distance)} km ÷ {speed} km/h"
        answer = f"{decimal(hours)} hours"
    elif kind == 1:
        distance = (speed + other) * hours
        ask = (
            f"Two cars, {decimal(distance)} km apart, drive towards each other "
            f"at {speed} km/h and {other} km/h. When do they meet?"
        )
        work = (
            f"The gap closes at {speed} + {other} = {speed + other} km/h, so they meet after "
            f"{decimal(distance)} ÷ {speed + other}"
        )
        answer = f"{decimal(hours)} hours"
    else:
        mean = Fraction(2 * speed * other, speed + other)
        ask = (
            f"A van drives somewhere at {speed} km/h and returns on the same road at {other} km/h. "
            "What is its average speed over the whole trip?"
        )
        work = (
            "The halves are equal in distance, not in time, so the average is the harmonic mean: "
            f"2 × {speed} × {other} ÷ ({speed} + {other})"
        )
        answer = f"{decimal(mean)} km/h"
    if rng.random() < 0.4:
        return Task(ask, f"{answer}.")
    return Task(ask, f"{work} = {answer}.")


PERCENT_ASKS = (
    "What is {p}% of {n}?", "Find {p} percent of {n}.", "How much is {p} % of {n}?",
    "Take {p}% of {n}.",
)  # fmt: skip


@family(MATHS, "fractions and percentages", "arithmetic", count=33)
def percentages(rng: Random) -> Task:
    p, n = rng.choice((4, 5, 8, 12, 15, 20, 25, 30, 35, 45, 60, 75)), rng.randint(4, 90) * 20
    part = Fraction(p * n, 100)
    kind = rng.randrange(3)
    if kind == 0:
        ask, answer = rng.choice(PERCENT_ASKS).format(p=p, n=n), decimal(part)
        work = f"{p}% means {p} hundredths: {n} × {p} ÷ 100 = {answer}."
    elif kind == 1:
        ask = rng.choice(
            [
                f"A coat of {money(n)} is reduced by {p}%. What does it cost now?",
                f"What remains of a price of {money(n)} after a {p}% discount?",
            ]
        )
        answer = money(n - part)
        work = f"The discount is {money(n)} × {p} ÷ 100 = {money(part)}, which leaves {answer}."
    else:
        old, part = 5 * n, 5 * part
        new = old + part
        ask = f"A town's library grew from {decimal(old)} to {decimal(new)} members. By how many per cent?"
        answer = f"{p}%"
        work = (
            f"The growth is {decimal(new)} − {decimal(old)} = {decimal(part)} members. Compared with the "
            f"{decimal(old)} it started from, that is {decimal(part)} ÷ {decimal(old)} = {decimal(p / 100)}, "
            f"so {answer}."
        )
    return Task(ask, work if rng.random() < 0.6 else answer)


@family(MONEY, "finance", "arithmetic", "fractions and percentages", count=30)
def compound_interest(rng: Random) -> Task:
    principal, rate = rng.randint(4, 80) * 250, rng.choice((1.5, 2, 2.5, 3, 4, 5, 6))
    years = rng.randint(2, 8)
    value = principal * (1 + rate / 100) ** years
    ask = rng.choice(
        [
            "{m} earns {r}% a year, compounded yearly. What is it worth after {y} years?",
            "I put {m} in a savings account at {r}% per year, interest added once a year. "
            "How much do I have after {y} years?",
            "Compute the compound interest on {m} at {r}% for {y} years.",
        ]
    ).format(m=money(principal), r=decimal(rate), y=years)
    if rng.random() < 0.35:
        return Task(
            ask,
            f"{money(round(value, 2))}, of which {money(round(value - principal, 2))} interest.",
        )
    balance, rows = float(principal), []
    for year in range(1, years + 1):
        grown = principal * (1 + rate / 100) ** year
        rows.append((year, f"{grown - balance:,.2f}", f"{grown:,.2f}"))
        balance = grown
    return Task(
        ask,
        f"Each year multiplies the balance by 1 + {decimal(rate)}/100 = {1 + rate / 100:.4g}, so "
        f"after {years} years it is {money(principal)} × {1 + rate / 100:.4g}^{years} "
        f"= €{value:,.2f}. The interest is €{value - principal:,.2f}.\n\n"
        + table(("Year", "Interest (€)", "Balance (€)"), rows)
        + "\n\nSimple interest would have paid "
        f"€{principal * rate / 100 * years:,.2f}; the rest is interest on interest.",
    )


@family(MONEY, "finance", "personal finance", count=21)
def loan_payments(rng: Random) -> Task:
    loan, rate, years = (
        rng.randint(4, 60) * 500,
        rng.choice((3, 4.2, 4.8, 6, 7.2)),
        rng.randint(2, 7),
    )
    i, n = rate / 1200, years * 12
    payment = loan * i / (1 - (1 + i) ** -n)
    ask = rng.choice(
        [
            "What is the monthly instalment of a loan of {m} over {y} years at {r}% a year?",
            "I borrow {m} for {y} years at a nominal {r}% p.a., paid back in equal monthly "
            "instalments. How much is one, and what does the loan cost me?",
        ]
    ).format(m=money(loan), y=years, r=decimal(rate))
    total = payment * n
    if rng.random() < 0.35:
        return Task(ask, f"€{payment:,.2f} a month; €{total - loan:,.2f} interest in all.")
    return Task(
        ask,
        "Use the annuity formula, payment = P·i / (1 − (1 + i)^−n).\n\n"
        f"- P = {money(loan)}\n- i = {decimal(rate)}% ÷ 12 = {decimal(i * 100, 3)}% a month\n"
        f"- n = {years} × 12 = {n} payments\n\n"
        f"The instalment is €{payment:,.2f}. Over {n} months you pay €{total:,.2f}, that is "
        f"€{total - loan:,.2f} more than you borrowed. In the first month €{loan * i:,.2f} of it is "
        "interest; that part shrinks with the debt.",
    )


SCALES = {
    "length": {"mm": "0.001", "cm": "0.01", "m": "1", "km": "1000", "inches": "0.0254",
               "feet": "0.3048", "yards": "0.9144", "miles": "1609.344"},
    "mass": {"g": "0.001", "kg": "1", "tonnes": "1000", "ounces": "0.028349523125",
             "pounds": "0.45359237"},
    "volume": {"ml": "0.001", "litres": "1", "cubic metres": "1000", "US gallons": "3.785411784",
               "US cups": "0.2365882365"},
    "time": {"seconds": "1", "minutes": "60", "hours": "3600", "days": "86400",
             "weeks": "604800"},
    "speed": {"m/s": "1", "km/h": "5/18", "miles per hour": "0.44704"},
    "data": {"bytes": "1", "KiB": "1024", "MiB": "1048576", "kB": "1000", "MB": "1000000"},
}  # fmt: skip


def significant(value: Fraction, digits: int = 6) -> str:
    """The value rounded to so many significant digits, written out in full.

    >>> significant(Fraction(1, 3)), significant(Fraction(12345678)), significant(Fraction(5, 2))
    ('0.333333', '12345678', '2.5')
    """
    if value.denominator == 1:
        return str(value)
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{float(value):.{places}f}".rstrip("0").rstrip(".")


@family("units and measures", "unit conversion", count=59)
def unit_conversion(rng: Random) -> Task:
    units = SCALES[rng.choice(tuple(SCALES))]
    source, target = rng.sample(tuple(units), 2)
    amount = Fraction(rng.choice((1, 2, 3, 5, 8, 12, 15, 24, 40, 75, 120, 250, 600)), 1)
    amount = amount / 2 if rng.random() < 0.2 else amount
    factor = Fraction(units[source]) / Fraction(units[target])
    value, shown = significant(amount * factor), significant(amount)
    ask = rng.choice(
        ["Convert {a} {s} to {t}.", "How many {t} are {a} {s}?", "{a} {s} in {t}?",
         "Express {a} {s} in {t}.", "What is {a} {s} in {t}?"]
    ).format(a=shown, s=source, t=target)  # fmt: skip
    if rng.random() < 0.6:
        return Task(ask, rng.choice([f"{value} {target}", f"{shown} {source} = {value} {target}"]))
    return Task(
        ask,
        f"In {target}, the unit {source} counts {significant(factor)}, so multiply: {shown} × "
        f"{significant(factor)} = {value}. That is {value} {target} (to six significant digits "
        "where it does not come out even).",
    )


@family("units and measures", "unit conversion", "formatting", count=18)
def temperature_tables(rng: Random) -> Task:
    low, step, rows = rng.randint(-8, 12) * 5, rng.choice((5, 10, 20)), rng.randint(3, 7)
    values = [low + step * i for i in range(rows)]
    to_fahrenheit = rng.random() < 0.6
    names = ("°C", "°F") if to_fahrenheit else ("°F", "°C")
    change = (lambda t: t * 9 / 5 + 32) if to_fahrenheit else (lambda t: (t - 32) * 5 / 9)
    pairs: list[tuple[object, ...]] = [(t, decimal(change(t), 1)) for t in values]
    ask = f"Make a table that converts {low} to {values[-1]} {names[0]} to {names[1]} in steps of {step}."
    rule = "°F = °C × 9/5 + 32" if to_fahrenheit else "°C = (°F − 32) × 5/9"
    body = table(names, pairs)
    return Task(ask, body if rng.random() < 0.5 else f"{body}\n\nThe rule is {rule}.")


DIGITS = "0123456789abcdef"


def in_base(value: int, base: int) -> str:
    """A whole number of at least 0 in a base up to 16.

    >>> in_base(255, 16), in_base(10, 2), in_base(0, 8)
    ('ff', '1010', '0')
    """
    text = ""
    while True:
        value, digit = divmod(value, base)
        text = DIGITS[digit] + text
        if not value:
            return text


BASE_NAMES = {2: "binary", 3: "base three", 8: "octal", 10: "decimal", 16: "hexadecimal"}


@family("computer science", "number theory", "ciphers and encoding", count=30)
def base_conversion(rng: Random) -> Task:
    value = rng.randint(20, 1023)
    source, target = rng.sample(tuple(BASE_NAMES), 2)
    before, after = in_base(value, source), in_base(value, target)
    ask = rng.choice(
        ["Write the {s} number {b} in {t}.", "Convert {b} from {s} to {t}.",
         "What is {s} {b} in {t}?"]
    ).format(s=BASE_NAMES[source], t=BASE_NAMES[target], b=before)  # fmt: skip
    if rng.random() < 0.5:
        return Task(ask, after)
    steps = []
    if source != 10:
        terms = [
            f"{DIGITS.index(digit)}·{source}^{len(before) - 1 - place}"
            for place, digit in enumerate(before)
            if digit != "0"
        ]
        steps.append(f"In decimal: {before} = {' + '.join(terms)} = {value}.")
    if target != 10:
        rest, lines = value, []
        while rest:
            lines.append(f"{rest} ÷ {target} = {rest // target} remainder {rest % target}")
            rest //= target
        steps.append(
            f"Divide by {target} and keep the remainders:\n" + "\n".join(lines)
            + "\nRead from the last remainder to the first."
        )  # fmt: skip
    return Task(ask, "\n\n".join([*steps, f"Result: {after}"]))


@family(MATHS, "probability", "fractions and percentages", count=30)
def exact_probability(rng: Random) -> Task:
    if rng.random() < 0.5:
        sides, dice, goal = rng.choice((4, 6, 8)), rng.choice((2, 3)), 0
        goal = rng.randint(dice + 1, dice * sides - 1)
        rolls = list(product(range(1, sides + 1), repeat=dice))
        hits = sum(sum(roll) == goal for roll in rolls)
        chance = Fraction(hits, len(rolls))
        count = {2: "two", 3: "three"}[dice]
        ask = rng.choice(
            [
                f"You roll {count} fair {sides}-sided dice. What is the probability that they "
                f"add up to {goal}?",
                f"Probability of a sum of {goal} with {count} {sides}-sided dice, as a fraction?",
            ]
        )
        work = (
            f"There are {sides}^{dice} = {len(rolls)} equally likely rolls, and {hits} of them "
            f"add up to {goal}. The probability is {hits}/{len(rolls)}"
        )
    else:
        red, blue, drawn = rng.randint(3, 9), rng.randint(2, 8), rng.choice((2, 3))
        drawn = min(drawn, red)
        hits, alls = math.comb(red, drawn), math.comb(red + blue, drawn)
        chance = Fraction(hits, alls)
        ask = (
            f"An urn holds {red} red and {blue} blue balls. You draw {drawn} without putting any "
            "back. What is the probability that all of them are red?"
        )
        work = (
            f"Of the C({red + blue}, {drawn}) = {alls} possible draws, C({red}, {drawn}) = {hits} "
            f"are all red. The probability is {hits}/{alls}"
        )
    answer = fraction(chance)
    if rng.random() < 0.4:
        return Task(ask, answer)
    same = "" if f"/{chance.denominator}" in work[-6:] else f" = {answer}"
    return Task(ask, f"{work}{same}, about {decimal(chance * 100, 1)}%.")


@family(MATHS, "combinatorics", "arithmetic", count=21)
def arrangements(rng: Random) -> Task:
    kind, n = rng.randrange(3), rng.randint(5, 12)
    k = rng.randint(2, min(4, n - 1))
    if kind == 0:
        value = math.comb(n, k)
        ask = f"In how many ways can a committee of {k} be chosen from {n} people?"
        work = f"Order does not matter, so it is C({n}, {k}) = {n}! / ({k}! · {n - k}!) = {value}."
    elif kind == 1:
        value = math.perm(n, k)
        ask = f"{n} runners compete. How many different results are possible for the first {k} places?"
        factors = " × ".join(str(n - i) for i in range(k))
        work = f"Order matters and nobody finishes twice: {factors} = {value}."
    else:
        word = rng.choice(("LEVEL", "BANANA", "COFFEE", "PEPPER", "MAMMAL", "TOMATO", "KAYAK"))
        repeats = [word.count(c) for c in sorted(set(word)) if word.count(c) > 1]
        value = math.factorial(len(word)) // math.prod(math.factorial(r) for r in repeats)
        ask = f"How many distinct arrangements do the letters of {word} have?"
        below = " · ".join(f"{r}!" for r in repeats)
        work = (
            f"{word} has {len(word)} letters. Swapping equal letters changes nothing, so divide: "
            f"{len(word)}! / ({below}) = {value}."
        )
    return Task(ask, work if rng.random() < 0.6 else str(value))


@family(MATHS, "arithmetic", "data structures", count=18)
def set_operations(rng: Random) -> Task:
    a, b = (sorted(rng.sample(range(1, 21), rng.randint(4, 8))) for _ in range(2))
    name, symbol, result = rng.choice(
        [
            ("union", "A ∪ B", set(a) | set(b)),
            ("intersection", "A ∩ B", set(a) & set(b)),
            ("difference", "A \\ B", set(a) - set(b)),
            ("symmetric difference", "A △ B", set(a) ^ set(b)),
        ]
    )
    shown = [", ".join(map(str, values)) for values in (a, b, sorted(result))]
    ask = f"Let A = {{{shown[0]}}} and B = {{{shown[1]}}}. Find the {name} {symbol}."
    answer = f"{symbol} = {{{shown[2]}}}" if result else f"{symbol} is the empty set."
    meaning = {
        "union": "everything that is in A or in B",
        "intersection": "what A and B have in common",
        "difference": "what is in A but not in B",
        "symmetric difference": "what is in exactly one of the two",
    }[name]
    if rng.random() < 0.5:
        return Task(ask, answer)
    return Task(ask, f"The {name} holds {meaning}. {answer}\n\nNumber of elements: {len(result)}.")


@family(MATHS, "geometry", count=30)
def plane_and_solid(rng: Random) -> Task:
    a, b, h = rng.randint(2, 20), rng.randint(3, 25), rng.randint(2, 15)
    p, q, r = rng.choice(((3, 4, 5), (5, 12, 13), (8, 15, 17), (7, 24, 25), (20, 21, 29)))
    k = rng.randint(1, 4)
    ask, work, answer = rng.choice(
        [
            (f"What is the area of a triangle with base {b} cm and height {h} cm?",
             f"Area = base × height ÷ 2 = {b} × {h} ÷ 2", f"{decimal(b * h / 2)} cm²"),
            (f"A circle has radius {a} m. Find its area and its circumference.",
             f"Area = π·{a}² and circumference = 2π·{a}",
             f"{math.pi * a * a:.2f} m² and {2 * math.pi * a:.2f} m"),
            (f"The legs of a right triangle measure {p * k} and {q * k}. How long is the "
             "hypotenuse?",
             f"By Pythagoras c² = {p * k}² + {q * k}² = {(r * k) ** 2}, and c = √{(r * k) ** 2}",
             f"{r * k}"),
            (f"A cylinder has radius {a} cm and height {h} cm. What is its volume?",
             f"V = π r² h = π × {a}² × {h} = {a * a * h}π", f"{math.pi * a * a * h:.2f} cm³"),
            (f"Find the volume and the surface of a box of {a} × {b} × {h} cm.",
             f"V = {a} × {b} × {h} and S = 2 × ({a * b} + {a * h} + {b * h})",
             f"{a * b * h} cm³ and {2 * (a * b + a * h + b * h)} cm²"),
            (f"What is the area of a trapezium with parallel sides {a} cm and {b} cm and height "
             f"{h} cm?",
             f"Area = (a + b) ÷ 2 × h = ({a} + {b}) ÷ 2 × {h}",
             f"{decimal((a + b) * h / 2)} cm²"),
            (f"How large is one interior angle of a regular polygon with {a + 2} sides?",
             f"The angles add up to ({a + 2} − 2) × 180° = {a * 180}°; one is {a * 180}° ÷ {a + 2}",
             f"{decimal(a * 180 / (a + 2))}°"),
        ]
    )  # fmt: skip
    return Task(ask, f"{work}, which gives {answer}." if rng.random() < 0.6 else answer)


@family(MATHS, "algebra", count=33)
def equations(rng: Random) -> Task:
    if rng.random() < 0.5:
        x, a, b = rng.randint(-9, 12), rng.randint(2, 9), rng.randint(1, 30)
        c = rng.randint(1, a - 1) if a > 1 else 0
        right = (a - c) * x + b
        sign = "+" if right >= 0 else "−"
        ask = rng.choice(["Solve for x: {}", "Solve {}.", "Find x if {}."]).format(
            f"{a}x + {b} = {'' if c == 1 else c}x {sign} {abs(right)}"
        )
        step = f"{'' if a - c == 1 else a - c}x = {right - b}".replace("-", "−")
        answer = f"x = {x}".replace("-", "−")
        work = f"Subtract {'' if c == 1 else c}x and then {b} on both sides: {step}." + (
            "" if a - c == 1 else f" Divide by {a - c}."
        )
    else:
        p, q = rng.sample([n for n in range(-9, 10) if n], 2)
        s, t = -(p + q), p * q
        middle = "" if s == 0 else f" {'+' if s > 0 else '−'} {'' if abs(s) == 1 else abs(s)}x"
        ask = rng.choice(["Solve {}.", "Find the roots of {}.", "Factor and solve {}."]).format(
            f"x²{middle} {'+' if t > 0 else '−'} {abs(t)} = 0"
        )
        factors = "".join(f"(x {'−' if root > 0 else '+'} {abs(root)})" for root in (p, q))
        low, high = sorted((p, q))
        answer = f"x = {low} or x = {high}".replace("-", "−")
        work = (
            f"Two numbers with sum {p + q} and product {t} are {p} and {q}, so the left side "
            f"factors as {factors}. A product is zero where a factor is."
        ).replace("-", "−")
    return Task(ask, f"{work}\n\n{answer}" if rng.random() < 0.6 else answer)


def factors_of(n: int) -> list[int]:
    """The prime factors of n > 1, smallest first, with repetitions."""
    found, divisor = [], 2
    while divisor * divisor <= n:
        while n % divisor == 0:
            found.append(divisor)
            n //= divisor
        divisor += 1
    return [*found, n] if n > 1 else found


@family(MATHS, "number theory", "arithmetic", count=27)
def divisors(rng: Random) -> Task:
    kind, g = rng.randrange(3), rng.randint(2, 15)
    a, b = g * rng.randint(3, 20), g * rng.randint(21, 36)
    if kind == 0:
        n = rng.randint(60, 2000)
        parts = factors_of(n)
        answer = " × ".join(map(str, parts))
        ask = rng.choice([f"Give the prime factorisation of {n}.", f"Factor {n} into primes."])
        if len(parts) == 1:
            return Task(ask, f"{n} is a prime number.")
        work = f"Dividing out the smallest prime each time gives {n} = {answer}."
    elif kind == 1:
        ask = f"What is the greatest common divisor of {a} and {b}?"
        x, y, lines = b, a, []
        while y:
            lines.append(f"{x} = {x // y} × {y} + {x % y}")
            x, y = y, x % y
        answer = str(x)
        work = "Euclid's algorithm:\n" + "\n".join(lines) + f"\nThe last divisor is {x}."
    else:
        ask, common = f"Find the least common multiple of {a} and {b}.", math.gcd(a, b)
        answer = str(math.lcm(a, b))
        work = (
            f"gcd({a}, {b}) = {common}, and lcm × gcd = product, so lcm = {a} × {b} ÷ {common} "
            f"= {answer}."
        )
    return Task(ask, work if rng.random() < 0.5 else answer)


@family(MATHS, "sequences and patterns", count=18)
def sequences(rng: Random) -> Task:
    first, step, kind = rng.randint(1, 12), rng.randint(2, 9), rng.randrange(4)
    if kind == 0:
        terms = [first + step * i for i in range(7)]
        why = f"each term is {step} more than the one before"
    elif kind == 1:
        ratio = rng.choice((2, 3, 4))
        terms = [first * ratio**i for i in range(7)]
        why = f"each term is {ratio} times the one before"
    elif kind == 2:
        terms = [first, first + step]
        while len(terms) < 7:
            terms.append(terms[-1] + terms[-2])
        why = "each term is the sum of the two before it"
    else:
        terms = [first + i * i + step * i for i in range(7)]
        gaps = [b - a for a, b in pairwise(terms)]
        why = f"the gaps {gaps[0]}, {gaps[1]}, {gaps[2]}, ... grow by 2 each time"
    shown = ", ".join(map(str, terms[:5]))
    ask = rng.choice(
        [f"What are the next two terms of {shown}, ...?", f"Continue the sequence {shown}, ..."]
    )
    answer = f"{terms[5]}, {terms[6]}"
    return Task(ask, f"{answer}, because {why}." if rng.random() < 0.6 else answer)


def matrix(rows: list[list[int]]) -> str:
    return "[" + ", ".join(str(row) for row in rows) + "]"


@family(MATHS, "linear algebra", count=18)
def matrices(rng: Random) -> Task:
    a, b = ([[rng.randint(-5, 9) for _ in range(2)] for _ in range(2)] for _ in range(2))
    (p, q), (r, s) = a
    if rng.random() < 0.5:
        value = p * s - q * r
        ask = f"Compute the determinant of the matrix {matrix(a)}. Is the matrix invertible?"
        tail = "is invertible" if value else "is not invertible: its rows are linearly dependent"
        work = f"det = ad − bc = ({p})({s}) − ({q})({r}) = {value}. The matrix {tail}."
        return Task(ask, work)
    c = [[sum(a[i][k] * b[k][j] for k in range(2)) for j in range(2)] for i in range(2)]
    ask = f"Multiply the matrices A = {matrix(a)} and B = {matrix(b)} (lists of rows)."
    if rng.random() < 0.4:
        return Task(ask, f"AB = {matrix(c)}")
    lines = [
        f"- row {i + 1}, column {j + 1}: ({a[i][0]})({b[0][j]}) + ({a[i][1]})({b[1][j]}) = {c[i][j]}"
        for i in range(2)
        for j in range(2)
    ]
    return Task(
        ask,
        "Each entry is a row of A times a column of B:\n" + "\n".join(lines)
        + f"\n\nAB = {matrix(c)}. The other order, BA, gives a different result in general.",
    )  # fmt: skip


@family(DATA, "statistics", "arithmetic", count=30)
def descriptive_statistics(rng: Random) -> Task:
    values = [rng.randint(2, 60) for _ in range(rng.randint(5, 9))]
    what = rng.choice(
        ("daily sales", "reaction times in ms", "test scores", "minutes of delay", "wind speeds")
    )
    mean, median = statistics.fmean(values), statistics.median(values)
    deviation = statistics.stdev(values)
    shown = ", ".join(map(str, values))
    kind = rng.randrange(3)
    if kind == 0:
        ask = f"Find the mean and the median of these {what}: {shown}."
        answer = f"Mean {decimal(mean)}, median {decimal(median)}."
        work = (
            f"The sum of the {len(values)} values is {sum(values)}, so the mean is {sum(values)} ÷ "
            f"{len(values)} = {decimal(mean)}. Sorted, they are "
            f"{', '.join(map(str, sorted(values)))}; the middle is {decimal(median)}."
        )
    elif kind == 1:
        ask = f"What is the sample standard deviation of {shown}?"
        answer = decimal(deviation)
        squares = sum((v - mean) ** 2 for v in values)
        work = (
            f"The mean is {decimal(mean)}. The squared deviations from it add up to "
            f"{decimal(squares)}; dividing by n − 1 = {len(values) - 1} gives a variance of "
            f"{decimal(squares / (len(values) - 1))}, whose root is {answer}."
        )
    else:
        ask = f"Give the range of these {what} and say how many lie above the mean: {shown}."
        above = sum(v > mean for v in values)
        answer = f"Range {max(values) - min(values)}; {above} above the mean of {decimal(mean)}."
        work = (
            f"They run from {min(values)} to {max(values)}, a range of "
            f"{max(values) - min(values)}. The mean is {decimal(mean)}, and {above} of the "
            f"{len(values)} values lie above it."
        )
    return Task(ask, work if rng.random() < 0.55 else answer)


ROMAN = (
    (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"),
    (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
)  # fmt: skip


def roman_parts(value: int) -> list[tuple[int, str]]:
    """The pieces of a Roman numeral, largest first.

    >>> roman_parts(94)
    [(90, 'XC'), (4, 'IV')]
    """
    parts = []
    for size, sign in ROMAN:
        while value >= size:
            parts.append((size, sign))
            value -= size
    return parts


@family("history and geography", "history", "ciphers and encoding", count=27)
def roman_numerals(rng: Random) -> Task:
    value = rng.randint(4, 2100)
    parts = roman_parts(value)
    text = "".join(sign for _, sign in parts)
    sums = " + ".join(str(size) for size, _ in parts)
    signs = " + ".join(sign for _, sign in parts)
    if rng.random() < 0.5:
        ask = rng.choice(
            [f"Write {value} in Roman numerals.", f"What is {value} as a Roman numeral?"]
        )
        return Task(ask, text if rng.random() < 0.5 else f"{value} = {sums}, which is {text}.")
    ask = rng.choice(
        [
            f"Which number is {text}?",
            f"An inscription bears the date {text}. What year is that in our digits?",
        ]
    )
    return Task(ask, str(value) if rng.random() < 0.5 else f"{signs} = {sums} = {value}.")


@family(MATHS, "logical reasoning", "combinatorics", count=15)
def pairs_and_handshakes(rng: Random) -> Task:
    n = rng.randint(4, 30)
    games = len(list(combinations(range(n), 2)))
    ask, thing = rng.choice(
        [
            (f"{n} people meet and everybody shakes hands with everybody else once. How many "
             "handshakes is that?", "handshakes"),
            (f"{n} teams play a round robin, each pair once. How many matches are there?",
             "matches"),
            (f"How many straight lines join {n} points of which no three lie on a line?", "lines"),
            (f"{n} servers are connected pairwise by cables. How many cables are needed?",
             "cables"),
        ]
    )  # fmt: skip
    if rng.random() < 0.5:
        return Task(ask, f"{games} {thing}.")
    return Task(
        ask,
        f"Each of the {n} pairs up with {n - 1} others, which counts every pair twice: "
        f"{n} × {n - 1} ÷ 2 = {games} {thing}.",
    )


@family(MATHS, "fractions and percentages", "arithmetic", count=22)
def fraction_sums(rng: Random) -> Task:
    a = Fraction(rng.randint(1, 8), rng.randint(2, 9))
    b = Fraction(rng.randint(1, 8), rng.randint(2, 12))
    sign, value = rng.choice([("+", a + b), ("−", a - b), ("×", a * b), ("÷", a / b)])
    ask = rng.choice(["Calculate {}.", "Simplify {}.", "What is {} in lowest terms?"]).format(
        f"{a} {sign} {b}"
    )
    answer = fraction(value).replace("-", "−")
    if rng.random() < 0.5:
        return Task(ask, answer)
    if sign in "+−":
        common = math.lcm(a.denominator, b.denominator)
        tops = [x.numerator * common // x.denominator for x in (a, b)]
        work = (
            f"Bring both over {common}: {tops[0]}/{common} {sign} {tops[1]}/{common}. "
            f"In lowest terms that is {answer}."
        )
    elif sign == "×":
        work = f"Multiply tops and bottoms, then cancel: the product is {answer}."
    else:
        work = f"Dividing by {b} is multiplying by {1 / b}: the quotient is {answer}."
    return Task(ask, work)
