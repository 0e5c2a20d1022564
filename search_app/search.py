"""The search page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from flask import Blueprint, abort, current_app, get_template_attribute, render_template, request, url_for
from flask_babel import gettext
from markupsafe import Markup

from index.filters import Filters
from index.searcher import PublicationHit, Query, Searcher
from index.shelf import Shelf
from search_app import languages
from search_app.answers import MAX_HITS, MAX_QUERY, answer, title_in
from search_app.facets import chosen_from, facets_of, filters_from

PAGE_HITS = 10
SHELF = 25  # publications on a page that lists them
FURTHEST = 1_000_000  # entries of a list that an address may pass over

Nothing = Literal["empty", "end", "narrow", "unreadable", "words"]

blueprint = Blueprint("search", __name__)


def searcher() -> Searcher:
    found: Searcher = current_app.extensions["searcher"]
    return found


@blueprint.get("/")
def page() -> str:
    """Show the form and, once asked, the hits; before that, what there is to find."""
    there = searcher().view().shelf
    query, k, offset = asked(PAGE_HITS)
    chosen = chosen_from(request.args.getlist)
    filters = filters_from(chosen)
    state = {"q": query or None, "exact": request.args.get("exact") or None, "k": request.args.get("k") or None, **chosen}
    shown = _answers(query, k, offset) if query else _shelf(there, filters, offset)
    nothing = _nothing(there, filters, offset) if not shown["hits"] and not shown["shelf"] else None
    return render_template(
        "search.html", query=query, exact=state["exact"], chosen=chosen, offset=offset, nothing=nothing, narrowed=bool(filters),
        readers=languages.of_reader(), narrowing=_narrowing(there, filters, chosen, not query), state=state, removals=list(_removals(state, chosen)),
        unread=[(one, title_in(one, languages.of_reader())) for one in there.that_fit(filters)[:SHELF]] if nothing == "unreadable" else [],
        **shown,
    )  # fmt: skip


def _narrowing(shelf: Shelf, filters: Filters, chosen: Mapping[str, Sequence[str]], beginning: bool) -> Markup:
    """The fields that narrow a search down. Most readers narrow nothing down: what they see is kept, until the publications are others."""
    kept: dict[str, tuple[Shelf, Markup]] = current_app.extensions.setdefault("narrowing", {})
    language = languages.of_interface()
    if not filters and language in kept and kept[language][0] is shelf:
        return kept[language][1]
    macro = get_template_attribute("facets.html", "narrowing")
    html = Markup(macro(facets_of(shelf, filters, chosen), chosen, bool(filters) and beginning))
    if not filters:
        kept[language] = shelf, html
    return html


def _answers(query: str, k: int, offset: int) -> dict[str, Any]:
    hits = find(query, k + 1, offset)  # one more tells whether there is a next page
    found = answer(query, hits[:k], languages.of_reader())
    near = _until_last_close(found["hits"])
    return {"found": found, "hits": found["hits"][:near], "distant": found["hits"][near:], "shelf": [], "more": len(hits) > k, "step": k}


def _until_last_close(hits: Sequence[Mapping[str, Any]]) -> int:
    """How many hits to show at once: up to the last that may answer, or all where none does."""
    return max((place for place, hit in enumerate(hits, start=1) if hit["close"]), default=len(hits))


def _shelf(shelf: Shelf, filters: Filters, offset: int) -> dict[str, Any]:
    """What there is to find, newest first, as far as the filters admit it."""
    readers = languages.of_reader()
    there = sorted(shelf.that_fit(filters), key=lambda one: -(one.year or 0))
    shown = [(one, title_in(one, readers)) for one in there[offset : offset + SHELF]]
    return {
        "found": None,
        "hits": [],
        "distant": [],
        "shelf": shown,
        "more": len(there) > offset + SHELF,
        "step": SHELF,
        "count": len(there),
        "spoken": len(shelf.languages(filters)),
    }


def _nothing(shelf: Shelf, filters: Filters, offset: int) -> Nothing:
    """Why there is nothing to show."""
    if not shelf.publications:
        return "empty"
    if not shelf.fitting(filters).any():
        return "narrow"
    if not searcher().view().among(filters).count:
        return "unreadable"
    return "end" if offset else "words"


def find(query: str, k: int, offset: int, counterparts: bool = True) -> list[PublicationHit]:
    filters = filters_from(chosen_from(request.args.getlist))
    return searcher().search(Query(query, filters, bool(request.args.get("exact")), languages.of_reader(), counterparts), k, offset)


def question() -> str:
    """What the address of this request asks, on one line; refuses what is too long for a question."""
    said = " ".join(request.args.get("q", "").split())
    if len(said) > MAX_QUERY:
        abort(400, gettext("A question may have %(most)d characters, this one has %(length)d.", most=MAX_QUERY, length=len(said)))
    return said


def asked(usual: int) -> tuple[str, int, int]:
    """The query, how many hits, and how many to pass over; refuses what cannot be meant."""
    return question(), number("k", usual, 1, MAX_HITS), number("offset", 0, 0, 10_000)


def number(name: str, usual: int, least: int, most: int) -> int:
    said = request.args.get(name, "") or str(usual)
    if not said.isascii() or not said.isdigit() or len(said) > 9 or not least <= int(said) <= most:
        shown = repr(said[:20])
        abort(
            400,
            gettext("%(name)s must be a whole number between %(least)d and %(most)d, got %(said)s.", name=name, least=least, most=most, said=shown),
        )
    return int(said)


def _removals(state: Mapping[str, Any], chosen: Mapping[str, Sequence[str]]) -> Any:
    """For each value that narrows the search down: its facet, itself, and the address without it."""
    for facet, values in chosen.items():
        for value in values:
            yield facet, value, url_for("search.page", **{**state, facet: [other for other in values if other != value]})
