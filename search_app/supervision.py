"""Keep a worker running while a library has jobs: a process of its own, so that reading and encoding take neither memory nor breath from readers."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from index.jobs import Jobs
from index.library import Library
from ingest.records import IsoglossError

log = logging.getLogger(__name__)

EVERY = 1.0  # seconds between two looks
TURN = 5  # so many times as long between two looks whether whoever supervises has ended
LONGEST = 300.0  # seconds to wait, at most, before another worker is started after several that left work undone
GRACE = 10.0  # seconds for a worker to put its job down before it is killed, which loses nothing either


def command(folder: Path, encoder_name: str, *settings: str) -> list[str]:
    """The command that does a library's jobs and ends, also when this process does; `settings` are further options of it."""
    plain = [sys.executable, "-P", "-m", "search_app", "work", "--until-idle", "--tied", "--library", str(folder)]
    return [*plain, *settings, *(["--encoder", encoder_name] if encoder_name else [])]


class Supervisor:
    """Starts a worker when there is something to do, again and again, with growing waits when it leaves things undone.

    Of several, in whatever processes, one does so; another takes over when that has ended.
    """

    def __init__(self, library: Library, worker: Sequence[str], every: float = EVERY) -> None:
        self._library, self._command, self._every = library, list(worker), every
        self._stop = threading.Event()
        self._worker: subprocess.Popen[bytes] | None = None
        self._in_vain, self._not_before = 0, 0.0

    @contextmanager
    def beside(self) -> Iterator[None]:
        """Supervise in a thread until the block ends, then end the worker."""
        thread = self.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join(GRACE + 2 * self._every)

    def start(self) -> threading.Thread:
        """Supervise in a thread until this process ends; its worker then notices by itself."""
        thread = threading.Thread(target=self.run, name="supervisor", daemon=True)
        thread.start()
        return thread

    def run(self) -> None:
        """Supervise until interrupted. The first worker is started at once: it looks for editions that wait although nobody asks for them."""
        with ExitStack() as held:
            while not self._is_alone(held):
                if self._stop.wait(TURN * self._every):
                    return
            try:
                self._start()
                while not self._stop.wait(self._every):
                    self._look()
            finally:
                self._end()

    def _is_alone(self, held: ExitStack) -> bool:
        try:
            held.enter_context(self._library.store.lock("supervising", patience=0))
        except (TimeoutError, OSError, IsoglossError):  # where nothing can be written there is nothing to do either
            return False
        return True

    def _look(self) -> None:
        try:
            if self._worker and self._worker.poll() is None:
                return
            undone = Jobs(self._library).any_open()
            if self._worker:
                self._ended(self._worker.returncode, undone)
            if undone and time.monotonic() >= self._not_before:
                self._start()
        except Exception:  # a full disk or a library that is being restored must not end the supervision for ever
            log.exception("Cannot look for jobs in %s; trying again.", self._library.folder)
            self._stop.wait(LONGEST / 10)

    def _ended(self, code: int, undone: bool) -> None:
        self._let_go()
        self._in_vain = self._in_vain + 1 if undone or code else 0
        wait = min(2.0 ** (self._in_vain - 1), LONGEST) if self._in_vain else 0.0
        self._not_before = time.monotonic() + wait
        if code:
            log.warning("The worker of %s ended with %d; if there is work, another is started in %d seconds.", self._library.folder, code, wait)

    def _start(self) -> None:
        self._worker = subprocess.Popen(self._command, stdin=subprocess.PIPE)

    def _end(self) -> None:
        if self._worker and self._worker.poll() is None:
            self._worker.terminate()
            try:
                self._worker.wait(GRACE)
            except subprocess.TimeoutExpired:
                self._worker.kill()
                self._worker.wait()
        self._let_go()

    def _let_go(self) -> None:
        if self._worker and self._worker.stdin:
            self._worker.stdin.close()
        self._worker = None
