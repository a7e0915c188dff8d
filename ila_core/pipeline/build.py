"""From a pool to a landscape: the only module that knows the order of the stages.

    records -> labels ------------------------------\\
       \\---> vectors -> places --------------------- landscape
        \\         \\---> domains (beside a large pool's places) --/
         \\---> loss (beside the others, when no language model scores) --/

Every stage has a key made of its settings and of what it read, so a stage that is finished is
never made again and a killed build goes on where it stopped.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ila_core._version import __version__
from ila_core.errors import UsageError
from ila_core.landscape.buckets import prepared, sent
from ila_core.landscape.folder import FORMAT, open_run
from ila_core.pipeline.apart import dividing_beside, scoring_beside
from ila_core.pipeline.ingesting import check_fields, check_pool, numbers, read
from ila_core.pipeline.joining import Join
from ila_core.pipeline.labelling import label
from ila_core.pipeline.ordering import leave_order
from ila_core.pipeline.placing import divide, encode, project
from ila_core.pipeline.publish import Run
from ila_core.pipeline.settings import (
    BuildSettings,
    DepthSettings,
    EngineSettings,
    LossSettings,
)
from ila_core.pipeline.step import Made, Step, versions
from ila_core.pool.inputs import Input, hashed, unread
from ila_core.pool.remote import is_remote
from ila_core.progress import Listener, Monitor

if TYPE_CHECKING:
    from ila_core.distributed.fleet import Fleet
    from ila_core.landscape.landscape import Landscape
    from ila_core.pool.records import Records

LIBRARIES = (
    "numpy", "scipy", "pyarrow", "orjson", "numba", "scikit-learn", "umap-learn", "pynndescent",
    "openTSNE", "torch", "tokenizers", "transformers", "sentence-transformers", "model2vec", "peft",
    "icu4py", "stopwordsiso",
)  # fmt: skip
"""What the manifest names the versions of: everything that any stage's result depends on."""


def build(
    pool: str | Path | Sequence[str | Path],
    *,
    out: str | Path,
    settings: BuildSettings | None = None,
    listener: Listener | None = None,
    **options: Any,
) -> Landscape:
    """Read a pool, compute its landscape into the folder `out`, and return it opened.

    `settings`, or `options`: those of `ila build` with underscores (`encoder="minilm"`,
    `loss="none"`, see BuildSettings). Finished stages of an earlier build of the same pool are
    used again; a folder that holds another pool is refused (RunError). `out` may be an address in a
    bucket, s3:// or gs://: it is built in the cache folder, and sent when it is finished.
    `listener` is called about twice a second with the Monitor of the build.
    """
    settings = settings or BuildSettings.of(**options)
    paths = [pool] if isinstance(pool, (str, Path)) else list(pool)
    run = Run.create(prepared(out))
    with (
        run.locked(),
        Monitor(run.folder, listener).watching() as monitor,
        engine(settings, monitor) as fleet,
    ):
        check_device(settings)
        prepare_models(settings, monitor)
        with monitor.stage("checking input") as progress:
            inputs = hashed(paths, split=settings.split, progress=progress)
        check_pool(run.folder, inputs)
        step = Step(run, monitor, fleet)
        records = step(read(settings, inputs, unread(paths, settings.split)))
        check_fields(settings, records.value)
        columns = step(numbers(settings, records))
        with scoring_beside(step, settings.part(LossSettings), records) as scored:
            labels = step(label(settings, records))
            vectors = step(encode(settings, records))
            places = project(settings, columns, vectors)
            parts = divide(settings, records, labels, vectors)
            with dividing_beside(step, parts, records, places) as divided:
                xy = step(places)
                domains = divided()
            loss = scored()
        depth, tuned = settings.part(DepthSettings), settings.tuned_lm
        join = Join(records, columns, xy, loss, labels, domains, depth, tuned, run.folder)
        landscape = step(join)
        made = (records, columns, labels, vectors, xy, domains, loss, landscape)
        command = settings.command(paths, out if is_remote(str(out)) else run.folder)
        run.publish(
            [one.folder for one in made if one.folder],
            manifest_of(settings, command, inputs, made, records.value),
        )
        opened = open_run(run.folder)
        leave_order(opened, monitor)
        if is_remote(str(out)):
            with monitor.stage(f"sending to {out}"):
                sent(out)
    return opened


@contextmanager
def engine(settings: EngineSettings, monitor: Monitor) -> Iterator[Fleet | None]:
    """Hold what does blocks of work beside this process; None where it does all itself."""
    if settings.engine != "ray":
        yield None
        return
    from ila_core.distributed.fleet import Fleet

    with ExitStack() as stack:
        fleet = Fleet(settings.ray_address)
        with monitor.stage("reaching Ray"):
            stack.enter_context(fleet)
        yield fleet


def check_device(settings: BuildSettings) -> None:
    """Refuse a device that is not there before anything is read.

    On Ray, which gives every worker a GPU of its own, one that names a GPU by its number.
    """
    device = settings.device
    if settings.engine == "ray":
        if set(device) & {":", ","}:
            raise UsageError(
                f"--device is {device!r}; on Ray every worker has a device of its own: give its "
                "kind alone, cuda or cpu, or auto."
            )
    elif device != "auto" and settings.runs_models:
        from ila_core.lm.model import devices

        devices(device)


def prepare_models(settings: BuildSettings, monitor: Monitor) -> None:
    """Have a language model that comes as a file ready before the pool is read."""
    from ila_core.lm.packaged import is_file, resolve

    named = [name for name in settings.models if is_file(name)]
    if named:
        with monitor.stage("preparing the model"):
            for name in named:
                resolve(name)


def manifest_of(
    settings: BuildSettings,
    command: str,
    inputs: Sequence[Input],
    made: Sequence[Made[Any]],
    records: Records,
) -> dict[str, Any]:
    """Return what the manifest says of a build, but for its artifacts."""
    facts = {one.folder.name: one.facts for one in made if one.folder}
    scored = facts["loss"]
    return {
        "format": FORMAT,
        "ila": __version__,
        "command": command,
        "built": datetime.now(UTC).isoformat(timespec="seconds"),
        "settings": asdict(settings),
        "inputs": [
            {"name": file.path.name, "sha256": file.sha256, "bytes": file.bytes} for file in inputs
        ],
        "fields": records.mapping,
        "understood": records.understood.sentence(),
        "counts": records.counts,
        "fingerprint": records.fingerprint,
        "notes": [note for one in made for note in one.notes],
        "loss": {
            **scored.get("meta", {}),
            "truncated": scored.get("truncated", 0),
            "missing": scored.get("missing", {}),
            "tuned_rows": facts["landscape"]["tuned_rows"],
        },
        "stages": {
            one.folder.name: {"key": one.folder.key, **one.facts} for one in made if one.folder
        },
        "versions": {"python": platform.python_version(), **versions(LIBRARIES)},
    }
