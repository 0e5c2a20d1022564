"""Figures for Prometheus, at an address of their own: how many ask for what, how long it takes, what the library holds. The only module that imports prometheus_client.

No label says what was asked, by whom or from where; of each label there are only so many values as the code has routes, states and parts.
Where several processes serve, each notes its own figures in a file of the folder PROMETHEUS_MULTIPROC_DIR, and whichever is asked tells the sum.
"""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from flask import Flask
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from index.generations import named
from index.jobs import Jobs
from index.library import Library
from index.searcher import Searcher
from index.view import View
from search_app.busy import admission
from search_app.places import NoPlaceError, Places, Ticket
from search_app.serving import SHARED
from search_app.watching import Answered, watch

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)  # seconds


class Metrics:
    """The figures of one application."""

    def __init__(self, searcher: Searcher) -> None:
        self._searcher = searcher
        self._registry = own = CollectorRegistry()
        self._view: View | None = None
        self._requests = Counter("isogloss_requests", "Requests that were answered.", ["route", "method", "status"], registry=own)
        self._seconds = Histogram(
            "isogloss_request_seconds", "Time until an answer was made, with waiting.", ["route"], buckets=BUCKETS, registry=own
        )
        self._parts = Histogram("isogloss_part_seconds", "Time that parts of answers took.", ["part"], buckets=BUCKETS, registry=own)
        self.places = self._gauge("isogloss_places", "Places for what computes and for what waits for pictures.", "livesum", "kind")
        self.taken = self._gauge("isogloss_places_taken", "Places that are taken.", "livesum", "kind")
        self.waiting = self._gauge("isogloss_places_waiting", "Requests that wait for a place.", "livesum", "kind")
        self.refused = Counter("isogloss_places_refused", "Requests that were asked to come again.", ["kind"], registry=own)
        self._gauge("isogloss_processes", "Processes that serve.", "livesum").set(1)
        self._revision = self._gauge("isogloss_view_revision", "Revision of the library in the process that lags most.", "livemin")
        self._generation = self._gauge("isogloss_view_generation", "Generation that answers in the process that lags most.", "livemin")
        self._passages = self._gauge("isogloss_view_passages", "Passages that can be found.", "livemostrecent")
        self._publications = self._gauge("isogloss_view_publications", "Publications that can be found.", "livemostrecent")
        if SHARED not in os.environ:
            ProcessCollector(registry=own)
        self.show_view()

    def count(self, answered: Answered) -> None:
        """Count a request that was answered."""
        self._requests.labels(answered.route, answered.method, str(answered.status)).inc()
        self._seconds.labels(answered.route).observe(answered.seconds)
        for part, seconds in answered.parts.items():
            self._parts.labels(part).observe(seconds)
        self.show_view()

    def show_view(self) -> None:
        """Say what this process searches now."""
        view = self._searcher.last.view
        if view is not self._view:
            self._view = view
            self._revision.set(view.revision)
            self._generation.set(_number(view.generation.name))
            self._passages.set(len(view.keys))
            self._publications.set(len(view.publications))

    def told(self) -> bytes:
        """All figures in Prometheus' text format: those of every process, and those of the library."""
        registry = self._registry
        if SHARED in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        of_library = CollectorRegistry()
        of_library.register(_LibraryCollector(self._searcher.library))
        return generate_latest(registry) + generate_latest(of_library)

    def _gauge(self, name: str, says: str, together: str, *labels: str) -> Gauge:
        return Gauge(name, says, labels, registry=self._registry, multiprocess_mode=together)  # type: ignore[arg-type]


class _CountedPlaces(Places):
    """Places that tell how many are taken."""

    def __init__(self, places: Places, metrics: Metrics, kind: str) -> None:
        super().__init__(places.count, places.line, places.patience)
        metrics.places.labels(kind).set(places.count)
        self._taken, self._in_line, self._refused = metrics.taken.labels(kind), metrics.waiting.labels(kind), metrics.refused.labels(kind)

    def enter(self, weight: int = 1, *parties: Hashable) -> Ticket:
        with self._in_line.track_inprogress():
            try:
                ticket = super().enter(weight, *parties)
            except NoPlaceError:
                self._refused.inc()
                raise
        self._taken.inc(ticket.weight)
        return ticket

    def leave(self, ticket: Ticket) -> None:
        self._taken.dec(ticket.weight)
        super().leave(ticket)


class _LibraryCollector(Collector):
    """What all processes share, read when it is asked for."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def collect(self) -> Iterable[Metric]:
        try:
            revision, generation = self._library.revision(), named(self._library).name
            open_jobs, failed = Jobs(self._library).open_jobs(), len(Jobs(self._library).undecided())
        except Exception:  # whatever a store raises, it does not answer, and the figures say so
            yield GaugeMetricFamily("isogloss_library_answers", "Whether the library can be read.", 0)
            return
        yield GaugeMetricFamily("isogloss_library_answers", "Whether the library can be read.", 1)
        yield GaugeMetricFamily("isogloss_library_revision", "Grows with every change that readers see.", revision)
        yield GaugeMetricFamily("isogloss_generation", "Number of the generation in use.", _number(generation))
        manifest = self._library.folder / "generations" / generation / "manifest.json"
        if generation and manifest.exists():
            yield GaugeMetricFamily("isogloss_generation_made_timestamp_seconds", "When it was made.", manifest.stat().st_mtime)
        running = sum(job.state != "waiting" for job in open_jobs)
        jobs = GaugeMetricFamily("isogloss_jobs", "Jobs of the desk; failed ones until somebody decides about them.", labels=["state"])
        for state, count in {"waiting": len(open_jobs) - running, "running": running, "failed": failed}.items():
            jobs.add_metric([state], count)
        yield jobs


class _Apart:
    """Tells the figures at one port, where there is nothing else, and nothing of them at any other."""

    def __init__(self, app: WSGIApplication, metrics: Metrics, port: int) -> None:
        self._app, self._metrics, self._port = app, metrics, str(port)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["SERVER_PORT"] != self._port:
            return self._app(environ, start_response)
        found = environ.get("PATH_INFO") == "/metrics"
        body = self._metrics.told() if found else b"The figures are at /metrics.\n"
        kind = CONTENT_TYPE_LATEST if found else "text/plain; charset=utf-8"
        start_response(
            "200 OK" if found else "404 Not Found", [("Content-Type", kind), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")]
        )
        return [body]


def install(app: Flask, port: int) -> None:
    """Count what the application does, and tell it at this port. Comes after whatever else is put before the application."""
    metrics = Metrics(app.extensions["searcher"])
    there = admission(app)
    app.extensions["admission"] = replace(
        there, computing=_CountedPlaces(there.computing, metrics, "computing"), pictures=_CountedPlaces(there.pictures, metrics, "pictures")
    )
    watch(app, metrics.count)
    app.wsgi_app = _Apart(app.wsgi_app, metrics, port)  # type: ignore[method-assign]


def forget_process(number: int) -> None:
    """Leave out from now on what a process that has ended has now; what it counted stays."""
    mark_process_dead(number)  # type: ignore[no-untyped-call]


def _number(generation: str) -> int:
    """The number of a generation by its name; 0 for none."""
    return int(generation) if generation.isdecimal() else 0
