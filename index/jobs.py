"""Jobs: what is to be done beside the web server, in tables of library.sqlite, so that what was promised and what must be done for it are committed together."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from index.library import Library
from index.schema import NOW

Kind = Literal["examination", "reading", "generation", "encoder"]
JobState = Literal["waiting", "running", "cancelling", "done", "failed", "cancelled"]
DocumentState = Literal["waiting", "reading", "read", "partly read", "failed", "cancelled"]
OPEN = ("waiting", "running", "cancelling")  # states of jobs that somebody must still work on; one whose worker died is still running


@dataclass(frozen=True, slots=True)
class Job:
    """One job. Times are ISO 8601 in UTC, or ""."""

    job_id: int
    kind: Kind
    state: JobState
    by: str  # the account that asked for it
    arguments: Mapping[str, Any]  # what it needs beside its documents; JSON
    created: str
    started: str
    ended: str
    done: int  # of `total` steps, in whatever the job counts
    total: int
    doing: str
    problem: str  # why it failed, or ""
    attempts: int  # how often a worker has taken it up


@dataclass(frozen=True, slots=True)
class Document:
    """What becomes of one document in a job: of an edition, or of an upload that is examined."""

    job_id: int
    name: str  # edition_id or upload_id
    state: DocumentState
    reason: str  # "" when all is well
    attempts: int


class Jobs:
    """The jobs of a library. What is done here changes nothing that readers see, so it leaves the revision alone."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def add(self, kind: Kind, by: str, names: Sequence[str] = (), arguments: Mapping[str, Any] | None = None) -> int:
        """Ask for a job, in the transaction that is open in this thread, if any; return its number."""
        with self._library.transaction(contents=False) as run:
            job_id = run(
                f"INSERT INTO jobs (kind, state, \"by\", arguments, created, total) VALUES (?, 'waiting', ?, ?, {NOW}, ?)",
                (kind, by, json.dumps(arguments or {}, ensure_ascii=False), len(names)),
            ).lastrowid
            for position, name in enumerate(names):
                run("INSERT INTO documents (job_id, name, position, state) VALUES (?,?,?,'waiting')", (job_id, name, position))
        return int(job_id)

    def gather(self, kind: Kind, by: str, name: str) -> int:
        """Ask for one more document in the account's last job of this kind that nobody has taken up, else in a new job; return its number."""
        with self._library.transaction(contents=False) as run:
            found = run("SELECT max(job_id) FROM jobs WHERE kind = ? AND \"by\" = ? AND state = 'waiting' AND attempts = 0", (kind, by)).fetchone()[0]
            if found is None:
                return self.add(kind, by, [name])
            place = "(SELECT total FROM jobs WHERE job_id = ?1)"
            run(f"INSERT INTO documents (job_id, name, position, state) VALUES (?1, ?2, {place}, 'waiting') ON CONFLICT DO NOTHING", (found, name))
            run("UPDATE jobs SET total = (SELECT count(*) FROM documents WHERE job_id = ?1) WHERE job_id = ?1", (found,))
        return int(found)

    def jobs(self, k: int = 50, offset: int = 0) -> list[Job]:
        """The newest jobs first."""
        return [_job(row) for row in self._library.rows("SELECT * FROM jobs ORDER BY job_id DESC LIMIT ? OFFSET ?", (k, offset))]

    def job(self, job_id: int) -> Job | None:
        return next((_job(row) for row in self._library.rows("SELECT * FROM jobs WHERE job_id = ?", (job_id,))), None)

    def open_jobs(self) -> list[Job]:
        """Those that are not at their end, oldest first."""
        return [_job(row) for row in self._library.rows(f"SELECT * FROM jobs WHERE state IN {OPEN} ORDER BY job_id")]

    def documents(self, job_id: int) -> list[Document]:
        rows = self._library.rows("SELECT job_id, name, state, reason, attempts FROM documents WHERE job_id = ? ORDER BY position", (job_id,))
        return [Document(*row) for row in rows]

    def take(self) -> Job | None:
        """Take up the oldest open job; None when there is none. Only the one worker that holds the library's lock of workers may call this."""
        found = next(iter(self.open_jobs()), None)
        if found and found.state != "cancelling":
            self._set(found.job_id, f"state = 'running', attempts = attempts + 1, started = iif(started = '', {NOW}, started)")
        return found and self.job(found.job_id)

    def progress(self, job_id: int, done: int, total: int, doing: str) -> None:
        self._set(job_id, "done = ?, total = ?, doing = ?", done, total, doing)

    def end(self, job_id: int, state: JobState, problem: str = "") -> None:
        self._set(job_id, f"state = ?, problem = ?, doing = '', ended = {NOW}", state, problem)

    def put_document(self, job_id: int, name: str, state: DocumentState, reason: str = "") -> None:
        """Say how far a document has come; each time it is "reading" counts as an attempt."""
        with self._library.transaction(contents=False) as run:
            run(
                "UPDATE documents SET state = ?1, reason = ?2, attempts = attempts + (?1 = 'reading') WHERE job_id = ?3 AND name = ?4",
                (state, reason, job_id, name),
            )

    def cancel(self, job_id: int) -> None:
        """Ask for a job to end: one that waits is cancelled at once, one that runs when its worker next looks. What is done stays done."""
        with self._library.transaction(contents=False) as run:
            run("UPDATE jobs SET state = 'cancelling' WHERE job_id = ? AND state = 'running'", (job_id,))
            waiting = run(f"UPDATE jobs SET state = 'cancelled', ended = {NOW} WHERE job_id = ? AND state = 'waiting'", (job_id,)).rowcount
            if waiting:
                run("UPDATE documents SET state = 'cancelled' WHERE job_id = ? AND state = 'waiting'", (job_id,))

    def retry(self, job_id: int, names: Iterable[str] | None = None) -> None:
        """Let a job that has ended do again what failed or was cancelled in it: these documents, or all such."""
        with self._library.transaction(contents=False) as run:
            for document in self.documents(job_id):
                if document.state in ("failed", "cancelled", "reading") and (names is None or document.name in set(names)):
                    run("UPDATE documents SET state = 'waiting', reason = '' WHERE job_id = ? AND name = ?", (job_id, document.name))
            run("UPDATE jobs SET state = 'waiting', problem = '', ended = '', attempts = 0 WHERE job_id = ?", (job_id,))

    def _set(self, job_id: int, what: str, *values: object) -> None:
        with self._library.transaction(contents=False) as run:
            run(f"UPDATE jobs SET {what} WHERE job_id = ?", (*values, job_id))


def _job(row: sqlite3.Row) -> Job:
    return Job(**{**dict(row), "arguments": json.loads(row["arguments"])})
