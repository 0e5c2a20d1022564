"""Pictures of pages, kept on disk within a bound: drawn once, whoever asks for them how often."""

from __future__ import annotations

import logging
import os
import tempfile
import threading
import time
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from ingest.drawing import DRAWING_VERSION, Drawer, Drawing, UndrawablePageError, outcome

BOUND = 512 << 20  # bytes on disk: some 8,000 pages
LOOK = 16 << 20  # bytes that are kept between two looks at how full the folder is, which other processes fill too
ROOM = 0.9  # of the bound that is kept when it is passed, so that room is not made for every page anew
PATIENCE = 20.0  # seconds that a reader waits; a page that is drawn later is there when she asks again
WAITING = 200  # pages to be drawn; the last of them is drawn half a minute later, and who asks for more is asked to come again
REMEMBERED = 10_000  # pages that could not be drawn, at most
AGAIN = 600.0  # seconds after which such a page is tried again: what ended its process may have been no fault of its own
DAY = 86_400  # seconds; the time of use is noted to the day, enough to tell what may go and too little to tell who read when


class BusyError(Exception):
    """A picture is not ready yet."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a page on disk, or in memory where the disk would not take it."""

    webp: bytes
    width: float  # of the page in PDF points, as displayed
    height: float


Key = tuple[str, int, int]  # the beginning of a file's digest, the page's number, the width in pixels


class Pictures:
    """Draws and keeps pictures in a folder; the least lately used go first. Safe to share between threads and processes."""

    def __init__(self, folder: Path, drawer: Drawer, bound: int = BOUND) -> None:
        self._folder, self._drawer, self._bound = folder, drawer, bound
        self._lock = threading.Lock()
        self._drawing: dict[Key, Future[Drawing]] = {}
        self._failed: OrderedDict[tuple[str, int], tuple[str, float]] = OrderedDict()  # why, and until when that is believed
        self._size, self._added = 0, LOOK  # bytes in the folder when it was looked at last, and kept since; it has yet to be looked at

    def picture(self, file: Path, key: Key, patience: float = PATIENCE) -> Picture:
        """The picture of a page of `file`. Raises UndrawablePageError, or BusyError when it is not ready in so many seconds, or too many pages wait."""
        kept = self._kept(key)
        if kept is not None:
            return kept
        try:
            drawing = outcome(self._begun(file, key), patience)
        except TimeoutError as error:
            raise BusyError(f"The picture of page {key[1]} is not ready yet.") from error
        return Picture(drawing.webp, drawing.width, drawing.height)

    def begin(self, file: Path, key: Key) -> None:
        """Draw the page meanwhile, unless that is done or known to be in vain. Raises BusyError when too many pages wait."""
        if self._kept(key) is None and not self._problem(key):
            self._begun(file, key)

    def _begun(self, file: Path, key: Key) -> Future[Drawing]:
        with self._lock:
            if problem := self._problem(key):
                raise UndrawablePageError(problem)
            if key in self._drawing:
                return self._drawing[key]
            if len(self._drawing) >= WAITING:
                raise BusyError(f"{WAITING} pages are waiting to be drawn.")
            future = self._drawing[key] = self._drawer.start(file, key[1], key[2])
        future.add_done_callback(lambda done: self._done(key, done))
        return future

    def _problem(self, key: Key) -> str:
        """Why a page could not be drawn a while ago; "" where it is to be tried."""
        problem, until = self._failed.get(key[:2], ("", 0.0))
        return problem if time.monotonic() < until else ""

    def close(self) -> None:
        """End the processes that draw."""
        self._drawer.close()

    def _done(self, key: Key, future: Future[Drawing]) -> None:
        try:
            self._keep(key, outcome(future))
        except UndrawablePageError as error:
            logging.getLogger(__name__).warning("page %d of the file %s could not be drawn: %s", key[1], key[0], error)
            with self._lock:
                self._failed[key[:2]] = str(error), time.monotonic() + AGAIN
                self._failed.move_to_end(key[:2])
                if len(self._failed) > REMEMBERED:
                    self._failed.popitem(last=False)
        except OSError as error:
            logging.getLogger(__name__).warning("the picture of a page was not kept in %s: %s", self._folder, error)
        finally:
            with self._lock:
                self._drawing.pop(key, None)

    def _kept(self, key: Key) -> Picture | None:
        digest, number, width = key
        for path in self._home(digest).glob(f"{number}-{width}-*.webp"):
            wide, high = path.stem.split("-")[2].split("x")
            try:
                if time.time() - path.stat().st_mtime > DAY:
                    os.utime(path, times=(today := time.time() // DAY * DAY, today))
                return Picture(path.read_bytes(), float(wide), float(high))
            except OSError:  # it made room for others a moment ago
                return None
        return None

    def _keep(self, key: Key, drawing: Drawing) -> None:
        digest, number, width = key
        home = self._home(digest)
        home.mkdir(parents=True, exist_ok=True)
        path = home / f"{number}-{width}-{drawing.width:.2f}x{drawing.height:.2f}.webp"
        with tempfile.NamedTemporaryFile(dir=home, suffix=".making", delete=False) as scratch:
            scratch.write(drawing.webp)
        today = time.time() // DAY * DAY
        os.utime(scratch.name, times=(today, today))
        Path(scratch.name).replace(path)
        with self._lock:
            self._added += len(drawing.webp)
            if self._added >= LOOK or self._size + self._added > self._bound:
                self._size, self._added = self._measured(), 0
            if self._size > self._bound:
                self._size = self._make_room()

    def _home(self, digest: str) -> Path:
        return self._folder / str(DRAWING_VERSION) / digest[:2] / digest

    def _measured(self) -> int:
        return sum(size for _, size, _ in self._files())

    def _make_room(self) -> int:
        """Remove what was used least lately; return how much is left."""
        files = sorted(self._files(), reverse=True)
        left = sum(size for _, size, _ in files)
        while files and left > ROOM * self._bound:
            _, size, path = files.pop()
            path.unlink(missing_ok=True)
            left -= size
        return left

    def _files(self) -> list[tuple[float, int, Path]]:
        """When each file was used last, its size, and where it lies."""
        found = []
        for path in self._folder.rglob("*"):
            try:
                state = path.stat()
            except FileNotFoundError:
                continue
            if path.is_file():
                found.append((state.st_mtime, state.st_size, path))
        return found
