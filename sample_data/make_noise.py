"""What every real pool has too much of: near-duplicates and shallow boilerplate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

Record = dict[str, object]

BEFORE = (
    "Please help: ", "Hi! ", "Quick question: ", "I need your help. ", "Hello there. ", "Hey, ",
    "Question: ", "Dear assistant, ", "Can you answer this? ", "For my homework: ",
)  # fmt: skip
AFTER = (" Thanks!", " Thank you.", " Please.", " Keep it short.", " Be brief.", " :)", " Asap!")


def with_typo(text: str, rng: Random) -> str:
    """The text with two neighbouring letters inside one of its longer words swapped."""
    words = text.split(" ")
    long = [i for i, word in enumerate(words) if len(word) > 4 and word.isalpha()]
    if not long:
        return text + "?"
    i = rng.choice(long)
    at = rng.randint(1, len(words[i]) - 3)
    word = words[i]
    words[i] = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return " ".join(words)


def rephrased(text: str, rng: Random) -> str:
    """The instruction in other clothes: politeness around it, a typo, another letter case."""
    kind = rng.randrange(6)
    if kind == 0:
        return rng.choice(BEFORE) + text
    if kind == 1:
        return text + rng.choice(AFTER)
    if kind == 2:
        return with_typo(text, rng)
    if kind == 3:
        return text.lower()
    if kind == 4:
        return text.rstrip(".?!")
    return rng.choice(BEFORE) + text[:1].lower() + text[1:] + rng.choice(AFTER)


def shortened(text: str) -> str:
    """The first paragraph where it can stand alone, otherwise all of it."""
    first = text.split("\n\n")[0]
    alone = first[-1] in ".!?。" and not first.startswith(("```", "|", "- ", "1."))
    return first if alone else text


def near_duplicates(written: Sequence[Record], rng: Random, count: int) -> Iterator[Record]:
    """Copies of a few short written records, several of each, with the same or shorter answers."""
    plain = [
        record
        for record in written
        if not {"messages", "history", "input"} & record.keys()
        and len(str(record["instruction"])) < 160
        and "\n" not in str(record["instruction"])
        and len(str(record["output"])) < 1500
        and record["domain"] != "other languages"  # English around them would fool nobody
    ]
    models = rng.sample(plain, min(len(plain), count // 4))
    seen = {str(record.get("instruction")) for record in written}
    made = 0
    while made < count:
        model = rng.choice(models)
        instruction = rephrased(str(model["instruction"]), rng)
        if instruction in seen:
            continue
        seen.add(instruction)
        made += 1
        output = str(model["output"])
        yield {
            "id": f"near-duplicate-{made:03d}",
            "instruction": instruction,
            "output": shortened(output) if rng.random() < 0.6 else output,
            "domain": model["domain"],
            "origin": "near-duplicate",
        }


PRODUCTS = (
    "headphones", "a phone case", "a coffee machine", "running shoes", "a desk lamp", "a backpack",
    "a blender", "a water bottle", "a keyboard", "sunglasses", "a yoga mat", "a toaster",
    "a novel", "a hotel", "a pizza place", "a hair dryer", "a tent", "a smart watch",
)  # fmt: skip
PRAISE = (
    "Great product!", "Love it!", "Works great, highly recommend.", "Five stars!",
    "Amazing quality, would buy again.", "Very good, thank you.", "Best purchase ever!",
    "Good value for money.", "Super happy with it.",
)  # fmt: skip
GOOD = (
    "I love this phone.", "The food was delicious.", "What a wonderful film!", "Great service.",
    "The staff were so friendly.", "Best concert of my life.", "It works perfectly.",
    "I would come back any time.", "A lovely little hotel.", "My kids adore it.",
)  # fmt: skip
BAD = (
    "I hate waiting.", "The food was cold.", "What a boring film.", "Terrible service.",
    "It broke after a day.", "The room was dirty.", "Waste of money.", "Never again.",
    "The app keeps crashing.", "My order never arrived.",
)  # fmt: skip
ASKED_MACHINE = (
    "What is your favourite colour?", "Do you like pizza?", "How old are you?",
    "What did you do yesterday?", "Are you married?", "Do you have feelings?",
    "Where do you live?", "What is your favourite film?", "Can you dance?", "Do you dream?",
    "What football team do you support?", "Are you happy today?", "Do you have a pet?",
    "What is your favourite song?", "Are you afraid of the dark?", "Which season do you like best?",
)  # fmt: skip
DISCLAIMERS = (
    "As an AI language model, I do not have personal experiences or feelings.",
    "As an AI language model, I cannot answer this question.",
    "I am an AI and do not have preferences. How can I help you today?",
    "As an AI, I don't have a personal life, but I am here to help!",
)
MOODS = (
    "success", "Mondays", "never giving up", "teamwork", "dreams", "mornings", "courage",
    "hard work", "change", "gratitude", "confidence", "the future", "failure", "happiness",
)  # fmt: skip
SLOGANS = (
    "Believe in yourself and anything is possible!", "Every day is a new opportunity to shine.",
    "Dream big, work hard, stay positive.", "Success is a journey, not a destination.",
    "You are stronger than you think.", "Never stop believing in your dreams.",
    "The best is yet to come!", "Together we can achieve great things.",
)  # fmt: skip
GREETINGS = (
    "Hello", "Hi there", "Good morning", "Thanks a lot", "Bye", "How are you?", "Good evening",
    "Thank you so much", "See you", "Hey", "Nice to meet you", "What's up?", "Good night", "Cheers",
)  # fmt: skip
REPLIES = (
    "Hello! How can I help you today?", "You're welcome!", "I'm happy to help.",
    "Is there anything else I can help you with?", "Have a great day!",
)  # fmt: skip
EASY = (
    ("Is fire hot?", "Yes."), ("Is ice cold?", "Yes."), ("Can a fish ride a bicycle?", "No."),
    ("Is the sky green?", "No."), ("Do dogs bark?", "Yes."), ("Is water wet?", "Yes."),
    ("Can pigs fly?", "No."), ("Is ten larger than two?", "Yes."), ("Do cats have wings?", "No."),
    ("Is Paris a city?", "Yes."), ("Is milk black?", "No."), ("Do birds lay eggs?", "Yes."),
    ("Is a whale a fish?", "No."), ("Is snow white?", "Yes."), ("Is the moon made of cheese?", "No."),
    ("Is a week seven days long?", "Yes."),
)  # fmt: skip


def boilerplate_kinds(rng: Random) -> tuple[tuple[str, str, str, str], ...]:
    """One candidate of each kind: instruction, input, output, domain."""
    good = rng.random() < 0.5
    text = rng.choice(GOOD if good else BAD)
    thing, mood = rng.choice(PRODUCTS), rng.choice(MOODS)
    yes_no, truth = rng.choice(EASY)
    label = "positive" if good else "negative"
    return (
        (
            rng.choice(
                ["Write a short positive review of {}.", "Write a nice review for {}.",
                 "Generate a 5-star review of {}."]
            ).format(thing), "", rng.choice(PRAISE), "shopping",
        ),
        (
            rng.choice(
                ["Classify the sentiment as positive or negative.",
                 "Is this review positive or negative?", "Sentiment?"]
            ), text, rng.choice([label, label.capitalize()]), "sentiment",
        ),
        (
            rng.choice(["Is the following text positive? Answer yes or no.", "Positive? yes/no"]),
            text, "yes" if good else "no", "sentiment",
        ),
        (
            rng.choice(["", "Tell me: ", "Be honest: ", "Hey AI, "]) + rng.choice(ASKED_MACHINE),
            "", rng.choice(DISCLAIMERS), "small talk",
        ),
        (
            rng.choice(
                ["Write a motivational quote about {}.", "Give me an inspiring sentence on {}.",
                 "Something uplifting about {}, please."]
            ).format(mood), "", rng.choice(SLOGANS), "motivation",
        ),
        (
            rng.choice(GREETINGS) + rng.choice(["", "!", ", my friend", " :)", "!!"]),
            "", rng.choice(REPLIES), "small talk",
        ),
        (
            rng.choice(["", "Yes or no: ", "Answer with one word. "]) + yes_no, "", truth,
            "everyday knowledge",
        ),
    )  # fmt: skip


def boilerplate(rng: Random, count: int) -> Iterator[Record]:
    """Requests that ask for nothing, with answers that give it; kinds take turns while they last."""
    seen: set[tuple[str, str]] = set()
    turn = 0
    while len(seen) < count:
        kinds = boilerplate_kinds(rng)
        instruction, text, output, domain = kinds[turn % len(kinds)]
        turn += 1
        if (instruction, text) in seen:
            continue
        seen.add((instruction, text))
        record: Record = {"id": f"boilerplate-{len(seen):03d}", "instruction": instruction}
        if text:
            record["input"] = text
        yield record | {"output": output, "domain": domain, "origin": "boilerplate"}
