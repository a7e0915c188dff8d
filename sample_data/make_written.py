"""Reads the hand-written pairs: written/*.md, one file a domain.

A file begins with "# domain". A record begins with a heading that names its skills in brackets:

    ### instruction [cooking, food and drink]
    ### input                       (optional)
    ### response

More pairs of instruction and response without brackets continue the record: all but the last
become its history. A record that begins with "### user [...]" or "### system [...]" is a
conversation and goes on with "### assistant" and "### user".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parent / "written"
PARTS = "instruction|input|response|system|user|assistant"
HEADING = re.compile(rf"^### ({PARTS})(?: \[(.+)\])?$", re.MULTILINE)

Section = tuple[str, str]
"""A part's name and its text."""


def written_records() -> Iterator[dict[str, object]]:
    """Every hand-written record, the files in order of their names."""
    for path in sorted(FOLDER.glob("*.md")):
        yield from read_domain(path.read_text(encoding="utf-8"), path.stem)


def read_domain(text: str, stem: str) -> Iterator[dict[str, object]]:
    """The records of one file's text, numbered under the file's stem.

    >>> text = "# small talk\\n### instruction [trivia, logic]\\nHi?\\n\\n### response\\nHello.\\n"
    >>> next(read_domain(text, "talk"))  # doctest: +NORMALIZE_WHITESPACE
    {'id': 'talk-01', 'instruction': 'Hi?', 'output': 'Hello.', 'domain': 'small talk',
     'origin': 'written', 'skills': ['trivia', 'logic']}
    """
    title, *pieces = HEADING.split(text)
    domain = title.strip().removeprefix("# ")
    records: list[tuple[list[str], list[Section]]] = []
    for name, skills, body in zip(pieces[::3], pieces[1::3], pieces[2::3], strict=True):
        if skills:
            records.append(([skill.strip() for skill in skills.split(",")], []))
        records[-1][1].append((name, body.strip("\n")))
    for number, (skills, sections) in enumerate(records, 1):
        yield {
            "id": f"{stem}-{number:02d}",
            **fields(sections),
            "domain": domain,
            "origin": "written",
            "skills": skills,
        }


def fields(sections: list[Section]) -> dict[str, object]:
    """The sections as messages, or as instruction, input, output and history."""
    if sections[0][0] in ("user", "system"):
        return {"messages": [{"role": role, "content": text} for role, text in sections]}
    texts = dict(sections)
    record: dict[str, object] = {"instruction": texts["instruction"]}
    if "input" in texts:
        record["input"] = texts["input"]
    record["output"] = texts["response"]
    earlier = [text for name, text in sections if name != "input"][:-2]
    if earlier:
        record["history"] = [list(pair) for pair in zip(earlier[::2], earlier[1::2], strict=True)]
    return record
