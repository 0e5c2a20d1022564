"""Read many files in worker processes, so that one bad file ends with a reason while the others go on. With ingest/drawing.py, the only module that imports pebble.

PDFium, pypdf and lxml fetch nothing, so the processes are cut off from the network where the system allows it (ingest/isolation.py). They may
read and write the same files as their parent, and have less to spend.
"""

from __future__ import annotations

import multiprocessing
import signal
import tempfile
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

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
    """Read the files; yield one Reading each, in their order, whatever happens to a worker.

    A page of a PDF that ends its process is left out when the file is read once more, and says in its `cause` how it did that.
    """
    context = multiprocessing.get_context("spawn")  # forking a process with threads (torch, waitress) can deadlock
    with (
        tempfile.TemporaryDirectory(prefix="isogloss-") as scratch,
        ProcessPool(max_workers=workers, initializer=confine, initargs=[limits], context=context) as pool,
    ):
        try:
            waiting: deque[_Attempt] = deque()
            numbered = enumerate(files)
            while True:
                for number, source in islice(numbered, workers * WAITING - len(waiting)):
                    waiting.append(_attempt(pool, source, Watch(limits, {}, Path(scratch) / str(number))))
                if not waiting:
                    return
                yield _outcome(pool, waiting.popleft())
        finally:
            pool.stop()  # type: ignore[no-untyped-call]  # at an interruption nobody waits for what is being read


@dataclass(frozen=True, slots=True)
class _Attempt:
    source: Source
    watch: Watch
    future: Future[Content]


class _EndedError(Exception):
    """The reading process ended before it was done; the message says how."""


def _attempt(pool: ProcessPool, source: Source, watch: Watch) -> _Attempt:
    return _Attempt(source, watch, pool.schedule(read_file, args=[source, watch], timeout=watch.limits.wall_seconds))


def _outcome(pool: ProcessPool, attempt: _Attempt) -> Reading:
    try:
        return Reading(attempt.source.edition_id, _content(attempt), "")
    except UnreadableFileError as error:
        return Reading(attempt.source.edition_id, None, str(error))
    except _EndedError as error:
        how = str(error)
        if isinstance(error.__cause__, ProcessExpired) and error.__cause__.exitcode in GAVE_UP and _unpacks_too_far(pool, attempt):
            how = f"a stream in it unpacks to more than {attempt.watch.limits.unpacked // MIB:,} MiB: {how}"
        return _without_lost_page(pool, attempt, how)
    except Exception as error:  # whatever a library raises is that file's reason, not the run's end
        return Reading(attempt.source.edition_id, None, f"{type(error).__name__}: {error}")


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


def _without_lost_page(pool: ProcessPool, attempt: _Attempt, how: str) -> Reading:
    """Read the file once more without the page that ended the process; give it up when there are too many such pages, or none."""
    watch = attempt.watch
    page = noted_page(watch.notebook) if watch.notebook else 0
    if page and len(watch.lost) < watch.limits.lost_pages and page not in watch.lost:
        return _outcome(pool, _attempt(pool, attempt.source, replace(watch, lost={**watch.lost, page: how})))
    where = f"after {len(watch.lost)} other pages, page {page}: " if watch.lost else f"page {page}: " if page else ""
    return Reading(attempt.source.edition_id, None, f"{where}{how}; the file may be damaged or hostile: if it is sound, print it to a new PDF")


def _unpacks_too_far(pool: ProcessPool, attempt: _Attempt) -> bool:
    watch = replace(attempt.watch, notebook=attempt.watch.notebook and attempt.watch.notebook.with_suffix(".diagnosis"))
    try:
        return bool(pool.schedule(unpacks_too_far, args=[attempt.source.path, watch], timeout=watch.limits.wall_seconds).result())
    except Exception:  # no more can be said of it
        return False
