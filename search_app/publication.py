"""The page of a publication, and the original files."""

from __future__ import annotations

from collections import Counter

from flask import Blueprint, Response, abort, render_template, send_file

from ingest.records import Page
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
        abort(404, f"There is no publication {publication_id!r} in this library; it may have been removed.")
    readers = languages.of_reader()
    editions = [(state, library.pages(state.edition.edition_id)) for state in library.edition_states(publication_id)]
    return render_template(
        "publication.html", publication=found, title=title_in(found, readers), abstract=abstract_in(found, readers),
        editions=[(state, len(pages), _unread(pages)) for state, pages in editions],
    )  # fmt: skip


@blueprint.get("/files/<edition_id>.pdf")
def file(edition_id: str) -> Response:
    """Give the original PDF of an edition; readers' programs open it at the page after "#page="."""
    library = searcher().library
    digest = library.digest(edition_id)
    if not digest or not library.file(digest).is_file():
        abort(404, f"There is no file of an edition {edition_id!r} in this library.")
    return send_file(library.file(digest).absolute(), "application/pdf", download_name=f"{edition_id}.pdf", etag=digest, last_modified=None)


def _unread(pages: list[Page]) -> str:
    """Which pages cannot be searched, by cause, such as "3 image only"."""
    causes = Counter(page.health for page in pages if page.health != "good")
    return ", ".join(f"{count} {health}" for health, count in sorted(causes.items()))
