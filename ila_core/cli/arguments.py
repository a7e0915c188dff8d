"""A settings dataclass as options of the command line, and back."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Container
from typing import Any, TypeVar

from ila_core.errors import UsageError
from ila_core.options import Option, make, options_of

S = TypeVar("S")
Run = Callable[[argparse.Namespace], int | None]


class Command(argparse.ArgumentParser):
    """A command whose options may stand before, between and behind its words.

    >>> search = Command()
    >>> _ = search.add_argument("run"), search.add_argument("words", nargs="*")
    >>> _ = search.add_argument("--meaning", action="store_true")
    >>> search.parse_args(["run", "--meaning", "two", "words"]).words
    ['two', 'words']
    """

    _inside = False  # argparse's own second look, which must not start a third

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Return what argparse makes of options and words that are mixed."""
        if self._inside:
            return super().parse_known_args(args, namespace)
        self._inside = True
        try:
            return super().parse_known_intermixed_args(args, namespace)
        finally:
            self._inside = False


def add_command(commands: Any, name: str, run: Run, what: str) -> argparse.ArgumentParser:
    """Add a command to the grammar; `run` is called with what was given to it."""
    command = commands.add_parser(name, help=what, description=what[0].upper() + what[1:] + ".")
    command.set_defaults(run=run)
    return command  # type: ignore[no-any-return]


def add_arguments(
    parser: argparse.ArgumentParser,
    settings: type,
    *,
    only: Container[str] | None = None,
    without: Container[str] = (),
    required: Container[str] = (),
) -> None:
    """Add the options of a settings dataclass; what is not given stays out of the namespace.

    >>> from ila_core.pipeline.settings import LabelSettings
    >>> parser = argparse.ArgumentParser()
    >>> add_arguments(parser, LabelSettings)
    >>> vars(parser.parse_args(["--labels-url", "http://here"]))
    {'labels_url': 'http://here'}
    """
    for option in options_of(settings).values():
        if option.name in without or (only is not None and option.name not in only):
            continue
        about: dict[str, Any] = {
            "help": _help(option),
            "default": argparse.SUPPRESS,
            "dest": option.name,
        }
        if option.kind is bool:
            about["action"] = "store_true"
        else:
            about["metavar"] = option.metavar or option.name.upper()
            about["action"] = "append" if option.repeated else "store"
            about["required"] = option.name in required
        parser.add_argument(option.flag, **about)


def _help(option: Option) -> str:
    """Return an option's help with the words that may be given."""
    words = ", ".join([*option.choices, *option.patterns])
    more = " (repeatable)" if option.repeated else ""
    return (option.help + (f": {words}" if words else "") + more).replace("%", "%%")


def given(arguments: argparse.Namespace, settings: type) -> dict[str, Any]:
    """Return those options of a settings dataclass that were written on the command line."""
    known = options_of(settings)
    return {name: value for name, value in vars(arguments).items() if name in known}


def made(arguments: argparse.Namespace, settings: type[S]) -> S:
    """Return the checked settings of what was written on the command line."""
    return make(settings, given(arguments, settings))


def whole(low: int, high: int, flag: str) -> Callable[[str], int]:
    """Return a reader of whole numbers in a range, for an option that no settings have.

    >>> whole(0, 9, "--port")("7")
    7
    """
    option = Option(flag.lstrip("-"), low, int, int, "", least=low, most=high)

    def read(text: str) -> int:
        try:
            return int(option.check(text))
        except UsageError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read


def names(text: str | None) -> list[str] | None:
    """Return the names of a text with commas between; None for none.

    >>> names("ila, nested,")
    ['ila', 'nested']
    """
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]
