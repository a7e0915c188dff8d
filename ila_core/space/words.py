"""The words of a text in any script, whole, as names are made of them.

Chinese, Japanese, Thai, Lao, Khmer and Burmese put no spaces between words: there ICU's
dictionaries cut them, all with one small library that is as fast as a regular expression. A text
without such signs never loads it.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from itertools import takewhile
from typing import NamedTuple

LONGEST = 24
"""Letters of a word; what is longer is an address or a number of some kind, and no name."""
_PLANE = 0x10000
_BEYOND = "\U00010000-\U0001cfff\U0001e800-\U0001e95f"
"""Where scripts stand beyond the basic plane: Chakma, Adlam; no signs of other kinds."""
_HIRAGANA = "\u3040-\u309f"
_HAN_AND_KANA = "\u3005\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_UNSPACED = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\u1780-\u17ff"  # Burmese, Khmer
    f"{_HAN_AND_KANA}\U00020000-\U000323af"
)
_ASCII_WORD = re.compile(rf"(?<![a-z0-9_])[a-z][a-z0-9_]{{1,{LONGEST - 1}}}(?![a-z0-9_])")
_ASCII_SEQUENCE = re.compile(r"[a-z0-9_]+")
_TAG = re.compile(r"</?[a-z][a-z0-9]*(?:\s[^<>]*)?/?>")
"""A mark of HTML, in small letters; it is no word of who asks."""
_PARTICLE = re.compile("(?<=..)(?:에서|으로|은|는|이|가|을|를|의|에|와|과|도|로)$")
BREAK = "\n"
_JOINERS = "\u200c\u200d"
"""They stand inside words of Persian and of Indian languages."""


def folded(text: str) -> str:
    """Return a text as words are compared: small letters, each sign with its accents as one.

    >>> folded("CAFE\u0301"), folded("İstanbul"), folded("ทําให้") == folded("ทำให้")
    ('café', 'istanbul', True)
    """
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFC", text.lower())
    return text.replace("i\u0307", "i").replace("\u0e4d\u0e32", "\u0e33")


class Words(NamedTuple):
    """The words of a text."""

    spaced: list[str]
    """Those between spaces, of two letters or more, 24 at most."""
    parts: list[str]
    """Those of scripts without spaces, in order; BREAK stands between what is not one run."""


def words(text: str) -> Words:
    r"""Return the words of a folded text.

    >>> words("don't read np_zeros2 or a x").spaced, words("कविता लिखिए").spaced
    (['don', 'read', 'np_zeros2', 'or'], ['कविता', 'लिखिए'])
    >>> words("写一首 haiku 诗歌")
    Words(spaced=['haiku'], parts=['写', '一首', '\n', '诗歌'])
    >>> words('a film<br /><br />by <a href="x">her</a>, 1 < 2').spaced
    ['film', 'by', 'her']
    """
    if "<" in text:
        text = _TAG.sub(" ", text)
    if text.isascii():
        return Words(_ASCII_WORD.findall(text), [])
    spaced: list[str] = []
    runs: list[str] = []
    for match in _pattern().finditer(text):
        (runs if match.lastgroup == "unspaced" else spaced).append(match[0])
    return Words([word for word in spaced if 2 <= len(word) <= LONGEST], _cut(runs))


def sequence(text: str) -> list[str]:
    r"""Return all words of a folded text in their order, single letters and numbers among them.

    >>> sequence("x = 3.5 apples, don't!"), sequence("写一首3行的haiku诗歌")
    (['x', '3', '5', 'apples', 'don', 't'], ['写', '一首', '3', '行', '的', 'haiku', '诗歌'])
    >>> sequence("हिन्दी में"), sequence("<b>!</b>")
    (['हिन्दी', 'में'], ['b', 'b'])
    """
    if text.isascii():
        return _ASCII_SEQUENCE.findall(text)
    found: list[str | None] = []  # None holds the place of a run, which is cut with all others
    runs: list[str] = []
    for match in _pattern(numbers=True).finditer(text):
        if match.lastgroup == "unspaced":
            runs.append(match[0])
            found.append(None)
        else:
            found.append(match[0])
    if not runs:
        return found  # type: ignore[return-value]
    parts = iter(_cut(runs))
    return [word for one in found for word in ([one] if one else takewhile(_is_word, parts))]


def _is_word(part: str) -> bool:
    return part != BREAK


def _cut(runs: list[str]) -> list[str]:
    if not runs:
        return []
    from icu4py.breakers import WordBreaker

    return list(WordBreaker(BREAK.join(runs), "en"))  # which dictionary is told by the signs


def is_korean(word: str) -> bool:
    """Return whether a word is written in Hangul."""
    return "가" <= word[0] <= "힣"


def without_particle(word: str) -> str:
    """Return a Korean word without the particle at its end, if it may have one.

    >>> without_particle("행성은"), without_particle("은")
    ('행성', '은')
    """
    return _PARTICLE.sub("", word)


def may_name(word: str) -> bool:
    """Return whether a word is surely whole and no ending.

    Where words are not spaced, a single sign is not, since unknown words fall into such; nor what
    ends in hiragana: a particle, or a verb that was cut off from its ending.

    >>> [word for word in ("詩", "書い", "について", "作り方", "ใบไม้", "poem") if may_name(word)]
    ['作り方', 'ใบไม้', 'poem']
    """
    return word.isascii() or not _unsure().fullmatch(word)


@cache
def _unsure() -> re.Pattern[str]:
    return re.compile(f"[{_UNSPACED}]|[{_UNSPACED}]*[{_HIRAGANA}]|\\d+")


@cache
def _pattern(*, numbers: bool = False) -> re.Pattern[str]:
    """A run without spaces, or a word: a letter, then letters, marks, digits and underscores.

    With `numbers` a word may begin with a digit.
    """
    first, further = [], [*map(ord, _JOINERS), ord("_")]
    for code in range(_PLANE):
        kind = unicodedata.category(chr(code))
        if kind[0] == "L":
            first.append(code)
        if kind[0] == "M" or kind == "Nd":
            further.append(code)
    unspaced = re.compile(f"[{_UNSPACED}]")
    spaced = [code for code in first if not unspaced.match(chr(code))]
    more = [code for code in further if not unspaced.match(chr(code))]
    begin = f"{_ranges(sorted(spaced + more) if numbers else spaced)}{_BEYOND}"
    return re.compile(
        f"(?P<spaced>[{begin}][{_ranges(sorted(spaced + more))}{_BEYOND}]*)"
        f"|(?P<unspaced>[{_UNSPACED}]+)"
    )


def _ranges(codes: list[int]) -> str:
    """Return ascending code points as a regular expression's class has them."""
    parts: list[list[int]] = []
    for code in codes:
        if parts and code == parts[-1][1] + 1:
            parts[-1][1] = code
        else:
            parts.append([code, code])
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in parts)
