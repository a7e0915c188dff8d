"""Names of domains: the words that tell each from the others, in any language."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

import numpy as np

from ila_core.space.function_words import is_function_word, languages
from ila_core.space.joining import joined
from ila_core.space.words import (
    BREAK,
    folded,
    is_korean,
    may_name,
    without_particle,
    words,
)

WORDS_IN_NAME = 3
TRIED = 12
"""Words among which a name's are looked for."""
READ_PER_DOMAIN = 100
READ_CHARACTERS = 2000
EVERYWHERE = 0.3
"""A word in more of the texts is about nothing, in whatever language."""
FEW = 4
"""Of fewer domains the own word of one is in more than 0.3 of the texts as well."""

Shares = Mapping[str, float]
"""The share of some texts that hold a word, by word."""


def name_domains(
    domain: np.ndarray, count: int, texts: Iterable[str], most: int = READ_PER_DOMAIN
) -> tuple[str, ...]:
    """Return `count` different names: the words that tell each domain from the others.

    A word's weight is p log(p / q), p the share of the domain's texts that hold it, q the mean of
    these shares over all domains, or over those of its language where that is more: words that
    are everywhere weigh nothing, and words that tell a language little. Function words, and those
    in more than 30 % of the texts, name a domain only where it has no other word. The first `most`
    texts of each domain are read, 2,000 characters of each.
    """
    held = _words_by_domain(domain, count, texts, most)
    spoken = [languages(shares) for shares in held]
    first = [own[0] if own else "" for own in spoken]
    everyone = _Background(held)
    kin = {
        language: _Background(
            [shares for shares, own in zip(held, first, strict=True) if own == language]
        )
        for language in set(first) - {""}
        if 1 < first.count(language) < count
    }
    names: dict[str, None] = {}
    for number, (shares, own) in enumerate(zip(held, spoken, strict=True)):
        backgrounds = [everyone, kin[first[number]]] if first[number] in kin else [everyone]
        telling = _telling(shares, backgrounds, own)
        names[_unused_name(telling, names, number)] = None
    return tuple(names)


def _words_by_domain(
    domain: np.ndarray, count: int, texts: Iterable[str], most: int
) -> list[dict[str, float]]:
    """Return for each domain the share of its texts that hold a word, by word."""
    held: list[Counter[str]] = [Counter() for _ in range(count)]
    read = [0] * count
    unspaced: list[list[str]] = []
    of: list[int] = []
    for text, number in zip(texts, domain.tolist(), strict=False):
        if read[number] < most:
            read[number] += 1
            found = words(folded(text[:READ_CHARACTERS]))
            held[number].update(set(found.spaced))
            if found.parts:
                unspaced.append(found.parts)
                of.append(number)
    for number, parts in zip(of, joined(unspaced), strict=True):
        held[number].update(set(parts) - {BREAK})
    _drop_particles(held, read)
    # A word of a single text out of many tells nothing, and most words are such.
    return [
        {word: times / total for word, times in words_.items() if times > 1 or total < 20}
        for words_, total in zip(held, read, strict=True)
    ]


def _drop_particles(held: Sequence[Counter[str]], read: Sequence[int]) -> None:
    """Count Korean words with a particle as the bare word, where a text has that as well."""
    bare = {word: without_particle(word) for words_ in held for word in words_ if is_korean(word)}
    known = {word for word, stem in bare.items() if stem != word and stem in bare}
    for words_, total in zip(held, read, strict=True) if known else ():
        for word in known.intersection(words_):
            words_[bare[word]] = min(words_[bare[word]] + words_.pop(word), total)


class _Background:
    """What some domains hold on average."""

    def __init__(self, domains: Sequence[Shares]) -> None:
        self._count = len(domains)
        total: Counter[str] = Counter()
        for shares in domains:
            total.update(shares)
        self.mean = {word: share / self._count for word, share in total.items()}
        """The mean share of the domains' texts that hold a word, by word."""

    def has_everywhere(self, word: str) -> bool:
        """Return whether so many texts hold a word that it is about nothing."""
        return self._count >= FEW and self.mean[word] > EVERYWHERE


def _telling(
    shares: Shares, backgrounds: Sequence[_Background], spoken: Sequence[str]
) -> list[str]:
    """Return the words of a domain that are rarer elsewhere, the most telling first, 12 at most.

    Where none is, those that most of its texts hold.
    """
    usual = backgrounds[0].mean
    if len(backgrounds) > 1:
        usual = {word: max(one.mean[word] for one in backgrounds) for word in shares}
    weights = {word: share * math.log(share / usual[word]) for word, share in shares.items()}
    if max(weights.values(), default=0) < 1e-9:
        weights = dict(shares)
    telling = sorted(
        (word for word, weight in weights.items() if weight >= 1e-9),
        key=lambda word: (-weights[word], word),
    )
    content = (
        word
        for word in telling
        if may_name(word)
        and not any(is_function_word(word, language) for language in spoken)
        and not any(background.has_everywhere(word) for background in backgrounds)
    )
    for choice in (content, filter(may_name, telling), telling):
        if chosen := list(islice(choice, TRIED)):
            return chosen
    return []


def _unused_name(telling: Sequence[str], used: Iterable[str], number: int) -> str:
    """Return the first words that make a name not yet used, else the domain's number with them."""
    chosen: list[str] = []
    for word in telling:
        if any(_alike(word, other) for other in chosen):
            continue
        chosen.append(word)
        name = " · ".join(chosen)
        if len(chosen) >= WORDS_IN_NAME and name not in used:
            return name
    name = " · ".join(chosen[:WORDS_IN_NAME])
    return name if name and name not in used else f"{name} ({number})".strip()


def _alike(one: str, other: str) -> bool:
    """Return whether a name would say nearly the same twice: forms of a word, by its endings."""
    same = max(4, math.ceil(0.75 * min(len(one), len(other))))
    return one in other or other in one or one[:same] == other[:same]
