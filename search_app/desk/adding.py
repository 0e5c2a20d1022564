"""New files become editions: rows of the form are checked, gathered by publication, and each publication is stored in one transaction with the end of its uploads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from flask_babel import gettext

from index.changes import ConflictError
from index.library import Library
from index.loose_entries import LooseEntries
from index.uploads import Upload, Uploads
from ingest.records import Edition, IsoglossError, Publication, edition_id
from search_app import languages
from search_app.describing import PARTS
from search_app.desk.grouping import LOOSE, NEW
from search_app.desk.shelf import free_name
from search_app.storing import change_entry

LONGEST_TITLE = 1000  # characters


@dataclass(frozen=True, slots=True)
class Row:
    """What an analyst says of one new file, as it was typed."""

    upload: Upload
    chosen: bool
    title: str
    language: str
    year: str
    part: str
    place: str  # the id of a publication, "+1" for a new one, "#1" for an imported entry
    replaces: bool = False  # the edition that is there


class RowError(Exception):
    """A row cannot be added as it is; the message says why, in the reader's language."""

    def __init__(self, upload_id: str, message: str) -> None:
        super().__init__(message)
        self.upload_id = upload_id


def add(library: Library, by: str, rows: Iterable[Row]) -> tuple[int, dict[str, str]]:
    """Add the rows, each publication by itself; return how many files were added, and for those that were not why, by upload_id."""
    problems: dict[str, str] = {}
    together: dict[str, list[Row]] = {}
    for row in rows:
        together.setdefault(row.place.strip(), []).append(row)
    added = 0
    for place, group in together.items():
        try:
            added += _add(library, by, place, group)
        except RowError as error:
            problems |= {row.upload.upload_id: gettext("Not added: another file of this publication needs a correction first.") for row in group}
            problems[error.upload_id] = str(error)
    return added, problems


def _add(library: Library, by: str, place: str, rows: Sequence[Row]) -> int:
    checked = [_checked(row) for row in sorted(rows, key=lambda row: PARTS.index(row.part) if row.part in PARTS else 0)]
    first, ids = checked[0], [row.upload.upload_id for row in checked]
    uploads = Uploads(library)
    with library.transaction():
        for row in checked:
            if uploads.upload(row.upload.upload_id) is None:
                raise RowError(row.upload.upload_id, gettext("Somebody has added or discarded this file meanwhile."))
        expected, entry = _entry(library, place, first)
        for row in checked:
            entry = _with(entry, row, expected)
        try:
            change_entry(library, by, "edited" if expected else "added", expected, entry)
        except (ConflictError, IsoglossError) as error:
            raise RowError(first.upload.upload_id, str(error)) from error
        uploads.added(ids)
    return len(ids)


def _checked(row: Row) -> Row:
    """The row with what was typed brought into form; raises RowError for what cannot be."""
    name, title, (language, *_) = row.upload.upload_id, " ".join(row.title.split()), [*languages.tags([row.language.strip()]), ""]
    if row.upload.state != "examined":
        raise RowError(name, gettext("This file has not been examined yet. Wait a moment."))
    if not 0 < len(title) <= LONGEST_TITLE:
        raise RowError(name, gettext("A title is needed, of at most %(most)s characters.", most=LONGEST_TITLE))
    if not language:
        raise RowError(name, gettext("A language is needed: type its name, or a tag such as fr, pt-BR or zh-Hans."))
    if row.year.strip() and not (row.year.strip().isdecimal() and 1000 <= int(row.year) <= 9999):
        raise RowError(name, gettext("The year must have four digits, or be left empty."))
    if row.part not in PARTS:
        raise RowError(name, gettext("Choose whether this is the whole publication, an executive summary or an annex."))
    return replace(row, title=title, language=language)


def _entry(library: Library, place: str, first: Row) -> tuple[Publication | None, Publication]:
    """The publication that is there, None for a new one, and the entry to which editions are added; an imported entry is used up."""
    if place.startswith(NEW) or not place:
        return None, _new(library, first)
    if place.startswith(LOOSE):
        loose = LooseEntries(library)
        found = next((one for one in loose.entries() if f"{LOOSE}{one.entry_id}" == place), None)
        if found is None:
            raise RowError(first.upload.upload_id, gettext("Somebody has settled this imported entry meanwhile."))
        loose.remove(found.entry_id)
        return None, _renamed(found.entry, free_name(library, next(iter(found.entry.titles.values()), first.title)))
    there = library.entry(place)
    if there is None:
        message = gettext("There is no publication %(name)s. Choose one from the list, or write +1 for a new one.", name=repr(place))
        raise RowError(first.upload.upload_id, message)
    return there, there


def _new(library: Library, first: Row) -> Publication:
    said = first.upload.findings
    return Publication(
        free_name(library, first.title), {}, {}, None, "", (), (), "", (), tuple(said.get("authors", ())), "", str(said.get("isbn", "")), str(said.get("doi", "")),
    )  # fmt: skip


def _with(entry: Publication, row: Row, expected: Publication | None) -> Publication:
    """The entry with the file of a row as an edition; what it says already in its language stays. Raises RowError where there is such an edition."""
    name = entry.publication_id
    key = edition_id(name, row.language, row.part)  # type: ignore[arg-type]
    there = next((edition for edition in entry.editions if edition.edition_id == key), None)
    if there and there.digest:
        before = expected is not None and any(edition.edition_id == key for edition in expected.editions)
        if not before:
            raise RowError(row.upload.upload_id, gettext("Another of these files is the same part in the same language. Choose another part."))
        if not row.replaces:
            raise RowError(
                row.upload.upload_id, gettext("This publication has an edition in this language already. Replace it, or choose another part.")
            )
    new = replace(there, digest=row.upload.digest) if there else Edition(key, name, row.language, "", row.part, row.upload.digest)  # type: ignore[arg-type]
    editions = tuple(new if edition is there else edition for edition in entry.editions) if there else (*entry.editions, new)
    abstract = str(row.upload.findings.get("abstract") or "")
    return replace(
        entry,
        titles={row.language: row.title, **entry.titles},
        abstracts={**({row.language: abstract} if abstract else {}), **entry.abstracts},
        year=entry.year or (int(row.year) if row.year.strip() else None),
        editions=editions,
    )


def _renamed(entry: Publication, name: str) -> Publication:
    """An entry under another id, and its editions with it."""
    editions = (replace(edition, edition_id=edition_id(name, edition.language, edition.part), publication_id=name) for edition in entry.editions)
    return replace(entry, publication_id=name, editions=tuple(editions))


def collides(rows: Mapping[str, Row], publications: Mapping[str, Publication]) -> set[str]:
    """The uploads, by id, whose publication has an edition with a file in their language and part already."""
    found = set()
    for upload_id, row in rows.items():
        publication = publications.get(row.place)
        language = next(iter(languages.tags([row.language])), row.language)
        key = publication and edition_id(publication.publication_id, language, row.part)  # type: ignore[arg-type]
        if publication and any(edition.edition_id == key and edition.digest for edition in publication.editions):
            found.add(upload_id)
    return found
