"""Folders of files that are made once and then only read, such as the parts of the cache. They appear whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

FILES = "isogloss-files.json"  # in the folder: the size of each of its other files


def made_once(folder: Path, write: Callable[[Path], None], serves: Callable[[Path], bool] = lambda _: True) -> Path:
    """Return `folder`, which the first process that comes has `write` fill under another name; others wait. Raises OSError.

    One that is whole but no longer `serves` is made again.
    """
    if not (is_whole(folder) and serves(folder)):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.parent / f"{folder.name}.lock"):
            if not (is_whole(folder) and serves(folder)):
                _make(folder, write)
    return folder


def is_whole(folder: Path) -> bool:
    """Whether every file is there with its size: a full disk or a half-copied cache is noticed."""
    try:
        sizes = json.loads((folder / FILES).read_text("utf-8"))
        return all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError):
        return False


def files_in(folder: Path) -> list[Path]:
    """All files below a folder, in order."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _make(folder: Path, write: Callable[[Path], None]) -> None:
    making = folder.parent / f".{folder.name}.making"  # the lock is held: what lies there is of a process that was killed
    for leftover in (folder, making):
        shutil.rmtree(leftover, ignore_errors=True)
    making.mkdir()
    try:
        write(making)
        sizes = {path.relative_to(making).as_posix(): path.stat().st_size for path in files_in(making)}
        (making / FILES).write_text(json.dumps(sizes, indent=1), "utf-8")
        for path in files_in(making):
            with path.open("rb") as file:
                os.fsync(file.fileno())
        making.replace(folder)
    finally:
        shutil.rmtree(making, ignore_errors=True)
