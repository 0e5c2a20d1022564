"""The page of an edition: its picture with the passage outlined, and its text. Its address is permanent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

from flask import Blueprint, Response, abort, current_app, make_response, render_template, request
from flask_babel import gettext
from markupsafe import Markup

from index.counterparts import Wanted, edition_for
from index.searcher import Hit, Query
from ingest.drawing import DRAWING_VERSION, WIDTHS, UndrawablePageError
from ingest.formats import PDF, format_of
from ingest.quotation import EXACT, Found
from ingest.records import Edition, Page, Publication, UnreadableFileError
from search_app import languages
from search_app.answers import MAX_QUOTATION, PAGE_DIGITS, counterpart_data, title_in
from search_app.busy import wait_for_picture
from search_app.citing import cited
from search_app.marking import highlighted
from search_app.overlay import Rectangle, lines, outline
from search_app.pictures import BusyError, Picture, Pictures
from search_app.quoted import edition_at, quotation, quoted
from search_app.search import question, searcher

HITS = 6  # of one edition; each is read again for the sentence that answers, which takes a sixth of a second
USUAL_WIDTH = 900
PATIENCE = 4.0  # seconds that the page waits for its picture, to place the marks on it
SURE, DOUBTFUL = 0.9, 0.75  # confidence of recognition, from which few letters, or some words, are wrong
A_YEAR = 31_536_000  # seconds

blueprint = Blueprint("pages", __name__)


@blueprint.get("/pages/<digest>/<int(max=999999):number>")
def page(digest: str, number: int) -> Response | str:
    """Show a page; with q, what on it answers; with quote, that stretch outlined."""
    edition = edition_at(digest)
    words = quotation()
    if edition is None:
        return make_response(render_template("page_gone.html", quotation=words), 404)
    library = searcher().library
    shown = library.page(edition.edition_id, number)
    count = library.page_count(edition.edition_id)
    if shown is None:
        abort(404, gettext("There is no page %(number)d in this file; it has %(count)d pages that could be read.", number=number, count=count))
    _begin_picture(edition, number)
    found = quoted(edition.edition_id, number, words)
    hits = _hits(edition)
    current = _current(hits, number, found)
    spot = _spot_of_hit(hits[current], number) if current is not None else _spot_of_quotation(words, found, number)
    publication = library.publication(edition.publication_id)
    counterpart = _counterpart(publication, edition, hits[current] if current is not None else None, found) if publication and spot else None
    picture, problem = _picture(edition, number, PATIENCE if wait_for_picture() else 0)
    return render_template(
        "page.html", edition=edition, page=shown, count=count, publication=publication, digest=digest[:PAGE_DIGITS],
        title=title_in(publication, [edition.language]) if publication else (edition.publication_id, "und"), widths=WIDTHS,
        usual=USUAL_WIDTH, picture=picture, problem=problem, layers=_layers(shown, spot, picture), paragraphs=list(_paragraphs(shown, spot)),
        query=question(), exact=request.args.get("exact") or None, hits=hits, current=current, spot=spot, quotation=words, found=found,
        counterpart=counterpart, citation=_citation(publication, edition, shown, spot), language=_language(edition, hits, current), letter_by_letter=EXACT, sure=_sure(shown),
    )  # fmt: skip


@blueprint.get("/pages/<digest>/<int(max=999999):number>.webp", defaults={"width": USUAL_WIDTH})
@blueprint.get("/pages/<digest>/<int(max=999999):number>-<int:width>.webp")
def image(digest: str, number: int, width: int) -> Response:
    """Give the picture of a page, in one of the widths there are. It never changes, so browsers may keep it."""
    edition = edition_at(digest)
    if edition is None or edition.digest is None or width not in WIDTHS:
        abort(404, gettext("There is no such picture."))
    try:
        picture = pictures().picture(searcher().library.file(edition.digest), (edition.digest[:PAGE_DIGITS], number, width))
    except UndrawablePageError as error:
        abort(404, gettext("This page could not be drawn: %(reason)s.", reason=error))
    except BusyError:
        abort(make_response((gettext("This page is still being drawn. Try again in a moment."), 503, {"Retry-After": "5"})))
    response = Response(picture.webp, mimetype="image/webp")
    response.headers["Cache-Control"] = f"private, max-age={A_YEAR}, immutable"
    response.set_etag(f"{edition.digest[:PAGE_DIGITS]}-{number}-{width}-{DRAWING_VERSION}")
    response.make_conditional(request)
    return response


def pictures() -> Pictures:
    found: Pictures = current_app.extensions["pictures"]
    return found


class Span(NamedTuple):
    """A marked stretch of a page's text."""

    start: int
    end: int
    why: str


@dataclass(frozen=True, slots=True)
class Spot:
    """What is outlined and marked on a page."""

    quotation: str  # what its permanent address quotes
    page: int  # on which that begins
    pages: tuple[int, ...]  # on which it stands
    outlined: tuple[Span, ...]  # on this page
    marks: tuple[Span, ...]  # on this page


class Paragraph(NamedTuple):
    kind: str  # "text", "heading" or "footnote"
    html: Markup


def _hits(edition: Edition) -> list[Hit]:
    """What answers in this edition, best first; where nothing may, the nearest there is."""
    if not question():
        return []
    query = Query(question(), exact=bool(request.args.get("exact")), readers=languages.of_reader())
    hits = searcher().inside(query, edition.publication_id, HITS, edition.edition_id)
    return [hit for hit in hits if hit.close] or hits[:1]


def _current(hits: Sequence[Hit], number: int, found: Found | None) -> int | None:
    """Which hit is shown: the one that the address names, else the one that is quoted, else the best on this page."""
    said = request.args.get("hit", "")
    here = [place for place, hit in enumerate(hits) if hit.passage.first_page <= number <= hit.passage.last_page]
    if found is not None:
        return next((place for place, hit in enumerate(hits) if _quoted(hit, found)), None)
    if request.args.get("quote"):
        return None
    return next((place for place in here if str(place + 1) == said), here[0] if here else None)


def _quoted(hit: Hit, found: Found) -> bool:
    sentence = hit.passage.places_of(hit.marks[0].start, hit.marks[0].end) if hit.marks else ()
    return any(page == there and start < last and first < end for page, start, end in sentence for there, first, last in found.spans)


def _spot_of_hit(hit: Hit, number: int) -> Spot:
    passage = hit.passage
    whole = passage.places_of(0, len(passage.text))
    marks = [(mark.why, place) for mark in hit.marks for place in passage.places_of(mark.start, mark.end)]
    said = passage.text[hit.marks[0].start : hit.marks[0].end] if hit.marks else passage.text
    return Spot(
        " ".join(said.split())[:MAX_QUOTATION],
        hit.page,
        tuple(page for page, _, _ in whole),
        tuple(Span(start, end, "passage") for page, start, end in whole if page == number),
        tuple(Span(start, end, why) for why, (page, start, end) in marks if page == number),
    )


def _spot_of_quotation(quotation: str, found: Found | None, number: int) -> Spot | None:
    if found is None:
        return None
    here = [(start, end) for page, start, end in found.spans if page == number]
    return Spot(
        quotation,
        found.spans[0][0],
        tuple(page for page, _, _ in found.spans),
        tuple(Span(start, end, "passage") for start, end in here),
        tuple(Span(start, end, "meaning") for start, end in here),
    )


def _counterpart(publication: Publication, edition: Edition, hit: Hit | None, found: Found | None) -> dict[str, Any] | None:
    """The passage that is shown, as it stands in the reader's edition."""
    target = edition_for(publication, edition.edition_id, languages.of_reader())
    if target is None:
        return None
    wanted = []
    if hit is not None:
        wanted = [Wanted(hit.passage, (mark.start, mark.end), target.edition_id) for mark in hit.marks]
    elif found is not None:
        page, start, end = found.spans[0]
        places = ((passage, passage.offset_of(page, start)) for passage in searcher().library.passages_on(edition.edition_id, page))
        wanted = [Wanted(passage, (at, at + end - start), target.edition_id) for passage, at in places if at is not None]
    now = searcher().state()
    there = next(iter(now.counterparts.of(now.view, wanted[:1])), None)
    return counterpart_data(there, publication) if there else None


def _citation(publication: Publication | None, edition: Edition, page: Page, spot: Spot | None) -> dict[str, Any] | None:
    """How to cite what is outlined, else the page."""
    if publication is None:
        return None
    return cited(publication, edition, spot.page if spot else page.number, spot.quotation if spot else "")


def _begin_picture(edition: Edition, number: int) -> None:
    """Let the page be drawn while its answers are sought."""
    file = searcher().library.file(edition.digest or "")
    with suppress(BusyError, UndrawablePageError, UnreadableFileError, OSError):
        if format_of(file) is PDF:
            pictures().begin(file, ((edition.digest or "")[:PAGE_DIGITS], number, USUAL_WIDTH))


def _picture(edition: Edition, number: int, patience: float) -> tuple[Picture | None, str]:
    """The picture in the usual width, and why there is none: "" where that is no fault, or it comes a little later."""
    file = searcher().library.file(edition.digest or "")
    try:
        if format_of(file) is not PDF:
            return None, "no picture"
        return pictures().picture(file, ((edition.digest or "")[:PAGE_DIGITS], number, USUAL_WIDTH), patience), ""
    except BusyError:
        return None, ""
    except (UndrawablePageError, UnreadableFileError) as error:
        return None, str(error)
    except OSError as error:
        return None, error.strerror or type(error).__name__


def _layers(page: Page, spot: Spot | None, picture: Picture | None) -> dict[str, Any]:
    """What is laid over the picture: an outline, and rectangles with what each is for."""
    if spot is None or picture is None:
        return {}
    rows = [row for span in spot.outlined for row in lines(page, span.start, span.end, picture.height)]
    marks: list[tuple[str, Rectangle]] = [(span.why, row) for span in spot.marks for row in lines(page, span.start, span.end, picture.height)]
    return {"outline": outline(rows, picture.width, picture.height), "marks": marks} if rows else {}


def _paragraphs(page: Page, spot: Spot | None) -> Iterator[Paragraph]:
    """The text with its marks, as it is read."""
    marks = [span._asdict() for span in (*spot.outlined, *spot.marks)] if spot else []
    headings = {" ".join(heading.split()) for passage in searcher().library.passages_on(page.edition_id, page.number) for heading in passage.headings}
    start = 0
    for text in page.text.split("\n"):
        end = start + len(text)
        kind = "footnote" if 0 <= page.footnotes <= start else "heading" if " ".join(text.split()) in headings else "text"
        if text.strip():
            yield Paragraph(kind, highlighted(page.text, start, end, marks))
        start = end + 1


def _language(edition: Edition, hits: Sequence[Hit], current: int | None) -> str:
    return hits[current].passage.language if edition.language == "und" and current is not None else edition.language


def _sure(page: Page) -> str:
    """How sure it is that a page was recognised rightly, in words."""
    if page.confidence >= SURE:
        return str(gettext("It can be trusted, but for single letters."))
    return str(gettext("It may hold wrong words.") if page.confidence >= DOUBTFUL else gettext("It holds many wrong words."))
