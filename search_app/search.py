"""The search page and its API."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from flask import Blueprint, Response, abort, current_app, jsonify, render_template, request
from flask_babel import gettext

from index.searcher import PublicationHit, Query, Searcher
from ingest.records import Publication
from search_app import languages
from search_app.answers import MAX_HITS, MAX_QUERY, answer, filters_from, title_in

FACETS = ("language", "year", "kind", "topic", "country")
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
    query, k, offset = _asked(PAGE_HITS)
    chosen = {facet: request.args.getlist(facet) for facet in FACETS}
    hits = _hits(query, k + 1, offset) if query else []  # one more tells whether there is a next page
    found, more = answer(query, hits[:k], readers) if query else None, len(hits) > k
    shelf = [] if query else sorted(publications, key=lambda one: (-(one.year or 0), one.publication_id))
    return render_template(
        "search.html", query=query, found=found, chosen=chosen, facets=_facets(publications), offset=offset, k=k, more=more, exact=request.args.get("exact") or None,
        asked_k=request.args.get("k") or None,
        shelf=[(one, title_in(one, readers)) for one in shelf],
    )  # fmt: skip


@blueprint.get("/api/search")
def api() -> Response:
    """Answer with the same hits as `page`, as JSON."""
    query, k, offset = _asked(PAGE_HITS)
    if not query:
        abort(400, gettext('Expected a question in the parameter "q", found none.'))
    return jsonify(answer(query, _hits(query, k, offset), languages.of_reader()))


def _hits(query: str, k: int, offset: int) -> list[PublicationHit]:
    filters = filters_from({facet: request.args.getlist(facet) for facet in FACETS})
    return searcher().search(Query(query, filters, bool(request.args.get("exact")), languages.of_reader()), k, offset)


def _asked(usual: int) -> tuple[str, int, int]:
    """The query, how many hits, and how many to pass over; refuses what cannot be meant."""
    query = " ".join(request.args.get("q", "").split())
    if len(query) > MAX_QUERY:
        abort(400, gettext("A question may have %(most)d characters, this one has %(length)d.", most=MAX_QUERY, length=len(query)))
    return query, _number("k", usual, 1, MAX_HITS), _number("offset", 0, 0, 10_000)


def _number(name: str, usual: int, least: int, most: int) -> int:
    said = request.args.get(name, "") or str(usual)
    if not said.isascii() or not said.isdigit() or len(said) > 9 or not least <= int(said) <= most:
        abort(
            400,
            gettext("%(name)s must be a whole number between %(least)d and %(most)d, got %(said)s.", name=name, least=least, most=most, said=repr(said[:20])),
        )
    return int(said)


def _facets(publications: Sequence[Publication]) -> dict[str, list[tuple[str, int]]]:
    """For each facet its values, with the number of publications that have them; years newest first."""
    counts: dict[str, Counter[str]] = {facet: Counter() for facet in FACETS}
    for one in publications:
        counts["language"].update({edition.language for edition in one.editions})
        counts["year"].update([str(one.year)] if one.year else [])
        counts["kind"].update([one.kind] if one.kind else [])
        counts["topic"].update(one.topics)
        counts["country"].update(one.countries)
    return {facet: sorted(values.items(), reverse=facet == "year") for facet, values in counts.items()}
