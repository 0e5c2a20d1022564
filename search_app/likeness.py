"""What resembles a passage or a publication, as pages show it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, cast

from flask import Blueprint, abort, current_app, render_template, request
from flask_babel import gettext

from index.library import Library
from index.likeness import Likeness, like
from ingest.records import Passage, Publication
from search_app import languages
from search_app.answers import edition_data, page_address, shown_language, title_in
from search_app.quoted import edition_at, quotation
from search_app.search import searcher

LIKE = 10  # passages like a passage
QUOTED = 420  # characters of a passage beside another

blueprint = Blueprint("likeness", __name__)


@blueprint.get("/like")
def page() -> str:
    """Show the passages of other publications that are most like one: ?page=<digest>/<number>, and &quote= to say which on that page."""
    library = searcher().library
    digest, _, number = request.args.get("page", "").partition("/")
    edition = edition_at(digest)
    key = passage_key(library, edition.edition_id, int(number), quotation()) if edition and re.fullmatch("[0-9]{1,6}", number) else 0
    publication = library.publication(edition.publication_id) if edition else None
    passage = library.passages([key]).get(key)
    if publication is None or passage is None:
        abort(404, gettext("There is no such passage in this library; its publication may have changed or been removed."))
    readers = languages.of_reader()
    found = like(library, searcher().view(), key, LIKE)
    return render_template(
        "like.html", publication=publication, title=title_in(publication, readers), asked=quoted(publication, passage),
        found=[(one, title_in(one, readers), quoted(one, there)) for one, there in found],
    )  # fmt: skip


def likeness() -> Likeness:
    return cast(Likeness, current_app.extensions["likeness"])


def passage_key(library: Library, edition_id: str, number: int, quote: str) -> int:
    """The key of the passage on this page that holds the quotation, white space aside, else of the first on it; 0 where there is none."""
    there = {key: passage for key, passage in library.passages_of(edition_id).items() if passage.first_page <= number <= passage.last_page}
    wanted = "".join(quote.split())
    return next((key for key, passage in there.items() if wanted in "".join(passage.text.split())), next(iter(there), 0))


def related_to(publication_id: str, readers: Sequence[str]) -> list[dict[str, Any]]:
    """The related publications with their titles, and the pairs of passages that show it, as pages quote them."""
    view = searcher().view()
    publications = {one.publication_id: one for one in view.publications}
    return [
        {
            "publication": one.publication,
            "title": title_in(one.publication, readers),
            "pairs": [[quoted(publications[publication_id], pair.here), quoted(one.publication, pair.there)] for pair in one.pairs],
        }
        for one in likeness().related(view, publication_id, readers)
    ]


def quoted(publication: Publication, passage: Passage) -> dict[str, Any]:
    """A passage as pages quote it, shaped like a hit without marks; a long one ends with its last sentence that fits."""
    ends = [end for _, end in passage.sentences if end <= QUOTED]
    return place_of(publication, passage, passage.first_page) | {"text": passage.text[: ends[-1] if ends else QUOTED], "marks": []}


def place_of(publication: Publication, passage: Passage, number: int) -> dict[str, Any]:
    """Where a passage is shown to stand, shaped like that part of a hit."""
    edition = publication.edition(passage.edition_id)
    return {
        "language": shown_language(edition, passage),
        "page": number or None,
        "page_label": searcher().library.page_label(edition.edition_id, number) if number else None,
        "page_address": page_address(edition, number),
        "file": edition_data(edition)["file"],
    }
