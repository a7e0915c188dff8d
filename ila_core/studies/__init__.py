"""Evidence: does a selection train a better model than chance does?

The pool is split by seed; a part is held out as dev before depth is ranked and before anything is
selected. Students are trained on selections from the rest, and their loss on dev is measured: over
all tokens (micro) and as the mean over the domains (macro). Two results come of it: curves of loss
against budget by method, and a regression of loss on coverage and depth over subsets that no
method has selected.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from ila_core.studies.findings import Gap, Mean, Study
from ila_core.studies.journal import identity, planned
from ila_core.studies.run import forecast, study
from ila_core.studies.settings import StudySettings

__all__ = [
    "Gap",
    "Mean",
    "Study",
    "StudySettings",
    "forecast",
    "identity",
    "planned",
    "study",
]


class _Callable(ModuleType):
    """`ila.study` names this module and the function in it: a call means the function.

    Python binds a submodule's name in its package on import, so whoever imports something from
    here would otherwise hide the function from `import ila_core as ila; ila.study(...)`.
    """

    def __call__(self, *args: Any, **options: Any) -> Study:
        return study(*args, **options)


sys.modules[__name__].__class__ = _Callable
