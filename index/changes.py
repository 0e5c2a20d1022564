"""What analysts change in the catalogue: stored with what was there before, so that it can be undone, and with who did it. No word of what readers ask."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from dataclasses import asdict, dataclass

from index.jobs import Jobs
from index.library import Library
from index.schema import NOW
from index.tables import put_catalogue_entry
from ingest.records import Edition, IsoglossError, Publication

HERE = ""  # the folder of publications that are kept in the library itself, not brought up to date from a folder


class ConflictError(IsoglossError):
    """Somebody else has changed the same meanwhile."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that an analyst did."""

    change_id: int
    at: str  # ISO 8601, UTC
    by: str
    what: str  # "added", "edited", "removed", "imported", "undone", or a code of what is no change of the catalogue; search_app/wording.py words it
    publication_id: str  # "" where it concerns none
    before: Publication | None  # the digests of its editions are those of the files that they should have
    after: Publication | None
    about: str  # more in words
    undone: int | None  # the change that undid it


class Changes:
    """The changes of a library, newest last, and how they are made."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def put(self, by: str, what: str, expected: Publication | None, after: Publication, again: Collection[str] = ()) -> int | None:
        """Store what the catalogue now says of a publication; return the job that reads and encodes what that asks for, None when nothing changes.

        `expected` is what the analyst saw (None for a publication that is new); `again` are editions to be read anew although their file stays.
        Everything is on disk, or nothing, when this returns. Raises ConflictError, and IsoglossError for a file that the library does not have.
        """
        name = after.publication_id
        for edition in after.editions:
            if edition.digest and not self._library.file(edition.digest).is_file():
                raise IsoglossError(f"{edition.edition_id}: expected a file that was uploaded, found none with the SHA-256 {edition.digest}")
        with self._library.transaction() as run:
            before = self._library.entry(name)
            if before != expected:
                raise ConflictError(f"{name}: somebody has changed it meanwhile; look at it again before you change it")
            if before == after:
                return None
            put_catalogue_entry(run, after, HERE)
            for edition in after.editions:
                if edition.digest is None:
                    run("DELETE FROM pages WHERE edition_id = ?", (edition.edition_id,))
                    run("DELETE FROM passages WHERE edition_id = ?", (edition.edition_id,))
                    run("UPDATE editions SET digest = NULL, state = 'no file', reason = '', wants = '' WHERE edition_id = ?", (edition.edition_id,))
            to_read = [
                state.edition.edition_id
                for state in self._library.edition_states(name)
                if state.file and (state.file != state.edition.digest or state.edition.edition_id in again)
            ]
            self._add(run, by, what, name, before, after)
            return Jobs(self._library).add("reading", by, to_read, {"publication_id": name})

    def remove(self, by: str, expected: Publication, what: str = "removed") -> None:
        """Remove a publication with all that was read of it; its files stay, so that this can be undone. Raises ConflictError."""
        with self._library.transaction() as run:
            if self._library.entry(expected.publication_id) != expected:
                raise ConflictError(f"{expected.publication_id}: somebody has changed it meanwhile; look at it again before you remove it")
            run("DELETE FROM publications WHERE publication_id = ?", (expected.publication_id,))
            self._add(run, by, what, expected.publication_id, expected, None)

    def note(self, by: str, what: str, about: str = "", publication_id: str = "") -> None:
        """Write into the log what changes no catalogue entry."""
        with self._library.transaction(contents=False) as run:
            self._add(run, by, what, publication_id, None, None, about)

    def undo(self, by: str, change_id: int) -> int | None:
        """Put back what was there before a change, which must be the last one of its publication; return the job as `put` does. Raises ConflictError."""
        change = self.change(change_id)
        if change is None or change.undone or change.before == change.after:
            raise ConflictError(f"change {change_id}: it was undone, or there is nothing in it that can be")
        with self._library.transaction() as run:
            job_id = None
            if change.before is None and change.after is not None:
                self.remove(by, change.after, "undone")
            elif change.before is not None:
                job_id = self.put(by, "undone", change.after, change.before)
            run("UPDATE changes SET undone = (SELECT max(change_id) FROM changes) WHERE change_id = ?", (change_id,))
        return job_id

    def change(self, change_id: int) -> Change | None:
        return next((_change(row) for row in self._library.rows("SELECT * FROM changes WHERE change_id = ?", (change_id,))), None)

    def changes(self, publication_id: str = "", k: int = 50, offset: int = 0) -> list[Change]:
        """The newest first: all, or those of one publication."""
        rows = self._library.rows(
            "SELECT * FROM changes WHERE ?1 IN ('', publication_id) ORDER BY change_id DESC LIMIT ?2 OFFSET ?3", (publication_id, k, offset)
        )
        return [_change(row) for row in rows]

    def _add(self, run: object, by: str, what: str, name: str, before: Publication | None, after: Publication | None, about: str = "") -> None:
        assert callable(run)
        run(
            f'INSERT INTO changes (at, "by", what, publication_id, before, after, about) VALUES ({NOW},?,?,?,?,?,?)',
            (by, what, name, entry_to_json(before), entry_to_json(after), about),
        )


def entry_to_json(publication: Publication | None) -> str:
    """A catalogue entry as JSON; "" for none."""
    return json.dumps(asdict(publication), ensure_ascii=False) if publication else ""


def entry_from_json(text: str) -> Publication | None:
    """The reverse of `entry_to_json`."""
    if not text:
        return None
    said = json.loads(text)
    lists = {key: tuple(said[key]) for key in ("topics", "countries", "authors")}
    return Publication(**{**said, **lists, "editions": tuple(Edition(**edition) for edition in said["editions"])})


def _change(row: sqlite3.Row) -> Change:
    return Change(**{**dict(row), "before": entry_from_json(row["before"]), "after": entry_from_json(row["after"])})
