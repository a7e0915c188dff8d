"""Settings that are written once: what may be given, what goes with what, and the words for it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from ila_core.errors import UsageError
from ila_core.options import make, option, options_of, part, words


@dataclass(frozen=True)
class Named:
    who: str = option("nobody", "who", choices={"nobody": "none", "lm": "a model"},
                      patterns=("column:NAME",))  # fmt: skip
    model: str | None = option(None, "which", metavar="ID", company=("who", ("lm",)), needed=True)
    gaps: bool = option(False, "with gaps", company=("who", ("column:NAME",)))


@dataclass(frozen=True)
class Settings(Named):
    encoder: str = option("static", "what", choices={"static": "shipped"}, patterns=("ID_OR_PATH",))
    shares: tuple[float, ...] = option((0.5,), "shares", least=0, most=1)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"who": "lm"}, "--who lm needs --model ID."),
        ({"model": "x"}, "--model goes with --who lm only"),
        ({"gaps": True}, "--gaps goes with --who column:NAME only"),
        ({"who": "column:"}, "Unknown who 'column:'; choose nobody, lm or column:NAME."),
        ({"encoder": " "}, "Unknown encoder ''; choose static or ID_OR_PATH."),
        ({"shares": "0.2,1.5"}, "--shares is 1.5; give a number from 0 to 1."),
        ({"shares": "0.2,x"}, "--shares is x; give a number from 0 to 1."),
    ],
)
def test_what_cannot_be_meant_is_told(given: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError) as told:
        make(Settings, given)
    assert str(told.value).startswith(message)


def test_a_pattern_is_company_as_a_word_is() -> None:
    assert make(Settings, {"who": "column:loss", "gaps": True}).gaps
    assert make(Settings, {"encoder": "some/model"}).encoder == "some/model"


def test_a_part_takes_its_own_fields() -> None:
    settings = make(Settings, {"who": "lm", "model": "x", "shares": (0, 1)})
    assert part(settings, Named) == Named("lm", "x")


def test_the_words_are_those_that_differ() -> None:
    settings = make(Settings, {"shares": "0.25,1", "who": "column:a b", "gaps": True})
    assert words(settings) == ["--who", "column:a b", "--gaps", "--shares", "0.25,1"]
    assert list(options_of(Settings)) == ["who", "model", "gaps", "encoder", "shares"]
