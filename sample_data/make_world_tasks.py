"""Tasks of calendars, science, games and daily life whose answers are computed."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from itertools import permutations
from random import Random

from make_tasks import NAMES, Task, decimal, family, listed, table

PLANNING, SCIENCE = "planning and productivity", "physics and chemistry"
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


def long_date(day: date) -> str:
    """A date in words, in English whatever the locale.

    >>> long_date(date(2024, 2, 29))
    '29 February 2024'
    """
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


@family(PLANNING, "dates and times", "arithmetic", count=44)
def calendar_dates(rng: Random) -> Task:
    day = date(1950, 1, 1) + timedelta(days=rng.randint(0, 365 * 90))
    n = rng.choice((10, 30, 45, 60, 90, 100, 180, 365, 1000))
    later = day + timedelta(days=n)
    kind = rng.randrange(4)
    if kind == 0:
        answer = WEEKDAYS[day.weekday()]
        ask = rng.choice(
            [
                f"On which weekday does {long_date(day)} fall?",
                f"What day of the week is {day.isoformat()}?",
            ]
        )
        start = date(day.year, 1, 1)
        gone = (day - start).days
        work = (
            f"1 January {day.year} is a {WEEKDAYS[start.weekday()]}. {long_date(day)} comes {gone} "
            f"days later, and {gone} leaves a remainder of {gone % 7} when divided by 7. So it is a "
            f"{answer}."
        )
    elif kind == 1:
        answer = long_date(later)
        ask = rng.choice(
            [f"What is the date {n} days after {long_date(day)}?", f"{long_date(day)} + {n} days?"]
        )
        work = f"Counting {n} days on from {long_date(day)} leads to {answer}."
    elif kind == 2:
        end = day + timedelta(days=rng.randint(5, 400))
        answer = f"{(end - day).days} days"
        ask = f"How many days lie between {long_date(day)} and {long_date(end)}?"
        work = (
            f"{long_date(day)} is day {day.timetuple().tm_yday} of {day.year}, {long_date(end)} is "
            f"day {end.timetuple().tm_yday} of {end.year}. The difference is {answer}, the first "
            "day not counted."
        )
    else:
        leap = day.year % 4 == 0 and (day.year % 100 != 0 or day.year % 400 == 0)
        answer = "Yes" if leap else "No"
        ask = f"Is {day.year} a leap year?"
        work = f"{answer}: {day.year} ÷ 4 leaves a remainder of {day.year % 4}" + (
            ", and it is not a century to be excepted." if leap and day.year % 100 else "."
        )
    return Task(ask, work if rng.random() < 0.5 else answer)


def clock(minutes: int) -> str:
    """Minutes since midnight as a time of day."""
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"


@family(PLANNING, "dates and times", "word problems", count=24)
def durations(rng: Random) -> Task:
    start, length = rng.randint(300, 1380), rng.randint(35, 700)
    end, zone = start + length, rng.choice((-8, -5, -3, 2, 4, 9))
    hours = f"{length // 60} h {length % 60} min" if length >= 60 else f"{length} min"
    next_day = " the next day" if end >= 1440 else ""
    kind = rng.randrange(3)
    if kind == 0:
        ask = (
            f"A night train leaves at {clock(start)} and travels for {hours}. When does it arrive?"
        )
        answer = f"At {clock(end)}{next_day}."
        work = f"{clock(start)} plus {hours} is {clock(end)}{next_day}."
    elif kind == 1:
        ask = f"A shift runs from {clock(start)} to {clock(end)}{next_day}. How long is it?"
        answer, work = f"{hours}.", f"From {clock(start)} to {clock(end)}{next_day} it is {hours}."
    else:
        there = end + zone * 60
        shift = {-1: " the day before", 0: "", 1: " the next day", 2: " two days later"}[
            there // 1440
        ]
        ask = (
            f"A flight takes off at {clock(start)} and lands after {hours} in a place whose clocks "
            f"are {abs(zone)} hours {'ahead' if zone > 0 else 'behind'}. What is the local time of "
            "landing?"
        )
        answer = f"{clock(there)}{shift}."
        work = (
            f"At home it is {clock(end)}{next_day} by then; {'add' if zone > 0 else 'subtract'} "
            f"{abs(zone)} hours for the time zone: {clock(there)}{shift}."
        )
    return Task(ask, work if rng.random() < 0.5 else answer)


@family(PLANNING, "scheduling", "logical reasoning", "dates and times", count=27)
def free_slots(rng: Random) -> Task:
    people = rng.sample(NAMES, rng.randint(2, 3))
    busy = {
        who: sorted((start, start + rng.choice((1, 2))) for start in rng.sample((9, 11, 13, 15), 2))
        for who in people
    }
    taken = {hour for slots in busy.values() for a, b in slots for hour in range(a, b)}
    free = [hour for hour in range(9, 17) if hour not in taken]
    lines = "\n".join(
        f"{who}: busy {listed([f'{a}:00-{b}:00' for a, b in slots])}" for who, slots in busy.items()
    )
    ask = rng.choice(
        [
            "Find every full hour between 9:00 and 17:00 at which all of them can meet.",
            "When can these people meet for one hour, starting on the hour, from 9:00 to 17:00?",
        ]
    )
    shown = [f"{hour}:00-{hour + 1}:00" for hour in free]
    answer = listed(shown) if shown else "There is no common free hour."
    if rng.random() < 0.5:
        return Task(ask, answer, lines)
    blocked = ", ".join(f"{hour}:00" for hour in sorted(taken))
    return Task(
        ask,
        f"Lay the calendars on top of each other: somebody is busy in the hours that begin at "
        f"{blocked}. What is left of the day: {answer}",
        lines,
    )


@family("puzzles and games", "puzzles", "logical reasoning", count=27)
def who_stands_where(rng: Random) -> Task:
    people = tuple(rng.sample(NAMES, 4))
    truth = tuple(rng.sample(people, 4))
    place = {who: i for i, who in enumerate(truth)}
    pool = []
    for a, b in permutations(people, 2):
        if place[a] < place[b]:
            pool.append(
                (f"{a} stands somewhere to the left of {b}.", lambda p, a=a, b=b: p[a] < p[b])
            )
        if abs(place[a] - place[b]) == 1 and a < b:
            pool.append(
                (
                    f"{a} and {b} stand next to each other.",
                    lambda p, a=a, b=b: abs(p[a] - p[b]) == 1,
                )
            )
        if place[a] not in (0, 3) and a < b:
            pool.append((f"{a} does not stand at an end.", lambda p, a=a: p[a] in (1, 2)))
    rng.shuffle(pool)
    orders = [dict(zip(order, range(4), strict=True)) for order in permutations(people)]
    clues: list[str] = []
    left = [len(orders)]
    for text, holds in pool:
        rest = [order for order in orders if holds(order)]
        if len(rest) < len(orders):
            orders = rest
            clues.append(text)
            left.append(len(rest))
        if len(orders) == 1:
            break
    line = ", ".join(truth)
    ask = rng.choice(
        [
            f"{listed(sorted(people))} stand in a row. In which order, from left to right?",
            f"Work out the order from left to right of {listed(sorted(people))}.",
        ]
    )
    if rng.random() < 0.45:
        return Task(ask, line, "\n".join(clues))
    steps = [
        f'{number}. "{clue}" leaves {count} {"order" if count == 1 else "orders"}.'
        for number, (clue, count) in enumerate(zip(clues, left[1:], strict=True), 1)
    ]
    return Task(
        ask,
        "Four people can stand in 24 orders. The clues rule them out one after the other:\n"
        + "\n".join(steps) + f"\n\nFrom left to right: {line}.",
        "\n".join(clues),
    )  # fmt: skip


MASSES = {"H": 1.008, "C": 12.011, "N": 14.007, "O": 15.999, "Na": 22.990, "S": 32.06,
          "Cl": 35.45, "K": 39.098, "Ca": 40.078, "Fe": 55.845, "Mg": 24.305}  # fmt: skip
COMPOUNDS = (
    ("water", "H2O", {"H": 2, "O": 1}), ("carbon dioxide", "CO2", {"C": 1, "O": 2}),
    ("glucose", "C6H12O6", {"C": 6, "H": 12, "O": 6}), ("ammonia", "NH3", {"N": 1, "H": 3}),
    ("table salt", "NaCl", {"Na": 1, "Cl": 1}), ("sulfuric acid", "H2SO4", {"H": 2, "S": 1, "O": 4}),
    ("calcium carbonate", "CaCO3", {"Ca": 1, "C": 1, "O": 3}), ("methane", "CH4", {"C": 1, "H": 4}),
    ("ethanol", "C2H5OH", {"C": 2, "H": 6, "O": 1}), ("iron(III) oxide", "Fe2O3", {"Fe": 2, "O": 3}),
    ("baking soda", "NaHCO3", {"Na": 1, "H": 1, "C": 1, "O": 3}),
    ("magnesium chloride", "MgCl2", {"Mg": 1, "Cl": 2}), ("urea", "CO(NH2)2", {"C": 1, "O": 1, "N": 2, "H": 4}),
    ("potassium nitrate", "KNO3", {"K": 1, "N": 1, "O": 3}),
)  # fmt: skip


@family(SCIENCE, "chemistry", "arithmetic", count=27)
def molar_masses(rng: Random) -> Task:
    name, formula, atoms = rng.choice(COMPOUNDS)
    mass = sum(MASSES[element] * n for element, n in atoms.items())
    grams = rng.choice((5, 10, 18, 25, 36, 50, 100, 250))
    sums = " + ".join(
        f"{n} × {MASSES[element]:.3f}" if n > 1 else f"{MASSES[element]:.3f}"
        for element, n in atoms.items()
    )
    if rng.random() < 0.4:
        ask = rng.choice(
            [f"What is the molar mass of {name}, {formula}?", f"Molar mass of {formula}?"]
        )
        answer = f"{mass:.2f} g/mol"
        return Task(ask, answer if rng.random() < 0.5 else f"{formula}: {sums} = {answer}.")
    ask = f"How many moles are {grams} g of {name} ({formula})?"
    answer = f"{grams / mass:.3f} mol"
    work = (
        f"The molar mass of {formula} is {sums} = {mass:.2f} g/mol. Then n = m ÷ M = {grams} g ÷ "
        f"{mass:.2f} g/mol = {answer}."
    )
    return Task(ask, work if rng.random() < 0.6 else answer)


@family(SCIENCE, "physics", "word problems", "algebra", count=33)
def mechanics_and_circuits(rng: Random) -> Task:
    a, t, v = rng.randint(2, 9), rng.randint(2, 12), rng.randint(5, 40)
    m, h, r, s = rng.randint(2, 80), rng.randint(2, 60), rng.randint(2, 50), rng.randint(2, 50)
    volts = rng.choice((6, 9, 12, 24, 230))
    g = 9.81
    ask, work, answer = rng.choice(
        [
            (f"A car accelerates from rest at {a} m/s² for {t} s. How fast is it, and how far has "
             "it gone?", f"v = a·t = {a} × {t} and s = ½·a·t² = ½ × {a} × {t}²",
             f"{a * t} m/s and {decimal(a * t * t / 2)} m"),
            (f"A stone falls {h} m from rest. How long does it take, without air resistance?",
             f"t = √(2h/g) = √(2 × {h} m ÷ 9.81 m/s²)", f"{(2 * h / g) ** 0.5:.2f} s"),
            (f"What kinetic energy has a body of {m} kg at {v} m/s?",
             f"E = ½·m·v² = ½ × {m} × {v}²", f"{decimal(m * v * v / 2)} J"),
            (f"How much work does it take to lift {m} kg by {h} m?",
             f"W = m·g·h = {m} × 9.81 × {h}", f"{decimal(m * g * h, 1)} J"),
            (f"A resistor of {r} Ω is connected to {volts} V. What current flows and what power is "
             "turned into heat?", f"I = U/R = {volts} ÷ {r} and P = U²/R = {volts}² ÷ {r}",
             f"{volts / r:.3g} A and {volts**2 / r:.4g} W"),
            (f"Two resistors of {r} Ω and {s} Ω are in parallel. What is the total resistance?",
             f"R = R₁R₂/(R₁ + R₂) = {r} × {s} ÷ ({r} + {s})", f"{r * s / (r + s):.3g} Ω"),
            (f"What force accelerates {m} kg at {a} m/s²?", f"F = m·a = {m} × {a}", f"{m * a} N"),
            (f"How much heat warms {m} kg of water by {t} °C? (c = 4.18 kJ/(kg·K))",
             f"Q = m·c·ΔT = {m} × 4.18 × {t}", f"{decimal(m * 4.18 * t)} kJ"),
        ]
    )  # fmt: skip
    kind = rng.random()
    if kind < 0.4:
        return Task(ask, f"{answer}.")
    return Task(ask, f"{work}, which gives {answer}.")


TRAITS = (
    ("pea plants, purple flowers (P) are dominant over white (p)", "P", "purple", "white"),
    ("guinea pigs, a black coat (B) is dominant over a brown one (b)", "B", "black", "brown"),
    ("tomatoes, tall growth (T) is dominant over dwarf growth (t)", "T", "tall", "dwarf"),
    ("cats, short hair (L) is dominant over long hair (l)", "L", "short-haired", "long-haired"),
)


@family("biology", "biology", "probability", count=18)
def punnett_squares(rng: Random) -> Task:
    where, big, strong, weak = rng.choice(TRAITS)
    small = big.lower()
    mother, father = (rng.choice((big + big, big + small, small + small)) for _ in range(2))
    children = ["".join(sorted(x + y)) for x in mother for y in father]
    counts = Counter(children)
    dominant = sum(n for kind, n in counts.items() if big in kind)
    shares = listed(
        [f"{25 * counts[k]}% {k}" for k in (big + big, big + small, small * 2) if counts[k]]
    )
    looks = listed(
        [f"{25 * n}% {name}" for n, name in ((dominant, strong), (4 - dominant, weak)) if n]
    )
    ask = f"In {where}. What offspring does a cross of {mother} with {father} give?"
    if rng.random() < 0.4:
        return Task(ask, f"{looks} ({shares}).")
    rows = [(f"**{x}**", *("".join(sorted(x + y)) for y in father)) for x in mother]
    return Task(
        ask,
        "Each parent passes on one allele, each with probability one half:\n\n"
        + table(("", *father), list(rows))
        + f"\n\nGenotypes: {shares}. Phenotypes: {looks}.",
    )


RECIPES = (
    ("pancakes", 4, (("flour", 200, "g"), ("milk", 300, "ml"), ("eggs", 2, ""), ("butter", 30, "g"))),
    ("lentil soup", 6, (("red lentils", 300, "g"), ("carrots", 3, ""), ("stock", 1500, "ml"),
                        ("cumin", 6, "g"))),
    ("risotto", 4, (("rice", 320, "g"), ("stock", 1200, "ml"), ("white wine", 100, "ml"),
                    ("parmesan", 80, "g"))),
    ("hummus", 8, (("chickpeas", 480, "g"), ("tahini", 120, "g"), ("lemons", 2, ""),
                   ("olive oil", 40, "ml"))),
    ("banana bread", 10, (("bananas", 5, ""), ("flour", 250, "g"), ("sugar", 120, "g"),
                          ("butter", 100, "g"))),
)  # fmt: skip


@family("cooking", "cooking", "arithmetic", "fractions and percentages", count=22)
def recipe_scaling(rng: Random) -> Task:
    dish, serves, parts = rng.choice(RECIPES)
    people = rng.choice([n for n in (1, 2, 3, 5, 6, 8, 10, 12, 15, 20) if n != serves])

    def amount(n: float, unit: str) -> str:
        return f"{decimal(n, 1)} {unit}".strip()

    given = "\n".join(f"- {name}: {amount(n, unit)}" for name, n, unit in parts)
    scaled = [(name, amount(n * people / serves, unit)) for name, n, unit in parts]
    ask = rng.choice(
        [
            f"This recipe for {dish} serves {serves}. Scale it to {people}.",
            f"Recalculate the {dish} ingredients: the list is for {serves}, we are {people}.",
        ]
    )
    body = "\n".join(f"- {name}: {text}" for name, text in scaled)
    if rng.random() < 0.5:
        return Task(ask, body, given)
    return Task(
        ask,
        f"Multiply everything by {people} ÷ {serves} = {decimal(people / serves)}:\n\n{body}\n\n"
        "Round what does not come out even, and season to taste: salt and spices rarely scale "
        "exactly.",
        given,
    )


NOTES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
PROGRESSIONS = (
    ("C", "", "A", "m", "F", "", "G", ""), ("D", "m", "G", "7", "C", "maj7", "C", "maj7"),
    ("A", "m", "F", "", "C", "", "G", ""), ("E", "7", "A", "7", "E", "7", "B", "7"),
    ("G", "", "D", "", "E", "m", "C", ""),
)  # fmt: skip


@family("music and art", "music", "sequences and patterns", count=21)
def transposition(rng: Random) -> Task:
    flat = rng.choice(PROGRESSIONS)
    chords = list(zip(flat[::2], flat[1::2], strict=True))
    by = rng.choice((-5, -3, -2, -1, 1, 2, 3, 4, 5, 7))
    moved = [(NOTES[(NOTES.index(note) + by) % 12], kind) for note, kind in chords]
    before, after = (" - ".join(note + kind for note, kind in line) for line in (chords, moved))
    direction = "up" if by > 0 else "down"
    plural = "semitone" if abs(by) == 1 else "semitones"
    ask = rng.choice(
        [
            f"Transpose the chords {before} {direction} by {abs(by)} {plural}.",
            f"Our singer needs {before} {abs(by)} {plural} {direction}. Which chords do I play?",
        ]
    )
    if rng.random() < 0.5:
        return Task(ask, after)
    return Task(
        ask,
        f"Move each root {abs(by)} {plural} {direction} and keep the kind of chord: {after}. "
        f"The first root goes from {chords[0][0]} to {moved[0][0]}; all distances between the "
        "chords stay the same, so the progression sounds alike, only "
        f"{'higher' if by > 0 else 'lower'}.",
    )


@family("sports", "sports", "table reading", "arithmetic", count=22)
def league_tables(rng: Random) -> Task:
    teams = rng.sample(("Rovers", "United", "Wanderers", "Albion", "City", "Athletic"), 3)
    games = [
        (a, b, rng.randint(0, 4), rng.randint(0, 4))
        for a in teams
        for b in teams
        if a < b or (rng.random() < 0.3 and a != b)
    ]
    points, goals = Counter(dict.fromkeys(teams, 0)), Counter(dict.fromkeys(teams, 0))
    for a, b, x, y in games:
        points[a] += 3 if x > y else x == y
        points[b] += 3 if y > x else x == y
        goals[a] += x - y
        goals[b] += y - x
    ranking = sorted(teams, key=lambda team: (-points[team], -goals[team], team))
    body = table(
        ("Place", "Team", "Points", "Goal difference"),
        [(i + 1, team, points[team], f"{goals[team]:+d}") for i, team in enumerate(ranking)],
    )
    text = "\n".join(f"{a} {x}:{y} {b}" for a, b, x, y in games)
    ask = rng.choice(
        [
            "Make the league table: 3 points for a win, 1 for a draw; then goal difference, then name.",
            "Who leads after these matches (3 points for a win, 1 for a draw)?",
        ]
    )
    if ask.startswith("Who") and rng.random() < 0.6:
        top = ranking[0]
        second = ranking[1]
        edge = (
            f"with {points[top]} points"
            if points[top] > points[second]
            else f"level with {second} on {points[top]} points, by goal difference or, failing that, name"
        )
        return Task(ask, f"{top}, {edge}.", text)
    return Task(ask, body, text)


@family("gardening", "home and garden", "geometry", "estimation", count=18)
def garden_plans(rng: Random) -> Task:
    length, width = rng.randint(2, 12), rng.randint(1, 6)
    gap, row = rng.choice((20, 25, 30, 40)), rng.choice((30, 40, 50, 60))
    plant = rng.choice(("lettuces", "leeks", "bush beans", "strawberries", "cabbages"))
    per_row, rows = length * 100 // gap, width * 100 // row
    kind = rng.randrange(2)
    if kind == 0:
        ask = (
            f"A bed is {length} m long and {width} m wide. {plant.capitalize()} stand {gap} cm "
            f"apart in rows {row} cm apart (half a gap at the edges). How many fit?"
        )
        answer = f"{per_row * rows} {plant}"
        work = (
            f"A row of {length} m takes {length * 100} ÷ {gap}, so {per_row} plants; {width} m of "
            f"width take {width * 100} ÷ {row}, so {rows} rows. {per_row} × {rows} = {answer}."
        )
    else:
        depth = rng.choice((3, 5, 8, 10))
        litres = length * width * depth * 10
        bags = -(-litres // 40)
        ask = (
            f"How many 40-litre bags of compost cover a bed of {length} m × {width} m with a layer "
            f"of {depth} cm?"
        )
        answer = f"{bags} bags"
        work = (
            f"{length} m × {width} m × {depth / 100:.2f} m = {decimal(litres / 1000)} m³, that is "
            f"{litres} litres. {litres} ÷ 40, rounded up, makes {answer}."
        )
    return Task(ask, work if rng.random() < 0.6 else answer)


@family("travel", "travel", "fractions and percentages", "estimation", count=18)
def travel_budgets(rng: Random) -> Task:
    days, people = rng.randint(3, 14), rng.randint(1, 4)
    rate = rng.choice((0.86, 1.08, 1.1, 11.4, 24.5, 7.46, 160))
    unit = {0.86: "GBP", 1.08: "USD", 1.1: "USD", 11.4: "SEK", 24.5: "CZK", 7.46: "DKK",
            160: "JPY"}[rate]  # fmt: skip
    food, bed = rng.randint(4, 12) * 5, rng.randint(6, 24) * 5
    total = days * people * food + (days - 1) * bed
    ask = (
        f"{people} {'person stays' if people == 1 else 'people stay'} {days} days: {food} EUR for "
        f"food per person and day, {bed} EUR per night for the room ({days - 1} nights). What is "
        f"that in EUR and, at {rate} {unit} per EUR, in {unit}?"
    )
    local = decimal(total * rate)
    if rng.random() < 0.4:
        return Task(ask, f"{total} EUR, or {local} {unit}.")
    return Task(
        ask,
        f"Food: {days} × {people} × {food} = {days * people * food} EUR. Room: {days - 1} × {bed} = "
        f"{(days - 1) * bed} EUR. Together {total} EUR. At {rate} {unit} per EUR that makes {local} "
        f"{unit}; add a tenth for tickets and surprises.",
    )
