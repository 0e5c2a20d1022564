"""What analysts change in the catalogue: stored with what was there before, so that it can be undone, and with who did it. No word of what readers ask."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

from index.jobs import Jobs
from index.library import Library
from index.schema import NOW
from index.store import Row
from index.tables import copy_edition, empty_edition, put_catalogue_entry
from ingest.records import Edition, IsoglossError, Publication

OF_CATALOGUE = "before <> after"
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
    folder: str  # from which its publication was kept up to date until then; HERE where it was not

    @property
    def of_catalogue(self) -> bool:
        """Whether it changed a catalogue entry; what it did else cannot be undone."""
        return self.before != self.after


class Changes:
    """The changes of a library, newest last, and how they are made."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def put(
        self, by: str, what: str, expected: Publication | None, after: Publication, again: Collection[str] = (), folder: str = HERE
    ) -> int | None:
        """Store what the catalogue now says of a publication; return the job that reads and encodes what that asks for, None when nothing changes.

        `expected` is what the analyst saw (None for a publication that is new); `again` are editions to be read anew although their file stays;
        `folder` is what keeps it up to date from now on. An edition whose language or part alone is another keeps what was read of it.
        Everything is on disk, or nothing, when this returns. Raises ConflictError, and IsoglossError for a file that the library does not have.
        """
        name = after.publication_id
        with self._library.transaction() as run:
            self._require_files(after)  # within, since files are deleted within transactions too
            before, came_from = self._expect(name, expected), self._library.folder_of(name) or HERE
            if before == after:
                return None
            renamed = _renamed(before, after)
            for new, old in renamed.items():
                copy_edition(run, old.edition_id, new)
            put_catalogue_entry(run, after, folder)
            for edition in after.editions:
                if edition.digest is None:
                    empty_edition(run, edition.edition_id)
            self._add(run, Change(0, "", by, what, name, before, after, "", None, came_from))
            return self._read(by, name, {*again, *(new for new, old in renamed.items() if after.edition(new).language != old.language)})

    def remove(self, by: str, expected: Publication, what: str = "removed") -> None:
        """Remove a publication with all that was read of it; its files stay, so that this can be undone. Raises ConflictError."""
        name = expected.publication_id
        with self._library.transaction() as run:
            self._expect(name, expected)
            came_from = self._library.folder_of(name) or HERE
            run("DELETE FROM publications WHERE publication_id = ?", (name,))
            self._add(run, Change(0, "", by, what, name, expected, None, "", None, came_from))

    def give_back(self, by: str, publication_id: str) -> None:
        """Let the folder from which a publication came keep it up to date again; raises ConflictError where there is none."""
        with self._library.transaction() as run:
            folder = self.folder_before(publication_id)
            if not folder or self._library.folder_of(publication_id) != HERE:
                raise ConflictError(f"{publication_id}: expected one that came from a folder and is kept here now, found none; look at it again")
            run("UPDATE publications SET folder = ? WHERE publication_id = ?", (folder, publication_id))
            self.note(by, "given back", folder, publication_id)

    def note(self, by: str, what: str, about: str = "", publication_id: str = "") -> None:
        """Write into the log what changes no catalogue entry."""
        with self._library.transaction(contents=False) as run:
            self._add(run, Change(0, "", by, what, publication_id, None, None, about, None, HERE))

    def undo(self, by: str, change_id: int, again: Collection[str] = ()) -> int | None:
        """Put back what was there before a change, also the folder that kept it up to date; return the job as `put` does.

        The entry must still be as that change left it; what undid a change can be undone in its turn. Raises ConflictError.
        """
        with self._library.transaction() as run:
            change, job_id = self.change(change_id), None
            if change is None or change.undone or not change.of_catalogue:
                raise ConflictError(f"change {change_id}: it was undone already, or there is nothing in it that can be; look at the log again")
            if change.before is not None:
                job_id = self.put(by, "undone", change.after, change.before, again, change.folder)
            elif change.after is not None:
                self.remove(by, change.after, "undone")
            run("UPDATE changes SET undone = (SELECT max(change_id) FROM changes) WHERE change_id = ?", (change_id,))
        return job_id

    def can_be_undone(self, change: Change) -> bool:
        """Whether the entry is still as this change left it."""
        return change.of_catalogue and not change.undone and self._library.entry(change.publication_id) == change.after

    def kept_here(self, publication_id: str) -> bool:
        """Whether folders have no more say in a publication: it was added or changed here, or one of theirs was removed here."""
        folder = self._library.folder_of(publication_id)
        if folder is not None:
            return folder == HERE
        last = self._library.rows(
            f"SELECT after FROM changes WHERE publication_id = ? AND {OF_CATALOGUE} ORDER BY change_id DESC LIMIT 1", (publication_id,)
        )
        return bool(last) and not last[0]["after"] and bool(self.folder_before(publication_id))

    def folder_before(self, publication_id: str) -> str:
        """The folder that kept a publication up to date until it was changed here; HERE where none did."""
        found = self._library.rows(
            "SELECT folder FROM changes WHERE publication_id = ? AND folder <> '' ORDER BY change_id DESC LIMIT 1", (publication_id,)
        )
        return str(found[0]["folder"]) if found else HERE

    def change(self, change_id: int) -> Change | None:
        return next((_change(row) for row in self._library.rows("SELECT * FROM changes WHERE change_id = ?", (change_id,))), None)

    def changes(self, publication_id: str = "", k: int = 50, offset: int = 0, by: str = "") -> list[Change]:
        """The newest first: all, or those of one publication, or of one account."""
        rows = self._library.rows(
            "SELECT * FROM changes WHERE ?1 IN ('', publication_id) AND ?2 IN ('', \"by\") ORDER BY change_id DESC LIMIT ?3 OFFSET ?4",
            (publication_id, by, k, offset),
        )
        return [_change(row) for row in rows]

    def people(self) -> list[str]:
        """The accounts that have changed anything."""
        return [row[0] for row in self._library.rows('SELECT DISTINCT "by" FROM changes ORDER BY 1')]

    def _expect(self, name: str, expected: Publication | None) -> Publication | None:
        """What the catalogue says, which must be what the analyst saw."""
        if self._library.entry(name) != expected:
            raise ConflictError(f"{name}: somebody has changed it meanwhile; look at it again before you change it")
        return expected

    def _require_files(self, after: Publication) -> None:
        for edition in after.editions:
            if edition.digest and not self._library.file(edition.digest).is_file():
                raise IsoglossError(f"{edition.edition_id}: expected a file that was uploaded, found none with the SHA-256 {edition.digest}")

    def _read(self, by: str, name: str, again: Collection[str]) -> int:
        """Ask for a job that reads what is to be read of a publication, and encodes its entry."""
        states = [state for state in self._library.edition_states(name) if state.file]
        names = [state.edition.edition_id for state in states if state.file != state.edition.digest or state.edition.edition_id in again]
        return Jobs(self._library).add("reading", by, names, {"publication_id": name})

    def _add(self, run: Any, change: Change) -> None:
        run(
            f'INSERT INTO changes (at, "by", what, publication_id, before, after, about, folder) VALUES ({NOW},?,?,?,?,?,?,?)',
            (change.by, change.what, change.publication_id, entry_to_json(change.before), entry_to_json(change.after), change.about, change.folder),
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


def _change(row: Row) -> Change:
    return Change(**{**dict(row), "before": entry_from_json(row["before"]), "after": entry_from_json(row["after"])})


def _renamed(before: Publication | None, after: Publication) -> dict[str, Edition]:
    """The editions that only have another language or part now, by their new ids, as they were: nobody has their old id any more."""
    if before is None:
        return {}
    kept = {edition.edition_id for edition in after.editions}
    there = {edition.edition_id for edition in before.editions}
    left = {edition.digest: edition for edition in before.editions if edition.digest and edition.edition_id not in kept}
    return {new.edition_id: left.pop(new.digest) for new in after.editions if new.edition_id not in there and new.digest in left}


def fingerprint(publication: Publication | None) -> str:
    """Tells one state of a catalogue entry from every other; "" for none."""
    return hashlib.sha256(entry_to_json(publication).encode("utf-8", "surrogatepass")).hexdigest() if publication else ""
