"""One job in hand: what it works on, and how it says how far it has come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from index.encoder import Encoder
from index.jobs import Document, DocumentState, Job, Jobs
from index.library import Library
from search_app.intake import READERS, Where


class CancelledError(Exception):
    """Somebody has asked for the job to end."""


class GivesWayError(Exception):
    """A more urgent job has come; this one is taken up again after it."""


@dataclass(frozen=True)
class Task:
    """One job. A `run` that returns has done it; one that raises has failed, with what it raised as the reason; documents fail each for itself."""

    library: Library
    job: Job
    open_encoder: Callable[[str], Encoder]  # by folder or hub name; "" is the library's own
    workers: Where = READERS  # who reads files

    @cached_property
    def encoder(self) -> Encoder:
        """The library's encoder, loaded when it is first needed."""
        return self.open_encoder("")

    def documents(self) -> list[Document]:
        """Those that are still to be done; one that an earlier worker died over is still "reading"."""
        return [document for document in Jobs(self.library).documents(self.job.job_id) if document.state in ("waiting", "reading")]

    def document(self, name: str, state: DocumentState, reason: str = "") -> None:
        """Say what becomes of a document."""
        Jobs(self.library).put_document(self.job.job_id, name, state, reason)

    def progress(self, done: int, total: int, doing: str = "") -> None:
        """Say how far the job is. Raises CancelledError or GivesWayError where `run` is to leave it, which then cleans up nothing but its own mess."""
        jobs = Jobs(self.library)
        jobs.progress(self.job.job_id, done, total, doing)
        now = jobs.job(self.job.job_id)
        if now is None or now.state in ("cancelling", "cancelled"):
            raise CancelledError
        if jobs.gives_way(self.job):
            raise GivesWayError
