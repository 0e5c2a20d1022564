"""Files that analysts send: received piece by piece, taken into the library under their digest, examined, and then added to the catalogue or discarded.

    receiving -> complete -> examined | refused; the row is gone once the file was added or discarded

While a file is received its bytes lie in uploads/UPLOAD_ID and their number is the offset; the name it was given is shown and never used
as a path. Every step is on disk before it is acknowledged, and `settle` finishes what a crash has left between two of them.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import secrets
import shutil
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from index.changes import Changes
from index.durable import checksum, make_folder, sync_folder
from index.jobs import Jobs
from index.library import Library
from index.schema import NOW
from index.store import Row
from ingest.records import IsoglossError

MIB = 1024**2
UploadState = Literal["receiving", "complete", "examined", "refused", "discarded"]
Check = Callable[[Path], str]  # why a received file is refused, "" when it is what it should be


class UploadError(IsoglossError):
    """An upload cannot go on as was asked; `found` says in a word why, so that pages can say it in their language."""

    def __init__(self, found: Literal["gone", "offset", "busy", "empty", "too large", "too many", "no room"], message: str) -> None:
        super().__init__(message)
        self.found = found


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """How much may be sent. The first is what `isogloss serve --max-upload` sets."""

    size: int = 200 * MIB  # bytes of one file
    count: int = 500  # files of one account that are neither added nor discarded
    unfinished: int = 10 * 1024 * MIB  # bytes of all files that are being received, as announced
    room: int = 64 * MIB  # bytes that stay free on the disk, for the texts that are made of the files
    days: int = 7  # after which a file of which nothing more has come is forgotten


LIMITS = UploadLimits()
COLUMNS = 'upload_id, "by", name, size, likeness, created, state, reason, digest, findings'


@dataclass(frozen=True, slots=True)
class Upload:
    """One file that was sent, or is being sent."""

    upload_id: str  # random; who knows it and is signed in may go on with it
    by: str
    name: str  # as the sender's machine calls it: shown, never a path
    size: int  # bytes, as announced
    likeness: str  # tells the sender's browser the file again after a reload
    created: str  # ISO 8601, UTC
    state: UploadState
    reason: str  # why it was refused, or ""
    digest: str | None  # SHA-256, once it has come whole
    findings: Mapping[str, Any]  # what examination found in it


class Uploads:
    """The files that were sent to a library and are not in its catalogue yet. What is done here changes nothing that readers see."""

    def __init__(self, library: Library, limits: UploadLimits = LIMITS) -> None:
        self._library, self.limits = library, limits
        self._folder = library.folder / "uploads"

    # -- what there is

    def uploads(self) -> list[Upload]:
        """All that are not discarded, oldest first."""
        return [_upload(row) for row in self._library.rows(f"SELECT {COLUMNS} FROM uploads WHERE state <> 'discarded' ORDER BY created, rowid")]

    def upload(self, upload_id: str) -> Upload | None:
        rows = self._library.rows(f"SELECT {COLUMNS} FROM uploads WHERE upload_id = ? AND state <> 'discarded'", (upload_id,))
        return _upload(rows[0]) if rows else None

    def offset(self, upload: Upload) -> int:
        """How many bytes of it have come and are on disk."""
        if upload.state != "receiving" or upload.digest:
            return upload.size
        try:
            with self._path(upload).open("rb") as file:
                os.fsync(file.fileno())  # what a process that was killed has written may not be there yet
                return os.fstat(file.fileno()).st_size
        except FileNotFoundError:
            return 0

    def expires(self, upload: Upload) -> datetime:
        """When it is forgotten unless more of it comes."""
        path = self._path(upload)
        last = path.stat().st_mtime if path.exists() else datetime.fromisoformat(upload.created).timestamp()
        return datetime.fromtimestamp(last + self.limits.days * 86400, UTC)

    # -- receiving

    def create(self, by: str, name: str, size: int, likeness: str = "") -> Upload:
        """Announce a file; raises UploadError when there is no room for it."""
        self.admit(size)
        upload_id = secrets.token_urlsafe(16)
        with self._library.transaction(contents=False) as run:
            mine, coming = run(
                "SELECT count(*) FILTER (WHERE \"by\" = ?), CAST(coalesce(sum(size) FILTER (WHERE state = 'receiving'), 0) AS bigint) FROM uploads",
                (by,),
            ).fetchone()
            if mine >= self.limits.count or coming + size > self.limits.unfinished:
                raise UploadError("too many", f"{mine} files of {by} wait already; add or discard some of them first")
            self._need_room(coming + size)
            run(
                f"INSERT INTO uploads (upload_id, \"by\", name, size, likeness, created, state) VALUES (?,?,?,?,?,{NOW},'receiving')",
                (upload_id, by, _text(name), size, _text(likeness)),
            )
        return self._known(upload_id)

    def admit(self, size: int) -> None:
        """Raise UploadError for a file of no bytes, or of more than are taken."""
        if size < 1:
            raise UploadError("empty", "the file is empty (0 bytes); get it anew from where it came")
        if size > self.limits.size:
            raise UploadError(
                "too large", f"the file has {size:,} bytes, and at most {self.limits.size:,} are taken; make its pictures smaller or split it"
            )

    def append(self, upload_id: str, offset: int, pieces: Iterable[bytes]) -> int:
        """Write what comes to the end of an upload; return its offset, once that is on disk. What has come stays when `pieces` raises.

        Raises UploadError: also when `offset` is not where the upload stands, or another request is writing to it.
        """
        with self._writing(upload_id) as (upload, file):
            at = os.fstat(file).st_size
            if at != offset:
                raise UploadError("offset", f"the upload stands at {at}, the request at {offset}; ask where it stands")
            try:
                for piece in pieces:
                    if at + len(piece) > upload.size:
                        raise UploadError("too large", f"more came than the {upload.size:,} bytes that were announced")
                    self._need_room(len(piece))
                    at += _write(file, piece)
            finally:
                os.fsync(file)
        return at

    @contextmanager
    def _writing(self, upload_id: str) -> Iterator[tuple[Upload, int]]:
        """An upload that is being received, with its file, which nobody else writes to meanwhile."""
        path = self._path(self._known(upload_id))
        if not path.exists():
            make_folder(self._folder)
        file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            sync_folder(self._folder)
            upload = self.upload(upload_id)  # asked again, now that it is ours
            if upload is None or upload.state != "receiving" or upload.digest:
                raise UploadError("offset", "the file has come already, or was discarded meanwhile")
            yield upload, file
        except BlockingIOError as error:
            raise UploadError("busy", "another request is sending the same file; wait until it has ended") from error
        finally:
            os.close(file)

    def _need_room(self, size: int) -> None:
        free = shutil.disk_usage(self._library.folder).free
        if free < size + self.limits.room:
            raise UploadError(
                "no room", f"{free // MIB:,} MiB are free on the disk, {(size + self.limits.room) // MIB:,} MiB are needed; make room there"
            )

    # -- from one state to the next

    def finish(self, upload_id: str, check: Check) -> None:
        """Take an upload that has come whole into the library and ask for its examination, or refuse it; one that has not, or was taken, is left alone."""
        upload = self.upload(upload_id)
        if upload is None or upload.state != "receiving" or self.offset(upload) < upload.size:
            return
        path = self._path(upload)
        if upload.digest is None:
            try:
                problem, digest = check(path), checksum(path)
            except FileNotFoundError:
                return  # another request has just taken it
            if problem:
                self._set(upload_id, "state = 'refused', reason = ?", problem)
                path.unlink(missing_ok=True)
                return
            self._set(upload_id, "digest = ?", digest)  # from here on a crash loses nothing, wherever the file lies
            upload = replace(upload, digest=digest)
        with self._library.transaction(contents=False) as run:
            self._library.take_file(path, str(upload.digest))
            if run("UPDATE uploads SET state = 'complete' WHERE upload_id = ? AND state = 'receiving'", (upload_id,)).rowcount:
                Jobs(self._library).gather("examination", upload.by, upload_id)

    def put_findings(self, upload_id: str, findings: Mapping[str, Any], problem: str = "") -> None:
        """Say what examination found, or why the file cannot be read."""
        state: UploadState = "refused" if problem else "examined"
        with self._library.transaction(contents=False) as run:
            run(
                "UPDATE uploads SET state = ?, reason = ?, findings = ? WHERE upload_id = ? AND state NOT IN ('receiving', 'discarded')",
                (state, problem, json.dumps(findings, ensure_ascii=False), upload_id),
            )

    def added(self, upload_ids: Iterable[str]) -> None:
        """Forget uploads whose files are in the catalogue now, in the transaction that is open in this thread."""
        with self._library.transaction(contents=False) as run:
            for upload_id in upload_ids:
                run("DELETE FROM uploads WHERE upload_id = ?", (upload_id,))

    def discard(self, upload_ids: Collection[str], by: str) -> None:
        """Forget uploads at an analyst's word, and their files where nothing else uses them."""
        with self._library.transaction(contents=False) as run:
            for upload in filter(None, map(self.upload, upload_ids)):
                run("UPDATE uploads SET state = 'discarded' WHERE upload_id = ?", (upload.upload_id,))
                Changes(self._library).note(by, "discarded", upload.name)
        self._clear_discarded()

    def settle(self, check: Check) -> None:
        """Finish what was interrupted, and forget what has come too long ago. Done again, it does nothing."""
        old, receiving = [], [upload for upload in self.uploads() if upload.state == "receiving"]
        for upload in receiving:
            if self.offset(upload) == upload.size:
                self.finish(upload.upload_id, check)
            elif self.expires(upload).timestamp() < time.time():
                old.append(upload.upload_id)
        for upload_id in old:
            self._set(upload_id, "state = 'discarded'")
        self._clear_discarded()
        if self._folder.is_dir():
            with self._library.transaction(contents=False) as run:
                named = {row[0] for row in run("SELECT upload_id FROM uploads WHERE state = 'receiving'")}
                for path in self._folder.iterdir():
                    if path.name not in named:
                        path.unlink(missing_ok=True)

    def _clear_discarded(self) -> None:
        """Remove files first and rows then, while nobody else can write: a file that was sent again meanwhile is in use, and stays."""
        for row in self._library.rows("SELECT upload_id FROM uploads WHERE state = 'discarded'"):
            with self._library.transaction(contents=False) as run:
                (self._folder / row["upload_id"]).unlink(missing_ok=True)
                for (digest,) in run("SELECT digest FROM uploads WHERE upload_id = ? AND digest IS NOT NULL", (row["upload_id"],)).fetchall():
                    if not self._library.in_use(digest):
                        self._library.file(digest).unlink(missing_ok=True)
                        run("DELETE FROM sketches WHERE digest = ?", (digest,))
                run("DELETE FROM uploads WHERE upload_id = ? AND state = 'discarded'", (row["upload_id"],))

    def _known(self, upload_id: str) -> Upload:
        upload = self.upload(upload_id)
        if upload is None:
            raise UploadError("gone", "there is no such upload: it was added, discarded, or is too old; send the file again")
        return upload

    def _path(self, upload: Upload) -> Path:
        return self._folder / upload.upload_id

    def _set(self, upload_id: str, what: str, *values: object) -> None:
        with self._library.transaction(contents=False) as run:
            run(f"UPDATE uploads SET {what} WHERE upload_id = ?", (*values, upload_id))


def _write(file: int, piece: bytes) -> int:
    """Write all of it; raises UploadError where the disk is full."""
    left = memoryview(piece)
    try:
        while left:
            left = left[os.write(file, left) :]
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise UploadError("no room", "the disk is full; make room there, and send the rest then") from error
        raise
    return len(piece)


def _text(said: str) -> str:
    """What a client says, as text that can be stored and shown: no half characters, and no book."""
    return said.encode("utf-8", "replace").decode()[:1000]


def _upload(row: Row) -> Upload:
    return Upload(**{**dict(row), "findings": json.loads(row["findings"])})
