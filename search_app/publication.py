"""The page of a publication, and the original files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, abort, render_template, request, send_file
from flask_babel import gettext

from index.contents import EditionState
from index.library import Library
from index.searcher import Hit, Query
from ingest.formats import format_of
from ingest.records import Publication, UnreadableFileError, primary
from search_app import languages, wording
from search_app.answers import abstract_in, marks_data, title_in
from search_app.citing import cited
from search_app.likeness import place_of, related_to
from search_app.search import question, searcher

INSIDE = 10  # hits in one publication
OUTLINE = 150  # headings of an edition

blueprint = Blueprint("publication", __name__)


@dataclass(frozen=True, slots=True)
class Reading:
    """How well an edition could be read."""

    state: EditionState
    pages: int
    rows: Sequence[tuple[str, str, str]]  # health, cause and page numbers, most pages first; nothing where all are good


@blueprint.get("/publications/<publication_id>")
def page(publication_id: str) -> str:
    """Show one publication: what it is, its editions and how well each could be read, what is in it, and what is related."""
    library = searcher().library
    found = library.publication(publication_id)
    if found is None:
        abort(404, gettext("There is no publication %(name)s in this library; it may have been removed.", name=repr(publication_id)))
    readers = languages.of_reader()
    query = question()
    readings = [_reading(library, state) for state in library.edition_states(publication_id)]
    outlined = _outlined(readings, readers)
    hits = searcher().inside(Query(query, readers=readers), publication_id, INSIDE) if query else []
    return render_template(
        "publication.html", publication=found, title=title_in(found, readers), abstract=abstract_in(found, readers), readings=readings,
        query=query, hits=[_inside(found, hit) for hit in hits], outlined=outlined, outline=outline(library, outlined) if outlined else [],
        doi_address="https://doi.org/" + found.doi, citation=cited(found), related=[] if query else related_to(publication_id, readers),
    )  # fmt: skip


@blueprint.get("/files/<edition_id>")
def file(edition_id: str) -> Response:
    """Give the original file of an edition: a PDF to be shown, at the page after "#page="; anything else to be kept, never to run here."""
    library = searcher().library
    digest = library.digest(edition_id)
    if not digest or not library.file(digest).is_file():
        abort(404, gettext("There is no file of an edition %(name)s in this library.", name=repr(edition_id)))
    path = library.file(digest).absolute()
    media_type, suffix, shown = _served_as(path)
    return send_file(path, media_type, as_attachment=not shown, download_name=edition_id + suffix, etag=digest, last_modified=None)


def outline(library: Library, reading: Reading) -> list[tuple[int, str, int, str]]:
    """The headings of an edition in reading order: depth from 1, heading, the first page of a passage that stands under it, and its printed number."""
    found: dict[tuple[str, ...], int] = {}
    for passage in library.passages_of(reading.state.edition.edition_id).values():
        for depth in range(1, len(passage.headings) + 1):
            found.setdefault(passage.headings[:depth], passage.first_page)
    shown = list(found.items())[:OUTLINE]
    return [(len(path), path[-1], number, library.page_label(reading.state.edition.edition_id, number)) for path, number in shown]


def _outlined(readings: Sequence[Reading], readers: Sequence[str]) -> Reading | None:
    """The edition whose outline is shown: the one asked for, else the first of the reader's languages, else the first that was read."""
    read = {one.state.edition.edition_id: one for one in readings if one.state.state in ("read", "partly read")}
    spoken = (one for tag in readers for one in read.values() if primary(one.state.edition.language) == primary(tag))
    return read.get(request.args.get("edition", "")) or next(spoken, None) or next(iter(read.values()), None)


def _reading(library: Library, state: EditionState) -> Reading:
    rows: dict[tuple[str, str], list[int]] = {}
    healths = library.page_healths(state.edition.edition_id)
    for number, health, cause in healths:
        rows.setdefault((health, cause), []).append(number)
    told = [] if set(rows) <= {("good", "")} else sorted(rows.items(), key=lambda row: (-len(row[1]), row[1]))
    return Reading(state, len(healths), [(health, cause, wording.ranges(numbers)) for (health, cause), numbers in told])


def _inside(publication: Publication, hit: Hit) -> dict[str, Any]:
    return place_of(publication, hit.passage, hit.page) | {"text": hit.passage.text, "marks": marks_data(hit.marks), "close": hit.close}


def _served_as(path: Path) -> tuple[str, str, bool]:
    """Media type, suffix, and whether browsers may show it, by what the file holds and not by what it was called."""
    try:
        form = format_of(path)
    except UnreadableFileError:
        return "application/octet-stream", path.suffix, False
    return form.media_type, path.suffix if path.suffix in form.suffixes else min(form.suffixes), form.shown
