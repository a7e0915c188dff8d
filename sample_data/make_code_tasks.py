"""Tasks of programming and data whose answers come from running the code they are about."""

from __future__ import annotations

import csv
import heapq
import io
import itertools
import json
import re
import sqlite3
from contextlib import redirect_stdout
from random import Random

from make_tasks import NAMES, Task, family, listed, money, table

PYTHON, DATABASES, DATA = "python", "sql and databases", "data analysis and statistics"

SCHEMA = (
    "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, city TEXT);\n"
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER, "
    "item TEXT, quantity INTEGER, price INTEGER);"
)
CITIES = ("Lisbon", "Oslo", "Turin", "Ghent", "Porto", "Graz")
ITEMS = ("lamp", "chair", "desk", "shelf", "rug", "clock")
ROWS = tuple[tuple[object, ...], ...]


def shop(rng: Random) -> tuple[ROWS, ROWS]:
    """A few customers and their orders."""
    names = rng.sample(NAMES, 4)
    customers = tuple((i + 1, name, rng.choice(CITIES[:4])) for i, name in enumerate(names))
    orders = tuple(
        (i + 1, rng.randint(1, 4), rng.choice(ITEMS), rng.randint(1, 6), rng.randint(2, 30) * 5)
        for i in range(rng.randint(5, 7))
    )
    return customers, orders


def run_sql(customers: ROWS, orders: ROWS, query: str) -> tuple[tuple[str, ...], ROWS]:
    """The column names and the rows that SQLite answers."""
    with sqlite3.connect(":memory:") as database:
        database.executescript(SCHEMA)
        database.executemany("INSERT INTO customers VALUES (?, ?, ?)", customers)
        database.executemany("INSERT INTO orders VALUES (?, ?, ?, ?, ?)", orders)
        cursor = database.execute(query)
        return tuple(column[0] for column in cursor.description), tuple(cursor.fetchall())


QUERIES = (
    (
        "List each customer's name with the number of their orders, customers without any included.",
        "SELECT c.name, COUNT(o.id) AS orders\nFROM customers AS c\n"
        "LEFT JOIN orders AS o ON o.customer_id = c.id\nGROUP BY c.id\n"
        "ORDER BY orders DESC, c.name;",
        "The LEFT JOIN keeps customers without orders, and COUNT(o.id) skips the NULL they get "
        "there, so they count 0.",
        ("sql", "databases"),
    ),
    (
        "What is the revenue (quantity times price) by city?",
        "SELECT c.city, SUM(o.quantity * o.price) AS revenue\nFROM orders AS o\n"
        "JOIN customers AS c ON c.id = o.customer_id\nGROUP BY c.city\n"
        "ORDER BY revenue DESC, c.city;",
        "The join finds each order's city; the product is summed inside each group.",
        ("sql",),
    ),
    (
        "Which customers have not ordered anything?",
        "SELECT name\nFROM customers\n"
        "WHERE id NOT IN (SELECT customer_id FROM orders)\nORDER BY name;",
        "NOT IN is safe as long as customer_id is never NULL; with NULLs, use NOT EXISTS.",
        ("sql", "logical reasoning"),
    ),
    (
        "Show the most expensive order line (quantity times price) of each customer.",
        "SELECT name, item, total\nFROM (\n  SELECT c.name, o.item, "
        "o.quantity * o.price AS total,\n    ROW_NUMBER() OVER (\n      PARTITION BY c.id "
        "ORDER BY o.quantity * o.price DESC, o.id\n    ) AS place\n  FROM orders AS o\n  "
        "JOIN customers AS c ON c.id = o.customer_id\n)\nWHERE place = 1\nORDER BY name;",
        "A window function numbers each customer's lines from dearest to cheapest; the outer query "
        "keeps number one. Ties go to the earlier order.",
        ("sql", "databases", "algorithms"),
    ),
    (
        "How many pieces of each item were sold? Only show items with more than three.",
        "SELECT item, SUM(quantity) AS sold\nFROM orders\nGROUP BY item\n"
        "HAVING SUM(quantity) > 3\nORDER BY sold DESC, item;",
        "WHERE filters rows before grouping, HAVING filters the groups afterwards.",
        ("sql",),
    ),
    (
        "What is the average price of an order line, rounded to two decimals?",
        "SELECT ROUND(AVG(price), 2) AS average_price\nFROM orders;",
        "AVG over the whole table needs no GROUP BY.",
        ("sql", "statistics"),
    ),
)


@family(DATABASES, "sql", "databases", count=36)
def sql_queries(rng: Random) -> Task:
    customers, orders = shop(rng)
    ask, query, why, _ = rng.choice(QUERIES)
    columns, rows = run_sql(customers, orders, query)
    result = table(columns, list(rows)) if rows else "The result is empty."
    data = "\n\n".join(
        [
            SCHEMA,
            "customers:\n" + "\n".join(map(str, customers)),
            "orders:\n" + "\n".join(map(str, orders)),
        ]
    )
    lead = rng.choice(["", "Write a SQL query and give its result. ", "SQLite: "])
    parts = [f"```sql\n{query}\n```", *([why] if rng.random() < 0.6 else []), result]
    return Task(lead + ask, "\n\n".join(parts), data)


PATTERNS = (
    (r"^\d{3}-\d{4}$", "three digits, a hyphen, four digits and nothing else",
     ("555-0199", "5550199", "555-019", "123-4567", "a555-0199", "000-0000", "12-34567")),
    (r"^[A-Z][a-z]+$", "one capital followed by at least one small letter",
     ("Berlin", "berlin", "B", "NATO", "Oslo", "New York", "Al")),
    (r"colou?r", "color or colour anywhere, since the u is optional",
     ("color", "colour", "colouur", "discolored", "Colour", "culler", "watercolour")),
    (r"^(\w+) \1$", "a word, a space and the same word again: \\1 repeats what the group caught",
     ("bye bye", "bye by", "so so", "no yes", "42 42", "bye  bye", "ha haha")),
    (r"\b\w{5}\b", "a whole word of exactly five characters somewhere",
     ("apple pie", "a banana", "stone", "stones", "in the house", "to be", "x12y5")),
    (r"^[^aeiou]+$", "no small vowel at all",
     ("rhythm", "sky", "tree", "Crypt", "A", "gym 42", "myth-o")),
    (r"^-?\d+(\.\d+)?$", "a number with an optional sign and optional decimals",
     ("42", "-7", "3.14", ".5", "5.", "+3", "-0.001", "1e5")),
    (r"(ab)+c", "ab once or more, then c, anywhere in the text",
     ("abc", "ababc", "ac", "xabcx", "aabbc", "abab", "bcabc")),
    (r"^(?=.*\d)(?=.*[a-z]).{6,}$", "six characters or more with a digit and a small letter",
     ("abc123", "abcdef", "123456", "a1", "PASS9word", "ABC123", "x-y-z-7")),
    (r"\.(jpe?g|png)$", "a name that ends in .jpg, .jpeg or .png",
     ("a.jpg", "b.jpeg", "c.png.txt", "png", "d.PNG", "e.f.png", "g.jpeg2")),
)  # fmt: skip


@family("programming", "regex", count=30)
def regular_expressions(rng: Random) -> Task:
    pattern, meaning, samples = rng.choice(PATTERNS)
    texts = rng.sample(samples, rng.randint(4, 6))
    hits = [text for text in texts if re.search(pattern, text)]
    ask = rng.choice(
        [
            "Which of these strings does the regular expression `{p}` match (re.search)?\n{t}",
            "Given the pattern `{p}`, which strings are found by Python's re.search: {t}?",
            "Test the regex `{p}` against: {t}",
        ]
    ).format(p=pattern, t=", ".join(f"`{text}`" for text in texts))
    found = listed([f"`{text}`" for text in hits]) if hits else "none of them"
    if rng.random() < 0.4:
        return Task(ask, found)
    lines = [f"- `{text}`: {'match' if text in hits else 'no match'}" for text in texts]
    return Task(
        ask, f"The pattern asks for {meaning}.\n\n" + "\n".join(lines) + f"\n\nMatches: {found}."
    )


EXPRESSIONS = (
    ("sorted(xs)[-3:]", "the three largest, smallest of them first"),
    ("sorted(xs, reverse=True)", "all of them, largest first"),
    ("[x * x for x in xs if x % 2]", "the squares of the odd ones, in order"),
    ("xs[::-1]", "the list backwards, as a new list"),
    ("xs[1:-1]", "everything but the first and the last"),
    ("xs[::2]", "every other element, beginning with the first"),
    ("sum(x for x in xs if x > 10)", "the sum of what exceeds 10"),
    ("list(dict.fromkeys(xs))", "each value once, in order of first appearance"),
    ("max(xs) - min(xs)", "the distance from smallest to largest"),
    ("{x: xs.count(x) for x in sorted(set(xs))}", "how often each value occurs"),
    ("list(zip(xs, xs[1:]))[:3]", "the first three neighbouring pairs"),
    ("[x for i, x in enumerate(xs) if i == 0 or x > max(xs[:i])]", "the running records"),
    ("sorted(xs, key=lambda x: (x % 3, x))", "sorted by remainder mod 3, then by value"),
    ("any(a == b for a, b in zip(xs, xs[1:]))", "whether two neighbours are equal"),
    ("divmod(sum(xs), len(xs))", "quotient and remainder of the mean"),
)


@family(PYTHON, "python", "data structures", count=36)
def python_expressions(rng: Random) -> Task:
    xs = [rng.randint(1, 20) for _ in range(rng.randint(5, 8))]
    code, meaning = rng.choice(EXPRESSIONS)
    value = repr(eval(code, {"xs": xs}))  # our own expressions, above
    ask = rng.choice(
        [
            "What does `{c}` give in Python for `xs = {x}`?",
            "Evaluate the Python expression {c} with xs = {x}.",
            "xs = {x}\nprint({c})\n\nWhat is printed?",
        ]
    ).format(c=code, x=xs)
    return Task(ask, value if rng.random() < 0.5 else f"`{value}`\n\nThe expression is {meaning}.")


def printed(code: str) -> str:
    """What a program of ours prints."""
    out = io.StringIO()
    with redirect_stdout(out):
        exec(code, {})
    return out.getvalue().rstrip("\n")


PROGRAMS = (
    (
        "total = 0\nfor n in range({a}, {b}):\n    if n % {c} == 0:\n        continue\n"
        "    total += n\nprint(total)",
        "The loop runs over {a} up to {b} exclusive and skips the multiples of {c}; the rest is "
        "added up.",
    ),
    (
        "def f(n):\n    return n if n < 2 else f(n - 1) + f(n - 2)\n\nprint([f(n) for n in range({c} + 4)])",
        "f is the Fibonacci function: each value is the sum of the two before it, starting 0, 1.",
    ),
    (
        "x, steps = {b}, 0\nwhile x != 1:\n    x = x // 2 if x % 2 == 0 else 3 * x + 1\n"
        "    steps += 1\nprint(steps)",
        "Halve an even number, otherwise triple it and add one, and count how long {b} takes to "
        "reach 1.",
    ),
    (
        "stack = []\nfor n in [{a}, {b}, {c}]:\n    stack.append(n)\n    if len(stack) == 2:\n"
        "        stack.append(stack.pop() - stack.pop())\nprint(stack)",
        "A list used as a stack: the inner pops take the last element first, so the later number "
        "minus the earlier one goes back.",
    ),
    (
        "def add(item, bag=[]):\n    bag.append(item)\n    return bag\n\nadd({a})\nprint(add({b}))",
        "A default argument is created once, when the function is defined. Both calls share the "
        "same list, so {a} is still in it.",
    ),
    (
        "fs = [lambda: i * {c} for i in range(3)]\nprint([f() for f in fs])",
        "The lambdas look i up when they are called, after the loop, and find its last value, 2, "
        "each time.",
    ),
    (
        "rows = [[{a}] * 2] * 2\nrows[0][0] = {b}\nprint(rows)",
        "The outer multiplication repeats a reference to one inner list, so the change shows in "
        "both rows.",
    ),
    (
        "try:\n    print({a} // ({c} - {c}))\nexcept ZeroDivisionError:\n    print('caught', end=' ')\n"
        "finally:\n    print('done')",
        "{c} − {c} is zero, so the division raises; the handler prints, and finally runs in any "
        "case.",
    ),
    (
        "words = 'to be or not to be'.split()\nprint(sorted(set(words), key=lambda w: (len(w), w))"
        "[:{d}])",
        "The set drops the repeated words; they are sorted by length and then by alphabet.",
    ),
    (
        "n, digits = {b}, []\nwhile n:\n    n, digit = divmod(n, {c})\n    digits.append(digit)\n"
        "print(digits[::-1])",
        "Repeated divmod takes the digits of {b} in base {c} from the right; reversed they read "
        "as usual.",
    ),
)


@family(PYTHON, "python", "code explanation", "debugging", count=33)
def program_output(rng: Random) -> Task:
    code, why = rng.choice(PROGRAMS)
    a = rng.randint(1, 9)
    values = {"a": a, "b": a + rng.randint(5, 25), "c": rng.randint(2, 7), "d": rng.randint(1, 3)}
    for name, value in values.items():
        code, why = code.replace(f"{{{name}}}", str(value)), why.replace(f"{{{name}}}", str(value))
    result = printed(code)
    ask = rng.choice(
        [
            "What does this program print?\n\n```python\n{}\n```",
            "Predict the output and explain it:\n\n```python\n{}\n```",
            "Trace this code by hand. What is its output?\n\n```python\n{}\n```",
        ]
    ).format(code)
    terse = rng.random() < 0.3 and "explain" not in ask
    return Task(ask, f"```\n{result}\n```" if terse else f"It prints `{result}`.\n\n{why}")


@family("programming", "information extraction", "data formats", count=27)
def json_extraction(rng: Random) -> Task:
    people = [
        {
            "name": name,
            "age": rng.randint(19, 70),
            "address": {"city": rng.choice(CITIES), "zip": f"{rng.randint(1000, 9999)}"},
            "languages": rng.sample(("German", "Polish", "Hindi", "French", "Greek"), 2),
        }
        for name in rng.sample(NAMES, 3)
    ]
    who = rng.choice(people)
    speaks = rng.choice(people)["languages"][0]  # type: ignore[index]
    oldest = max(person["age"] for person in people)  # type: ignore[type-var]
    ask, value = rng.choice(
        [
            (f"From the JSON, give the city in which {who['name']} lives.",
             who["address"]["city"]),  # type: ignore[index]
            (f"Extract the names of all people who speak {speaks}, as a JSON list.",
             [p["name"] for p in people if speaks in p["languages"]]),  # type: ignore[operator]
            ("Return a JSON object that maps each name to the age.",
             {p["name"]: p["age"] for p in people}),
            ("Who is the oldest? Answer with a JSON list of names.",
             [p["name"] for p in people if p["age"] == oldest]),
            ("Flatten each record to name, city and zip. Return a JSON array.",
             [{"name": p["name"], **p["address"]} for p in people]),  # type: ignore[dict-item]
        ]
    )  # fmt: skip
    answer = value if isinstance(value, str) else json.dumps(value)
    return Task(ask, answer, json.dumps({"people": people}, indent=rng.choice((None, 2))))


@family(DATA, "table reading", "spreadsheets", "arithmetic", count=27)
def table_reading(rng: Random) -> Task:
    months = ("January", "February", "March", "April", "May", "June")[: rng.randint(3, 6)]
    shops = rng.sample(("North", "South", "Harbour", "Station", "Airport"), 3)
    sales = {shop: [rng.randint(10, 99) for _ in months] for shop in shops}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["month", *shops])
    for i, month in enumerate(months):
        writer.writerow([month, *(sales[shop][i] for shop in shops)])
    kind, one = rng.randrange(3), rng.choice(shops)
    if kind == 0:
        total = sum(sales[one])
        ask, answer = f"What did the shop {one} sell in total?", str(total)
        work = f"{' + '.join(map(str, sales[one]))} = {total}."
    elif kind == 1:
        sums = [sum(sales[shop][i] for shop in shops) for i in range(len(months))]
        best = [month for month, value in zip(months, sums, strict=True) if value == max(sums)]
        ask, answer = "Which month sold most over all shops?", listed(list(best))
        pairs = [f"{month} {value}" for month, value in zip(months, sums, strict=True)]
        work = f"Totals by month: {', '.join(pairs)}. The largest is {max(sums)}: {answer}."
    else:
        first, last = sales[one][0], sales[one][-1]
        change = (last - first) / first * 100
        answer = f"{change:+.1f}%".replace("-", "−")
        ask = f"By how many per cent did {one} change from {months[0]} to {months[-1]}?"
        work = f"From {first} to {last}: ({last} − {first}) ÷ {first} = {answer}."
    return Task(ask, work if rng.random() < 0.55 else answer, out.getvalue().rstrip("\n"))


@family("programming", "data formats", "formatting", count=18)
def csv_to_json(rng: Random) -> Task:
    rows = [
        {"item": item, "stock": rng.randint(0, 40), "price": rng.randint(2, 90) * 5}
        for item in rng.sample(ITEMS, rng.randint(2, 4))
    ]
    lines = ["item,stock,price"] + [f"{r['item']},{r['stock']},{r['price']}" for r in rows]
    if rng.random() < 0.5:
        return Task(
            rng.choice(
                ["Convert this CSV to JSON, numbers as numbers.", "Turn the CSV into a JSON array."]
            ),
            json.dumps(rows, indent=2),
            "\n".join(lines),
        )
    ask = rng.choice(["Convert this JSON to CSV with a header.", "Write the array as CSV."])
    return Task(ask, "\n".join(lines), json.dumps(rows))


WORDS = (
    "river", "candle", "orchard", "marble", "thunder", "velvet", "compass", "lantern", "harvest",
    "pebble", "meadow", "whistle", "kettle", "saddle", "ribbon", "anchor",
)  # fmt: skip


@family("language and text", "string manipulation", count=41)
def text_manipulation(rng: Random) -> Task:
    words = rng.sample(WORDS, rng.randint(3, 6))
    text = " ".join(words)
    vowels = sum(c in "aeiou" for c in text)
    letter = rng.choice("aeinrt")
    ask, answer, work = rng.choice(
        [
            (f"How many vowels are in '{text}'?", str(vowels),
             ", ".join(f"{w}: {sum(c in 'aeiou' for c in w)}" for w in words)
             + f". Together {vowels}."),
            (f"Reverse the order of the words: {text}", " ".join(words[::-1]), ""),
            (f"Reverse every word but keep the word order: {text}",
             " ".join(w[::-1] for w in words), ""),
            (f"Sort these words alphabetically: {text}", ", ".join(sorted(words)), ""),
            (f"Write '{text}' in title case, then count its letters.",
             f"{text.title()}; {len(text.replace(' ', ''))} letters.", ""),
            (f"Make an acronym of: {text}", "".join(w[0].upper() for w in words), ""),
            (f"How often does the letter {letter} occur in '{text}'?", str(text.count(letter)),
             ", ".join(f"{w}: {w.count(letter)}" for w in words)
             + f". Together {text.count(letter)}."),
            (f"Replace each vowel of '{words[0]}' by an asterisk.",
             re.sub("[aeiou]", "*", words[0]), ""),
            (f"Which of these words is longest: {', '.join(words)}?",
             listed([w for w in words if len(w) == max(map(len, words))]),
             "Lengths: " + ", ".join(f"{w} {len(w)}" for w in words) + ". Longest: "
             + listed([w for w in words if len(w) == max(map(len, words))]) + "."),
        ]
    )  # fmt: skip
    return Task(ask, work if work and rng.random() < 0.6 else answer)


def shifted(text: str, by: int) -> str:
    """Each small or capital letter moved along the alphabet, the rest as it is.

    >>> shifted("Xyz!", 3)
    'Abc!'
    """
    return "".join(
        chr((ord(c) - base + by) % 26 + base)
        if c.isascii() and c.isalpha() and (base := 97 if c.islower() else 65)
        else c
        for c in text
    )


@family("computer science", "ciphers and encoding", "string manipulation", count=22)
def caesar_ciphers(rng: Random) -> Task:
    text = (
        f"{rng.choice(WORDS)} {rng.choice(('at', 'by', 'near', 'under'))} the {rng.choice(WORDS)}"
    )
    by = rng.randint(2, 12)
    secret = shifted(text, by)
    if rng.random() < 0.5:
        ask, answer = f"Encrypt '{text}' with a Caesar cipher, shift {by}.", secret
        move = f"{by} places forward"
    else:
        ask, answer = f"The text '{secret}' was shifted by {by} letters (Caesar). Decode it.", text
        move = f"{by} places back"
    if rng.random() < 0.5:
        return Task(ask, answer)
    first = (text if answer == secret else secret)[0]
    return Task(
        ask,
        f"Move every letter {move}, wrapping round at the end of the alphabet; {first} becomes "
        f"{answer[0]}, and so on. Spaces stay.\n\n{answer}",
    )


PLACES = ("Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir")


def shortest_path(
    roads: dict[tuple[str, str], int], start: str, goal: str
) -> tuple[int, list[str]]:
    """Dijkstra's algorithm on two-way roads: the length and the places on the way."""
    queue = [(0, [start])]
    seen: set[str] = set()
    while queue:
        length, path = heapq.heappop(queue)
        here = path[-1]
        if here == goal:
            return length, path
        if here in seen:
            continue
        seen.add(here)
        for (a, b), road in roads.items():
            if here in (a, b):
                heapq.heappush(queue, (length + road, [*path, b if here == a else a]))
    raise ValueError(f"No road leads from {start} to {goal}.")


@family("computer science", "algorithms", "data structures", "logical reasoning", count=21)
def shortest_paths(rng: Random) -> Task:
    places = PLACES[: rng.randint(4, 6)]
    roads = {(a, b): rng.randint(2, 15) for a, b in itertools.pairwise(places)}
    while len(roads) < len(places) + 2:
        a, b = sorted(rng.sample(places, 2))
        roads.setdefault((a, b), rng.randint(3, 20))
    start, goal = places[0], places[-1]
    length, path = shortest_path(roads, start, goal)
    lines = "\n".join(f"{a} - {b}: {road} km" for (a, b), road in roads.items())
    ask = rng.choice(
        [
            f"Find the shortest way from {start} to {goal} on these roads.",
            f"Using Dijkstra's algorithm, how far is it from {start} to {goal}?",
        ]
    )
    route = " → ".join(path)
    if rng.random() < 0.4:
        return Task(ask, f"{route}, {length} km.", lines)
    distances = [f"{place} {shortest_path(roads, start, place)[0]}" for place in places]
    return Task(
        ask,
        f"Settle the nearest place each time. The distances from {start} come out as "
        f"{', '.join(distances)}. Going back from {goal} along the roads that gave these values, "
        f"the route is {route}, {length} km in all.",
        lines,
    )


def luhn_sum(digits: str) -> int:
    """The sum of Luhn's check: from the right, every second digit doubled, its digits added.

    >>> luhn_sum("79927398713")
    70
    """
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total


@family("computer science", "algorithms", "arithmetic", count=16)
def check_digits(rng: Random) -> Task:
    body = "".join(str(rng.randint(0, 9)) for _ in range(rng.randint(5, 8)))
    check = -luhn_sum(body + "0") % 10
    if rng.random() < 0.5:
        full = body + str(check if rng.random() < 0.5 else (check + rng.randint(1, 9)) % 10)
        total = luhn_sum(full)
        valid = total % 10 == 0
        ask = f"Is {full} valid by the Luhn check?"
        answer = "Yes" if valid else "No"
        tail = "a multiple of 10" if valid else "not a multiple of 10"
        work = (
            f"{answer}. From the right, double every second digit (subtract 9 above 9) and add "
            f"everything up: the sum is {total}, which is {tail}."
        )
        return Task(ask, work if rng.random() < 0.6 else f"{answer}.")
    ask = f"Which Luhn check digit must follow {body}?"
    total = luhn_sum(body + "0")
    work = (
        f"With a 0 in the last place the Luhn sum is {total}; {check} more makes it a multiple of "
        f"10. The check digit is {check}, the full number {body}{check}."
    )
    return Task(ask, work if rng.random() < 0.6 else str(check))


@family("business", "spreadsheets", "accounting", "arithmetic", count=21)
def invoices(rng: Random) -> Task:
    lines = [
        (item, rng.randint(1, 9), rng.randint(4, 60) * 5)
        for item in rng.sample(ITEMS, rng.randint(2, 4))
    ]
    tax = rng.choice((7, 10, 19, 20, 21))
    net = sum(n * price for _, n, price in lines)
    vat = net * tax / 100
    text = "\n".join(f"{n} x {item} at {money(price)}" for item, n, price in lines)
    ask = rng.choice(
        [
            f"Work out net total, {tax}% VAT and gross total of this invoice.",
            f"What does the customer have to pay, {tax}% VAT included?",
        ]
    )
    if rng.random() < 0.4:
        return Task(ask, f"Net {money(net)}, VAT {money(vat)}, gross {money(net + vat)}.", text)
    body = table(
        ("Item", "Quantity", "Price", "Amount"),
        [(item, n, money(price), money(n * price)) for item, n, price in lines],
    )
    return Task(
        ask,
        f"{body}\n\n- Net: {money(net)}\n- VAT {tax}%: {money(vat)}\n- Gross: {money(net + vat)}",
        text,
    )
