"""Jobs: what is to be done beside the web server, in tables of library.sqlite, so that what was promised and what must be done for it are committed together."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from index.library import Library
from index.schema import NOW
from index.store import Row

Kind = Literal["examination", "reading", "generation", "encoder"]
JobState = Literal["waiting", "running", "cancelling", "done", "failed", "cancelled"]
DocumentState = Literal["waiting", "reading", "read", "partly read", "failed", "cancelled"]
OPEN = ("waiting", "running", "cancelling")  # states of jobs that somebody must still work on; one whose worker died is still running
URGENCY = {
    "examination": 0,
    "reading": 1,
}  # the lower goes first: somebody sits and waits for what was found in a file; a rebuild takes an hour anyway
LAST = 2  # the urgency of all others
LESS = "CASE WHEN attempts > 0 THEN attempts - 1 ELSE 0 END"


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
    attempts: int  # how often a worker has taken it up since it last came further; one that was told to stop does not count
    dismissed: str = ""  # the account that wants to hear no more of what failed in it


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

    def add(self, kind: Kind, by: str, names: Iterable[str] = (), arguments: Mapping[str, Any] | None = None) -> int:
        """Ask for a job, in the transaction that is open in this thread, if any; return its number."""
        wanted = list(dict.fromkeys(names))
        with self._library.transaction(contents=False) as run:
            job_id = run(
                f"INSERT INTO jobs (kind, state, \"by\", arguments, created, total) VALUES (?, 'waiting', ?, ?, {NOW}, ?) RETURNING job_id",
                (kind, by, json.dumps(arguments or {}, ensure_ascii=False), len(wanted)),
            ).fetchone()[0]
            run.many(
                "INSERT INTO documents (job_id, name, position, state) VALUES (?,?,?,'waiting')",
                ((job_id, name, position) for position, name in enumerate(wanted)),
            )
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

    # -- what there is

    def jobs(self, k: int = 50, offset: int = 0) -> list[Job]:
        """The newest jobs first."""
        return self._found("ORDER BY job_id DESC LIMIT ? OFFSET ?", k, offset)

    def job(self, job_id: int) -> Job | None:
        return next(iter(self._found("WHERE job_id = ?", job_id)), None)

    def open_jobs(self) -> list[Job]:
        """Those that are not at their end, in the order in which they are done: the urgent before others, the older before the newer."""
        return sorted(self._found(f"WHERE state IN {OPEN} ORDER BY job_id"), key=lambda job: URGENCY.get(job.kind, LAST))

    def any_open(self) -> bool:
        """Whether there is anything to do; cheap enough to be asked every second."""
        return bool(self._library.rows(f"SELECT EXISTS (SELECT 1 FROM jobs WHERE state IN {OPEN})")[0][0])

    def undecided(self) -> list[Job]:
        """The jobs that have ended and in which something failed that still stands, newest first, until somebody retries or dismisses them.

        A document that failed stands until a later job has it, its edition or upload is gone or read, or somebody decided to ignore the file.
        """
        return self._found(
            f"""WHERE state NOT IN {OPEN} AND dismissed = '' AND (state = 'failed' OR EXISTS (
                SELECT 1 FROM documents WHERE documents.job_id = jobs.job_id AND documents.state = 'failed'
                AND NOT EXISTS (SELECT 1 FROM documents AS later WHERE later.name = documents.name AND later.job_id > documents.job_id)
                AND (EXISTS (SELECT 1 FROM editions WHERE edition_id = documents.name AND editions.state = 'failed' AND NOT EXISTS (
                        SELECT 1 FROM decisions WHERE decisions.digest = editions.file AND page = 0 AND remedy = 'ignore'))
                     OR EXISTS (SELECT 1 FROM uploads WHERE upload_id = documents.name AND uploads.state = 'refused'))
                )) ORDER BY job_id DESC"""
        )

    def documents(self, job_id: int) -> list[Document]:
        rows = self._library.rows("SELECT job_id, name, state, reason, attempts FROM documents WHERE job_id = ? ORDER BY position", (job_id,))
        return [Document(*row) for row in rows]

    def last_states(self) -> dict[str, DocumentState]:
        """What became of each edition or upload in the last job that had it."""
        return {row["name"]: row["state"] for row in self._library.rows("SELECT name, state FROM documents ORDER BY job_id")}

    # -- for the one worker, which holds the library's lock of workers

    def take(self) -> Job | None:
        """Take up the first open job; None when there is none."""
        found = next(iter(self.open_jobs()), None)
        if found and found.state == "waiting":
            self._set(
                found.job_id,
                f"state = 'running', attempts = attempts + 1, started = CASE WHEN started = '' THEN {NOW} ELSE started END",
                "AND state = 'waiting'",
            )
        elif found and found.state == "running":
            self._set(found.job_id, "attempts = attempts + 1")
        return found and self.job(found.job_id)

    def put_back(self, job_id: int) -> None:
        """Leave a job for later; it counts as if it had not been taken up."""
        with self._library.transaction(contents=False) as run:
            run(f"UPDATE jobs SET state = 'waiting', attempts = {LESS} WHERE job_id = ? AND state = 'running'", (job_id,))
            run(f"UPDATE documents SET state = 'waiting', attempts = {LESS} WHERE job_id = ? AND state = 'reading'", (job_id,))

    def gives_way(self, job: Job) -> bool:
        """Whether a more urgent job has come."""
        first = next(iter(self.open_jobs()), job)
        return URGENCY.get(first.kind, LAST) < URGENCY.get(job.kind, LAST)

    def progress(self, job_id: int, done: int, total: int, doing: str) -> None:
        """Say how far a job is. Coming further than ever shows that it is not the job that ends its workers."""
        further = (
            "attempts = CASE WHEN ?1 > reached AND attempts > 1 THEN 1 ELSE attempts END, reached = CASE WHEN ?1 > reached THEN ?1 ELSE reached END"
        )
        with self._library.transaction(contents=False) as run:
            run(f"UPDATE jobs SET done = ?1, total = ?2, doing = ?3, {further} WHERE job_id = ?4", (done, total, doing, job_id))

    def end(self, job_id: int, state: JobState, problem: str = "") -> None:
        """End a job; what was not yet done in it is not done."""
        with self._library.transaction(contents=False) as run:
            run(f"UPDATE jobs SET state = ?, problem = ?, doing = '', ended = {NOW} WHERE job_id = ?", (state, problem, job_id))
            run("UPDATE documents SET state = 'cancelled' WHERE job_id = ? AND state IN ('waiting', 'reading')", (job_id,))

    def put_document(self, job_id: int, name: str, state: DocumentState, reason: str = "") -> None:
        """Say how far a document has come; each time it is "reading" counts as an attempt."""
        with self._library.transaction(contents=False) as run:
            run(
                "UPDATE documents SET state = ?1, reason = ?2, attempts = attempts + CASE WHEN ?1 = 'reading' THEN 1 ELSE 0 END WHERE job_id = ?3 AND name = ?4",
                (state, reason, job_id, name),
            )

    # -- for analysts

    def cancel(self, job_id: int) -> None:
        """Ask for a job to end: one that waits is cancelled at once, one that runs when its worker next looks. What is done stays done."""
        with self._library.transaction(contents=False) as run:
            run("UPDATE jobs SET state = 'cancelling' WHERE job_id = ? AND state = 'running'", (job_id,))
            if run("SELECT 1 FROM jobs WHERE job_id = ? AND state = 'waiting'", (job_id,)).fetchone():
                self.end(job_id, "cancelled")

    def retry(self, job_id: int, names: Iterable[str] | None = None) -> bool:
        """Let a job that has ended do again what failed or was cancelled in it: these documents, or all such. False when there is nothing of that."""
        wanted = None if names is None else set(names)
        with self._library.transaction(contents=False) as run:
            job = self.job(job_id)
            again = [
                document.name
                for document in self.documents(job_id)
                if document.state in ("failed", "cancelled") and (wanted is None or document.name in wanted)
            ]
            if job is None or job.state in OPEN or not (again or (job.state != "done" and wanted is None)):
                return False
            for name in again:
                run("UPDATE documents SET state = 'waiting', reason = '', attempts = 0 WHERE job_id = ? AND name = ?", (job_id, name))
            run("UPDATE jobs SET state = 'waiting', problem = '', ended = '', attempts = 0, reached = 0, dismissed = '' WHERE job_id = ?", (job_id,))
        return True

    def dismiss(self, job_id: int, by: str) -> None:
        """Hear no more of what failed in a job that has ended."""
        self._set(job_id, "dismissed = ?", f"AND state NOT IN {OPEN}", by)

    def _found(self, which: str, *values: object) -> list[Job]:
        return [_job(row) for row in self._library.rows(f"SELECT * FROM jobs {which}", values)]

    def _set(self, job_id: int, what: str, only: str = "", *values: object) -> None:
        with self._library.transaction(contents=False) as run:
            run(f"UPDATE jobs SET {what} WHERE job_id = ? {only}", (*values, job_id))


def _job(row: Row) -> Job:
    told = {key: row[key] for key in row.keys() if key != "reached"}  # noqa: SIM118  # iterating a Row gives its values
    return Job(**{**told, "arguments": json.loads(row["arguments"])})
