"""Train the students of a plan, one after another, and put together what came of them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ila_core.progress import Monitor, Say, silent
from ila_core.studies.advice import advise
from ila_core.studies.findings import Study
from ila_core.studies.journal import WORK, Journal
from ila_core.studies.lessons import Lesson, Teacher
from ila_core.studies.plan import CurveJob, Job, SubsetJob, plan, split
from ila_core.studies.regression import explained
from ila_core.studies.settings import StudySettings
from ila_core.studies.students import Student, dev_loss, student_of

if TYPE_CHECKING:
    from ila_core.landscape.landscape import Landscape

Result = dict[str, Any]
"""Of a student: its records and tokens, and its losses, None where it had nothing to learn from."""


def study(landscape: Landscape, *, out: str | Path, say: Say = silent, **options: Any) -> Study:
    """Train the students; write curves.parquet, regression.parquet and study.json to `out`.

    `options` are StudySettings'. The plan and its cost are told through `say` before the first
    student is trained. Finished students are noted in `out`, so a study that was stopped goes on
    to the same bytes; a folder in which a study runs, or that holds the study of another landscape
    or of other settings, is refused (RunError). How far it is stands in `out`/progress.json, as in
    a build's folder.
    """
    settings, folder = StudySettings.of(**options), Path(out)
    student = student_of(landscape, settings, folder / WORK)
    jobs = plan(landscape, settings)
    dev_records = len(split(landscape, settings.seed).dev)
    with Journal.of(folder, landscape, settings) as journal, Monitor(folder).watching() as monitor:
        left = [job for job in jobs if job.key not in journal.done]
        outlook = _outlook(student, jobs, left, dev_records)
        say(f"study: {outlook}")
        monitor.notice(outlook)
        if left:
            _train(landscape, settings, student, left, journal, monitor, say)
        results = [(job, journal.done[job.key]) for job in jobs]
        if idle := _idle(results):
            say(f"study: {idle}")
            monitor.notice(idle)
        findings = _findings(landscape, settings, results, dev_records)
        findings.save(folder)
    return findings


def forecast(landscape: Landscape, settings: StudySettings) -> str:
    """Return the plan of a study and what it costs, in a line; IlaError where it cannot be run."""
    jobs = plan(landscape, settings)
    student = student_of(landscape, settings, Path())
    return _outlook(student, jobs, jobs, len(split(landscape, settings.seed).dev))


def _outlook(student: Student, jobs: Sequence[Job], left: Sequence[Job], dev_records: int) -> str:
    """Return the plan and what it costs, in a line."""
    effort = sum(student.effort(job.records) for job in left)
    curves = sum(isinstance(job, CurveJob) for job in jobs)
    done = f", {len(jobs) - len(left):,} of them done" if len(left) < len(jobs) else ""
    return (
        f"{len(jobs):,} students ({curves:,} on selections, {len(jobs) - curves:,} for the "
        f"regression{done}), each judged by {dev_records:,} held-out records: "
        f"{student.cost(len(left), effort)}"
    )


class _Countdown:
    """How many students are done, and how long the others will take, by their effort so far."""

    def __init__(self, efforts: Sequence[float]) -> None:
        self.efforts, self.whole = deque(efforts), sum(efforts)
        self.done, self.seconds = 0, 0.0
        self.started = time.monotonic()

    def advance(self) -> None:
        """Count the next student as done."""
        self.efforts.popleft()
        self.done += 1
        left = sum(self.efforts)
        self.seconds = left * (time.monotonic() - self.started) / (self.whole - left)

    @property
    def worth_telling(self) -> bool:
        """Whether it is time for a line: after the first, the third, every 20th and the last."""
        return self.done in (1, 3) or self.done % 20 == 0 or not self.efforts


def _train(
    landscape: Landscape,
    settings: StudySettings,
    student: Student,
    jobs: Sequence[Job],
    journal: Journal,
    monitor: Monitor,
    say: Say,
) -> None:
    """Train the students of all jobs and note what came of them."""
    with monitor.stage(student.preparation):
        student.prepare()
    with (
        monitor.stage("students", total=len(jobs)) as progress,
        closing(_results(landscape, settings, student, jobs)) as results,
    ):
        status = monitor.stages[-1]
        countdown = _Countdown([student.effort(job.records) for job in jobs])
        for job, result in results:
            journal.add(job, result)
            countdown.advance()
            status.left = countdown.seconds
            progress(countdown.done, None)
            if countdown.worth_telling:
                say(
                    f"study: {countdown.done:,} of {len(jobs):,} students, about "
                    f"{countdown.seconds:,.0f} s left"
                )


def _results(
    landscape: Landscape, settings: StudySettings, student: Student, jobs: Sequence[Job]
) -> Generator[tuple[Job, Result]]:
    """Yield every job with what came of its student, in order.

    Students are trained side by side; no more selections are held than are trained on.
    """
    teacher: Teacher | None = None
    waiting: deque[tuple[Job, Future[Result]]] = deque()
    with ThreadPoolExecutor(student.threads) as workers:
        try:
            for job in jobs:
                if teacher is None or teacher.seed != job.seed:
                    teacher = Teacher(landscape, settings, job.seed)
                lesson = teacher.lesson(job)
                waiting.append((job, workers.submit(_learn, student, lesson, job, landscape)))
                if len(waiting) > student.threads:
                    first, future = waiting.popleft()
                    yield first, future.result()
            for job, future in waiting:
                yield job, future.result()
        except BaseException:
            workers.shutdown(cancel_futures=True)
            raise


def _learn(student: Student, lesson: Lesson, job: Job, landscape: Landscape) -> Result:
    """Train one student; return what is to be noted of it.

    Where no record has a response there is nothing to learn from, and no loss to compare.
    """
    micro = macro = None
    if lesson.tokens > 0:
        dev = lesson.split.dev
        nats, tokens = student.losses(lesson.rows, dev, job.seed)
        micro, macro = dev_loss(nats, tokens, landscape.domain[dev])
    sizes = {"records": len(lesson.rows), "tokens": lesson.tokens}
    return {**sizes, **lesson.inputs, "micro": micro, "macro": macro}


def _idle(results: Sequence[tuple[Job, Result]]) -> str:
    """Return a sentence on the students that had nothing to learn from; empty without any."""
    idle = [job for job, result in results if result["micro"] is None]
    if not idle:
        return ""
    names = dict.fromkeys(
        f"{job.spec.method} at {job.spec.budget} and equal {job.unit}"
        if isinstance(job, CurveJob)
        else f"subset {job.subset}"
        for job in idle
    )
    more = f" and {len(names) - 3} others" if len(names) > 3 else ""
    return (
        f"{len(idle):,} students are left out: what was chosen for them holds no response "
        f"({', '.join(list(names)[:3])}{more}); give larger budgets."
    )


def _findings(
    landscape: Landscape,
    settings: StudySettings,
    results: Sequence[tuple[Job, Result]],
    dev_records: int,
) -> Study:
    trained = [(job, result) for job, result in results if result["micro"] is not None]
    kind = landscape.kind
    curves = [(job.row(kind), r) for job, r in trained if isinstance(job, CurveJob)]
    subsets = [{**job.about, **r} for job, r in trained if isinstance(job, SubsetJob)]
    unadvised = Study(
        student=settings.student,
        dev_records=dev_records,
        depth=kind,
        curves=[{**row, **result, **row} for row, result in curves],  # noted as "auto"
        subsets=subsets,
        regression=explained(subsets, settings.seed),
    )
    advice = advise(unadvised.losses, kind)
    return replace(unadvised, advice=advice.as_dict() if advice else {})
