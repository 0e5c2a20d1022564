"""The language-gap map: what there is about which topic in which language, and what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext

from index.gaps import NO_TOPIC, Gaps
from index.gaps import gaps as count
from ingest.records import primary
from search_app import languages
from search_app.answers import title_in
from search_app.facets import chosen_from, facets_of, filters_from
from search_app.search import FURTHEST, number, searcher
from search_app.spreadsheet import as_csv

NARROWING = ("kind", "year", "country")  # the facets that narrow the map down; topics and languages are what it shows
LISTED = 50  # publications in one language only, at a time

blueprint = Blueprint("gaps", __name__)


@blueprint.get("/gaps")
def page() -> str:
    """Show the map, sorted as asked for by `by`: "topic", "publications", or a language, whose gaps then come first."""
    chosen = _chosen()
    found = _gaps()
    by, offset = request.args.get("by", "publications"), number("offset", 0, 0, FURTHEST)
    state = {**chosen, "languages": request.args.get("languages") or None}
    facets = facets_of(searcher().view().shelf, filters_from(chosen), chosen)
    single = [(title_in(one, languages.of_reader()), one.publication_id, language) for one, language in found.single[offset : offset + LISTED]]
    return render_template(
        "gaps.html", found=found, topics=_sorted(found, by), by=by, state=state, chosen=chosen, NO_TOPIC=NO_TOPIC,
        facets={facet: facets[facet] for facet in NARROWING}, asked_for=" ".join(asked_for()), address=_addresses(chosen), single=single, offset=offset, step=LISTED,
    )  # fmt: skip


@blueprint.get("/gaps.csv")
def table() -> Response:
    """Give the map as CSV: a row for each topic and language, also where there is nothing."""
    found = _gaps()
    head = [gettext("Topic"), gettext("Language"), gettext("Language tag"), gettext("Publications"), gettext("Title only"), gettext("Passages")]
    rows: Iterable[list[str | int]] = (
        [topic, languages.name(language), language, cell.publications, cell.title_only, cell.passages]
        for topic in sorted(found.topics)
        for language in found.languages
        for cell in [found.cell(topic, language)]
    )
    return as_csv(head, rows, "gaps.csv")


def asked_for() -> list[str]:
    """The languages that are shown whether there is anything in them or not: those named in the address, else the reader's own."""
    said = request.args.get("languages")
    found = languages.of_reader() if said is None else languages.tags(said.replace(",", " ").split())
    return list(dict.fromkeys(map(primary, found)))


def _gaps() -> Gaps:
    return count(searcher().library, searcher().publications(), filters_from(_chosen()), asked_for())


def _chosen() -> dict[str, list[str]]:
    return {facet: values for facet, values in chosen_from(request.args.getlist).items() if facet in NARROWING}


def _sorted(found: Gaps, by: str) -> Sequence[str]:
    if by == "topic":
        return sorted(found.topics, key=lambda topic: (topic == NO_TOPIC, topic.casefold()))
    if by in found.languages:
        return sorted(found.topics, key=lambda topic: (found.cell(topic, by).publications, -found.cell(topic, None).publications, topic))
    return found.topics


def _addresses(chosen: dict[str, list[str]]) -> Callable[[str | None, str | None], str]:
    """What gives the address of the list of publications of a topic and a language, as far as each is given; many are asked for, so it is quick."""
    start = f"{url_for('search.page')}?{urlencode(chosen, doseq=True)}"
    known: dict[tuple[str, Any], str] = {}

    def part(name: str, value: str | None) -> str:
        if (name, value) not in known:
            known[name, value] = "" if value is None else f"&{urlencode({name: value})}"
        return known[name, value]

    return lambda topic, language: f"{start}{part('topic', topic)}{part('language', language)}".replace("?&", "?").rstrip("?")
