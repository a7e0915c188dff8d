"""What a study is made of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, get_args

from ila_core.errors import UsageError
from ila_core.landscape.kinds import AUTO
from ila_core.lm.packaged import SMOLLM2
from ila_core.methods.registry import find
from ila_core.options import (
    MAX_SEED,
    check_company,
    command,
    make,
    option,
    options_of,
    words,
)
from ila_core.selection.budget import Budget
from ila_core.selection.spec import STUDIED, Spec
from ila_core.studies.variant import Unit

SUBJECT: str = options_of(Spec)["method"].default
"""The method that a study is about: the one that selects unless another is named."""
METHODS = (
    "random", "even-random", "coverage-only", "depth-only", "ila", "nested", "paper", "deita",
)  # fmt: skip
BUDGETS = ("1%", "3%", "10%", "30%")
PATCHES, DEPTHS, DEPTH_TARGETS = ("grid",), ("loss",), (1.0, 0.5)
"""What ILA is tried with beside its defaults: one knob at a time, its parts taken back alone."""
FOLDS = 10
"""Of the regression's cross-validation: the fewest subsets it can do with."""

_LM = ("student", ("lm",))


@dataclass(frozen=True)
class StudySettings:
    """What a study is made of; every field is an option of `study`, checked when it is made.

    At a budget all language models take the same number of steps, whatever their method chose: as
    many as `epochs` passes over random picks of that budget take, or `steps` where they are given.
    Their learning rate is fine-tuning's own unless given.

    >>> StudySettings(seeds=0)
    Traceback (most recent call last):
    ila_core.errors.UsageError: --seeds is 0; give a whole number from 1 to 100.
    """

    student: Literal["ngram", "lm"] = option(
        "ngram", "who is trained on the selections",
        choices={"ngram": "the n-gram model of the default loss", "lm": "a language model"},
    )  # fmt: skip
    lm: str = option(
        SMOLLM2.name, f"language model that is fine-tuned, {SMOLLM2.name} unless given",
        metavar="ID_OR_PATH", company=_LM, needed=True,
    )  # fmt: skip
    methods: tuple[str, ...] = option(METHODS, "methods to compare", metavar="A,B,C")
    budgets: tuple[str, ...] = option(
        BUDGETS, "shares such as 10%, counts, or tokens such as 2M-tokens", metavar="B,B,B"
    )
    units: tuple[str, ...] = option(
        get_args(Unit), "what of a budget methods are compared at as many of", metavar="A,B",
        choices=dict.fromkeys(get_args(Unit), ""),
    )  # fmt: skip
    seeds: int = option(
        3, "splits of the pool, and seeds of methods and students", metavar="N", least=1, most=100
    )
    seed: int = option(0, "the first of the seeds", metavar="N", least=0, most=MAX_SEED)
    subsets: int = option(
        60, f"random subsets of the regression, at least {FOLDS}; 0 leaves it out",
        metavar="N", least=0, most=10_000,
    )  # fmt: skip
    patches: tuple[str, ...] = option(
        PATCHES, "patches that ILA is tried with too", metavar="HOW,HOW",
        choices=options_of(Spec)["patches"].choices,
    )  # fmt: skip
    depths: tuple[str, ...] = option(
        DEPTHS, "kinds of depth that ILA is tried with too", metavar="KIND,KIND",
        choices={
            kind: words for kind, words in options_of(Spec)["depth"].choices.items()
            if kind != AUTO
        },
    )  # fmt: skip
    depth_targets: tuple[float, ...] = option(
        DEPTH_TARGETS, "depth targets that ILA is tried with too",
        metavar="Q,Q", least=0, most=1,
    )  # fmt: skip
    epochs: float = option(
        1.0, "passes over as many tokens as random picks of a budget have: the steps of every "
        "language model at that budget", metavar="N", above=0, most=1000, company=_LM,
    )  # fmt: skip
    steps: int | None = option(
        None, "steps of every language model at every budget, in place of --epochs",
        metavar="N", least=1, most=1_000_000, company=_LM,
    )  # fmt: skip
    batch_tokens: int = option(
        2048, "tokens of a step", metavar="N", least=1, most=1 << 24, company=_LM
    )
    max_length: int = option(
        1024, "tokens of a record that are read", metavar="N",
        least=8, most=1 << 24, company=_LM,
    )  # fmt: skip
    lr: float | None = option(
        None, "peak learning rate", metavar="RATE", above=0, most=1, company=_LM
    )
    full: bool = option(False, "train all weights instead of a LoRA adapter", company=_LM)

    @classmethod
    def of(cls, **options: Any) -> StudySettings:
        """Return the settings of options by name; UsageError names one that is not known.

        >>> StudySettings.of(budgets=["5%", 100]).budgets
        ('5%', '100')
        >>> StudySettings.of(budget="5%")
        Traceback (most recent call last):
        ila_core.errors.UsageError: Unknown option 'budget'; a study takes student, lm, methods,
        budgets, units, seeds, seed, subsets, patches, depths, depth_targets, epochs, steps,
        batch_tokens, max_length, lr, full.
        """
        return make(cls, options, what="a study takes")

    def command(self, run: object, out: object) -> str:
        """Return the `ila study` line that makes this study again.

        >>> StudySettings.of(budgets=["5%"], seeds=2).command("RUN", "DIR")
        'ila study RUN --out DIR --budgets 5% --seeds 2'
        """
        return command("study", run, "--out", out, *words(self))

    @property
    def tried(self) -> dict[str, tuple[Any, ...]]:
        """What ILA is tried with beside its defaults, by the knobs of Spec."""
        return {knob: getattr(self, _option_of(knob)) for knob in STUDIED}

    def __post_init__(self) -> None:
        for name, known in options_of(StudySettings).items():
            object.__setattr__(self, name, known.check(getattr(self, name)))
        object.__setattr__(self, "budgets", _distinct(self.budgets))
        check_company(self)
        for method in self.methods:
            find(method)
        self._check_numbers()
        self._check_use()

    def _check_numbers(self) -> None:
        if self.seed + self.seeds - 1 > MAX_SEED:
            raise UsageError(
                f"--seed is {self.seed} and --seeds {self.seeds}; they are counted upwards, and "
                f"the last may be {MAX_SEED}."
            )
        if 0 < self.subsets < FOLDS:
            raise UsageError(
                f"--subsets is {self.subsets}; a regression needs at least {FOLDS}, or give 0 to "
                "leave it out."
            )

    def _check_use(self) -> None:
        """Refuse what lacks something, or would do nothing."""
        options = options_of(StudySettings)
        if self.steps is not None and self.epochs != options["epochs"].default:
            raise UsageError("--steps and --epochs both say how long to train; leave one out.")
        for name in map(_option_of, STUDIED):
            asked = getattr(self, name) not in ((), options[name].default)
            if asked and SUBJECT not in self.methods:
                flag = options[name].flag
                raise UsageError(
                    f"{flag} goes with method {SUBJECT} only; add it to --methods, or leave {flag} "
                    "out."
                )
        if not self.subsets and not (self.methods and self.budgets and self.units):
            raise UsageError("A study without methods, budgets and subsets has nothing to train.")


def _option_of(knob: str) -> str:
    """Return the option of a study that has the values of a knob: its plural.

    >>> _option_of("patches"), _option_of("depth")
    ('patches', 'depths')
    """
    return knob.removesuffix("s") + "s"


def _distinct(budgets: Iterable[str]) -> tuple[str, ...]:
    """Return the budgets without those that only are written otherwise.

    >>> _distinct(["10%", "10 %", "2k", "2000"])
    ('10%', '2k')
    """
    known: dict[tuple[str, object], str] = {}
    for budget in map(Budget.parse, budgets):
        known.setdefault((budget.kind, budget.value), budget.text)
    return tuple(known.values())
