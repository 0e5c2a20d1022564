"""The search page."""

from __future__ import annotations

from flask import Blueprint, abort, current_app, render_template, request

from index.searcher import PublicationHit, Query, Searcher
from search_app import languages
from search_app.answers import FACETS, MAX_HITS, MAX_QUERY, answer, counted, filters_from, title_in

PAGE_HITS = 10

blueprint = Blueprint("search", __name__)


def searcher() -> Searcher:
    found: Searcher = current_app.extensions["searcher"]
    return found


@blueprint.get("/")
def page() -> str:
    """Show the form and, once asked, the hits; before that, what there is to find."""
    publications = searcher().publications()
    readers = languages.of_reader()
    query, k, offset = asked(PAGE_HITS)
    chosen = {facet: request.args.getlist(facet) for facet in FACETS}
    hits = find(query, k + 1, offset) if query else []  # one more tells whether there is a next page
    found, more = answer(query, hits[:k], readers) if query else None, len(hits) > k
    shelf = [] if query else sorted(publications, key=lambda one: (-(one.year or 0), one.publication_id))
    return render_template(
        "search.html", query=query, found=found, chosen=chosen, facets=counted(publications), offset=offset, k=k, more=more, exact=request.args.get("exact") or None,
        asked_k=request.args.get("k") or None,
        shelf=[(one, title_in(one, readers)) for one in shelf],
    )  # fmt: skip


def find(query: str, k: int, offset: int) -> list[PublicationHit]:
    filters = filters_from({facet: request.args.getlist(facet) for facet in FACETS})
    return searcher().search(Query(query, filters, bool(request.args.get("exact")), languages.of_reader()), k, offset)


def asked(usual: int) -> tuple[str, int, int]:
    """The query, how many hits, and how many to pass over; refuses what cannot be meant."""
    query = " ".join(request.args.get("q", "").split())
    if len(query) > MAX_QUERY:
        abort(400, f"A question may have {MAX_QUERY} characters, this one has {len(query)}.")
    return query, _number("k", usual, 1, MAX_HITS), _number("offset", 0, 0, 10_000)


def _number(name: str, usual: int, least: int, most: int) -> int:
    said = request.args.get(name, "") or str(usual)
    if not said.isascii() or not said.isdigit() or len(said) > 9 or not least <= int(said) <= most:
        abort(400, f"{name} must be a whole number between {least} and {most}, got {said[:20]!r}.")
    return int(said)
