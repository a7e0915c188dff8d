"""What a visitor types into a search for words, and what it asks of the index."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from ila_core.errors import UsageError

_FORM = (
    'give words that must all occur, "words in this order", word* for beginnings, -word for none'
)

_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3041-\u30ff\u3130-\u318f\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]"
)
"""Characters of scripts that put no spaces between words, and of Korean, which puts endings behind
them: each is a word of its own, so that any run of them is found wherever it stands."""
_TERM = re.compile(r'(?P<minus>-?)(?:"(?P<phrase>[^"]*)"|(?P<word>[^\s"]+))')
_SAYS = re.compile(r"[^\W_]")


def spaced(text: str) -> str:
    """Return a text as the index takes it: characters of some scripts are words of their own.

    >>> spaced("用Python写")
    ' 用 Python 写 '
    """
    if text.isascii():
        return text
    return _UNSPACED.sub(r" \g<0> ", unicodedata.normalize("NFKC", text))


@dataclass(frozen=True)
class Term:
    """Words that follow each other."""

    words: str
    beginning: bool = False
    """Whether the last of them need only begin so."""

    @property
    def match(self) -> str:
        """The term in the index's own language, a string of it."""
        text = spaced(self.words).replace('"', " ").replace("\0", " ")
        return f'"{text}"' + " *" * self.beginning


@dataclass(frozen=True)
class Query:
    """Terms that must occur, all of them, and terms that must not.

    >>> Query.parse('tax "capital gains" -crypto invest*').match
    '("tax" AND "capital gains" AND "invest" *) NOT ("crypto")'
    """

    wanted: tuple[Term, ...]
    unwanted: tuple[Term, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Query:
        """Return the query of a text; UsageError says what makes no sense.

        >>> Query.parse("-crypto")
        Traceback (most recent call last):
        ila_core.errors.UsageError: '-crypto' says only what must not occur; name a word that must.
        """
        if text.count('"') % 2:
            raise UsageError(f"{text!r} has a quotation mark that is not closed; close it.")
        wanted: list[Term] = []
        unwanted: list[Term] = []
        for part in _TERM.finditer(text):
            words = part["phrase"] if part["phrase"] is not None else part["word"]
            beginning = part["phrase"] is None and words.endswith("*")
            if not _SAYS.search(words):
                continue  # a dash between words, say
            term = Term(words.strip("*") if beginning else words, beginning)
            (unwanted if part["minus"] else wanted).append(term)
        if not wanted:
            if unwanted:
                raise UsageError(f"{text!r} says only what must not occur; name a word that must.")
            raise UsageError(f"{text!r} holds no word; {_FORM}.")
        return cls(tuple(wanted), tuple(unwanted))

    @property
    def match(self) -> str:
        """The query in the index's own language."""
        wanted = " AND ".join(term.match for term in self.wanted)
        if not self.unwanted:
            return wanted
        return f"({wanted}) NOT ({' OR '.join(term.match for term in self.unwanted)})"
