"""Train the students of a plan, one after another, and put together what they say."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ila_core.progress import Monitor
from ila_core.studies.findings import Study
from ila_core.studies.journal import Journal
from ila_core.studies.plan import Job, Lesson, Teacher, plan, split
from ila_core.studies.regression import regression
from ila_core.studies.settings import StudySettings
from ila_core.studies.students import Student, dev_loss, student_of

if TYPE_CHECKING:
    from ila_core.landscape.landscape import Landscape

Say = Callable[[str], None]


def study(
    landscape: Landscape, *, out: str | Path, say: Say = lambda _: None, **options: Any
) -> Study:
    """Train the students; write curves.parquet, regression.parquet and study.json to `out`.

    `options` are StudySettings'. The plan and its cost are told through `say` before the first
    student is trained. Finished students are noted in `out`, so a study that was stopped goes on
    to the same bytes; a folder that holds the study of another landscape or of other settings is
    refused (RunError). How far it is stands in `out`/progress.json, as in a build's folder.
    """
    settings, folder = StudySettings.of(**options), Path(out)
    student = student_of(landscape, settings, folder / "work")
    jobs = plan(landscape, settings)
    dev_records = len(split(landscape, settings.seed).dev)
    journal = Journal.open(folder, landscape, settings)
    left = [job for job in jobs if job.key not in journal.done]
    with Monitor(folder).watching() as monitor:
        say(f"study: {_told(student, jobs, left, dev_records)}")
        monitor.notice(_told(student, jobs, left, dev_records))
        if left:
            with monitor.stage("tokens" if settings.student == "ngram" else "model"):
                student.prepare()
            with monitor.stage("students", total=len(left)) as progress:
                stage = monitor.stages[-1]

                def tell(done: int, seconds: float) -> None:
                    stage.left = seconds
                    progress(done, None)

                _train(landscape, settings, student, left, journal, say, tell)
        rows = [{**job.about, **journal.done[job.key]} for job in jobs]
        found = _findings(settings, rows, dev_records)
        found.save(folder)
    return found


def forecast(landscape: Landscape, settings: StudySettings) -> str:
    """Return the plan of a study and what it costs, in a line; IlaError where it cannot be run."""
    jobs = plan(landscape, settings)
    student = student_of(landscape, settings, Path())
    return _told(student, jobs, jobs, len(split(landscape, settings.seed).dev))


def _told(student: Student, jobs: Sequence[Job], left: Sequence[Job], dev_records: int) -> str:
    """Return the plan and what it costs, in a line."""
    effort = sum(student.effort(job.records) for job in left)
    curves = sum(job.about["kind"] == "curve" for job in jobs)
    done = f", {len(jobs) - len(left):,} of them done" if len(left) < len(jobs) else ""
    return (
        f"{len(jobs):,} students ({curves:,} on selections, {len(jobs) - curves:,} for the "
        f"regression{done}), each judged by {dev_records:,} held-out records: "
        f"{student.cost(len(left), effort)}"
    )


def _train(
    landscape: Landscape,
    settings: StudySettings,
    student: Student,
    jobs: Sequence[Job],
    journal: Journal,
    say: Say,
    tell: Callable[[int, float], None],
) -> None:
    """Train all jobs and note them in their order; no more selections are held than trained on.

    `tell` learns how many are done and how many seconds are left.
    """
    efforts = deque(student.effort(job.records) for job in jobs)
    started, done = time.monotonic(), 0
    waiting: deque[tuple[Job, Future[dict[str, Any]]]] = deque()
    whole = sum(efforts)

    def finish_first() -> None:
        nonlocal done
        job, future = waiting.popleft()
        journal.add(job, future.result())
        efforts.popleft()
        done += 1
        left = sum(efforts)
        left *= (time.monotonic() - started) / (whole - left)
        tell(done, left)
        if done in (1, 3) or done % 20 == 0 or done == len(jobs):
            say(f"study: {done:,} of {len(jobs):,} students, about {left:,.0f} s left")

    teacher: Teacher | None = None
    with ThreadPoolExecutor(student.threads) as workers:
        try:
            for job in jobs:
                if teacher is None or teacher.seed != job.about["seed"]:
                    teacher = Teacher(landscape, settings, job.about["seed"])
                future = workers.submit(_learn, student, teacher.lesson(job), job, landscape)
                waiting.append((job, future))
                if len(waiting) > student.threads:
                    finish_first()
            while waiting:
                finish_first()
        except BaseException:
            workers.shutdown(cancel_futures=True)
            raise


def _learn(student: Student, lesson: Lesson, job: Job, landscape: Landscape) -> dict[str, Any]:
    """Train one student; return what is to be noted of it."""
    dev = lesson.split.dev
    nats, tokens = student.losses(lesson.rows, dev, job.about["seed"])
    micro, macro = dev_loss(nats, tokens, landscape.domain[dev])
    return {**lesson.found, "micro": micro, "macro": macro}


def _findings(settings: StudySettings, rows: Sequence[dict[str, Any]], dev_records: int) -> Study:
    of_kind: dict[str, list[dict[str, Any]]] = {"curve": [], "regression": []}
    for row in rows:
        of_kind[row["kind"]].append({name: v for name, v in row.items() if name != "kind"})
    subsets = of_kind["regression"]
    return Study(
        student=settings.student,
        dev_records=dev_records,
        curves=of_kind["curve"],
        subsets=subsets,
        regression=regression(subsets, settings.seed) if subsets else {},
    )
