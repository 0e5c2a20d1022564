"""Read many files in worker processes, so that one bad file ends with a reason while the others go on. With ingest/drawing.py, the only module that imports pebble.

PDFium, pypdf and lxml fetch nothing, so the processes are cut off from the network where the system allows it (ingest/isolation.py). They may
read and write the same files as their parent, and have less to spend.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from dataclasses import dataclass, replace
from itertools import count, islice
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

from pebble import ProcessExpired, ProcessPool

from ingest.limits import MIB, Limits, Watch, confine, noted_page
from ingest.reading import Source, read_file, unpacks_too_far
from ingest.records import Content, UnreadableFileError

READING_VERSION = 5  # raise it when the same file would give other pages or passages: editions read by an older one are read again
WAITING = 2  # files read ahead for each worker; more would only fill the memory while the encoder is busy
LIMITS = Limits()
GAVE_UP = {-signal.SIGABRT, -signal.SIGTRAP, -signal.SIGILL}  # how PDFium ends when it gets no memory


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of reading one file: its content, or the reason why there is none."""

    edition_id: str
    content: Content | None
    problem: str  # "" when there is content


def read_files(files: Iterable[Source], workers: int = 2, limits: Limits = LIMITS) -> Generator[Reading]:
    """Read the files; yield one Reading each, in their order, whatever happens to a worker."""
    with Readers(workers, limits) as readers:
        yield from readers.read(files, in_order=True)


class Readers:
    """Processes that read files beside each other, at most so many of them."""

    def __init__(self, workers: int = 2, limits: Limits = LIMITS) -> None:
        self._limits, self._ahead = limits, workers * WAITING
        self._pool = ProcessPool(workers, initializer=_begin, initargs=[limits, dict(os.environ)], context=_context())
        self._scratch = tempfile.TemporaryDirectory(prefix="isogloss-")
        self._numbers = count()
        self._handed_out = threading.Lock()
        self._futures: set[Future[Content]] = set()
        self._stopped = False

    def __enter__(self) -> Readers:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._pool.stop()  # type: ignore[no-untyped-call]  # at an interruption nobody waits for what is being read
        self._pool.join()
        self._scratch.cleanup()

    def stop(self) -> None:
        """Read no further; may be called in another thread than that of `read`, which then yields nothing more."""
        with self._handed_out:
            self._stopped = True
            for future in tuple(self._futures):  # they leave it in another thread
                future.cancel()

    def read(self, files: Iterable[Source], in_order: bool = False) -> Generator[Reading]:
        """Read the files, a few of them ahead; yield one Reading each, whatever happens to a process: as each comes, or in their order.

        A page of a PDF that ends its process is left out when the file is read once more, and says in its `cause` how it did that.
        """
        waiting: deque[_Attempt] = deque()
        rest = iter(files)
        try:
            while True:
                waiting.extend(self._attempt(source, self._watch()) for source in islice(rest, self._ahead - len(waiting)))
                if not waiting:
                    return
                attempt = waiting[0] if in_order else _first_done(waiting)
                waiting.remove(attempt)
                yield self._outcome(attempt)
        except CancelledError:
            return

    def _watch(self) -> Watch:
        return Watch(self._limits, {}, Path(self._scratch.name) / str(next(self._numbers)))

    def _attempt(self, source: Source, watch: Watch) -> _Attempt:
        return _Attempt(source, watch, self._schedule(read_file, source, watch))

    def _schedule(self, function: Callable[..., Any], what: object, watch: Watch) -> Future[Any]:
        with self._handed_out:
            if self._stopped:
                raise CancelledError
            future = self._pool.schedule(function, args=[what, watch], timeout=watch.limits.wall_seconds)
            self._futures.add(future)
        future.add_done_callback(self._futures.discard)
        return future

    def _outcome(self, attempt: _Attempt) -> Reading:
        try:
            return Reading(attempt.source.edition_id, _content(attempt), "")
        except CancelledError:
            raise
        except UnreadableFileError as error:
            return Reading(attempt.source.edition_id, None, str(error))
        except _EndedError as error:
            how = str(error)
            if isinstance(error.__cause__, ProcessExpired) and error.__cause__.exitcode in GAVE_UP and self._unpacks_too_far(attempt):
                how = f"a stream in it unpacks to more than {attempt.watch.limits.unpacked // MIB:,} MiB: {how}"
            return self._without_lost_page(attempt, how)
        except Exception as error:  # whatever a library raises is that file's reason, not the run's end
            return Reading(attempt.source.edition_id, None, f"{type(error).__name__}: {error}")

    def _without_lost_page(self, attempt: _Attempt, how: str) -> Reading:
        """Read the file once more without the page that ended the process; give it up when there are too many such pages, or none."""
        watch = attempt.watch
        page = noted_page(watch.notebook) if watch.notebook else 0
        if page and len(watch.lost) < watch.limits.lost_pages and page not in watch.lost:
            return self._outcome(self._attempt(attempt.source, replace(watch, lost={**watch.lost, page: how})))
        where = f"after {len(watch.lost)} other pages, page {page}: " if watch.lost else f"page {page}: " if page else ""
        return Reading(attempt.source.edition_id, None, f"{where}{how}; the file may be damaged or hostile: if it is sound, print it to a new PDF")

    def _unpacks_too_far(self, attempt: _Attempt) -> bool:
        watch = replace(attempt.watch, notebook=attempt.watch.notebook and attempt.watch.notebook.with_suffix(".diagnosis"))
        try:
            return bool(self._schedule(unpacks_too_far, attempt.source.path, watch).result())
        except CancelledError:
            raise
        except Exception:  # no more can be said of it
            return False


@dataclass(frozen=True, slots=True)
class _Attempt:
    source: Source
    watch: Watch
    future: Future[Content]


class _EndedError(Exception):
    """The reading process ended before it was done; the message says how."""


def _content(attempt: _Attempt) -> Content:
    limits = attempt.watch.limits
    try:
        return attempt.future.result()
    except TimeoutError as error:
        raise _EndedError(f"reading took longer than {limits.wall_seconds} seconds") from error
    except MemoryError as error:
        raise _EndedError(f"reading needed more than {limits.memory // MIB:,} MiB of memory") from error
    except ProcessExpired as error:
        raise _EndedError(_how_it_ended(error.exitcode or 0, attempt.watch)) from error


def _how_it_ended(exitcode: int, watch: Watch) -> str:
    limits, page = watch.limits, noted_page(watch.notebook) if watch.notebook else 0
    if exitcode == -signal.SIGXCPU:
        return f"reading took more than {limits.page_seconds if page else limits.file_seconds} seconds of CPU time"
    if exitcode in GAVE_UP:
        return f"reading gave up ({signal.Signals(-exitcode).name}), as it does when it needs more than {limits.memory // MIB:,} MiB of memory"
    name = signal.Signals(-exitcode).name if -exitcode in set(signal.Signals) else f"exit code {exitcode}"
    return f"the reading process died ({name})"


def _begin(limits: Limits, environment: Mapping[str, str]) -> None:
    """Begin a reading process, in the environment of the process that needs it: it was forked from another."""
    os.environ.clear()
    os.environ.update(environment)
    confine(limits)


def _first_done(waiting: Collection[_Attempt]) -> _Attempt:
    wait([attempt.future for attempt in waiting], return_when=FIRST_COMPLETED)
    return next(attempt for attempt in waiting if attempt.future.done())


def _context() -> BaseContext:
    """How processes are started: never forked from this one, since it has threads (torch, waitress), with which that can deadlock."""
    if sys.platform != "linux":  # macOS forks, but not everything that is loaded there bears it
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["ingest.nursery"])
    return context
