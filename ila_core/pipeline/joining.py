"""The last stage: places, loss, skills and domains joined to the columns of the landscape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ila_core.artifacts import TABLE, TUNED
from ila_core.files import write_text
from ila_core.landscape import depth as formulas
from ila_core.landscape.folder import write_table
from ila_core.pipeline.ingesting import SCORES
from ila_core.pipeline.labelling import Labelled
from ila_core.pipeline.publish import StageFolder
from ila_core.pipeline.settings import DepthSettings
from ila_core.pipeline.step import Desk, Facts, Made, Stage

if TYPE_CHECKING:
    from ila_core.pool.records import Records
    from ila_core.space.domains import Domains

Columns = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Join(Stage[None]):
    """The landscape: one row a record."""

    name = "landscape"
    version = 2

    records: Made[Records]
    columns: Made[Columns]
    """The numbers that came with the pool."""
    xy: Made[np.ndarray]
    loss: Made[Columns]
    labels: Made[Labelled]
    domains: Made[Domains]
    depth: DepthSettings
    tuned_lm: str | None
    out: Path = field(compare=False)
    """Where people find the files, for what is said of them."""

    @property
    def total(self) -> int:
        return len(self.records.value)

    @property
    def libraries(self) -> Sequence[str]:
        return ("numpy", "pyarrow")

    def make(self, desk: Desk) -> Facts:
        skills = self.labels.value.skills(self.total)
        domains = self.domains.value
        given = self.columns.value
        columns = {
            "x": self.xy.value[:, 0],
            "y": self.xy.value[:, 1],
            **self.losses(),
            "skills": skills,
            **{name: given[name] for name in SCORES if name in given},
        }
        if name := self.depth.depth_column:
            columns["given_depth"] = given[name]
        depth = [
            formulas.depth(columns[name], 1.0 if name == "given_depth" else skills)
            for name in ("given_depth", "loss_reduction", "loss")
            if name in columns
        ]
        write_table(desk.folder.path / TABLE, columns, domains.domain, domains.names)
        rows = self.tuned_rows()
        if rows is not None:
            write_text(desk.folder.path / TUNED, "".join(f"{row}\n" for row in rows.tolist()))
        return {
            "unlabelled": int(np.isnan(skills).sum()),
            "without_depth": int(np.isnan(depth[0]).sum()),
            "without_loss": int(np.isnan(self.loss.value["loss"]).sum()),
            "tuned_rows": None if rows is None else len(rows),
        }

    def load(self, folder: StageFolder) -> None:
        """The landscape is opened when it is published."""

    def losses(self) -> dict[str, np.ndarray]:
        """Return the losses by name; a tuned model gives the reduction beside its own loss."""
        losses = dict(self.loss.value)
        if "tuned_loss" in losses:
            losses["loss_reduction"] = losses["loss"] - losses["tuned_loss"]
        return losses

    def tuned_rows(self) -> np.ndarray | None:
        """Return the rows that the tuned model has learned from.

        None where no tuned model is named or nothing is known of its making.
        """
        if (model := self.tuned_lm) is None:
            return None
        from ila_core.lm.tune import tuned_rows

        return tuned_rows(model, self.records.value.conversations, self.total)

    def notes(self, value: None, facts: Facts) -> Sequence[str]:
        notes, model, rows = [], self.tuned_lm, facts["tuned_rows"]
        if model is not None and rows is None:
            notes.append(
                f"Which records {model} was tuned on is not known; any of this pool among them "
                "look deeper than they are."
            )
        elif model is not None:
            notes.append(
                f"{model} was tuned on {rows:,} of these records, which look deeper for it. "
                f"They stay selectable; leave them out with --exclude {self.out / TUNED}."
            )
        if unlabelled := facts["unlabelled"]:
            notes.append(f"{unlabelled:,} records got no labels; their depth is missing.")
        missing = facts["without_depth"]
        if missing and missing != facts["without_loss"]:
            notes.append(f"{missing:,} of {self.total:,} records have no depth.")
        return notes
