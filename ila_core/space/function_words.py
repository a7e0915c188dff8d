"""Function words by language: what tells how a question is put, and not what it is about."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from functools import cache
from unicodedata import name

from ila_core.space.words import folded

SPOKEN = 0.08
"""A language is spoken where its function words make so much of the words held.

In running text they make 0.3 to 0.6 of them; what a further list adds to the true one stays below
0.07, on the pools in English and Chinese that it was measured on. A language that is alone in its
script needs one of its words.
"""

FURTHER = 3
"""Different function words that a further language needs: "sort" alone makes no text French."""


def languages(shares: Mapping[str, float]) -> list[str]:
    """Return the languages of some texts, by the share of them that hold each word.

    The one whose function words they hold most comes first; of a further one only those words
    count that the ones before it lack.

    >>> languages({"the": 0.9, "of": 0.8, "poem": 0.5}), languages({"def": 1.0, "return": 0.6})
    (['en'], [])
    """
    least = SPOKEN * sum(shares.values())
    left = {word: share for word, share in shares.items() if word in _languages_of()}
    found: list[str] = []
    while left:
        held: defaultdict[str, float] = defaultdict(float)
        different: Counter[str] = Counter()
        for word, share in left.items():
            for language in _languages_of()[word]:
                held[language] += share
                different[language] += 1
        spoken = [
            language
            for language, mass in held.items()
            if language in _alone_in_script()
            or (mass >= least and (not found or different[language] >= FURTHER))
        ]
        if not spoken:
            break
        most = max(spoken, key=lambda language: (held[language], language))
        found.append(most)
        known = function_words(most)
        left = {word: share for word, share in left.items() if word not in known}
    return found


def function_words(language: str) -> frozenset[str]:
    """Return the function words of a language by its ISO 639-1 code, folded."""
    return _lists()[language]


def is_function_word(word: str, language: str) -> bool:
    """Return whether a word is one in a language.

    >>> [word for word in ("什么", "一首", "诗歌", "中的") if not is_function_word(word, "zh")]
    ['诗歌']
    """
    if language == "zh" and _ZH_DETERMINED.fullmatch(word):
        return True
    return word in function_words(language)


_ZH_DETERMINED = re.compile("[一两几每这那某各].|.的")
"""A numeral or pronoun with the measure word that it is written with, and what ends in "of"."""


@cache
def _lists() -> dict[str, frozenset[str]]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS
    from stopwordsiso import langs, stopwords

    lists = {language: frozenset(map(folded, stopwords(language))) for language in sorted(langs())}
    # The list of stopwordsiso is four times as long: "computer" and "number" are no function words.
    lists["en"] = ENGLISH_STOP_WORDS | {
        "did", "does", "don", "doesn", "isn", "just", "like", "ll", "ve",
    }  # fmt: skip
    return lists


@cache
def _languages_of() -> dict[str, list[str]]:
    languages_of: defaultdict[str, list[str]] = defaultdict(list)
    for language, list_ in _lists().items():
        for word in list_:
            languages_of[word].append(language)
    return dict(languages_of)


@cache
def _alone_in_script() -> frozenset[str]:
    """Return the languages with whose script no other list is written, as Greek, Korean or Thai."""
    scripts = {language: _script(list_) for language, list_ in _lists().items()}
    count = Counter(scripts.values())
    return frozenset(language for language, script in scripts.items() if count[script] == 1)


def _script(list_: frozenset[str]) -> str:
    letters = Counter(name(letter, "").split(" ")[0] for word in list_ for letter in word)
    return max(letters, key=lambda script: (letters[script], script))
