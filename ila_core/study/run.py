"""Train the students of a plan, one after another, and put together what they say."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ila_core.study.findings import Study
from ila_core.study.journal import Journal
from ila_core.study.plan import Job, Lesson, Teacher, plan, split
from ila_core.study.regression import regression
from ila_core.study.settings import StudySettings
from ila_core.study.students import Student, dev_loss, student_of

if TYPE_CHECKING:
    from ila_core.landscape import Landscape

Say = Callable[[str], None]


def study(
    landscape: Landscape, *, out: str | Path, say: Say = lambda _: None, **options: Any
) -> Study:
    """Train the students; write curves.parquet, regression.parquet and study.json to `out`.

    `options` are StudySettings'. The plan and its cost are told through `say` before the first
    student is trained. Finished students are noted in `out`, so a study that was stopped goes on
    to the same bytes; a folder that holds the study of another landscape or of other settings is
    refused (RunError).
    """
    settings, folder = StudySettings.of(**options), Path(out)
    student = student_of(landscape, settings, folder / "work")
    jobs = plan(landscape, settings)
    dev_records = len(split(landscape, settings.seed).dev)
    journal = Journal.open(folder, landscape, settings)
    left = [job for job in jobs if job.key not in journal.done]
    say(_told(student, jobs, left, dev_records))
    if left:
        student.prepare()
        _train(landscape, settings, student, left, journal, say)
    rows = [{**job.about, **journal.done[job.key]} for job in jobs]
    found = _findings(settings, rows, dev_records)
    found.save(folder)
    return found


def _told(student: Student, jobs: Sequence[Job], left: Sequence[Job], dev_records: int) -> str:
    """Return the plan and what it costs, in a line."""
    effort = sum(student.effort(job.records) for job in left)
    curves = sum(job.about["kind"] == "curve" for job in jobs)
    done = f", {len(jobs) - len(left):,} of them done" if len(left) < len(jobs) else ""
    return (
        f"study: {len(jobs):,} students ({curves:,} on selections, {len(jobs) - curves:,} for the "
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
) -> None:
    """Train all jobs and note them in their order; no more selections are held than trained on."""
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
        if done in (1, 3) or done % 20 == 0 or done == len(jobs):
            left = sum(efforts)
            left *= (time.monotonic() - started) / (whole - left)
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
