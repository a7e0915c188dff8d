"""Files are whole or not there at all, whoever else writes them, and whatever goes wrong."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ila_core.errors import IlaError, RunError
from ila_core.files import (
    hash_file,
    in_turn,
    locked,
    replacing,
    replacing_folder,
    sweep,
    write_text,
)


def test_replacing_keeps_the_old_file_when_the_block_fails(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), replacing(target) as temporary:
        temporary.write_text("half")
        _ = 1 / 0
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, int]]:
    """What is asked of the disk from now on, in order: what, of which inode, and its size then."""
    asked: list[tuple[str, int, int]] = []
    replace, sync = os.replace, os.fsync

    def replacing_it(source: Path, target: Path) -> None:
        asked.append(("replace", os.stat(source).st_ino, os.stat(source).st_size))
        replace(source, target)

    def syncing_it(descriptor: int) -> None:
        status = os.fstat(descriptor)
        asked.append(("sync", status.st_ino, status.st_size))
        sync(descriptor)

    monkeypatch.setattr(os, "replace", replacing_it)
    monkeypatch.setattr(os, "fsync", syncing_it)
    return asked


def test_a_file_is_on_the_disk_before_it_takes_its_place(
    tmp_path: Path, disk: list[tuple[str, int, int]]
) -> None:
    write_text(tmp_path / "a.txt", "whole")
    file, folder = (tmp_path / "a.txt").stat().st_ino, tmp_path.stat().st_ino
    assert [entry[:2] for entry in disk] == [("sync", file), ("replace", file), ("sync", folder)]
    assert disk[0][2] == disk[1][2] == len("whole")


def test_a_folder_is_on_the_disk_before_it_takes_its_place(
    tmp_path: Path, disk: list[tuple[str, int, int]]
) -> None:
    with replacing_folder(tmp_path / "model") as temporary:
        (temporary / "deep").mkdir()
        (temporary / "deep" / "config.json").write_text("{}")
    inside = {path.stat().st_ino for path in (tmp_path / "model").rglob("*")}
    moved = [what for what, _, _ in disk].index("replace")
    assert inside <= {inode for _, inode, _ in disk[:moved]}
    assert disk[moved + 1][:2] == ("sync", tmp_path.stat().st_ino)


def test_what_is_made_again_where_it_is_lost_waits_for_no_disk(
    tmp_path: Path, disk: list[tuple[str, int, int]]
) -> None:
    write_text(tmp_path / "a.txt", "whole", lasting=False)
    assert [what for what, _, _ in disk] == ["replace"]


def test_a_folder_that_cannot_be_synced_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync = os.fsync

    def only_files(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "no folder is synced here")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", only_files)
    write_text(tmp_path / "a.txt", "whole")
    assert (tmp_path / "a.txt").read_text() == "whole"


def test_a_disk_that_fills_up_at_last_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.txt").write_text("old")

    def fail(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(IlaError, match="disk is full"):
        write_text(tmp_path / "a.txt", "new")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_a_folder_takes_its_place_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "model"
    for text in ("old", "new"):
        with replacing_folder(target) as temporary:
            (temporary / "config.json").write_text(text)
    with pytest.raises(ZeroDivisionError), replacing_folder(target) as temporary:
        _ = 1 / 0
    assert (target / "config.json").read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


def test_folders_of_killed_processes_are_swept(tmp_path: Path) -> None:
    code = f"""
import os
from pathlib import Path
from ila_core.files import replacing_folder
with replacing_folder(Path({str(tmp_path)!r}) / "model") as temporary:
    (temporary / "half").write_text("")
    os._exit(9)
"""
    assert subprocess.run([sys.executable, "-c", code]).returncode == 9
    with replacing_folder(tmp_path / "mine") as temporary:
        assert len(list(tmp_path.iterdir())) == 2
        sweep(tmp_path)
        assert list(tmp_path.iterdir()) == [temporary]


def test_who_waits_for_a_folder_gets_it_when_it_is_let_go(tmp_path: Path) -> None:
    order: list[str] = []

    def wait() -> None:
        with locked(tmp_path, "", wait=True):
            order.append("second")

    with ThreadPoolExecutor(1) as pool, locked(tmp_path, ""):
        second = pool.submit(wait)
        with pytest.raises(RunError, match="taken"), locked(tmp_path, "taken"):
            pass
        order.append("first")
    second.result()
    assert order == ["first", "second"]


def test_a_full_disk_is_told_in_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(IlaError, match="disk is full"), replacing(tmp_path / "a") as temporary:
        temporary.write_text("part")
        raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_a_file_under_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(IlaError, match="cannot be written"), replacing(tmp_path / "file" / "a"):
        pass


def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("folder", "pipe"):
        with pytest.raises(IlaError, match="name a file"), replacing(tmp_path / name):
            pass
    assert (tmp_path / "pipe").is_fifo()


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "a").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "there" / "a")
    write_text(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there" / "a").read_text() == "new"


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EFBIG, "File too large"),
        OSError("464859 requested and 405440 written"),
    ],
)
def test_every_way_to_say_that_the_disk_is_full(tmp_path: Path, error: OSError) -> None:
    with pytest.raises(IlaError, match="disk is full"), replacing(tmp_path / "a"):
        raise error


def test_a_pool_that_cannot_be_read_is_not_called_unwritable(tmp_path: Path) -> None:
    with pytest.raises(IlaError, match="cannot be read"):
        hash_file(tmp_path)


def test_threads_that_write_one_file_never_mix_their_lines(tmp_path: Path) -> None:
    """Each writes its own letter, slowly; whoever ends last has the whole file."""
    target = tmp_path / "file.txt"
    together = threading.Barrier(6)

    def write(letter: str) -> None:
        with replacing(target) as temporary, temporary.open("w", buffering=1) as stream:
            together.wait(30)
            for _ in range(200):
                stream.write(letter * 50 + "\n")

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(write, "abcdef"))  # raises what any of them raised
    lines = target.read_text().splitlines()
    assert len(lines) == 200 and len(set(lines)) == 1
    assert list(tmp_path.iterdir()) == [target]


def test_one_thread_may_write_a_file_twice_at_once(tmp_path: Path) -> None:
    target = tmp_path / "file.txt"
    with replacing(target) as outer, replacing(target) as inner:
        outer.write_text("outer")
        inner.write_text("inner")
    assert target.read_text() == "outer"


def test_a_name_as_long_as_names_may_be(tmp_path: Path) -> None:
    target = tmp_path / ("é" * 127)
    write_text(target, "whole")
    assert target.read_text() == "whole"


def test_only_what_is_ours_and_unfinished_for_good_is_swept(tmp_path: Path) -> None:
    code = (
        "import os, sys; from ila_core.files import replacing\n"
        "with replacing(sys.argv[1]) as part:\n"
        "    part.write_text('half')\n"
        "    os._exit(1)\n"
    )
    deep = tmp_path / "a" / "file.txt"
    subprocess.run([sys.executable, "-c", code, str(deep)], check=False)
    [left] = deep.parent.iterdir()
    (tmp_path / ".others.123.part").write_text("")
    (tmp_path / "mine.part").write_text("")
    with replacing(tmp_path / "now.txt") as temporary:
        temporary.write_text("under way")
        sweep(tmp_path)
        assert temporary.exists() and not left.exists()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [".others.123.part", "a", "mine.part", "now.txt"]


def test_half_a_character_is_written_as_its_escape(tmp_path: Path) -> None:
    name = os.fsdecode(b"p\xff.jsonl")
    write_text(tmp_path / "manifest.json", json.dumps({"name": name}, ensure_ascii=False))
    assert json.loads((tmp_path / "manifest.json").read_bytes()) == {"name": name}


def test_what_cannot_be_read_on_the_way_is_not_said_to_be_written(tmp_path: Path) -> None:
    target, source = tmp_path / "out" / "file", tmp_path / "source"
    told = r"source cannot be opened \(No such file or directory\)"
    with pytest.raises(IlaError, match=told), replacing(target):
        source.read_text()
    taken = tmp_path / "taken"
    taken.touch()
    with pytest.raises(IlaError, match=r"taken/file cannot be written"), replacing(taken / "file"):
        pass


def test_who_wants_a_folder_that_is_held_waits_and_nothing_is_left_in_it(tmp_path: Path) -> None:
    order: list[str] = []

    def other() -> None:
        with in_turn(tmp_path):
            order.append("second")

    with in_turn(tmp_path):
        waits = threading.Thread(target=other)
        waits.start()
        waits.join(0.2)
        order.append("first")
    waits.join(10)
    assert order == ["first", "second"] and not list(tmp_path.iterdir())
    with in_turn(tmp_path / "absent"):
        pass
