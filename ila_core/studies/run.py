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

from ila_core.progress import Monitor, Say, duration, silent
from ila_core.studies.advice import advise
from ila_core.studies.findings import Study
from ila_core.studies.held_out import HeldOut
from ila_core.studies.journal import WORK, Journal
from ila_core.studies.lessons import Lesson, Teacher
from ila_core.studies.plan import CurveJob, Job, SubsetJob, UntrainedJob, plan, split
from ila_core.studies.regression import explained
from ila_core.studies.settings import StudySettings
from ila_core.studies.students import Student, dev_loss, student_of
from ila_core.studies.variant import RANDOM, Variant

if TYPE_CHECKING:
    from ila_core.landscape.landscape import Landscape

Result = dict[str, Any]
"""Of a student: its records and tokens, and its losses, None where it had nothing to learn from."""

_EVERY = 60.0
"""Seconds after which a line tells how far a study is."""


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
        findings = _findings(landscape, settings, results, dev_records, folder)
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
    kinds = {CurveJob: "on selections", SubsetJob: "for the regression", UntrainedJob: "untrained"}
    counts = {words: sum(isinstance(job, kind) for job in jobs) for kind, words in kinds.items()}
    parts = [f"{count:,} {words}" for words, count in counts.items() if count]
    if len(left) < len(jobs):
        parts[-1] += f"; {len(jobs) - len(left):,} of them done"
    return (
        f"{len(jobs):,} students ({', '.join(parts)}), each judged by {dev_records:,} held-out "
        f"records: {student.cost(len(left), effort)}"
    )


class _Countdown:
    """How many students are done, and how long the others will take, by their effort so far."""

    def __init__(self, efforts: Sequence[float]) -> None:
        self.efforts, self.whole = deque(efforts), sum(efforts)
        self.done = 0
        self.seconds: float | None = None
        """That the others will take; None until a student of some effort is done."""
        self.started = self.told = time.monotonic()

    def advance(self) -> None:
        """Count the next student as done."""
        self.efforts.popleft()
        self.done += 1
        left = sum(self.efforts)
        spent = time.monotonic() - self.started
        self.seconds = left * spent / (self.whole - left) if self.whole > left else None

    def worth_telling(self) -> bool:
        """Return whether it is time for a line: the first, every 20th, the last, each minute."""
        now = time.monotonic()
        told = self.done == 1 or self.done % 20 == 0 or not self.efforts
        if not told and now - self.told < _EVERY:
            return False
        self.told = now
        return True

    @property
    def left(self) -> str:
        """How long the others will take, in words; empty where nothing is known of it yet."""
        return "" if self.seconds is None else f", about {duration(self.seconds)} left"


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
        if remark := student.prepare():
            say(f"study: {remark}")
            monitor.notice(remark)
    with (
        monitor.stage("students", total=len(jobs)) as progress,
        closing(_results(landscape, settings, student, jobs)) as results,
    ):
        status = monitor.stages[-1]
        countdown = _Countdown([student.effort(job.records) for job in jobs])
        for job, result, held_out in results:
            if held_out is not None:
                held_out.save(journal.folder, job.key)
            journal.add(job, result)
            countdown.advance()
            status.left = countdown.seconds
            progress(countdown.done, None)
            if countdown.worth_telling():
                say(f"study: {countdown.done:,} of {len(jobs):,} students{countdown.left}")


def _results(
    landscape: Landscape, settings: StudySettings, student: Student, jobs: Sequence[Job]
) -> Generator[tuple[Job, Result, HeldOut | None]]:
    """Yield every job with what came of its student, in order.

    Students are trained side by side; no more selections are held than are trained on.
    """
    teacher: Teacher | None = None
    waiting: deque[tuple[Job, Future[tuple[Result, HeldOut | None]]]] = deque()
    with ThreadPoolExecutor(student.threads) as workers:
        try:
            for job in jobs:
                if teacher is None or teacher.seed != job.seed:
                    teacher = Teacher(landscape, settings, job.seed)
                lesson = teacher.lesson(job)
                waiting.append((job, workers.submit(_learn, student, lesson, job, landscape)))
                if len(waiting) > student.threads:
                    first, future = waiting.popleft()
                    yield first, *future.result()
            for job, future in waiting:
                yield job, *future.result()
        except BaseException:
            workers.shutdown(cancel_futures=True)
            raise


def _learn(
    student: Student, lesson: Lesson, job: Job, landscape: Landscape
) -> tuple[Result, HeldOut | None]:
    """Train one student; return what is to be noted of it, and what each held-out record costs it.

    Where no record has a response there is nothing to learn from, and no loss to compare.
    """
    micro = macro = None
    held_out = None
    if lesson.tokens > 0 or isinstance(job, UntrainedJob):
        dev = lesson.split.dev
        held_out = HeldOut(*student.losses(lesson.rows, dev, job.seed, job.records))
        micro, macro = dev_loss(*held_out, landscape.domain[dev])
    sizes = {"records": len(lesson.rows), "tokens": lesson.tokens}
    return {**sizes, **lesson.inputs, "micro": micro, "macro": macro}, held_out


def _idle(results: Sequence[tuple[Job, Result]]) -> str:
    """Return a sentence on the students that had nothing to learn from; empty without any."""
    idle = [job for job, result in results if result["micro"] is None]
    if not idle:
        return ""
    names = dict.fromkeys(job.name for job in idle)
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
    folder: Path,
) -> Study:
    trained = [(job, result) for job, result in results if result["micro"] is not None]
    kind = landscape.kind
    curves = [(job, r) for job, r in trained if isinstance(job, CurveJob)]
    errors = _errors(folder, [job for job, _ in curves])
    subsets = [{**job.about, **r} for job, r in trained if isinstance(job, SubsetJob)]
    unadvised = Study(
        student=settings.student,
        dev_records=dev_records,
        depth=kind,
        untrained=[{**job.about, **r} for job, r in trained if isinstance(job, UntrainedJob)],
        curves=[
            {**job.row(kind), **result, **job.row(kind), "error": errors.get(job.key)}
            for job, result in curves  # noted as "auto"
        ],
        subsets=subsets,
        regression=explained(subsets, settings.seed),
    )
    advice = advise(unadvised.losses, kind)
    return replace(unadvised, advice=advice.as_dict() if advice else {})


def _errors(folder: Path, jobs: Sequence[CurveJob]) -> dict[str, float | None]:
    """Return, by key, the error of each student's loss beside random's on the same records."""
    chance = {(job.spec.budget, job.unit, job.seed): job.key
              for job in jobs if Variant(job.spec) == RANDOM}  # fmt: skip
    errors: dict[str, float | None] = {}
    for job in jobs:
        other = chance.get((job.spec.budget, job.unit, job.seed), job.key)
        if other != job.key:
            own, beside = HeldOut.read(folder, job.key), HeldOut.read(folder, other)
            errors[job.key] = own.error_beside(beside) if own and beside else None
    return errors
