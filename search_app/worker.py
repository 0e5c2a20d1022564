"""Do the jobs of a library, one after the other, in a process of its own beside the web server."""

from __future__ import annotations

import importlib
import logging
import time
from collections.abc import Callable
from contextlib import ExitStack

from index.encoder import Encoder
from index.jobs import Job, Jobs, JobState
from index.library import Library
from index.store import BusyLibraryError
from ingest.records import IsoglossError
from search_app.intake import READERS, Where
from search_app.work.reading import adopt
from search_app.work.task import CancelledError, GivesWayError, Task

log = logging.getLogger(__name__)

ATTEMPTS = 3  # workers that a job may end, without coming further, before it fails
LINGER = 60.0  # seconds without a job after which a worker with a loaded encoder ends, so that its memory is free for readers
PAUSE = 0.5  # seconds between two looks at the table of jobs, or at the lock of another process that writes
OTHER_WRITER = "another process"  # what a job is doing that waits for `isogloss ingest`
READS_ONLY = {"examination", "generation", "encoder"}  # kinds that change nothing of what readers see, and need not wait for other writers


def work(
    library: Library, open_encoder: Callable[[str], Encoder], until_idle: bool = True, linger: float = LINGER, workers: Where = READERS
) -> bool:  # fmt: skip
    """Do what there is to do, and with `until_idle` False whatever comes; return False at once when another worker has the library.

    `workers` says who reads files. A KeyboardInterrupt leaves the job that is in hand for the next worker, and so does the end of the process at
    any point.
    """
    with ExitStack() as held:
        try:
            held.enter_context(library.store.lock("working", patience=0))
        except TimeoutError:
            return False
        adopt(library)
        _Worker(library, open_encoder, workers).run(until_idle, linger)
    return True


class _Worker:
    """One worker. It keeps one encoder, once a job has asked for it: the next job most likely asks for the same."""

    def __init__(self, library: Library, open_encoder: Callable[[str], Encoder], workers: Where) -> None:
        self._library, self._jobs = library, Jobs(library)
        self._open, self._workers = open_encoder, workers
        self._opened: tuple[str, Encoder] | None = None

    def run(self, until_idle: bool, linger: float) -> None:
        idle_since = time.monotonic()
        while True:
            job = self._jobs.take()
            if job:
                self._do(job)
                idle_since = time.monotonic()
                continue
            if until_idle and time.monotonic() - idle_since >= (linger if self._opened else 0):
                return
            time.sleep(min(PAUSE, linger) if until_idle else PAUSE)

    def _encoder(self, name: str) -> Encoder:
        """The encoder of this name; "" is that of the library, which may have changed since the last job."""
        made_by = self._library.meta("encoder")
        if self._opened and self._opened[0] == name and (name or made_by in ("", self._opened[1].fingerprint)):
            return self._opened[1]
        self._opened = None  # its memory is needed for the next
        self._opened = name, self._open(name)
        return self._opened[1]

    def _do(self, job: Job) -> None:
        """Do a job as far as it goes, and say how it ended; only the end of this process leaves it open."""
        try:
            if job.state == "running":
                self._jobs.end(job.job_id, *self._outcome(job))
            elif job.state == "cancelling":
                self._jobs.end(job.job_id, "cancelled")
        except (GivesWayError, KeyboardInterrupt) as reason:
            self._jobs.put_back(job.job_id)
            if isinstance(reason, KeyboardInterrupt):
                raise

    def _outcome(self, job: Job) -> tuple[JobState, str]:
        if job.attempts > ATTEMPTS:
            return "failed", f"its worker ended {ATTEMPTS} times, last at: {job.doing or 'the beginning'}"
        try:
            with ExitStack() as held:
                task = Task(self._library, job, self._encoder, self._workers)
                if job.kind not in READS_ONLY:
                    self._hold(held, task)
                importlib.import_module(f"search_app.work.{job.kind}").run(task)
            return "done", ""
        except CancelledError:
            return "cancelled", ""
        except GivesWayError:
            raise
        except (IsoglossError, OSError) as error:
            log.warning("Job %d (%s) failed: %s", job.job_id, job.kind, error)
            return "failed", str(error)
        except Exception as error:  # whatever a job raises is its own end, not that of the jobs after it
            log.exception("Job %d (%s) failed", job.job_id, job.kind)
            return "failed", f"{type(error).__name__}: {error}"

    def _hold(self, held: ExitStack, task: Task) -> None:
        """Hold the library for writing, however long another process has it; a job can be cancelled meanwhile, and gives way."""
        while True:
            try:
                held.enter_context(self._library.writing())
                return
            except BusyLibraryError:
                task.progress(task.job.done, task.job.total, OTHER_WRITER)
                time.sleep(PAUSE)
