"""Whether this process can answer questions now: for whatever hands readers out to processes and machines."""

from __future__ import annotations

import logging
import threading
import time
from typing import cast

from flask import Blueprint, Flask, Response, current_app

from index.searcher import Searcher

FRESH = 1.0  # seconds for which an answer is given again, however many ask
PATIENCE = 5.0  # seconds that a look may take before who asks meanwhile is told so

log = logging.getLogger(__name__)
blueprint = Blueprint("readiness", __name__)


class Readiness:
    """Looks at the library, once a second at most and one thread at a time. Safe to share between threads."""

    def __init__(self, searcher: Searcher) -> None:
        self._searcher = searcher
        self._lock = threading.Lock()
        self._problem, self._until, self._began = "", -FRESH, 0.0

    def problem(self) -> str:
        """Why no question can be answered, in a few words; "" when all is well. While another thread looks, what was found before, for a while."""
        if time.monotonic() < self._until:
            return self._problem
        if not self._lock.acquire(blocking=False):
            return self._problem if time.monotonic() - self._began < PATIENCE else "The library does not answer: it is waited for."
        try:
            self._began = time.monotonic()
            found = self._look()
            if found != self._problem:
                log.warning("%s", found or "The library answers again.")
            self._problem, self._until = found, time.monotonic() + FRESH
        finally:
            self._lock.release()
        return self._problem

    def _look(self) -> str:
        library = self._searcher.library
        if not (library.folder / "secret").exists():  # which every library that is served has
            return "The folder of the library is not there."
        try:
            library.revision()
        except Exception as error:  # whatever a store raises, it does not answer
            return f"The library does not answer: {type(error).__name__}."
        return ""


def install(app: Flask) -> None:
    app.extensions["readiness"] = Readiness(app.extensions["searcher"])
    app.register_blueprint(blueprint)


@blueprint.get("/ready")
def ready() -> Response:
    """Say whether questions can be answered here, and if not, why. Whoever asks before the encoder is loaded gets no answer yet."""
    problem = cast(Readiness, current_app.extensions["readiness"]).problem()
    return Response(f"{problem or 'ready'}\n", 503 if problem else 200, {"Cache-Control": "no-store"}, mimetype="text/plain")
