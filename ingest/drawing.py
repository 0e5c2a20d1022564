"""Draw pages of PDFs for readers, in processes that are kept and confined. The only module that imports PIL; with ingest/pipeline.py, pebble."""

from __future__ import annotations

import io
import math
import multiprocessing
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pebble import ProcessExpired, ProcessPool
from PIL import Image

from ingest.formats import PDF, format_of
from ingest.limits import MIB, Limits, allow, confine
from ingest.pdfium import PdfiumDocument
from ingest.records import UnreadableFileError

DRAWING_VERSION = 1  # raise it when the same page would be drawn otherwise: pictures that are kept are drawn again
WIDTHS = (600, 900, 1400)  # pixels: a telephone, half a screen, half a sharp one; few, so that few are kept
MOST_PIXELS = 8_000_000  # a page of twice A4's height at the greatest width; a longer one is drawn smaller
LONGEST = 16_383  # pixels of a side in WebP
SHADES = 16  # for each colour; letters look the same and weigh a third less
LIGHT = 0.08  # bytes a pixel, at most, of a page of letters drawn without loss; what is heavier holds photographs or is a scan
QUALITY = 50  # of WebP with loss; letters of scans stay as sharp as they were
DRAWERS = 2  # processes of a web server that draw
TASKS = 500  # pages that one process draws, so that nothing it may leak lasts
LIMITS = Limits(memory=1024 * MIB, page_seconds=15, wall_seconds=60)  # sound pages take 0.3 seconds; a map of 100,000 lines, three


class UndrawablePageError(Exception):
    """There is no picture of a page to be had; the message says why."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A page as a picture."""

    webp: bytes
    width: float  # of the page in PDF points, as displayed; word boxes are measured in them
    height: float


def draw(path: Path, number: int, width: int, limits: Limits = LIMITS) -> Drawing:
    """Draw a page, from 1, `width` pixels wide: the work of a drawing process. Raises UndrawablePageError."""
    allow(limits.page_seconds)
    try:
        if format_of(path) is not PDF:
            raise UndrawablePageError("only pages of PDFs are drawn")
        document = PdfiumDocument(path)
        if not 1 <= number <= len(document):
            raise UndrawablePageError(f"the file has {len(document)} pages")
        wide, high = document.size(number)
        if not (math.isfinite(wide * high) and wide * high > 0):
            raise UndrawablePageError("the page says it has no extent")
        scale = min(width / wide, math.sqrt(MOST_PIXELS / (wide * high)), LONGEST / (high + 1))
        if min(wide, high) * scale < 1:
            raise UndrawablePageError(f"the page says it is {wide:,.0f} by {high:,.0f} points")
        return Drawing(_packed(document.coloured_picture(number, scale)), wide, high)
    except UnreadableFileError as error:
        raise UndrawablePageError(str(error)) from error


class Drawer:
    """Draws pages in processes of its own, which start when the first page is wanted. Safe to share between threads."""

    def __init__(self, workers: int = DRAWERS, limits: Limits = LIMITS) -> None:
        self._workers, self._limits = workers, limits
        self._lock = threading.Lock()
        self._pool: ProcessPool | None = None

    def start(self, path: Path, number: int, width: int) -> Future[Drawing]:
        """Begin to draw a page; `outcome` gives what comes of it."""
        with self._lock:
            if self._pool is None or not self._pool.active:
                context = multiprocessing.get_context("spawn")  # forking a process with threads (torch, waitress) can deadlock
                self._pool = ProcessPool(self._workers, TASKS, confine, [self._limits], context)
            return self._pool.schedule(draw, args=[path, number, width, self._limits], timeout=self._limits.wall_seconds)

    def close(self) -> None:
        """End the processes; pages that are still being drawn are given up."""
        with self._lock:
            if self._pool is not None:
                self._pool.stop()  # type: ignore[no-untyped-call]
                self._pool.join()
                self._pool = None


def outcome(future: Future[Drawing], patience: float | None = None) -> Drawing:
    """Wait for a drawing, for so many seconds. Raises UndrawablePageError, or TimeoutError when it is not ready by then."""
    try:
        return future.result(patience)
    except UndrawablePageError:
        raise
    except TimeoutError as error:
        if not future.done():
            raise
        raise UndrawablePageError("drawing it took too long") from error
    except MemoryError as error:
        raise UndrawablePageError("drawing it needed too much memory") from error
    except ProcessExpired as error:
        raise UndrawablePageError("drawing it took too much time or memory, as damaged and hostile pages do") from error
    except Exception as error:  # whatever a library raises is that page's reason
        raise UndrawablePageError(f"{type(error).__name__}: {error}") from error


def _packed(picture: NDArray[np.uint8]) -> bytes:
    """As WebP: without loss and in few shades where that is light, as it is for letters, else with loss. Grey takes no more room than in grey."""
    step = 255 / (SHADES - 1)
    packed = _webp((np.round(picture / step) * step).astype(np.uint8), lossless=True)
    if len(packed) <= LIGHT * picture.shape[0] * picture.shape[1]:
        return packed
    return min(packed, _webp(picture, lossless=False), key=len)


def _webp(picture: NDArray[np.uint8], lossless: bool) -> bytes:
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "WEBP", lossless=lossless, quality=QUALITY, method=4 if lossless else 2)
    return out.getvalue()
