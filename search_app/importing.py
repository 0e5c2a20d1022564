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
from ingest.imported import ImportedEntry, Problem, Remark
from ingest.labels import folded
from ingest.records import Edition, IsoglossError, Publication, UnreadableFileError, primary
from search_app.answers import title_in
from search_app.storing import change_entry

Choice = Literal["skip", "add", "merge", "new"]
CHOICES: tuple[Choice, ...] = ("skip", "add", "merge", "new")
SameBy = Literal["", "id", "DOI", "ISBN", "title", "text"]
What = Literal["added", "merged", "skipped", "loose", "failed"]
WHATS: tuple[What, ...] = ("added", "merged", "skipped", "loose", "failed")
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


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one entry."""

    publication_id: str
    called: str
    language: str  # of what it is called
    what: What
    editions: int = 0  # that are new
    remarks: tuple[Remark, ...] = ()
    why: str = ""  # it failed

    @property
    def flagged(self) -> bool:
        return any(remark.flagged for remark in self.remarks)


@dataclass(slots=True)
class Report:
    """What became of an import; everything that was decided by a rule stands in it."""

    source: str
    outcomes: list[Outcome] = field(default_factory=list)
    problems: tuple[Problem, ...] = ()  # records that could not be read
    remarks: tuple[Remark, ...] = ()  # on the whole

    def having(self, what: What) -> list[Outcome]:
        return [one for one in self.outcomes if one.what == what]

    @property
    def editions(self) -> int:
        return sum(one.editions for one in self.outcomes)

    @property
    def summary(self) -> str:
        counts: dict[str, int] = {what: len(self.having(what)) for what in WHATS}
        counts |= {"editions": self.editions, "flagged": sum(one.flagged for one in self.outcomes), "unreadable": len(self.problems)}
        return f"{self.source}: {', '.join(f'{number} {what}' for what, number in counts.items() if number) or 'nothing'}"

    def as_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Report:
        said = json.loads(text)
        outcomes = [Outcome(**{**one, "remarks": tuple(Remark(**remark) for remark in one["remarks"])}) for one in said["outcomes"]]
        problems = tuple(Problem(one["line"], Remark(**one["remark"])) for one in said["problems"])
        return cls(said["source"], outcomes, problems, tuple(Remark(**remark) for remark in said["remarks"]))


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
    with library.importing():
        rows = compare(library, [entry for entry, _ in chosen])
        report.outcomes += [_stored(library, by, source, row, choice, files) for row, (_, choice) in zip(rows, chosen, strict=True)]
        if any(one.what != "skipped" for one in report.outcomes):
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


def _stored(library: Library, by: str, source: str, row: Row, choice: Choice, files: Path | None) -> Outcome:
    """What becomes of one entry, as `store` says."""
    entry = row.entry
    try:
        if choice == "skip" or row.kept or (row.there and (choice == "add" or (entry.loose and choice == "merge"))):
            return _outcome(entry.publication, "skipped")
        if entry.loose:
            LooseEntries(library).add(by, entry.publication, [remark.code for remark in entry.remarks], source)
            return _outcome(entry.publication, "loose", remarks=entry.remarks)
        return _store(library, by, row, choice, files)
    except (IsoglossError, OSError) as error:
        return replace(_outcome(entry.publication, "failed", remarks=entry.remarks), why=str(error))


def _store(library: Library, by: str, row: Row, choice: Choice, files: Path | None) -> Outcome:
    publication, missing = _with_files(library, row.entry, files)
    before = row.same if choice == "merge" else None
    if before:
        after = merged(before, publication)
    else:
        if row.same and any(renamed(one, "-") == renamed(publication, "-") for one in _entries(library)):
            return _outcome(publication, "skipped")  # another one would say the same in every word
        after = renamed(publication, free_name(publication.publication_id, library.dates()))
    if after == before:
        return _outcome(after, "skipped")
    change_entry(library, by, "imported", before, after)
    editions = len(after.editions) - (len(before.editions) if before else 0)
    return _outcome(after, "merged" if before else "added", editions, (*row.entry.remarks, *missing))


def _outcome(publication: Publication, what: What, editions: int = 0, remarks: tuple[Remark, ...] = ()) -> Outcome:
    return Outcome(publication.publication_id, *title_in(publication, ()), what, editions, remarks)


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
