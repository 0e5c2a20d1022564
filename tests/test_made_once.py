"""What the cache holds is made once, whole or not at all, however many come at once and whoever is killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from index.made_once import FILES, is_whole, made_once


def write(folder: Path) -> None:
    """Leave a trace of the call, and write files in two folders."""
    with (folder.parent / "trace").open("a") as trace:
        trace.write("once\n")
    (folder / "weights").write_text("w" * 1000)
    (folder / "ที่").mkdir()
    (folder / "ที่" / "คำ").write_text("น้ำ", "utf-8")


def make(cache: Path) -> None:
    made_once(cache / "model", write)


def hang(cache: Path) -> None:
    def write_half(folder: Path) -> None:
        (folder / "weights").write_text("w")
        (cache / "begun").touch()
        time.sleep(60)

    made_once(cache / "model", write_half)


def test_two_processes_that_start_at_once_make_it_once(tmp_path):
    context = multiprocessing.get_context("spawn")
    starts = [context.Process(target=make, args=(tmp_path,)) for _ in range(2)]
    for process in starts:
        process.start()
    for process in starts:
        process.join()
    assert [process.exitcode for process in starts] == [0, 0]
    assert (tmp_path / "trace").read_text() == "once\n" and (tmp_path / "model" / "ที่" / "คำ").read_text("utf-8") == "น้ำ"


@pytest.mark.parametrize("damage", ["weights", "ที่/คำ", FILES])
def test_what_is_half_copied_is_made_again(tmp_path, damage):
    folder = made_once(tmp_path / "model", write)
    (folder / damage).write_text("w")
    assert not is_whole(folder)
    made_once(folder, write)
    assert is_whole(folder) and (folder / "weights").stat().st_size == 1000


def test_what_fails_leaves_nothing(tmp_path):
    def fail(folder: Path) -> None:
        (folder / "weights").write_text("w" * 1000)
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        made_once(tmp_path / "model", fail)
    assert [path.name for path in tmp_path.iterdir()] == ["model.lock"]


def test_what_a_killed_process_began_is_cleared_away_by_the_next(tmp_path):
    process = multiprocessing.get_context("spawn").Process(target=hang, args=(tmp_path,))
    process.start()
    while not (tmp_path / "begun").exists():
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    make(tmp_path)
    assert is_whole(tmp_path / "model") and {path.name for path in tmp_path.iterdir()} == {"begun", "trace", "model", "model.lock"}


def test_what_is_there_is_used_where_nothing_can_be_written(tmp_path):
    folder = made_once(tmp_path / "model", write)
    (tmp_path / "model.lock").unlink()
    made_once(folder, write)
    assert (tmp_path / "trace").read_text() == "once\n" and not (tmp_path / "model.lock").exists()
