"""What was found, as a table that a spreadsheet opens."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

from flask import Blueprint, Response, abort
from flask_babel import gettext

from index.searcher import PublicationHit
from search_app import languages
from search_app.answers import MAX_HITS, MAX_QUOTATION, shown_language, title_in
from search_app.citing import permanent_address, publication_address
from search_app.plain import CONTROLS
from search_app.search import asked, find, searcher

FORMULA = tuple("=+-@\t\r＝＋－＠")  # what a spreadsheet takes for the beginning of a formula; some do so for the wide forms of East Asia too

blueprint = Blueprint("spreadsheet", __name__)


@blueprint.get("/search.csv")
def table() -> Response:
    """Give what the search page finds for the same question, up to a hundred publications, as CSV in UTF-8 with the mark that Excel asks for."""
    query, k, offset = asked(MAX_HITS)
    if not query:
        abort(400, gettext('Expected a question in the parameter "q", found none.'))
    return as_csv(
        _head(), map(_row, find(query, k, offset, counterparts=False)), "isogloss.csv"
    )  # a question may be nobody's business, so it names no file


def as_csv(head: Sequence[str], rows: Iterable[Sequence[str | int]], filename: str) -> Response:
    """Answer with a table, none of whose cells runs as a formula."""
    written = StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(head)
    writer.writerows([cell if isinstance(cell, int) else disarmed(cell) for cell in row] for row in rows)
    response = Response("\ufeff" + written.getvalue(), content_type="text/csv; charset=utf-8")
    response.headers.set("Content-Disposition", "attachment", filename=filename)
    return response


def _head() -> list[str]:
    return [
        gettext("Rank"), gettext("Close to the question"), gettext("Title"), gettext("Authors"), gettext("Year"), gettext("Kind"),
        gettext("Language"), gettext("Page"), gettext("Page as printed"), gettext("Sentence that answers"), gettext("Passage"),
        gettext("Permanent address"), gettext("Publication"),
    ]  # fmt: skip


def _row(found: PublicationHit) -> Sequence[str | int]:
    best, work = found.hit, found.publication
    edition = work.edition(best.passage.edition_id)
    sentence = " ".join(next((best.passage.text[mark.start : mark.end] for mark in best.marks if mark.why == "meaning"), "").split())
    page = searcher().library.page(edition.edition_id, best.page) if best.page else None
    address = permanent_address(edition, best.page, sentence[:MAX_QUOTATION]) if page and edition.digest else publication_address(work)
    return [
        found.rank, gettext("yes") if found.close else gettext("no"), title_in(work, [*languages.of_reader(), edition.language])[0],
        "; ".join(work.authors), work.year or "", work.kind, shown_language(edition, best.passage), best.page or "", page.label if page else "",
        sentence, " ".join(best.passage.text.split()), address, publication_address(work),
    ]  # fmt: skip


def disarmed(text: str) -> str:
    """The text without control characters, behind an apostrophe where a spreadsheet would run it as a formula."""
    text = CONTROLS.sub("", text)
    return "'" + text if text.startswith(FORMULA) else text
