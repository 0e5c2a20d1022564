"""New files: sent here, examined, grouped to publications and added; what is being received, and what was refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePath

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext, ngettext
from werkzeug import Response as AnyResponse
from werkzeug.datastructures import FileStorage

from index.loose_entries import LooseEntries, LooseEntry
from index.uploads import Upload, UploadError
from ingest.records import UNDETERMINED, Publication
from search_app.describing import PARTS
from search_app.desk import duplicates, grouping, signing
from search_app.desk.adding import Row, add, collides
from search_app.desk.receiving import MIB, problem_of, uploads, worded
from search_app.search import searcher

TITLE = lazy_gettext("New files")
ROWS = 50  # on a page; files of one publication stay together
BITE = 1024 * 1024  # bytes of a form that are written at a time
OFFERED = 2000  # publications whose titles are offered while one is typed; of more, the newest

blueprint = Blueprint("files", __name__, url_prefix="/files")


@dataclass(frozen=True, slots=True)
class Shown:
    """One new file as the page shows it."""

    row: Row
    remarks: Sequence[duplicates.Remark]
    collides: bool  # its publication has such an edition already
    problem: str  # why it could not be added, or ""


@dataclass(frozen=True, slots=True)
class _Proposed:
    """All new files that were examined, with what is proposed for them."""

    rows: Mapping[str, Row]  # by upload_id, those of one publication beside each other
    remarks: Mapping[str, Sequence[duplicates.Remark]]
    publications: Mapping[str, Publication]
    entries: Sequence[LooseEntry]


def notice() -> str:
    """Say how many files wait to be added."""
    count = sum(upload.state == "examined" for upload in uploads().uploads())
    return ngettext("%(num)d new file waits to be added.", "%(num)d new files wait to be added.", count) if count else ""


@blueprint.get("")
def page() -> str:
    """Show what can be sent, what is coming, and what can be added."""
    uploads().settle(problem_of)
    return _page({}, {}, ())


@blueprint.post("")
def send() -> AnyResponse | tuple[str, int]:
    """Take files from the plain form."""
    problems = [problem for file in request.files.getlist("files") if file.filename and (problem := _receive(file))]
    return (_page({}, {}, problems), 400) if problems else redirect(url_for("desk.files.page"), 303)


@blueprint.post("/rows")
def add_rows() -> AnyResponse | tuple[str, int]:
    """Add the chosen rows to the catalogue, or discard them."""
    rows = _typed()
    chosen = [row for row in rows.values() if row.chosen]
    if request.form.get("do") == "discard":
        uploads().discard([row.upload.upload_id for row in chosen], signing.analyst())
        return redirect(url_for("desk.files.page"), 303)
    added, problems = add(signing.library(), signing.analyst(), chosen)
    if not chosen:
        return _page(rows, {}, [gettext("No file is chosen.")]), 400
    return (_page(rows, problems, (), added), 400) if problems else redirect(url_for("desk.files.page", added=added), 303)


@blueprint.post("/discard")
def discard() -> AnyResponse:
    """Discard one file that is being received, or was refused."""
    uploads().discard(request.form.getlist("upload"), signing.analyst())
    return redirect(url_for("desk.files.page"), 303)


def _receive(file: FileStorage) -> str:
    """Take one file of the plain form, as the protocol takes it; return what is wrong with it, or ""."""
    name = str(file.filename)
    size = file.stream.seek(0, 2)
    file.stream.seek(0)
    try:
        upload = uploads().create(signing.analyst(), name, size)
        try:
            uploads().append(upload.upload_id, 0, iter(partial(file.stream.read, BITE), b""))
        except UploadError:
            uploads().discard([upload.upload_id], signing.analyst())
            raise
        uploads().finish(upload.upload_id, problem_of)
    except UploadError as error:
        return f"{name}: {worded(error.found, str(error))}"
    return ""


def _page(typed: Mapping[str, Row], problems: Mapping[str, str], errors: Sequence[str], added: int = 0) -> str:
    there = uploads().uploads()
    proposed = _proposed([upload for upload in there if upload.state == "examined"])
    rows, number, pages = _paged(proposed.rows)
    rows |= {name: typed[name] for name in rows if name in typed}
    colliding = collides(rows, proposed.publications)
    shown = [Shown(row, proposed.remarks[name], name in colliding, problems.get(name, "")) for name, row in rows.items()]
    coming = [(upload, uploads().offset(upload)) for upload in there if upload.state == "receiving"]
    return render_template(
        "desk/files.html",
        coming=coming,
        waiting=[upload for upload in there if upload.state == "complete"],
        refused=[upload for upload in there if upload.state == "refused"],
        shown=shown,
        parts=PARTS,
        languages=sorted(
            {edition.language for one in proposed.publications.values() for edition in one.editions} | {row.language for row in rows.values()}
        ),
        publications=[*proposed.publications.values()][-OFFERED:],
        entries=proposed.entries,
        errors=errors,
        added=added or request.args.get("added", 0, int),
        number=number,
        pages=pages,
        total=len(proposed.rows),
        most=uploads().limits.size // MIB,
    )


def _proposed(new: Sequence[Upload]) -> _Proposed:
    """What is proposed for the files that were examined; what is a duplicate is not chosen."""
    library = signing.library()
    publications = {publication.publication_id: publication for publication in searcher().publications()}
    entries = LooseEntries(library).entries()
    remarks = duplicates.remarks(library, new, new)
    places = grouping.places(new, remarks, publications.values(), entries)
    parts = grouping.parts(new, places)
    rows = {}
    for upload in (upload for group in grouping.groups(new) for upload in group):
        name, said = upload.upload_id, upload.findings
        doubtful = any(remark.edition or (remark.very and _later(upload, remark.upload, new)) for remark in remarks[name])
        title = str(said.get("title") or PurePath(upload.name.replace("\\", "/")).stem)
        language = str(said.get("language", UNDETERMINED)).replace(UNDETERMINED, "")
        rows[name] = Row(upload, not doubtful, title, language, str(said.get("year") or ""), parts[name], places[name])
    return _Proposed(rows, remarks, publications, entries)


def _later(upload: Upload, other: Upload | None, new: Sequence[Upload]) -> bool:
    """Whether an upload came after its twin: of files sent twice the first is chosen."""
    return other is not None and new.index(upload) > new.index(other)


def _paged(rows: Mapping[str, Row]) -> tuple[dict[str, Row], int, int]:
    """The rows of the page that is asked for, its number and how many there are; the rows of one publication are never parted."""
    cuts: list[dict[str, Row]] = [{}]
    last = ""
    for name, row in rows.items():
        if len(cuts[-1]) >= ROWS and row.place != last:
            cuts.append({})
        cuts[-1][name] = row
        last = row.place
    number = min(max(request.values.get("page", 1, int), 1), len(cuts))
    return cuts[number - 1], number, len(cuts)


def _typed() -> dict[str, Row]:
    """The rows of the form; those whose files have gone meanwhile are left out."""
    return {upload.upload_id: _row(upload) for upload in _sent()}


def _sent() -> Iterator[Upload]:
    there = {upload.upload_id: upload for upload in uploads().uploads()}
    yield from (there[name] for name in request.form.getlist("upload") if name in there)


def _row(upload: Upload) -> Row:
    def said(field: str) -> str:
        return request.form.get(f"{field}-{upload.upload_id}", "")

    return Row(
        upload, bool(said("chosen")), said("title"), said("language"), said("year"), said("part"), said("place"), bool(said("replaces"))
    )  # fmt: skip
