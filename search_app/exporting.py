"""Write everything that a library holds as files in open formats.

    publications/ID/publication.toml    the catalogue entry, as README describes it
    publications/ID/es.pdf              the original of an edition, named by its language and part
    publications/ID/es.txt, es.jsonl    its text as it was read, a form feed after each page; and page by page with number, label, health and cause
    catalogue.csv, catalogue.ris        all editions, for spreadsheets and reference managers
    export.json                         what was written, with checksums

The same library gives the same bytes, and `isogloss ingest` makes the same catalogue of them. Files that are the same already are left alone, so an
interrupted export goes on where it stopped. What an earlier export wrote and this one does not is deleted; nothing else is.
"""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import tomli_w

from index import room
from index.durable import checksum, make_folder, replacing
from index.library import Library
from ingest.catalogue import ENTRY
from ingest.records import Edition, IsoglossError, Page, Publication, primary
from search_app.references import Reference, ris
from search_app.spreadsheet import disarmed
from search_app.storing import title_of

MANIFEST = "export.json"
HOME = "publications"
LONGEST = 255  # bytes of a folder's name
COLUMNS = (
    "publication_id", "title", "language", "label", "part", "year", "kind", "topics", "countries", "source", "authors", "publisher", "isbn",
    "doi", "abstract", "file",
)  # fmt: skip

Progress = Callable[[str, int, int], None]  # what is written, how much of it, of how much
Content = Callable[[], str] | Path  # of a file: what makes its text, or the original that it is a copy of


class UnusableFolderError(IsoglossError):
    """The folder holds something else than an export."""


@dataclass(slots=True)
class Export:
    """What an export came to."""

    publications: int = 0
    editions: int = 0
    written: int = 0  # files
    same: int = 0  # files that were there already
    problems: list[str] = field(default_factory=list)  # what could not be exported, a line each


def export(library: Library, folder: Path, progress: Progress = lambda *_: None) -> Export:
    """Bring the export in `folder` up to date with a library, which may be in use. Raises UnusableFolderError and FullDiskError."""
    former = _former(folder)
    make_folder(folder)
    done = Export()
    with room.noticing(folder), library.snapshot():
        entries = [entry for publication in library.publications() if (entry := library.entry(publication.publication_id))]
        homes = {entry.publication_id: _home(entry.publication_id, done.problems) for entry in entries}
        files: dict[str, Content] = {}
        for entry in entries:
            files |= _files(library, entry, homes[entry.publication_id], done.problems)
        files["catalogue.csv"] = lambda: catalogue_csv(library, entries, homes)
        files["catalogue.ris"] = lambda: catalogue_ris(entries)
        _write(
            folder / MANIFEST, _manifest(dict.fromkeys(former | files.keys(), ""))
        )  # first: should this be cut short, the next one knows what is whose
        checksums = {}
        for place, (path, content) in enumerate(files.items(), start=1):
            checksums[path] = _put(folder / path, content, done)
            progress("files", place, len(files))
        _delete(folder, former - files.keys())
        _write(folder / MANIFEST, _manifest(checksums))
    done.publications, done.editions = len(entries), sum(len(entry.editions) for entry in entries)
    return done


def entry_toml(entry: Publication, files: dict[str, str]) -> str:
    """A catalogue entry as publication.toml says it; `files` are the names of the editions' files, by edition_id."""
    said: dict[str, Any] = {
        "year": entry.year, "kind": entry.kind, "topics": list(entry.topics), "countries": list(entry.countries), "source": entry.source,
        "authors": list(entry.authors), "publisher": entry.publisher, "isbn": entry.isbn, "doi": entry.doi,
    }  # fmt: skip
    editions = [
        {"language": one.language, "label": one.label, "part": one.part}
        | ({"file": files[one.edition_id]} if one.edition_id in files else {})
        for one in entry.editions
    ]  # fmt: skip
    filled = {name: value for name, value in said.items() if value}
    return tomli_w.dumps({**filled, "title": dict(entry.titles), "abstract": dict(entry.abstracts), "editions": editions})


def catalogue_csv(library: Library, entries: Sequence[Publication], homes: dict[str, str]) -> str:
    """All editions as a table, one a row, in UTF-8 with the mark that Excel asks for; lists are joined by "; ", formulas disarmed."""
    written = StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(COLUMNS)
    for entry in entries:
        for edition in entry.editions:
            file = _original(library, edition)
            cells = (
                entry.publication_id, title_of(entry, edition), edition.language, edition.label, edition.part, str(entry.year or ""), entry.kind,
                "; ".join(entry.topics), "; ".join(entry.countries), entry.source, "; ".join(entry.authors), entry.publisher, entry.isbn,
                entry.doi, _abstract(entry, edition), f"{HOME}/{homes[entry.publication_id]}/{_stem(edition)}{file.suffix}" if file else "",
            )  # fmt: skip
            writer.writerow(map(disarmed, cells))
    return "\ufeff" + written.getvalue()


def catalogue_ris(entries: Sequence[Publication]) -> str:
    """All editions for reference managers."""
    return "\r\n".join(ris(_reference(entry, edition)).rstrip("\r\n") + "\r\n" for entry in entries for edition in entry.editions)


def text_of(pages: Sequence[Page]) -> str:
    """The text of an edition, a form feed after each page."""
    return "".join(f"{page.text}\n\f" for page in pages)


def jsonl_of(pages: Sequence[Page]) -> str:
    """The text of an edition page by page, a JSON object a line."""
    said = ({"page": page.number, "label": page.label, "health": page.health, "cause": page.cause, "text": page.text} for page in pages)
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in said)


def _files(library: Library, entry: Publication, home: str, problems: list[str]) -> dict[str, Content]:
    """The files of a publication, by their paths in the export; its entry comes last, when those that it names are there."""
    files: dict[str, Content] = {}
    names: dict[str, str] = {}
    for edition in entry.editions:
        original, stem = _original(library, edition), f"{HOME}/{home}/{_stem(edition)}"
        if edition.digest and original is None:
            problems.append(f"{edition.edition_id}: its original {edition.digest} is missing; put it back from a backup")
        if original:
            names[edition.edition_id] = f"{_stem(edition)}{original.suffix}"
            files[f"{stem}{original.suffix}"] = original
        if library.page_count(edition.edition_id):
            files[f"{stem}.txt"] = lambda name=edition.edition_id: text_of(library.pages(name))  # type: ignore[misc]
            files[f"{stem}.jsonl"] = lambda name=edition.edition_id: jsonl_of(library.pages(name))  # type: ignore[misc]
    files[f"{HOME}/{home}/{ENTRY}"] = lambda: entry_toml(entry, names)
    return files


def _original(library: Library, edition: Edition) -> Path | None:
    path = library.file(edition.digest) if edition.digest else None
    return path if path and path.is_file() else None


def _stem(edition: Edition) -> str:
    """ "es" or "es.annex": what comes after the publication in an edition's id."""
    return edition.edition_id.removeprefix(f"{edition.publication_id}.")


def _home(name: str, problems: list[str]) -> str:
    """The folder of a publication: its id, which an ingest makes of it again, unless no folder can be called so."""
    if name not in ("", ".", "..") and not set(name) & {"/", "\0"} and len(name.encode()) <= LONGEST:
        return name
    short = name.replace("/", "_").replace("\0", "_").encode()[:100].decode(errors="ignore")
    renamed = f"{short}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    problems.append(f"{name!r}: no folder can be called so; it is exported as {renamed!r}, and will have that id when it is ingested")
    return renamed


def _abstract(entry: Publication, edition: Edition) -> str:
    there = (text for tag, text in entry.abstracts.items() if primary(tag) == primary(edition.language))
    return entry.abstracts.get(edition.language) or next(there, "")


def _reference(entry: Publication, edition: Edition) -> Reference:
    """An edition as it is cited; its address is the publisher's, since that of this library is not known to it."""
    title = title_of(entry, edition)
    other = next(iter(entry.titles.values()), entry.publication_id)
    return Reference(
        edition.edition_id, entry.kind, edition.part, title or other, "", edition.language, entry.authors, entry.publisher, entry.year, entry.isbn,
        entry.doi, _abstract(entry, edition), entry.source,
    )  # fmt: skip


def _former(folder: Path) -> set[str]:
    """The paths of an export that is there already."""
    if not folder.exists() or not any(folder.iterdir()):
        return set()
    try:
        return set(json.loads((folder / MANIFEST).read_text("utf-8"))["files"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnusableFolderError(f"Expected an empty folder or an earlier export, found something else in {folder}; nothing was changed") from error


def _manifest(checksums: dict[str, str]) -> bytes:
    return (json.dumps({"format": 1, "files": checksums}, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def _put(path: Path, content: Content, done: Export) -> str:
    """Write a file unless it is there and the same; return its checksum."""
    written = content if isinstance(content, Path) else content().encode()
    wanted = checksum(written) if isinstance(written, Path) else hashlib.sha256(written).hexdigest()
    if path.is_file() and checksum(path) == wanted:
        done.same += 1
        return wanted
    make_folder(path.parent)
    _write(path, written)
    done.written += 1
    return wanted


def _write(path: Path, content: bytes | Path) -> None:
    with replacing(path) as written:
        if isinstance(content, Path):
            shutil.copyfile(content, written)
        else:
            written.write_bytes(content)


def _delete(folder: Path, gone: set[str]) -> None:
    """Delete what an earlier export wrote, and the folders that this leaves empty."""
    for path in sorted(folder / name for name in gone):
        if path.resolve().is_relative_to(folder.resolve()):
            path.unlink(missing_ok=True)
            if path.parent != folder and path.parent.exists() and not any(path.parent.iterdir()):
                path.parent.rmdir()
