"""Make files durable, and prove that they are what they were."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from index import room


def checksum(path: Path) -> str:
    """SHA-256 of a file's content, in lower-case hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync_file(path: Path) -> None:
    """Wait until a file's content is on disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable, as fsync does a file's content."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing, so that their names are on disk too."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


@contextmanager
def replacing(path: Path, mode: int = 0o644) -> Iterator[Path]:
    """Give a file to write beside `path`; it takes the place of `path`, whole and on disk, when the block ends well."""
    with room.noticing(path.parent):
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".writing-") as scratch:
            written = Path(scratch) / path.name
            yield written
            written.chmod(mode)  # by default so that a server under another user can read it
            sync_file(written)
            written.replace(path)
        sync_folder(path.parent)
