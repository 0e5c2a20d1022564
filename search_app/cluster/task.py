"""What is handed to a worker. The scheduler loads this module too, so it loads nothing of ours."""

from __future__ import annotations

from typing import Any

from distributed import get_worker


def encode_file(order: bytes, file: bytes) -> bytes:
    """Read, cut and encode a file on a worker: a pickled Order without its path and the file's content; returns the cut and its vectors, pickled."""
    worker: Any = get_worker()
    made: bytes = worker.encode_file(order, file)
    return made
