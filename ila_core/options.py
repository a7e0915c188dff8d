"""Settings that are written once: on the field of their dataclass.

A field made by `option` carries its help, what it may be, and what it goes with. From that come
the checks, the command line's options, the page's widgets, and the line that repeats a run.
"""

from __future__ import annotations

import dataclasses
import math
import operator
import shlex
import types
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from ila_core.errors import UsageError

S = TypeVar("S")
MAX_SEED = 2**32 - 1
"""The largest seed that every library takes."""


@dataclass(frozen=True)
class Option:
    """One setting: its name and default, and what a front end must know to offer it."""

    name: str
    default: Any
    kind: type
    """str, int, float, bool, or tuple (of `item`s, written with commas between)."""
    item: type
    help: str
    """A few words, as the command line's help and the page's widget say them."""
    metavar: str = ""
    choices: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Words that may be given, each with what it means; empty where anything may."""
    patterns: tuple[str, ...] = ()
    """Forms that may be given beside them, such as "column:NAME"; one without a colon, such as
    "ID_OR_PATH", stands for any other word."""
    gone: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Words that earlier versions took, each with why no longer and what to give instead."""
    least: float | None = None
    most: float | None = None
    above: float | None = None
    """A bound that itself is not allowed."""
    company: tuple[str, tuple[str, ...]] | None = None
    """Another option and the values of it with which alone this one does anything."""
    repeated: bool = False
    """Whether its several values are given one at a time, the flag before each."""
    word: str = ""
    """The flag's word, where it is not the name."""
    needed: bool = False
    """Whether it must be given where it has its company, or everywhere if it has none."""
    is_column: bool = False
    """Whether it is the name of a field of the records."""
    called: str = ""
    """What a form calls it, where its name alone would not do."""
    names: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """What a form calls a choice or a pattern, where its word alone would not do."""
    wanted: str = ""
    """What a form calls it where it is still missing, if not as above."""
    instead: tuple[str, str] | None = None
    """The option that a form offers it as one more choice of, and what the choice is called."""
    alters: bool = True
    """Whether another value may alter the result; a device, say, alters none."""
    content: Callable[[Any], object] = lambda value: value
    """What the result depends on where a value only names it: a file's bytes, a model's state."""

    @property
    def flag(self) -> str:
        """How the command line spells it."""
        return "--" + (self.word or self.name.replace("_", "-"))

    @property
    def title(self) -> str:
        """What a form calls it."""
        return self.called or self.name.replace("_", " ").capitalize()

    @property
    def missing(self) -> str:
        """What a form calls it where it is still missing."""
        return self.wanted or self.title.lower()

    def has_company(self, values: Mapping[str, Any]) -> bool:
        """Whether it does anything beside these values of all options, by name.

        >>> gaps = Option("gaps", False, bool, bool, "", company=("loss", ("column:NAME",)))
        >>> gaps.has_company({"loss": "none"}), gaps.has_company({"loss": "column:score"})
        (False, True)
        """
        if self.company is None:
            return True
        other, wanted = self.company
        value = values[other]
        return any(value == one or _fits(str(value), str(one)) for one in wanted)

    def columns(self, value: Any) -> tuple[str, ...]:
        """Return the fields of the records that a value names."""
        if self.is_column:
            return (value,) if value else ()
        return columns_in(value) if self.patterns else ()

    def check(self, value: Any) -> Any:
        """Return a value of the right type; UsageError says what it is and what it must be."""
        if value is None:  # not given
            return self.default
        if self.kind is tuple:
            values = value.split(",") if isinstance(value, str) else value
            checked = [self._one(entry) for entry in values if entry != ""]
            return tuple(dict.fromkeys(checked))
        return self._one(value)

    def _one(self, value: Any) -> Any:
        if self.item is bool:
            if not isinstance(value, bool):
                raise UsageError(f"{self.flag} is {value!r}; it is on or off.")
            return value
        if self.item in (int, float):
            return self._number(value)
        text = str(value).strip() if isinstance(value, str) else str(value)
        if text in self.gone:
            raise UsageError(f"{self.flag} {text} is no more: {self.gone[text]}.")
        if self.choices and not self._allowed(text):
            *head, last = [*self.choices, *self.patterns]
            known = f"{', '.join(head)} or {last}" if head else last
            raise UsageError(f"Unknown {self.name.replace('_', ' ')} {text!r}; choose {known}.")
        return text

    def _allowed(self, text: str) -> bool:
        return text in self.choices or any(_fits(text, pattern) for pattern in self.patterns)

    def _number(self, value: Any) -> int | float:
        number: int | float
        try:
            if isinstance(value, bool):
                raise TypeError
            if self.item is int:
                number = int(value, 10) if isinstance(value, str) else operator.index(value)
            else:
                number = float(value)
            float(number)  # a whole number may be beyond any
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        low, high, above = self.least, self.most, self.above
        fits = math.isfinite(number) and (low is None or number >= low)
        fits = fits and (high is None or number <= high) and (above is None or number > above)
        if not fits:
            raise UsageError(f"{self.flag} is {value}; give {self.expected}.")
        return number

    @property
    def expected(self) -> str:
        """What a number must be, in words.

        >>> seed = Option("seed", 0, int, int, "", least=0, most=9)
        >>> seed.expected
        'a whole number from 0 to 9'
        """
        what = "a whole number" if self.item is int else "a number"
        if self.above is not None:
            what += f" above {self.above:g}"
        elif self.least is not None and self.most is None:
            what += (
                f" of at least {self.least:,g}"
                if self.least >= 1e6
                else f" of at least {self.least:g}"
            )
        elif self.least is not None:
            what += f" from {self.least:g}"
        if self.most is not None:
            joint = (
                " to "
                if self.least is not None
                else " and at most "
                if self.above is not None
                else " of at most "
            )
            what += f"{joint}{self.most:.0f}" if self.item is int else f"{joint}{self.most:g}"
        return what

    def written(self, value: Any) -> list[str]:
        """Return the words of the command line that set it."""
        if self.kind is bool:
            return [self.flag] if value else []
        if self.repeated:
            return [word for one in value for word in (self.flag, _text(one))]
        return [self.flag, self.text(value)]

    def text(self, value: Any) -> str:
        """Return a value as one text, as a link has it, which `check` reads back.

        >>> Option("budgets", (), tuple, int, "").text((5, 10))
        '5,10'
        """
        return ",".join(map(_text, value)) if self.kind is tuple else _text(value)


def option(default: Any, help: str, **about: Any) -> Any:
    """Return a dataclass field that is an option; `about` are fields of `Option`."""
    return dataclasses.field(default=default, metadata={"option": {"help": help, **about}})


def options_of(settings: type) -> Mapping[str, Option]:
    """Return the options of a dataclass by name, in order; fields made otherwise are left out."""
    if settings not in _KNOWN:
        hints = get_type_hints(settings)
        _KNOWN[settings] = types.MappingProxyType(
            {
                field.name: Option(
                    field.name,
                    field.default,
                    *_kinds(hints[field.name]),
                    **field.metadata["option"],
                )
                for field in dataclasses.fields(settings)
                if "option" in field.metadata
            }
        )
    return _KNOWN[settings]


_KNOWN: dict[type, Mapping[str, Option]] = {}
"""The options of every dataclass that was asked for."""


def _kinds(hint: Any) -> tuple[type, type]:
    """Return what a value is and what its parts are: the same but for a tuple."""
    origin, parts = get_origin(hint), [p for p in get_args(hint) if p is not type(None)]
    if origin in (Union, types.UnionType):
        return (str, str) if str in parts else _kinds(parts[0])  # "auto" or a number
    if origin is tuple:
        return tuple, _kinds(parts[0])[1]
    if origin is Literal:
        return str, str
    return hint, hint


def make(settings: type[S], given: Mapping[str, Any], *, what: str = "options are") -> S:
    """Return settings of options by name, each checked; UsageError for a name that is not known.

    >>> @dataclass(frozen=True)
    ... class Settings:
    ...     seed: int = option(0, "seed of everything", least=0, most=MAX_SEED)
    >>> make(Settings, {"seed": "7"})
    Settings(seed=7)
    >>> make(Settings, {"seed": -1})
    Traceback (most recent call last):
    ila_core.errors.UsageError: --seed is -1; give a whole number from 0 to 4294967295.
    """
    known = options_of(settings)
    for name in given:
        if name not in known:
            raise UsageError(f"Unknown option {name!r}; {what} {', '.join(known)}.")
    made = settings(**{name: known[name].check(value) for name, value in given.items()})
    check_company(made)
    return made


def check(settings: Any) -> None:
    """Refuse settings of which an option cannot be meant, however they were made."""
    for option in options_of(type(settings)).values():
        option.check(getattr(settings, option.name))
    check_company(settings)


def check_company(settings: Any) -> None:
    """Refuse an option that would do nothing for want of another: it was meant otherwise.

    Likewise one that is missing beside another that cannot do without it.
    """
    known = options_of(type(settings))
    for option in changed(settings):
        if option.company is not None and not option.has_company(vars(settings)):
            other, values = option.company
            flag = known[other].flag
            *head, last = values
            goes = f"{', '.join(head)} or {last}" if head else last
            raise UsageError(
                f"{option.flag} goes with {flag} {goes} only; add that, or leave {option.flag} out."
            )
    for option in known.values():
        given = vars(settings)
        if option.needed and not given[option.name] and option.has_company(given):
            raise UsageError(_wanted(settings, option))


def _wanted(settings: Any, option: Option) -> str:
    """Return what is missing, together with what its company cannot do without either."""
    known = options_of(type(settings)).values()
    together = [one for one in known if one.needed and one.company == option.company]
    flags = " and ".join(f"{one.flag} {one.metavar or 'VALUE'}" for one in together)
    if option.company is None:
        return f"Name what is needed: {flags}."
    other = option.company[0]
    flag = options_of(type(settings))[other].flag
    return f"{flag} {getattr(settings, other)} needs {flags}."


def part(settings: Any, wanted: type[S]) -> S:
    """Return those of the settings that a part of the work takes: the fields of `wanted`."""
    names = [field.name for field in dataclasses.fields(wanted)]  # type: ignore[arg-type]
    return wanted(**{name: getattr(settings, name) for name in names})


def counted(settings: Any, *, without: Container[str] = ()) -> list[object]:
    """Return all that a result made with these settings depends on: of every field its content.

    What alters no result is left out, by its own word; nothing else can be forgotten.

    >>> @dataclass(frozen=True)
    ... class Settings:
    ...     seed: int = option(0, "seed of everything")
    ...     device: str = option("auto", "where it is computed", alters=False)
    >>> counted(Settings(seed=3))
    [3]
    """
    known = options_of(type(settings))
    found: list[object] = []
    for field in dataclasses.fields(settings):
        value, option = getattr(settings, field.name), known.get(field.name)
        if option is None:
            found.append(value)
        elif option.alters and field.name not in without:
            found.append(None if value is None else option.content(value))
    return found


def changed(settings: Any) -> Iterator[Option]:
    """Yield the options that are not at their default."""
    for option in options_of(type(settings)).values():
        if getattr(settings, option.name) != option.default:
            yield option


def words(settings: Any, *, without: Container[str] = ()) -> list[str]:
    """Return the words of the command line that set what is not at its default."""
    return [
        word
        for option in changed(settings)
        if option.name not in without
        for word in option.written(getattr(settings, option.name))
    ]


def command(*line: object) -> str:
    """Return a line of the command line as a shell takes it: the only writer of such lines.

    >>> command("build", "my pool.jsonl", "--out", "run")
    "ila build 'my pool.jsonl' --out run"
    """
    return shlex.join(["ila", *map(str, line)])


def columns_in(value: str) -> tuple[str, ...]:
    """Return the fields of the records that a form names; none for any other value.

    >>> columns_in("columns:a, b"), columns_in("column:a,b"), columns_in("pca")
    (('a', 'b'), ('a,b',), ())
    """
    kind, _, names = value.partition(":")
    found = {"column": [names], "columns": names.split(",")}.get(kind, [])
    return tuple(name.strip() for name in found)


def _fits(text: str, pattern: str) -> bool:
    """Tell whether a text has the form of a pattern.

    >>> _fits("column:score", "column:NAME"), _fits("column:", "column:NAME"), _fits("x/y", "ID")
    (True, False, True)
    """
    head, colon, _ = pattern.partition(":")
    if not colon:
        return pattern.isupper() and bool(text)
    return text.startswith(head + colon) and text != head + colon


def _text(value: Any) -> str:
    """Return a value as the command line takes it: a float as the shortest that reads back.

    >>> _text(0.1), _text(1.0), _text(1e-5)
    ('0.1', '1', '1e-05')
    """
    if isinstance(value, float):
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    return str(value)
