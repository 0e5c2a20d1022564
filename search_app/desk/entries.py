"""Catalogue entries, seen and changed: all publications, the form of one, and taking away one of them or of their editions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext, ngettext
from werkzeug import Response as AnyResponse

from index.changes import HERE, Change, Changes, ConflictError, fingerprint
from index.uploads import Upload, Uploads
from ingest.records import IsoglossError, Publication
from search_app import storing, wording
from search_app.answers import title_in
from search_app.desk import signing
from search_app.desk.differences import differences
from search_app.desk.drafts import Draft, Faults
from search_app.desk.shelf import free_name, lacking, shelf, suggestions
from search_app.languages import of_reader

TITLE = lazy_gettext("Publications")

blueprint = Blueprint("entries", __name__)


def notice() -> str:
    """How many publications lack something that readers or the search miss."""
    count = len(lacking(signing.library()))
    return ngettext("Something is missing in %(num)d publication.", "Something is missing in %(num)d publications.", count) if count else ""


@blueprint.get("/publications")
def page() -> str:
    """List the publications, those with certain words in a title or where something is missing."""
    return render_template("desk/publications.html", change=change_made(), **shelf(signing.library()))


@blueprint.route("/new-publication", methods=["GET", "POST"])
def new() -> AnyResponse | str | tuple[str, int]:
    """Add a publication, with files that were uploaded or with none."""
    if request.method == "GET":
        return _form("", None, Draft())
    draft = Draft.sent(request.form)
    if "more" in request.form:
        return _form("", None, draft)
    named = next((text for _, text in draft.titles), "")
    return _saved(free_name(signing.library(), named), None, draft, "added")


@blueprint.route("/publications/<publication_id>", methods=["GET", "POST"])
def edit(publication_id: str) -> AnyResponse | str | tuple[str, int]:
    """Show a catalogue entry as a form, and store what was changed in it."""
    entry = signing.library().entry(publication_id)
    if request.method == "GET":
        return _form(publication_id, _found(entry, publication_id), Draft.of(_found(entry, publication_id)))
    draft = Draft.sent(request.form)
    if "more" in request.form:
        return _form(publication_id, entry, draft)
    return _saved(publication_id, entry, draft, "edited")


@blueprint.route("/publications/<publication_id>/remove", methods=["GET", "POST"])
def remove(publication_id: str) -> AnyResponse | str | tuple[str, int]:
    """Say what goes, and take a publication, or the one edition that is named, out of the library."""
    library, gone = signing.library(), request.values.get("edition", "")
    entry = _found(library.entry(publication_id), publication_id)
    left = [edition for edition in entry.editions if edition.edition_id != gone]
    if gone and len(left) == len(entry.editions):
        abort(404, gettext("The publication %(name)s has no edition %(edition)s.", name=repr(publication_id), edition=repr(gone[:80])))
    if request.method == "GET":
        return _question(entry, gone)
    try:
        if request.form.get("seen") != fingerprint(entry):
            raise ConflictError(publication_id)
        if gone and left:
            storing.change_entry(library, signing.analyst(), "edited", entry, replace(entry, editions=tuple(left)))
        else:
            Changes(library).remove(signing.analyst(), entry)
    except ConflictError:
        return _question(entry, gone, gettext("Somebody has changed this publication meanwhile. This is how it is now.")), 409
    if gone and left:
        return done(publication_id)
    return redirect(url_for("desk.entries.page", change=_last(publication_id).change_id), 303)


@blueprint.post("/publications/<publication_id>/give-back")
def give_back(publication_id: str) -> AnyResponse:
    """Let the folder from which a publication came keep it up to date again."""
    try:
        Changes(signing.library()).give_back(signing.analyst(), publication_id)
    except ConflictError:
        abort(409, gettext("Somebody has changed this publication meanwhile. This is how it is now."))
    return redirect(url_for("desk.entries.edit", publication_id=publication_id), 303)


def change_made() -> Change | None:
    """The change that this page is to tell of, with what undoes it."""
    said = request.args.get("change", "")
    change = Changes(signing.library()).change(int(said)) if said.isascii() and said.isdecimal() and len(said) < 16 else None
    return change if change and change.of_catalogue else None


def done(publication_id: str) -> AnyResponse:
    """Go to where a change shows: to the publication if it is there, else to the list."""
    change = _last(publication_id).change_id
    if signing.library().folder_of(publication_id) is None:
        return redirect(url_for("desk.entries.page", change=change), 303)
    return redirect(url_for("desk.entries.edit", publication_id=publication_id, change=change), 303)


def _last(publication_id: str) -> Change:
    return Changes(signing.library()).changes(publication_id, 1)[0]


def _saved(name: str, entry: Publication | None, draft: Draft, what: str) -> AnyResponse | tuple[str, int]:
    """Store a draft, or show it again with what is wrong, or with what somebody else has stored meanwhile."""
    library, offered = signing.library(), _offered()
    after, faults = draft.checked(name, _kept(draft))
    if after is None:
        return _form(name, entry, draft, faults), 400
    if request.form.get("seen", "") != fingerprint(entry):
        return _form(name, entry, draft, theirs=True, mine=after), 409
    try:
        with library.transaction():
            job = storing.change_entry(library, signing.analyst(), what, entry, after)
            chosen = {edition.digest for edition in after.editions}
            Uploads(library).added([upload.upload_id for upload in offered if upload.digest in chosen])
    except ConflictError:
        return _form(name, library.entry(name), draft, theirs=True, mine=after), 409
    except IsoglossError as error:
        return _form(name, entry, draft, {"form": str(error)}), 400
    return done(name) if job else redirect(url_for("desk.entries.edit", publication_id=name), 303)


def _offered() -> list[Upload]:
    """The files that were sent and examined, and belong to no edition yet, oldest first."""
    return [upload for upload in Uploads(signing.library()).uploads() if upload.state == "examined"]


def _kept(draft: Draft) -> set[str]:
    """The files that are chosen and in the library: uploaded, or had by the entry, now or when the form was made."""
    chosen = {one.file for one in draft.editions if re.fullmatch("[0-9a-f]{64}", one.file)}
    return {digest for digest in chosen if signing.library().file(digest).is_file()}


def _form(
    name: str, entry: Publication | None, draft: Draft, faults: Faults | None = None, theirs: bool = False, mine: Publication | None = None
) -> str:
    library = signing.library()
    folder = library.folder_of(name) or HERE
    return render_template(
        "desk/publication.html", name=name, entry=entry, title=title_in(entry, of_reader()) if entry else None, draft=draft,
        seen=fingerprint(entry), faults=wording.faults(faults or {}), theirs=theirs, differences=differences(entry, mine) if theirs else [],
        states=_states(name), files={upload.digest: upload.name for upload in _offered()}, folder=folder, folder_before=HERE if folder else Changes(library).folder_before(name),
        change=change_made(), parts=wording.PARTS, **suggestions(library),
    )  # fmt: skip


def _states(name: str) -> Mapping[str, Any]:
    """How each edition was read, by its id: its state, and how many pages it has."""
    library = signing.library()
    states = library.edition_states(name) if name else []
    return {state.edition.edition_id: (state, library.page_count(state.edition.edition_id)) for state in states}


def _question(entry: Publication, gone: str, problem: str = "") -> str:
    editions = [edition for edition in entry.editions if edition.edition_id == gone] if gone and len(entry.editions) > 1 else entry.editions
    whole = len(editions) == len(entry.editions)
    return render_template(
        "desk/remove.html", entry=entry, title=title_in(entry, of_reader()), editions=editions, whole=whole, gone="" if whole else gone,
        seen=fingerprint(entry), states=_states(entry.publication_id), problem=problem,
    )  # fmt: skip


def _found(entry: Publication | None, publication_id: str) -> Publication:
    if entry is None:
        abort(404, gettext("There is no publication %(name)s in this library; it may have been removed.", name=repr(publication_id)))
    return entry
