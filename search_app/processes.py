"""Several processes in front of one library, under gunicorn. The only module that imports it.

The process that is started loads nothing that computes: it prepares everything once in a process that ends, then starts those that serve and starts
anew whichever ends. Each of them opens the library and its encoder for itself; what they share lies in the library.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.http import message

from ingest.records import IsoglossError
from search_app.busy import Admission
from search_app.places import share
from search_app.serving import CONNECTIONS, SHARED, Settings

log = logging.getLogger(__name__)

LONGEST_LINE = 16_384  # bytes: a question of a thousand letters has nine for each of Khmer's; gunicorn's own limit is 8,190
AGAIN = 2  # seconds after which a process that could not be started is tried again
STUCK = 120  # seconds without a sign of life after which a process is ended
PATIENCE = 30  # seconds that a process may take to answer what it has begun before it is ended


def prepared(prepare: Callable[[], None]) -> int:
    """Do what is done once for all processes in one that ends, so that nothing it loads is there when others are forked; returns its exit code."""
    process = multiprocessing.get_context("fork").Process(target=prepare)
    process.start()
    process.join()
    return process.exitcode or 0


def serve_together(settings: Settings, sockets: Sequence[socket.socket], load: Callable[[], Flask]) -> None:
    """Serve until interrupted; `load` makes the application, in each process."""
    _Processes(settings, sockets, load).run()


class _Processes(BaseApplication):  # type: ignore[misc]  # it ships no types
    def __init__(self, settings: Settings, sockets: Sequence[socket.socket], load: Callable[[], Flask]) -> None:
        self._settings, self._load, self._notes = settings, load, ""
        if settings.metrics:
            self._notes = os.environ[SHARED] = tempfile.mkdtemp(prefix="isogloss-")
        self._bind = [f"fd://{os.dup(one.fileno())}" for one in sockets]  # gunicorn closes what it is given
        message.MAX_REQUEST_LINE = LONGEST_LINE
        super().__init__()

    def load_config(self) -> None:
        """gunicorn's settings; its own environment and files are passed over."""
        wanted = {
            "bind": self._bind,
            "workers": self._settings.processes,
            "worker_class": "gthread",
            "threads": Admission.of(share(self._settings.places, self._settings.processes)).threads,
            "worker_connections": CONNECTIONS,
            "timeout": STUCK,
            "graceful_timeout": PATIENCE,
            "limit_request_line": LONGEST_LINE,
            "forwarded_allow_ips": "",  # what of their headers is believed, `standing.place` decides
            "secure_scheme_headers": {},
            "logger_class": _Logger,
            "loglevel": "warning",
            "control_socket_disable": True,
            "child_exit": self._forget,
            "on_exit": self._clear,
        }
        for name, value in wanted.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The application, once it can be made: were this to fail, gunicorn would end the processes that go on."""
        while True:
            try:
                return self._load()
            except (IsoglossError, OSError) as error:
                log.warning("A process cannot be started: %s Trying again in %d seconds.", error, AGAIN)
                time.sleep(AGAIN)

    def _forget(self, _: Any, worker: Any) -> None:
        if self._notes:
            from search_app.metrics import forget_process

            forget_process(worker.pid)

    def _clear(self, _: Any) -> None:
        """Remove the notes of all processes when the one that started them ends; a block around it would end in each of them."""
        if self._notes:
            shutil.rmtree(self._notes, ignore_errors=True)


class _Logger(Logger):  # type: ignore[misc]
    """Hands what gunicorn says on to the logs of this program. It writes no line for a request."""

    def setup(self, cfg: Any) -> None:
        self.cfg, self.loglevel, self._access_log_enabled = cfg, logging.WARNING, False
        self.error_log.propagate = True
        self.error_log.setLevel(self.loglevel)

    def reopen_files(self) -> None: ...

    def close_on_exec(self) -> None: ...
