"""Bring what a catalogue in another format holds into a library: what is there already is told first, then what was chosen is stored."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

from index.changes import Changes
from index.library import Library
from index.loose_entries import LooseEntries
from ingest.catalogue import sha256
from ingest.formats import format_of
from ingest.gathering import free_name, renamed
from ingest.imported import ImportedEntry, Remark
from ingest.labels import folded
from ingest.records import Edition, IsoglossError, Publication, UnreadableFileError, primary
from search_app.storing import change_entry

Choice = Literal["skip", "add", "merge", "new"]
CHOICES: tuple[Choice, ...] = ("skip", "add", "merge", "new")
SameBy = Literal["", "id", "DOI", "ISBN", "title", "text"]
Marks = dict[tuple[str, ...], str]  # what identifies a publication, to its id


@dataclass(frozen=True, slots=True)
class Row:
    """An entry, and the publication of the library that it is already."""

    entry: ImportedEntry
    same: Publication | None = None
    by: SameBy = ""  # what they have in common
    kept: bool = False  # whether it is a loose entry that is kept already

    @property
    def there(self) -> bool:
        return self.same is not None or self.kept


@dataclass(slots=True)
class Report:
    """What became of an import."""

    source: str
    added: list[str] = field(default_factory=list)  # publication ids
    merged: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    editions: int = 0  # that are new
    loose: int = 0
    flagged: list[tuple[str, list[dict[str, object]]]] = field(default_factory=list)  # id, remarks
    failed: list[tuple[str, str]] = field(default_factory=list)  # id, why

    @property
    def summary(self) -> str:
        counts = {
            "added": len(self.added), "editions": self.editions, "merged": len(self.merged), "skipped": len(self.skipped), "loose": self.loose,
            "flagged": len(self.flagged), "failed": len(self.failed),
        }  # fmt: skip
        return f"{self.source}: {', '.join(f'{number} {what}' for what, number in counts.items() if number) or 'nothing new'}"

    def as_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Report:
        return cls(**json.loads(text))

    def remarks(self) -> list[tuple[str, list[Remark]]]:
        return [(name, [Remark(str(one["code"]), _about(one["about"])) for one in remarks]) for name, remarks in self.flagged]


def compare(library: Library, entries: Sequence[ImportedEntry]) -> list[Row]:
    """Say of every entry which publication of the library it is already: one with its id, DOI, ISBN, or its title in a language."""
    there = {one.publication_id: one for one in _entries(library)}
    marks: Marks = {}
    for publication in there.values():
        for mark in _marks(publication, named=True):
            marks.setdefault(mark, publication.publication_id)
    kept = {mark for one in LooseEntries(library).entries() for mark in _marks(one.entry, named=False)}
    return [_row(entry, marks, there, kept) for entry in entries]


def store(library: Library, by: str, source: str, chosen: Sequence[tuple[ImportedEntry, Choice]], files: Path | None = None) -> Report:
    """Store what was chosen, an entry at a time, each on disk before the next; what cannot be is in the report, and hides no other.

    An entry that is there already is left as it is, whatever it was when it was chosen, unless it was chosen to be merged or to be new.
    """
    report = Report(source)
    rows = compare(library, [entry for entry, _ in chosen])
    for row, (_, choice) in zip(rows, chosen, strict=True):
        entry = row.entry
        name = entry.publication.publication_id
        try:
            if choice == "skip" or row.kept or (row.there and (choice == "add" or (entry.loose and choice == "merge"))):
                report.skipped.append(name)
            elif entry.loose:
                LooseEntries(library).add(by, entry.publication, [remark.code for remark in entry.remarks], source)
                report.loose += 1
            else:
                _store(library, by, row, choice, files, report)
        except (IsoglossError, OSError) as error:
            report.failed.append((name, str(error)))
    if report.added or report.merged or report.loose or report.failed:
        Changes(library).note(by, "imported", report.summary)
    return report


def merged(stored: Publication, entry: Publication) -> Publication:
    """The stored publication with the editions, titles and abstracts in languages that it lacks."""
    known = {(edition.language, edition.part) for edition in stored.editions}
    editions = [*stored.editions, *(one for one in entry.editions if (one.language, one.part) not in known)]
    said = renamed(replace(stored, editions=tuple(editions)), stored.publication_id)
    kept = dict(zip(range(len(stored.editions)), stored.editions, strict=True))
    return replace(
        said, editions=tuple(kept.get(place, one) for place, one in enumerate(said.editions)), titles={**entry.titles, **stored.titles},
        abstracts={**entry.abstracts, **stored.abstracts},
    )  # fmt: skip


def _store(library: Library, by: str, row: Row, choice: Choice, files: Path | None, report: Report) -> None:
    before, publication = None, row.entry.publication
    publication, missing = _with_files(library, row.entry, files)
    if choice == "merge" and row.same:
        before, after = row.same, merged(row.same, publication)
    else:
        taken = {one.publication_id for one in _entries(library)}
        twin = any(renamed(one, "-") == renamed(publication, "-") for one in _entries(library)) if row.same else False
        if twin:
            report.skipped.append(publication.publication_id)
            return
        after = renamed(publication, free_name(publication.publication_id, taken)) if publication.publication_id in taken else publication
    if after == before:
        report.skipped.append(after.publication_id)
        return
    change_entry(library, by, "imported", before, after)
    (report.merged if before else report.added).append(after.publication_id)
    report.editions += len(after.editions) - (len(before.editions) if before else 0)
    if remarks := [*row.entry.flagged, *missing]:
        report.flagged.append((after.publication_id, [{"code": remark.code, "about": dict(remark.about)} for remark in remarks]))


def _with_files(library: Library, entry: ImportedEntry, folder: Path | None) -> tuple[Publication, list[Remark]]:
    """The publication with those of its files that lie in the folder, which are in the library when this returns, and remarks on the others."""
    missing: list[Remark] = []
    editions: list[Edition] = []
    for edition in entry.publication.editions:
        written = entry.files.get(edition.edition_id, "")
        digest = None
        if written and folder is None:
            missing.append(Remark("files", {"file": written}))
        elif written and folder is not None:
            try:
                digest = _kept(library, folder, written)
            except (UnreadableFileError, OSError) as error:
                missing.append(Remark("no file", {"file": written, "reason": str(error)}))
        editions.append(replace(edition, digest=digest))
    return replace(entry.publication, editions=tuple(editions)), missing


def _kept(library: Library, folder: Path, written: str) -> str:
    path = folder / written
    if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
        raise UnreadableFileError(f"expected a file in {folder}, found none of this name")
    format_of(path)
    digest = sha256(path)
    library.keep_file(path, digest)
    return digest


def _entries(library: Library) -> list[Publication]:
    editions: dict[str, list[Edition]] = {}
    for state in library.edition_states():
        editions.setdefault(state.edition.publication_id, []).append(state.wanted)
    return [replace(one, editions=tuple(editions.get(one.publication_id, ()))) for one in library.publications()]


def _row(entry: ImportedEntry, marks: Marks, there: Mapping[str, Publication], kept: set[tuple[str, ...]]) -> Row:
    own = _marks(entry.publication, entry.named)
    for mark in own:
        if mark in marks:
            kind: SameBy = mark[0]  # type: ignore[assignment]
            return Row(entry, there[marks[mark]], kind)
    return Row(entry, kept=entry.loose and bool(kept.intersection(own)))


def _marks(publication: Publication, named: bool) -> list[tuple[str, ...]]:
    """What tells a publication, the surest first: its id, where somebody said it or nothing else is there; DOI, ISBN, titles; without a title its text."""
    marks: list[tuple[str, ...]] = [("id", publication.publication_id)] if named or not (publication.titles or publication.abstracts) else []
    marks += [("DOI", publication.doi)] if publication.doi else []
    marks += [("ISBN", publication.isbn)] if publication.isbn else []
    texts = [("title", *item) for item in publication.titles.items()] or [("text", *item) for item in publication.abstracts.items()]
    return marks + [(kind, primary(tag), folded(text)) for kind, tag, text in texts if folded(text)]


def _about(said: object) -> dict[str, str]:
    assert isinstance(said, dict)
    return {str(key): str(value) for key, value in said.items()}
