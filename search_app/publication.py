"""The page of a publication, and the original files."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, abort, render_template, send_file
from flask_babel import gettext

from ingest.formats import format_of
from ingest.records import UnreadableFileError
from search_app import languages
from search_app.answers import abstract_in, title_in
from search_app.search import searcher

blueprint = Blueprint("publication", __name__)


@blueprint.get("/publications/<publication_id>")
def page(publication_id: str) -> str:
    """Show one publication: its titles, its abstract, its editions and how well each could be read."""
    library = searcher().library
    found = library.publication(publication_id)
    if found is None:
        abort(404, gettext("There is no publication %(name)s in this library; it may have been removed.", name=repr(publication_id)))
    readers = languages.of_reader()
    editions = [(state, library.page_count(state.edition.edition_id)) for state in library.edition_states(publication_id)]
    return render_template(
        "publication.html", publication=found, title=title_in(found, readers), abstract=abstract_in(found, readers),
        editions=editions,
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


def _served_as(path: Path) -> tuple[str, str, bool]:
    """Media type, suffix, and whether browsers may show it, by what the file holds and not by what it was called."""
    try:
        form = format_of(path)
    except UnreadableFileError:
        return "application/octet-stream", path.suffix, False
    return form.media_type, path.suffix if path.suffix in form.suffixes else min(form.suffixes), form.shown
