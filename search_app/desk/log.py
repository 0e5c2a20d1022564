"""The log: who changed what and when, and how it is undone."""

from __future__ import annotations

from flask import Blueprint, abort, render_template, request
from flask_babel import gettext, lazy_gettext
from werkzeug import Response as AnyResponse

from index.changes import Change, Changes, ConflictError
from search_app import storing
from search_app.answers import title_in
from search_app.desk import signing
from search_app.desk.differences import differences
from search_app.desk.entries import done
from search_app.languages import of_reader
from search_app.search import FURTHEST, number

TITLE = lazy_gettext("Log")
AT_ONCE = 50  # changes on a page

blueprint = Blueprint("log", __name__, url_prefix="/log")


def notice() -> str:
    """Nothing in a log waits for anybody."""
    return ""


@blueprint.get("")
def page() -> str:
    """Show what was changed, newest first: all of it, or in one publication, or by one person."""
    changes, offset = Changes(signing.library()), number("offset", 0, 0, FURTHEST)
    name, by = request.args.get("publication", ""), request.args.get("by", "")
    found = changes.changes(name, AT_ONCE + 1, offset, by)
    rows = [
        (change, _title(change), differences(change.before, change.after), changes.can_be_undone(change), _there(change))
        for change in found[:AT_ONCE]
    ]
    return render_template(
        "desk/log.html", rows=rows, name=name, by=by, people=changes.people(), offset=offset, step=AT_ONCE, more=len(found) > AT_ONCE
    )


@blueprint.post("/<int:change_id>/undo")
def undo(change_id: int) -> AnyResponse:
    """Put back what was there before a change."""
    change = Changes(signing.library()).change(change_id) if change_id < 2**63 else None
    if change is None:
        abort(404, gettext("There is no such change."))
    try:
        storing.undo_change(signing.library(), signing.analyst(), change_id)
    except ConflictError:
        abort(409, gettext("This can no longer be undone: the publication was changed again since. Undo the later changes first."))
    return done(change.publication_id)


def _title(change: Change) -> tuple[str, str] | None:
    """The title of the publication, and its language; None where the change concerns none."""
    entry = change.after or change.before
    return title_in(entry, of_reader()) if entry else None


def _there(change: Change) -> bool:
    """Whether its publication is in the library now."""
    return signing.library().folder_of(change.publication_id) is not None
