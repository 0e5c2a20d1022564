"""The API, version 1, and its documentation page. What it takes is in parameters, what it gives in schema; openapi describes both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import regex
from flask import Blueprint, Response, abort, json, request, url_for

from index.filters import Filters
from index.gaps import NOTHING
from index.gaps import gaps as count_gaps
from index.generations import current_name
from index.searcher import Query
from ingest import records
from ingest.quotation import Found
from search_app import languages, openapi, parameters, schema
from search_app.answers import answer, edition_data, marks_data, page_address, title_in
from search_app.facets import facets_of, filters_from
from search_app.freshness import VERSION, is_known, tag_of, tagged
from search_app.likeness import likeness, place_of
from search_app.problems import FaultyParameters
from search_app.quoted import quoted
from search_app.search import searcher

blueprint = Blueprint("api", __name__)
operations: list[openapi.Operation] = []

View = Callable[[Any], schema.Answer]


def operation(path: str, takes: type[parameters.Asked], gives: type[schema.Answer]) -> Callable[[View], View]:
    """Answer GET requests at this path, below /api/v1, with what a function of the parameters returns; its docstring describes it."""

    def register(function: View) -> View:
        described = openapi.Operation(function.__name__, "/api/v1" + path, str(function.__doc__), takes, gives)
        operations.append(described)

        def view(**places: str) -> Response:
            return _answered(described, function, places)

        blueprint.add_url_rule(regex.sub(r"\{(\w+)\}", r"<\1>", described.path), function.__name__, view)
        return function

    return register


@operation("/search", parameters.SearchAsked, schema.SearchAnswer)
def search(asked: parameters.SearchAsked) -> schema.SearchAnswer:
    """Find publications that answer a question, by meaning and by words, in whatever language they were written.

    One hit a publication, best first, with the passage that answers and its marks. Nothing of the question is kept.
    """
    query = Query(asked.q, filters_from(asked.filters()), asked.exact, asked.readers, exhaustive=asked.exhaustive)
    hits = searcher().search(query, asked.k + 1, asked.offset)  # one more tells whether there is a next page
    return schema.SearchAnswer(**answer(asked.q, hits[: asked.k], asked.readers), **_paging(asked, len(hits) > asked.k))


@operation("/publications", parameters.PublicationsAsked, schema.Publications)
def publications(asked: parameters.PublicationsAsked) -> schema.Publications:
    """List publications, all or those that fit, in the order of their ids."""
    filters = filters_from(asked.filters())
    fit = searcher().view().shelf.that_fit(filters)
    dates = searcher().library.dates()
    shown = [
        _described(one, dates[one.publication_id], asked.readers) for one in fit[asked.offset : asked.offset + asked.k] if one.publication_id in dates
    ]
    return schema.Publications(
        total=len(fit), publications=[schema.Described(**data) for data in shown], **_paging(asked, len(fit) > asked.offset + asked.k)
    )


@operation("/publications/{publication_id}", parameters.PublicationAsked, schema.Publication)
def publication(asked: parameters.PublicationAsked) -> schema.Publication:
    """Tell all that is known of one publication, and how each of its editions could be read."""
    library = searcher().library
    with library.snapshot():
        found = _publication(asked.publication_id)
        states = library.edition_states(found.publication_id)
        dates = library.dates()[found.publication_id]
        counts = [library.page_count(state.edition.edition_id) for state in states]
    editions = [
        schema.Edition(**edition_data(state.edition), digest=state.edition.digest, state=state.state, reason=state.reason, page_count=count)
        for state, count in zip(states, counts, strict=True)
    ]
    return schema.Publication(
        **_described(found, dates, asked.readers), titles=dict(found.titles), abstracts=dict(found.abstracts), authors=list(found.authors),
        publisher=found.publisher, isbn=found.isbn, doi=found.doi, source=found.source, editions=editions,
    )  # fmt: skip


@operation("/publications/{publication_id}/hits", parameters.InsideAsked, schema.InsideAnswer)
def inside(asked: parameters.InsideAsked) -> schema.InsideAnswer:
    """Find the passages of one publication that answer a question, in any of its editions."""
    found = _publication(asked.publication_id)
    hits = searcher().inside(Query(asked.q, exact=asked.exact, readers=asked.readers), found.publication_id, asked.k)
    shown = [
        schema.InsideHit(
            **_standing(found, hit.passage, hit.page).model_dump(), close=hit.close, marks=[schema.Mark(**mark) for mark in marks_data(hit.marks)]
        )
        for hit in hits
    ]
    return schema.InsideAnswer(query=asked.q, publication_id=found.publication_id, hits=shown)


@operation("/publications/{publication_id}/related", parameters.PublicationAsked, schema.RelatedPublications)
def related(asked: parameters.PublicationAsked) -> schema.RelatedPublications:
    """List the publications that are near to one in meaning, in whatever language, with the passages that show it."""
    own = _publication(asked.publication_id)
    shown = []
    for one in likeness().related(searcher().view(), own.publication_id, asked.readers):
        title, language = title_in(one.publication, asked.readers)
        pairs = [
            schema.AlikePair(
                here=_standing(own, pair.here, pair.here.first_page), there=_standing(one.publication, pair.there, pair.there.first_page)
            )
            for pair in one.pairs
        ]
        shown.append(schema.RelatedPublication(publication_id=one.publication.publication_id, title=title, title_language=language, pairs=pairs))
    return schema.RelatedPublications(publication_id=own.publication_id, related=shown)


@operation("/editions/{edition_id}/pages", parameters.PagesAsked, schema.Pages)
def pages(asked: parameters.PagesAsked) -> schema.Pages:
    """Give the pages of an edition: their text, what is printed as their number, how well they could be read, and where their words stand."""
    library = searcher().library
    with library.snapshot():
        edition = library.edition(asked.edition_id)
        if edition is None:
            abort(404, f"There is no edition {asked.edition_id!r} in this library; it may have been removed.")
        found = library.pages(edition.edition_id)
    shown = [_page(page, edition, asked.boxes) for page in found[asked.offset : asked.offset + asked.k]]
    paging = _paging(asked, len(found) > asked.offset + asked.k)
    return schema.Pages(edition_id=edition.edition_id, language=edition.language, total=len(found), pages=shown, **paging)


@operation("/passages/{digest}/{page}", parameters.PassagesAsked, schema.Passages)
def passages(asked: parameters.PassagesAsked) -> schema.Passages:
    """Give the passages at a permanent address: the digest of a file, a page and, as `quote`, words that stand there.

    The address holds as long as the file is in the library, however it is read and indexed.
    """
    library = searcher().library
    with library.snapshot():
        edition = library.edition_of_file(asked.digest)
        page = library.page(edition.edition_id, asked.page) if edition else None
        if edition is None or page is None:
            abort(404, f"There is no page {asked.page} of a file {asked.digest!r} in this library; the file may have been replaced or removed.")
        standing = library.passages_on(edition.edition_id, asked.page)
    quotation = None
    if asked.quote.strip():
        found = quoted(edition.edition_id, asked.page, asked.quote)
        quotation = _quotation(found, edition.edition_id, asked.page)
        standing = [one for one in standing if found and _holds(one, found)]
    return schema.Passages(
        publication_id=edition.publication_id, edition_id=edition.edition_id, language=edition.language, digest=str(edition.digest), page=_page(page, edition),
        quotation=quotation, passages=[schema.Passage.model_validate(one, from_attributes=True) for one in standing],
    )  # fmt: skip


@operation("/facets", parameters.NothingAsked, schema.Facets)
def facets(asked: parameters.NothingAsked) -> schema.Facets:
    """List the values that narrow a search down, with the number of publications that have each."""
    names: dict[str, Callable[[str], str]] = {"language": languages.name, "country": languages.country}
    return schema.Facets.model_validate(
        {
            facet: [{"value": value, "name": names.get(facet, str)(value), "publications": count} for value, count in values]
            for facet, values in facets_of(searcher().view().shelf, Filters(), {}).items()
        }
    )


@operation("/gaps", parameters.GapsAsked, schema.Gaps)
def gaps(asked: parameters.GapsAsked) -> schema.Gaps:
    """Count publications and passages by topic and language, so that one sees in which language there is nothing about a topic.

    A publication with several topics, or in several languages, counts for each.
    """
    found = count_gaps(searcher().library, searcher().publications(), filters_from(asked.filters()), asked.languages)
    amounts = [
        schema.Amount(topic=topic, language=language, publications=cell.publications, title_only=cell.title_only, passages=cell.passages)
        for topic in found.topics
        for language in found.languages
        if (cell := found.cell(topic, language)) != NOTHING
    ]
    return schema.Gaps(topics=list(found.topics), languages=list(found.languages), amounts=amounts)


@operation("/status", parameters.NothingAsked, schema.Status)
def status(asked: parameters.NothingAsked) -> schema.Status:
    """Tell what is in the library and which index answers."""
    library = searcher().library
    with library.snapshot():
        return schema.Status(
            version=VERSION, revision=library.revision(), generation=current_name(library), encoder=library.meta("encoder"),
            counts=schema.Counts(**library.counts()), editions=Counter(state.state for state in library.edition_states()),
        )  # fmt: skip


def _answered(described: openapi.Operation, function: View, places: dict[str, str]) -> Response:
    given = request.args.to_dict(flat=False)
    asked = parameters.read(described.takes, given | {name: [value, *given.get(name, [])] for name, value in places.items()})
    if isinstance(asked, list):
        raise FaultyParameters(asked)
    if isinstance(asked, parameters.Readers) and not asked.readers:
        asked.readers = languages.of_reader()
    tag = tag_of(searcher().library, [searcher().view().generation.named.token, languages.of_interface(), *languages.of_reader()])
    if is_known(tag):
        return tagged(Response(status=304), tag)
    told = function(asked)
    response = json_answer(told.model_dump(exclude_unset=True))
    if isinstance(told, schema.Paged):
        for rel, link in (("next", told.next), ("prev", told.previous)):
            if link:
                response.headers.add("Link", f'<{link}>; rel="{rel}"')
    return tagged(response, tag)


def json_answer(data: Any) -> Response:
    return Response(json.dumps(data), mimetype="application/json")


def _paging(asked: parameters.Paging, more: bool) -> dict[str, Any]:
    before, after = max(0, asked.offset - asked.k), asked.offset + asked.k
    return {
        "offset": asked.offset, "k": asked.k,
        "previous": _address_at(before) if asked.offset else None,
        "next": _address_at(after) if more and after <= parameters.MAX_OFFSET else None,
    }  # fmt: skip


def _address_at(offset: int) -> str:
    """The address of this request with another offset."""
    values: dict[str, Any] = {**(request.view_args or {}), **request.args.to_dict(flat=False), "offset": offset}
    return url_for(str(request.endpoint), **values)


def _publication(publication_id: str) -> records.Publication:
    found = searcher().library.publication(publication_id)
    if found is None:
        abort(404, f"There is no publication {publication_id!r} in this library; it may have been removed.")
    return found


def _standing(publication: records.Publication, passage: records.Passage, page: int) -> schema.Standing:
    place = {name: value for name, value in place_of(publication, passage, page).items() if name != "file"}
    return schema.Standing(edition_id=passage.edition_id, text=passage.text, **place)


def _described(one: records.Publication, dates: Any, readers: Sequence[str]) -> dict[str, Any]:
    title, language = title_in(one, readers)
    return {
        "publication_id": one.publication_id, "title": title, "title_language": language, "year": one.year, "kind": one.kind, "topics": list(one.topics),
        "countries": list(one.countries), "languages": list(dict.fromkeys(edition.language for edition in one.editions)), **dates._asdict(),
        "address": url_for("publication.page", publication_id=one.publication_id),
    }  # fmt: skip


def _page(page: records.Page, edition: records.Edition, boxes: bool = False) -> schema.Page:
    return schema.Page(
        number=page.number, label=page.label, text=page.text, health=page.health, cause=page.cause, footnotes=page.footnotes if page.footnotes >= 0 else None,
        confidence=page.confidence, address=page_address(edition, page.number),
        boxes=[schema.Box.model_validate(box, from_attributes=True) for box in page.boxes] if boxes else None,
    )  # fmt: skip


def _quotation(found: Found | None, edition_id: str, number: int) -> schema.Quotation:
    """Where the quoted words begin on a page, and where they end there or on the next."""
    if found is None or found.spans[0][0] != number:
        abort(404, f"These words do not begin on page {number}; it is there, so ask for it without `quote`, or for the page before.")
    pages = [searcher().library.page(edition_id, page) for page, _, _ in found.spans]
    text = "\n".join(page.text[start:end] for page, (_, start, end) in zip(pages, found.spans, strict=True) if page)
    return schema.Quotation(start=found.spans[0][1], end=found.spans[-1][2], last_page=found.spans[-1][0], text=text)


def _holds(passage: records.Passage, found: Found) -> bool:
    """Whether all of the quotation stands in a passage."""
    places = passage.places_of(0, len(passage.text))
    return all(any(page == there and first <= start and end <= last for there, first, last in places) for page, start, end in found.spans)
