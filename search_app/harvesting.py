"""What crawlers and harvesters ask for: robots.txt, a sitemap, and OAI-PMH."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Blueprint, Response, abort, request, url_for
from flask_babel import gettext
from lxml import etree
from lxml.builder import ElementMaker

from ingest.formats import HTML, PDF, WORD
from ingest.records import Publication
from search_app import languages
from search_app.citing import publication_address
from search_app.oai import Record, Repository, Site
from search_app.search import searcher

SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
MAX_ADDRESSES = 50_000  # in one sitemap, says sitemaps.org
# Answers to questions are made anew every time, and nobody's questions belong in an index. Pictures of pages are costly, their text is not.
# The choice of languages has an address for every page that leads to it, itself among them.
ROBOTS = """User-agent: *
Disallow: {root}/*?q=
Disallow: {root}/*&q=
Disallow: {root}/search.
Disallow: {root}/like
Disallow: {root}/languages
Disallow: {root}/api/
Disallow: {root}/desk
Disallow: {root}/pages/*.webp
Allow: {root}/

Sitemap: {sitemap}
"""

blueprint = Blueprint("harvesting", __name__)
_make = ElementMaker(namespace=SITEMAP, nsmap={None: SITEMAP})


@blueprint.get("/robots.txt")
def robots() -> Response:
    return Response(
        ROBOTS.format(root=request.script_root, sitemap=url_for("harvesting.sitemap", _external=True)), content_type="text/plain; charset=utf-8"
    )


@blueprint.get("/sitemap.xml")
def sitemap() -> Response:
    """List the pages of all publications; where they are too many for one list, list the lists."""
    dates = searcher().library.dates()
    publications = [one for one in searcher().publications() if one.publication_id in dates]
    parts = range(1, -(-len(publications) // MAX_ADDRESSES) + 1)
    said = request.args.get("part", "")
    if said and said not in map(str, parts):
        abort(404, gettext("This sitemap has %(count)d parts.", count=len(parts)))
    if len(parts) > 1 and not said:
        lists = (_make("sitemap", _make("loc", url_for("harvesting.sitemap", part=part, _external=True))) for part in parts)
        return _xml("sitemapindex", lists)
    first = (int(said or 1) - 1) * MAX_ADDRESSES
    shown = publications[first : first + MAX_ADDRESSES]
    return _xml(
        "urlset", (_make("url", _make("loc", publication_address(one)), _make("lastmod", dates[one.publication_id].changed)) for one in shown)
    )


@blueprint.route("/oai", methods=["GET", "POST"])
def oai() -> Response:
    """Answer a harvester; see `search_app.oai`."""
    dates = searcher().library.dates()
    records = (Record(one, dates[one.publication_id].changed) for one in searcher().publications() if one.publication_id in dates)
    host = request.host.rsplit(":", 1)[0].strip("[]")
    site = Site(url_for("harvesting.oai", _external=True), host, publication_address, _media_types, languages.name)
    asked = [*request.args.items(multi=True), *request.form.items(multi=True)]
    return Response(Repository(site, records).answer(asked), content_type="text/xml; charset=utf-8")


def _media_types(publication: Publication) -> tuple[str, ...]:
    """The media types of its files, each once, by their names."""
    suffixes = [searcher().library.file(edition.digest).suffix for edition in publication.editions if edition.digest]
    return tuple(dict.fromkeys(form.media_type for suffix in suffixes for form in (PDF, WORD, HTML) if suffix in form.suffixes))


def _xml(name: str, parts: Iterable[etree._Element]) -> Response:
    return Response(etree.tostring(_make(name, *parts), encoding="UTF-8", xml_declaration=True), content_type="application/xml; charset=utf-8")
