"""The jobs: what is done beside the web server, how far it is, what failed, and what is to become of that."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext, ngettext
from werkzeug import Response as AnyResponse

from index.changes import Changes
from index.jobs import OPEN, Document, Job, Jobs
from search_app.answers import title_in
from search_app.desk import signing
from search_app.languages import of_reader
from search_app.search import FURTHEST, number
from search_app.worker import OTHER_WRITER

TITLE = lazy_gettext("Jobs")
SHOWN = 25  # jobs on a page
KINDS = {
    "examination": lazy_gettext("Look at uploaded files"),
    "reading": lazy_gettext("Read publications"),
    "generation": lazy_gettext("Rebuild the index"),
    "encoder": lazy_gettext("Change the encoder"),
}
STATES = {
    "waiting": lazy_gettext("waits"),
    "running": lazy_gettext("runs"),
    "cancelling": lazy_gettext("is being cancelled"),
    "done": lazy_gettext("done"),
    "failed": lazy_gettext("failed"),
    "cancelled": lazy_gettext("cancelled"),
    "reading": lazy_gettext("is being read"),
    "read": lazy_gettext("read"),
    "partly read": lazy_gettext("partly read"),
}
ASKED = {"cancel": "job cancelled", "retry": "job retried", "dismiss": "job dismissed"}  # what analysts do with a job, and its code in the log

blueprint = Blueprint("jobs", __name__, url_prefix="/jobs")


@dataclass(frozen=True, slots=True)
class Row:
    """One document of a job, as it is shown."""

    document: Document
    publication_id: str  # "" when there is none any more, or when it is an upload
    title: str
    language: str  # of the title
    pages: int


def notice() -> str:
    """Say what runs, and what failed."""
    jobs = Jobs(signing.library())
    undecided, running = len(jobs.undecided()), len(jobs.open_jobs())
    if undecided:
        return str(ngettext("%(num)d job needs a decision.", "%(num)d jobs need a decision.", undecided))
    return str(ngettext("%(num)d job is not at its end.", "%(num)d jobs are not at their end.", running)) if running else ""


@blueprint.get("")
def page() -> str:
    """Show what needs a decision, and all jobs, the newest first."""
    jobs = Jobs(signing.library())
    offset = number("offset", 0, 0, FURTHEST)
    found = jobs.jobs(SHOWN + 1, offset)
    undecided = [] if offset else jobs.undecided()
    return render_template("desk/jobs.html", jobs=found[:SHOWN], undecided=undecided, offset=offset, step=SHOWN, more=len(found) > SHOWN, **_words())


@blueprint.get("/<int:job_id>")
def job(job_id: int) -> str:
    """Show one job with its documents."""
    found = _job(job_id)
    rows = [_row(found, document) for document in Jobs(signing.library()).documents(job_id)]
    failed = any(row.document.state in ("failed", "cancelled") for row in rows) or found.state in ("failed", "cancelled")
    undecided = any(other.job_id == job_id for other in Jobs(signing.library()).undecided())
    return render_template("desk/job.html", job=found, rows=rows, failed=failed, undecided=undecided, **_words())


@blueprint.post("/<int:job_id>/<any(cancel, retry, dismiss):what>")
def change(job_id: int, what: str) -> AnyResponse:
    """Cancel a job, do again what failed in it (all, or one document), or hear no more of that."""
    _job(job_id)
    library, name = signing.library(), request.form.get("name")
    jobs = Jobs(library)
    with library.transaction(contents=False):
        if what == "cancel":
            jobs.cancel(job_id)
        elif what == "dismiss":
            jobs.dismiss(job_id, signing.analyst())
        elif not jobs.retry(job_id, [name] if name else None):
            abort(409, gettext("Nothing in this job can be done again. Look at it once more."))
        Changes(library).note(signing.analyst(), ASKED[what], str(job_id))
    return redirect(url_for("desk.jobs.job", job_id=job_id), 303)


def _job(job_id: int) -> Job:
    found = Jobs(signing.library()).job(job_id) if job_id < 2**63 else None
    return found or abort(404)


def _row(job: Job, document: Document) -> Row:
    library = signing.library()
    edition = library.edition(document.name) if job.kind == "reading" else None
    publication = library.publication(edition.publication_id) if edition else None
    if edition is None or publication is None:
        return Row(document, "", "", "", 0)
    title, language = title_in(publication, [edition.language, *of_reader()])
    pages = library.page_count(document.name) if document.state in ("read", "partly read") else 0
    return Row(document, publication.publication_id, title, language, pages)


def _words() -> dict[str, object]:
    return {"kinds": KINDS, "states": STATES, "open": OPEN, "other_writer": OTHER_WRITER}
