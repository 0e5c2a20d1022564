"""Room on the disk: how much there is, and what is said where there is none."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest.records import IsoglossError

NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  # the disk is full, a quota is used up, a file may not grow further
LEAST = 256 * 1024  # bytes, below which SQLite cannot make the files that it works with
SPARE = 1.01  # of what is copied: file systems need some room for themselves


class FullDiskError(IsoglossError):
    """There is no room on the disk; what was to be written is not there, what was there before is."""


def is_full(folder: Path) -> bool:
    """Whether nothing can be written where `folder` lies, for want of room or of names."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize < LEAST or (found.f_files > 0 and found.f_favail == 0)


def is_for_want_of_room(error: OSError) -> bool:
    return error.errno in NO_ROOM


def no_room(folder: Path) -> FullDiskError:
    """The error that says it, with how much is free."""
    return FullDiskError(
        f"There is no room on the disk that holds {folder} ({shown(shutil.disk_usage(folder).free)} free). "
        "What was stored before is whole, this was not stored. Make room, then do the same again; it goes on from here."
    )


@contextmanager
def noticing(folder: Path) -> Iterator[None]:
    """Raise FullDiskError for what the system says when a disk is full."""
    try:
        yield
    except OSError as error:
        if is_for_want_of_room(error):
            raise no_room(folder) from error
        raise


def require(folder: Path, needed: int) -> None:
    """Raise FullDiskError unless that many bytes can be written below `folder`, before any is."""
    free = shutil.disk_usage(folder).free
    if needed * SPARE > free:
        raise FullDiskError(
            f"Expected {shown(int(needed * SPARE))} of room on the disk that holds {folder}, found {shown(free)}; nothing was written. "
            "Make room, then do the same again."
        )


def shown(size: int) -> str:
    """A size in bytes as people say it."""
    for unit, step in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= step:
            return f"{size / step:.1f} {unit}"
    return f"{size} bytes"
