"""What a study is made of."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal

from ila_core.errors import UsageError
from ila_core.methods import find
from ila_core.selection.budget import Budget, check_depth_target

METHODS = ("random", "coverage-only", "depth-only", "ila", "nested", "deita")
BUDGETS = ("1%", "3%", "10%", "30%")
DEPTH_TARGETS = (0.75, 0.5)
FOLDS = 10
"""Of the regression's cross-validation: the fewest subsets it can do with."""


@dataclass(frozen=True)
class StudySettings:
    """What a study is made of; every field is an option of `study`.

    seeds: splits of the pool, and with them seeds of the methods and students, counted from
    `seed`. subsets: of the regression; 0 leaves it out. depth_targets: ILA is also tried with
    these q below 1. The rest is the lm student's: all students take the same number of `steps`,
    or of `epochs` over their selection where these are given; `full` trains all weights in place
    of LoRA adapters; lr is fine-tuning's own unless given.
    """

    student: Literal["ngram", "lm"] = "ngram"
    lm: str | None = None
    methods: tuple[str, ...] = METHODS
    budgets: tuple[str, ...] = BUDGETS
    seeds: int = 3
    seed: int = 0
    subsets: int = 60
    depth_targets: tuple[float, ...] = DEPTH_TARGETS
    steps: int = 200
    epochs: float | None = None
    batch_tokens: int = 4096
    max_length: int = 1024
    lr: float | None = None
    full: bool = False

    @classmethod
    def of(cls, **options: Any) -> StudySettings:
        """Return the settings of options by name; UsageError names one that is not known.

        >>> StudySettings.of(budgets=["5%", 100]).budgets
        ('5%', '100')
        >>> StudySettings.of(budget="5%")
        Traceback (most recent call last):
        ila_core.errors.UsageError: Unknown option 'budget'; a study takes student, lm, methods,
        budgets, seeds, seed, subsets, depth_targets, steps, epochs, batch_tokens, max_length, lr,
        full.
        """
        known = [field.name for field in fields(cls)]
        for name in options:
            if name not in known:
                raise UsageError(f"Unknown option {name!r}; a study takes {', '.join(known)}.")
        for name, kind in (("methods", str), ("budgets", str), ("depth_targets", float)):
            if name in options:
                options[name] = tuple(dict.fromkeys(map(kind, options[name])))
        return cls(**options)

    def command(self, run: object, out: object) -> str:
        """Return the `ila study` line that makes this study again.

        >>> StudySettings.of(budgets=["5%"], seeds=2).command("RUN", "DIR")
        'ila study RUN --out DIR --budgets 5% --seeds 2'
        """
        import shlex

        words = ["ila", "study", str(run), "--out", str(out)]
        for field in fields(self):
            value = getattr(self, field.name)
            if value != field.default:
                option = "--" + field.name.replace("_", "-")
                words += [option] if value is True else [option, _written(value)]
        return shlex.join(words)

    def __post_init__(self) -> None:
        if self.student not in ("ngram", "lm"):
            raise UsageError(f"Unknown student {self.student!r}; choose ngram or lm.")
        if self.student == "lm" and not self.lm:
            raise UsageError("--student lm needs a model: add --lm ID_OR_PATH.")
        for method in self.methods:
            find(method)
        for budget in self.budgets:
            Budget.parse(budget)
        for target in self.depth_targets:
            check_depth_target(target)
        for name, least in (("seeds", 1), ("subsets", 0), ("steps", 1)):
            if getattr(self, name) < least:
                raise UsageError(f"--{name} is {getattr(self, name)}; give at least {least}.")
        if 0 < self.subsets < FOLDS:
            raise UsageError(
                f"--subsets is {self.subsets}; a regression needs at least {FOLDS}, or give 0 to "
                "leave it out."
            )
        if not self.subsets and not (self.methods and self.budgets):
            raise UsageError("A study without methods, budgets and subsets has nothing to train.")


def _written(value: Any) -> str:
    """Return a setting as the command line takes it."""
    if isinstance(value, tuple):
        return ",".join(map(_written, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
