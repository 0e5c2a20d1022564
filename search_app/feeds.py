"""Standing questions: an Atom feed (RFC 4287) of what is new and answers, and the description by which a browser can search (OpenSearch 1.1).

The address of a feed carries the question; nothing of it is kept here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext

from index.contents import Dates
from index.searcher import PublicationHit, Query
from ingest.records import Publication
from search_app import languages
from search_app.answers import abstract_in, answer, title_in
from search_app.citing import permanent_address
from search_app.facets import chosen_from, filters_from
from search_app.freshness import VERSION, is_known, tag_of, tagged
from search_app.search import question, searcher

ENTRIES = 50  # in a feed, the newest; readers of feeds keep those they have seen
NEWEST = 200  # publications that fit among which answers are looked for: more than are added between two visits of a feed reader
STEP = 20  # hits looked at in one go; where none of them is close, none further down is looked at
BEGINNING = "1970-01-01T00:00:00Z"  # when a feed without entries changed last
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

blueprint = Blueprint("feeds", __name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """A publication that is new and answers."""

    publication: Publication
    dates: Dates
    hit: Mapping[str, Any] | None  # as answers.answer gives it; None where nothing was asked


@blueprint.get("/search.atom")
def atom() -> Response:
    """Give the newest publications that answer a question and fit the filters; without a question, the newest that fit."""
    query = _asked()
    library = searcher().library
    tag, changed = (
        tag_of(library, [searcher().view().generation.named.token, languages.of_interface(), *languages.of_reader()]),
        _last_change(library.dates()),
    )
    since = request.if_modified_since if not request.if_none_match else None
    if is_known(tag) or (since and since >= changed):
        response = Response(status=304)
    else:
        response = Response(_feed(query, _entries(query)), mimetype="application/atom+xml")
    response.last_modified = changed
    return tagged(response, tag)


@blueprint.get("/opensearch.xml")
def opensearch() -> Response:
    """Tell a browser how to search here from its address bar."""
    root = ElementTree.Element("OpenSearchDescription", {"xmlns": "http://a9.com/-/spec/opensearch/1.1/"})
    _add(root, "ShortName", "Isogloss")
    _add(root, "Description", gettext("Search this library by meaning, in any language"))
    _add(root, "InputEncoding", "UTF-8")
    _add(root, "OutputEncoding", "UTF-8")
    _add(root, "Language", "*")
    for media_type, endpoint in (("text/html", "search.page"), ("application/atom+xml", "feeds.atom"), ("application/json", "api.search")):
        _add(root, "Url", type=media_type, rel="results", template=url_for(endpoint, _external=True) + "?q={searchTerms}")
    _add(root, "Url", type="application/opensearchdescription+xml", rel="self", template=url_for("feeds.opensearch", _external=True))
    return Response(_written(root), mimetype="application/opensearchdescription+xml")


def address(external: bool = False) -> str:
    """The feed of what this page asks, in one order of its parameters whatever theirs is; of everything new, where it asks nothing.

    A feed reader states no languages of its own, so those of who follows the question go with it.
    """
    asked: dict[str, Any] = {facet: sorted(values) for facet, values in chosen_from(request.args.getlist).items()}
    readers = _readers() if any(request.args.values()) else []
    query = " ".join(request.args.get("q", "").split())
    return url_for("feeds.atom", _external=external, q=query or None, exact="1" if request.args.get("exact") else None, readers=readers, **asked)


def _asked() -> Query:
    return Query(question(), filters_from(chosen_from(request.args.getlist)), bool(request.args.get("exact")), _readers(), counterparts=False)


def _readers() -> list[str]:
    """The reader's languages: those that stand in the feed's address, else as everywhere."""
    return languages.tags(request.args.getlist("readers")) or languages.of_reader()


def _entries(query: Query) -> list[Entry]:
    dates = searcher().library.dates()
    fit = [one for one in searcher().view().shelf.that_fit(query.filters) if one.publication_id in dates]
    newest = sorted(fit, key=lambda one: dates[one.publication_id].added, reverse=True)
    if not query.text:
        return [Entry(one, dates[one.publication_id], None) for one in newest[:ENTRIES]]
    found = {hit.publication.publication_id: hit for hit in _close(query, newest[:NEWEST])}
    answering = [one for one in newest if one.publication_id in found][:ENTRIES]
    hits = answer(query.text, [found[one.publication_id] for one in answering], query.readers)["hits"]
    return [Entry(one, dates[one.publication_id], hit) for one, hit in zip(answering, hits, strict=True)]


def _close(query: Query, newest: Sequence[Publication]) -> list[PublicationHit]:
    """Those of the newest publications that may answer."""
    query = replace(query, filters=replace(query.filters, publications=frozenset(one.publication_id for one in newest)))
    hits: list[PublicationHit] = []
    for offset in range(0, len(newest), STEP):
        close = [hit for hit in searcher().search(query, STEP, offset) if hit.close]
        hits += close
        if not close:
            break
    return hits


def _last_change(dates: Mapping[str, Dates]) -> datetime:
    return datetime.fromisoformat(max((both.changed for both in dates.values()), default=BEGINNING)).astimezone(UTC)


def _feed(query: Query, entries: Sequence[Entry]) -> bytes:
    own = address(external=True)
    root = ElementTree.Element("feed", {"xmlns": "http://www.w3.org/2005/Atom", "xml:lang": languages.of_interface()})
    _add(root, "id", own)
    _add(root, "title", gettext("Isogloss: %(question)s", question=query.text) if query.text else gettext("Isogloss: new publications"))
    _add(root, "updated", max((entry.dates.changed for entry in entries), default=BEGINNING))
    _add(_add(root, "author"), "name", "Isogloss")
    _add(root, "generator", "Isogloss", version=VERSION)
    _add(root, "link", rel="self", type="application/atom+xml", href=own)
    _add(root, "link", rel="alternate", type="text/html", href=own.replace("/search.atom", "/", 1))
    for entry in entries:
        _add_entry(root, entry, query)
    return _written(root)


def _add_entry(feed: ElementTree.Element, entry: Entry, query: Query) -> None:
    """An entry's id is the address of its publication, which is the same in every feed and for good."""
    one, readers = entry.publication, query.readers
    home = url_for("publication.page", publication_id=one.publication_id, _external=True)
    title, language = title_in(one, readers)
    element = _add(feed, "entry")
    _add(element, "id", home)
    _add(element, "title", title, **{"xml:lang": language})
    _add(element, "published", entry.dates.added)
    _add(element, "updated", entry.dates.changed)
    for name in one.authors:
        _add(_add(element, "author"), "name", name)
    for topic in one.topics:
        _add(element, "category", term=topic)
    _add(element, "link", rel="alternate", type="text/html", href=home)
    if one.source:
        _add(element, "link", rel="via", href=one.source)
    for edition in one.editions if entry.hit is None else [edition for edition in one.editions if edition.edition_id == entry.hit["edition_id"]]:
        if edition.digest:
            file = url_for("publication.file", edition_id=edition.edition_id, _external=True)
            _add(element, "link", rel="related", hreflang=edition.language, href=file, title=languages.name(edition.language))
    shown = render_template("feed_entry.html", hit=entry.hit, abstract=abstract_in(one, readers), page=_page_address(entry, query.text))
    _add(element, "content", _plainly_marked(shown.strip()), type="html", **{"xml:lang": entry.hit["language"] if entry.hit else language})


def _plainly_marked(html: str) -> str:
    """Marks as what every feed reader shows; many take out what they do not know, such as <mark>. Text has no "<" of its own."""
    return re.sub("<mark[^>]*>", "<strong>", html).replace("</mark>", "</strong>")


def _page_address(entry: Entry, asked: str) -> str | None:
    """Where the answering page is shown; None where only the catalogue entry answers, or nothing was asked."""
    hit = entry.hit
    if hit is None or not hit["page_address"]:
        return None
    edition = next(edition for edition in entry.publication.editions if edition.edition_id == hit["edition_id"])
    return f"{permanent_address(edition, hit['page'])}?{urlencode({'q': asked})}"


def _add(parent: ElementTree.Element, tag: str, text: str = "", **attributes: str) -> ElementTree.Element:
    """Add an element; characters that XML cannot hold are left out."""
    element = ElementTree.SubElement(parent, tag, {name: NOT_XML.sub("", value) for name, value in attributes.items()})
    element.text = NOT_XML.sub("", text) or None
    return element


def _written(root: ElementTree.Element) -> bytes:
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))
