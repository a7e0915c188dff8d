"""The settings of a study: what is refused, and the line that asks for the same study again."""

from __future__ import annotations

import shlex

import pytest
from study_cases import SMALL

from ila_core.errors import UsageError
from ila_core.lm.tune import TuneSettings
from ila_core.options import MAX_SEED, options_of
from ila_core.studies.settings import StudySettings

HUGE = 10**400
LM = {"student": "lm", "lm": "a/b"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"student": "gpt"}, "Unknown student 'gpt'; choose ngram or lm"),
        ({"methods": ["ili"]}, "Unknown method 'ili'"),
        ({"budgets": ["half"]}, "Budget 'half' is not understood"),
        ({"seeds": 0}, "--seeds is 0; give a whole number from 1"),
        ({"subsets": 5}, "--subsets is 5; a regression needs at least 10"),
        ({"depth_targets": [2]}, "--depth-targets is 2; give a number from 0 to 1"),
        ({"depth_targets": [0.3], "methods": ["random"]}, "goes with method ila only"),
        ({"patches": ["even"], "methods": ["random"]}, "--patches goes with method ila only"),
        ({"depths": ["column"], "methods": ["random"]}, "--depths goes with method ila only"),
        ({"patches": ["round"]}, "Unknown patches 'round'; choose even or grid"),
        ({"depths": ["auto"]}, "Unknown depths 'auto'; choose loss-reduction, loss or column"),
        ({"budget": "1%"}, "Unknown option 'budget'; a study takes student, lm"),
        ({"budgets": [], "subsets": 0}, "nothing to train"),
        ({"units": [], "subsets": 0}, "nothing to train"),
        ({"units": ["words"]}, "Unknown units 'words'; choose records or tokens"),
        ({"seed": MAX_SEED, "seeds": 2}, f"counted upwards, and the last may be {MAX_SEED}"),
        ({"student": "lm", "lm": ""}, "--student lm needs --lm ID_OR_PATH"),
        ({**LM, "steps": 5, "epochs": 2}, "--steps and --epochs both say how long to train"),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        StudySettings.of(**options)


def test_a_language_model_is_the_packaged_one_unless_another_is_named():
    assert StudySettings.of(student="lm").lm == StudySettings.of(lm=None).lm == "smollm2"
    assert StudySettings.of(student="lm", lm="a/b").lm == "a/b"


def numbers() -> list[str]:
    """The options that are a number."""
    return [one.name for one in options_of(StudySettings).values() if one.item in (int, float)]


@pytest.mark.parametrize("value", [-1, 0, HUGE, -HUGE, float("nan"), float("inf")], ids=repr)
@pytest.mark.parametrize("name", numbers())
def test_every_number_is_meaningful_or_refused_in_a_sentence(name, value):
    """Also for the student that does not read it: it was accepted and ignored."""
    option = options_of(StudySettings)[name]
    given = {name: [value] if option.kind is tuple else value}
    company = LM if option.company else {}
    try:
        made = StudySettings.of(**given, **company)
    except UsageError as error:
        assert str(error).startswith(f"{option.flag} is {value}; give a")
    else:
        assert value == 0 and name in ("seed", "subsets", "depth_targets")
        assert getattr(made, name) in (0, (0.0,))


@pytest.mark.parametrize(
    "name", [one.name for one in options_of(StudySettings).values() if one.company]
)
def test_what_only_a_language_model_reads_is_refused_without_one(name):
    value = {"lm": "a/b", "full": True, "lr": 0.5}.get(name, 9)
    with pytest.raises(UsageError, match=r"goes with --student lm only; add that, or leave"):
        StudySettings.of(**{name: value})
    assert getattr(StudySettings.of(**{**LM, name: value}), name) == value


@pytest.mark.parametrize("bound", ["least", "most"])
def test_what_a_study_takes_fine_tuning_takes(bound):
    """Else the first student would be refused, when everything before it has been done."""
    for option in options_of(StudySettings).values():
        value = getattr(option, bound)
        if option.company and value is not None:
            assert getattr(TuneSettings("a/b", **{option.name: value}), option.name) == value


def test_settings_are_checked_however_they_are_made():
    with pytest.raises(UsageError, match="--seed is -1"):
        StudySettings(seed=-1)
    assert StudySettings(methods=["ila"], budgets="5%,1%").budgets == ("5%", "1%")


def test_a_budget_is_taken_once_however_often_it_is_written():
    assert StudySettings.of(budgets=["10%", "10 %", "10.0%", "2k", 2000]).budgets == ("10%", "2k")


def given_by(words: list[str]) -> dict[str, object]:
    """What a command line gives by options, with no help from the program."""
    given: dict[str, object] = {}
    options = {one.flag: one for one in options_of(StudySettings).values()}
    while words:
        option = options[words.pop(0)]
        given[option.name] = True if option.kind is bool else words.pop(0)
    return given


@pytest.mark.parametrize(
    "options",
    [
        {},
        SMALL,
        {"methods": ["ila"], "depth_targets": [], "seed": 4, "budgets": ["10%", "2000-tokens"]},
        {**LM, "lm": "a/b c", "epochs": 0.5, "lr": 1e-05, "full": True},
        {**LM, "steps": 7, "batch_tokens": 100, "max_length": 9, "lr": 0.1 + 0.2},
    ],
)
def test_the_command_of_a_study_asks_for_the_same_study(options):
    made = StudySettings.of(**options)
    words = shlex.split(made.command("RUN", "a folder"))
    assert words[:5] == ["ila", "study", "RUN", "--out", "a folder"]
    assert StudySettings.of(**given_by(words[5:])) == made
