"""The search index: what readers are served by, what a new one would change, and publishing it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext, ngettext
from werkzeug import Response as AnyResponse

from index import candidate
from index.candidate import NotReadyError, Standing
from index.changes import Changes, ConflictError
from index.generations import BEFORE, CANDIDATE, IN_USE
from index.jobs import OPEN, Job, Jobs
from index.questions import Questions, WrongQuestionError
from index.store import BusyLibraryError
from search_app.desk import signing
from search_app.quality import percent
from search_app.wording import number

TITLE = lazy_gettext("Search index")
KINDS = ("generation", "encoder")  # of jobs that build one
LONGEST_NAME = 500  # characters of a folder or hub name
MOVES = {"up": ("▲", lazy_gettext("up")), "down": ("▼", lazy_gettext("down")), "new": ("+", lazy_gettext("new")), "gone": ("−", lazy_gettext("gone"))}

blueprint = Blueprint("rebuild", __name__, url_prefix="/index")

Answer = AnyResponse | tuple[str, int]


def notice() -> str:
    """Say that a new index waits to be published, or how much has come since the one in use was built."""
    if candidate.standing(signing.library(), CANDIDATE):
        return str(gettext("A new index waits for you to look at it and to publish it."))
    used = candidate.standing(signing.library(), IN_USE)
    return _newer(used) if used and used.newer else ""


@blueprint.get("")
def page() -> str:
    """Show what is in use, what waits, and what can be done."""
    return _page()


@blueprint.post("/questions")
def ask() -> Answer:
    """Add a check question."""
    try:
        Questions(signing.library()).add(signing.analyst(), request.form.get("text", ""))
    except WrongQuestionError:
        return _page(gettext("Expected a question with words in it, and not more than 200 questions in all.")), 400
    return _back("questions")


@blueprint.post("/questions/<int:question_id>/remove")
def remove(question_id: int) -> Answer:
    """Remove a check question."""
    Questions(signing.library()).remove(signing.analyst(), min(question_id, 2**63 - 1))
    return _back("questions")


@blueprint.post("/build")
def build() -> Answer:
    """Ask for a new index."""
    return _asked_for("generation", {}, "generation asked for")


@blueprint.post("/encoder")
def change_encoder() -> Answer:
    """Ask for every passage to be encoded by another encoder, or by the former one what came since."""
    name = request.form.get("name", "").strip()
    nowhere = Path(name).is_absolute() and not Path(name).is_dir()
    if nowhere or not name.isprintable() or not 0 < len(name) <= LONGEST_NAME:
        return _page(gettext("Expected the name of an encoder, or the folder on this machine in which it lies.")), 400
    return _asked_for("encoder", {"name": name, "fingerprint": request.form.get("fingerprint", "")}, "encoder asked for", name)


@blueprint.post("/forget")
def forget() -> Answer:
    """Ask for the vectors of a former encoder to be dropped."""
    fingerprint = request.form.get("fingerprint", "")
    return _asked_for("encoder", {"forget": fingerprint}, "encoder forgotten", signing.library().encoder_name(fingerprint) or fingerprint[:12])


@blueprint.post("/publish")
def publish() -> Answer:
    """Put the new index in use."""
    return _swapped(candidate.publish)


@blueprint.post("/discard")
def discard() -> Answer:
    """Drop the new index."""
    return _swapped(candidate.discard)


@blueprint.post("/roll-back")
def roll_back() -> Answer:
    """Put the former index in use again."""
    return _swapped(candidate.roll_back)


def _swapped(swap: Callable[[Any, str, str], None]) -> Answer:
    try:
        swap(signing.library(), signing.analyst(), request.form.get("token", ""))
    except ConflictError:
        return _page(gettext("Somebody else has changed this meanwhile. This is how it is now.")), 409
    except BusyLibraryError:
        return _page(gettext("Something is being written at this moment. Try again when it has ended.")), 409
    except NotReadyError as error:
        damaged = gettext("It is damaged, or of another version, and was set aside. Build a new one; the index in use goes on.")
        return _page(_missing(error.missing) or damaged), 409
    return _back()


def _asked_for(kind: Any, arguments: dict[str, str], what: str, about: str = "") -> Answer:
    library, by = signing.library(), signing.analyst()
    with library.transaction(contents=False):
        if not any(job.kind in KINDS for job in Jobs(library).open_jobs()):
            Jobs(library).add(kind, by, arguments=arguments)
            Changes(library).note(by, what, about)
            return _back()
    return _page(gettext("One is being built already. Wait until it is done, or cancel it.")), 409


def _page(problem: str = "") -> str:
    library = signing.library()
    preview, waiting = candidate.preview(library), candidate.standing(library, CANDIDATE)
    asked = sorted(preview["questions"], key=lambda question: not question["differs"]) if preview and waiting else []
    used, before = candidate.standing(library, IN_USE), candidate.standing(library, BEFORE)
    return render_template(
        "desk/index.html", problem=problem, used=used, before=before, waiting=waiting, lacking={"waiting": _lacking(waiting), "before": _lacking(before)}, preview=preview, asked=asked,
        newer=_newer(used) if used and used.newer else "", questions=Questions(library).all(), moves=MOVES, job=_last_job(), open_states=OPEN,
        share=percent(preview["overlap"]) if preview else "", encoders=library.encoders(), own=library.meta("encoder"), own_name=library.encoder_name(),
    )  # fmt: skip


def _newer(used: Standing) -> str:
    said = ngettext(
        "%(count)s passage came after it; it is searched all the same.",
        "%(count)s passages came after it; they are searched all the same.",
        used.newer, count=number(used.newer),
    )  # fmt: skip
    return str(said)


def _missing(count: int) -> str:
    """Say how many passages an encoder has yet to encode before it can serve; "" when it can."""
    said = ngettext(
        "%(count)s passage came since its encoder was last run, and must be encoded before it can be used.",
        "%(count)s passages came since its encoder was last run, and must be encoded before it can be used.",
        count, count=number(count),
    )  # fmt: skip
    return str(said) if count else ""


def _lacking(one: Standing | None) -> str:
    """The same of the encoder that made a generation."""
    library = signing.library()
    return _missing(len(library.without_vector(one.encoder))) if one and one.encoder != library.meta("encoder") else ""


def _last_job() -> Job | None:
    """The job that builds an index, or the last one that did."""
    return next((job for job in Jobs(signing.library()).jobs() if job.kind in KINDS), None)


def _back(anchor: str = "") -> AnyResponse:
    return redirect(url_for("desk.rebuild.page", _anchor=anchor or None), 303)
