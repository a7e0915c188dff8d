"""A job under way: its stages, how it ended, and the way to go on."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

import session
from ila_core.errors import IlaError
from ila_core.progress import duration
from jobs import process
from jobs.process import Job
from parts.texts import count, plain
from parts.wording import on_page
from session import Note


@dataclass(frozen=True)
class Kind:
    """What a job is called, and where its screen keeps what it knows of it."""

    name: str
    done: str
    """What is done of a part that is kept; empty where no part is."""
    followed: Note
    trouble: Note


BUILD = Kind("build", "finished", "followed build", "trouble")
STUDY = Kind("study", "trained", "followed study", "study trouble")
PICK = Kind("method", "", "followed picks", "picks trouble")
CLEAN = Kind("search", "", "followed cleaning", "cleaning trouble")


def follow(job: Job, kind: Kind) -> None:
    """Draw the whole page anew when a job's state has changed: lists beside it tell the same."""
    seen = (str(job.folder), job.state)
    before = session.recall(kind.followed, seen)
    session.remember(kind.followed, seen)
    if before != seen:
        st.rerun()


def running(job: Job, kind: Kind, *, ours: bool = True) -> None:
    """Show how far a job is, and the way to stop it if this page has started it."""
    with st.container(border=True):
        for stage in job.progress.get("stages") or [{"stage": "starting", "state": "running"}]:
            stage_line(stage)
        for notice in job.progress.get("notices") or []:
            st.caption(plain(str(notice)))
    passed = time.time() - float(job.progress.get("started") or job.changed)
    st.caption(
        f"{duration(passed)} so far. You may close this tab: the {kind.name} goes on, and this "
        "page finds it again."
    )
    if not ours:
        return
    st.button("Stop", icon=":material/stop_circle:", key=f"stop_{kind.name}",
              on_click=process.stop, args=(job.place, job.name),
              help=f"What is {kind.done} is kept" if kind.done else "Run again, it begins anew",
              )  # fmt: skip


def how_far(job: Job) -> str:
    """Return in a few words how far a running job is, to stand behind what is said of it.

    >>> job = Job(Path("pool"), "running", {"stage": "embedding", "done": 30, "total": 120})
    >>> how_far(job)
    ': embedding, 25%'
    """
    stage = plain(str(job.progress.get("stage") or ""))
    done, total = (int(job.progress.get(name) or 0) for name in ("done", "total"))
    if not stage:
        return ""
    return f": {stage}" + (f", {min(done / total, 1):.0%}" if total else "")


def ended(job: Job, kind: Kind, *, ours: bool = True) -> None:
    """Say why a job ended before it was done, and offer to go on."""
    if job.state == "failed":
        said = on_page(job.message) or f"The {kind.name} failed."
        st.error(plain(said), icon=":material/error:")
    else:
        said = on_page(job.message) or f"Stopped. What is {kind.done} is kept."
        st.warning(plain(said), icon=":material/pause_circle:")
    if ours:
        st.button("Go on" if job.state == "stopped" else "Try again", type="primary",
                  key=f"resume_{kind.name}", on_click=go_on,
                  args=(job.place, job.name, kind))  # fmt: skip


def go_on(place: Path, name: str, kind: Kind) -> None:
    """Callback: start the same command again."""
    try:
        process.resume(place, name)
    except (IlaError, OSError) as error:
        session.remember(kind.trouble, str(error))


def stage_line(stage: Mapping[str, object]) -> None:
    """Draw one stage of something long: done, or how far it is."""
    name = plain(str(stage["stage"])).capitalize()
    if stage["state"] != "running":
        how = "reused" if stage["state"] == "reused" else duration(float(stage["seconds"]))
        st.markdown(f":green[:material/check:] {name} :gray[{how}]")
        return
    done, total = int(stage.get("done") or 0), stage.get("total")
    parts = [f"{count(done)} of {count(int(total))}" if total else count(done) if done else ""]
    if stage.get("rate"):
        parts.append(f"{count(float(stage['rate']))} a second")
    if stage.get("words"):
        parts.append(plain(str(stage["words"])))
    if stage.get("eta_s"):
        parts.append(f"{duration(float(stage['eta_s']))} left")
    text = f"{name} :gray[{' · '.join(part for part in parts if part)}]"
    if total:
        st.progress(min(done / int(total), 1.0), text=text)
    else:
        st.markdown(f":material/hourglass_top: {text}")
