"""The reading report: how well each document could be read, what a page looks like beside what was read of it, and what can be done about it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Literal

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext, ngettext
from werkzeug import Response as AnyResponse

from index import report
from index.changes import Changes
from index.decisions import WHOLE, Decision, Decisions
from index.jobs import Jobs
from index.report import UNREAD, Document, Wanted
from ingest.formats import PDF, format_of
from ingest.records import UnreadableFileError
from search_app import languages, wording
from search_app.answers import PAGE_DIGITS, title_in
from search_app.desk.signing import analyst, library
from search_app.quality import percent
from search_app.search import FURTHEST, number

TITLE = lazy_gettext("Reading report")
DOCUMENTS, PAGES = 50, 10  # on one page; each page of a document brings its picture
SAID = {"recognise": "asked to recognise", "ignore": "left as it is", "take back": "decision taken back"}  # what the log calls them

Action = Literal["recognise", "ignore", "take back"]
FILTERS = ("show", "health", "cause")  # which pages of a document are shown

blueprint = Blueprint("report", __name__, url_prefix="/report")


def notice() -> str:
    """Say how many documents need a decision."""
    waiting = report.count(library(), Wanted(undecided=True))
    return str(ngettext("%(num)d document needs a decision.", "%(num)d documents need a decision.", waiting)) if waiting else ""


@blueprint.get("")
def page() -> str:
    """Show the pages of the library by health and cause, and the documents that fit what is asked for; first those that need a decision."""
    wanted, offset = _wanted(), number("offset", 0, 0, FURTHEST)
    asked = {name: value for name, value in request.args.items() if name in ("state", "language", "undecided", "health", "cause")}
    with library().snapshot():
        documents = report.documents(library(), wanted, DOCUMENTS, offset)
        total, tallies, states = report.count(library(), wanted), report.tallies(library()), report.states(library())
        spoken = sorted(report.languages(library()), key=lambda tag: languages.name(tag).casefold())
        titles = {name: _title(name) for name in {one.edition.publication_id for one in documents}}
    return render_template(
        "desk/report.html", documents=documents, titles=titles, total=total, tallies=tallies, states=states, spoken=spoken, wanted=wanted, asked=asked,
        offset=offset, step=DOCUMENTS, healths=wording.HEALTH, unread=UNREAD,
    )  # fmt: skip


@blueprint.get("/<edition_id>")
def document(edition_id: str) -> str:
    """Show the pages of one document that could not be read well, or those that are asked for, each with its picture, its text and what can be done."""
    with library().snapshot():
        found = _document(edition_id)
        digest, healths = found.edition.digest or "", library().page_healths(edition_id)
        decisions = Decisions(library()).of(digest)
        fitting = [place for place, health, cause in healths if _is_shown(health, cause)]
        if not fitting and request.args.keys().isdisjoint(FILTERS):
            fitting = [place for place, _, _ in healths]  # a sound document is shown whole
        offset = number("offset", 0, 0, FURTHEST)
        pages = [shown for place in fitting[offset : offset + PAGES] if (shown := library().page(edition_id, place))]
        title = _title(found.edition.publication_id)
    return render_template(
        "desk/reading.html", document=found, title=title, pages=pages, fitting=len(fitting), count=len(healths), offset=offset, step=PAGES,
        decisions=decisions, decided=_decided(decisions), digest=digest[:PAGE_DIGITS], unread=UNREAD, drawn=_is_pdf(digest), WHOLE=WHOLE, percent=percent,
        asked={name: request.args[name] for name in FILTERS if name in request.args},
    )  # fmt: skip


@blueprint.post("/<edition_id>")
def decide(edition_id: str) -> AnyResponse:
    """Do what is decided about a page, about all pages with one cause, about all that are not good, or about the document."""
    found, action = _document(edition_id), _action()
    digest = found.edition.digest or ""
    if request.form.get("digest") != digest[:PAGE_DIGITS] or not digest:
        abort(409, gettext("The file was replaced meanwhile. Look at its pages again before you decide."))
    pages = _pages_meant(edition_id, action)
    if action == "recognise" and not _is_pdf(digest):
        abort(400, gettext("Only pages of PDFs can be recognised."))
    _act(found, action, pages)
    kept: dict[str, Any] = {name: request.args[name] for name in ("show", "health", "cause", "offset") if name in request.args}
    return redirect(url_for(".document", edition_id=edition_id, _anchor=f"page-{pages[0]}" if len(pages) == 1 else None, **kept), 303)


def _act(found: Document, action: Action, pages: Collection[int]) -> None:
    """Put the decision, the log's line and, where the file is to be read again, the job on disk together."""
    edition, decisions = found.edition, Decisions(library())
    digest = edition.digest or ""
    with library().transaction(contents=False):
        again = action == "recognise" or (action == "take back" and not decisions.recognise(digest).isdisjoint(pages))
        if action == "take back":
            decisions.take_back(digest, pages)
        else:
            decisions.take_back(digest, [WHOLE])  # who asks for something no longer leaves the document as it is
            decisions.put(analyst(), digest, pages, action)
        about = f"{edition.edition_id}: {wording.ranges(sorted(pages)) if set(pages) != {WHOLE} else '*'}"
        Changes(library()).note(analyst(), SAID[action], about, edition.publication_id)
        if again:
            Jobs(library()).add("reading", analyst(), [edition.edition_id], {"publication_id": edition.publication_id})


def _action() -> Action:
    said = request.form.get("action", "")
    for action in ("recognise", "ignore", "take back"):
        if said == action:
            return action
    abort(400, gettext("Expected what is to be done, found %(said)s.", said=repr(said[:20])))


def _pages_meant(edition_id: str, action: Action) -> list[int]:
    """The numbers of the pages that a form is about."""
    healths, said = library().page_healths(edition_id), request.form
    if "page" in said:
        there = {str(place): place for place in (*(place for place, _, _ in healths), *([] if action == "recognise" else [WHOLE]))}
        meant = [there[place] for place in said.getlist("page") if place in there]
    elif "health" in said:
        meant = [place for place, health, cause in healths if (health, cause) == (said["health"], said.get("cause", ""))]
    else:
        meant = [place for place, health, _ in healths if health in UNREAD]
    if not meant:
        abort(409, gettext("There are no such pages any more; the file was read again meanwhile."))
    return meant


def _is_shown(health: str, cause: str) -> bool:
    asked = request.args
    if "health" in asked:
        return health == asked["health"] and cause == asked.get("cause", cause)
    return asked.get("show") == "all" or health in UNREAD


def _decided(decisions: Mapping[int, Decision]) -> list[tuple[Decision, str, list[tuple[str, int]]]]:
    """The decisions about pages, gathered: one of them, its pages in short, and the fields of a form that name them."""
    rows: dict[tuple[str, str, str], list[Decision]] = {}
    for decision in decisions.values():
        if decision.page != WHOLE:
            rows.setdefault((decision.remedy, decision.by, decision.at[:10]), []).append(decision)
    return [(row[0], wording.ranges([one.page for one in row]), [("page", one.page) for one in row]) for row in rows.values()]


def _wanted() -> Wanted:
    asked = request.args
    return Wanted(asked.get("state", ""), asked.get("language", ""), bool(asked.get("undecided")), asked.get("health", ""), asked.get("cause"))


def _document(edition_id: str) -> Document:
    found = report.document(library(), edition_id)
    if found is None:
        abort(404, gettext("There is no document %(name)s in this library; it may have been removed.", name=repr(edition_id)))
    return found


def _title(publication_id: str) -> tuple[str, str]:
    publication = library().publication(publication_id)
    return title_in(publication, languages.of_reader()) if publication else (publication_id, "und")


def _is_pdf(digest: str) -> bool:
    """Whether a file's pages can be drawn and recognised."""
    try:
        return bool(digest) and format_of(library().file(digest)) is PDF
    except (UnreadableFileError, OSError):
        return False
