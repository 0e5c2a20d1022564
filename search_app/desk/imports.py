"""Importing a catalogue: sent here, shown as it would be stored, then stored as far as it was chosen.

What was sent lies in the library's folder under the digest of its content until it is imported or a week old, so that the browser is trusted with
nothing but that name: what is stored is read from there again. The report lies beside it, and stays.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext, ngettext
from werkzeug import Response as AnyResponse

from index.changes import Changes
from index.durable import replacing
from index.library import Library
from index.loose_entries import LooseEntries, LooseEntry
from ingest.encodings import UnreadableImportError
from ingest.gathering import free_name, renamed
from ingest.imported import Imported
from ingest.imports import FORMATS, read_import
from ingest.labels import language_of
from ingest.listing import labels_of
from ingest.records import UNDETERMINED, Edition, IsoglossError
from search_app import languages
from search_app.answers import title_in
from search_app.desk import signing
from search_app.desk.receiving import CATALOGUE, MIB
from search_app.importing import CHOICES, Choice, Report, compare, store
from search_app.remarks import shown
from search_app.storing import change_entry

TITLE = lazy_gettext("Import a catalogue")
KEPT = 7 * 24 * 60 * 60  # seconds that a catalogue waits for somebody to choose
DIGEST = re.compile("[0-9a-f]{64}")

blueprint = Blueprint("imports", __name__, url_prefix="/import")


@dataclass(frozen=True, slots=True)
class Sent:
    """A catalogue that was sent and is not imported yet."""

    name: str
    form: str  # of FORMATS, "" when its content tells
    content: bytes

    def read(self) -> Imported:
        return read_import(self.content, self.form)


def notice() -> str:
    """Say how many entries are no publications yet."""
    count = len(LooseEntries(signing.library()).entries())
    return ngettext("%(num)d entry has no editions.", "%(num)d entries have no editions.", count) if count else ""


@blueprint.get("")
def page() -> str:
    """Ask for a catalogue, and show the entries that are no publications yet."""
    return _asked()


@blueprint.post("")
def send() -> AnyResponse | tuple[str, int]:
    """Keep what was sent, and show what it holds."""
    file = request.files.get("file")
    content = file.read() if file and file.filename else request.form.get("text", "").encode()
    name = Path((file.filename or "") if file else "").name[:200] or gettext("pasted text")
    form = request.form.get("format", "")
    sent = Sent(name, form if form in FORMATS else "", content)
    try:
        sent.read()
    except UnreadableImportError as error:
        return _asked(str(error)), 400
    return redirect(url_for(".preview", digest=_keep(signing.library(), sent)), 303)


@blueprint.get("/<string(length=64):digest>")
def preview(digest: str) -> str:
    """Show every entry as it would be stored."""
    sent = _sent(digest)
    found = sent.read()
    rows = compare(signing.library(), found.entries)
    return render_template(
        "desk/import_preview.html", name=sent.name, form=FORMATS[found.form].name, found=found, rows=rows, digest=digest, remark=shown, called=_called,
    )  # fmt: skip


@blueprint.post("/<string(length=64):digest>")
def take(digest: str) -> AnyResponse:
    """Store what was chosen; what is not chosen is left out."""
    library, sent = signing.library(), _sent(digest)
    found = sent.read()
    chosen = [(entry, _choice(request.form.get(f"choice-{place}", ""))) for place, entry in enumerate(found.entries)]
    report = store(library, signing.analyst(), sent.name, chosen)
    report.problems, report.remarks = found.problems, found.remarks
    with replacing(_home(library) / f"{digest}.report") as written:
        written.write_text(report.as_json(), "utf-8")
    (_home(library) / digest).unlink(missing_ok=True)
    return redirect(url_for(".report", digest=digest), 303)


@blueprint.get("/<string(length=64):digest>/report")
def report(digest: str) -> str:
    """Show what became of an import."""
    path = _home(signing.library()) / f"{_checked(digest)}.report"
    if not path.is_file():
        abort(404, gettext("There is no report of such an import."))
    return render_template("desk/import_report.html", report=Report.from_json(path.read_text("utf-8")), remark=shown)


@blueprint.post("/loose/<int:entry_id>")
def settle(entry_id: int) -> AnyResponse | tuple[str, int]:
    """Make a publication of an entry, in the languages that are named, or discard it."""
    library = signing.library()
    found = next((one for one in LooseEntries(library).entries() if one.entry_id == entry_id), None)
    if found is None:
        return _asked(gettext("This entry has been settled already.")), 409
    try:
        _settle(library, found, request.form.get("languages", ""), "discard" in request.form)
    except IsoglossError as error:
        return _asked(str(error)), 400
    return redirect(url_for(".page"), 303)


def _settle(library: Library, found: LooseEntry, named: str, discard: bool) -> None:
    """In one transaction, so that the entry is never in both places, nor in neither."""
    if discard:
        with library.transaction(contents=False):
            if LooseEntries(library).remove(found.entry_id):
                Changes(library).note(signing.analyst(), "entry discarded", title_in(found.entry, ())[0])
        return
    told = [(language_of(label).tag, label, part) for label, part in labels_of(named)]
    unknown = [label for tag, label, _ in told if tag == UNDETERMINED]
    if unknown or not told:
        raise IsoglossError(
            gettext("Expected the names of languages with commas between them, found “%(found)s”.", found=", ".join(unknown) or named)
        )
    name = free_name(found.entry.publication_id, [one.publication_id for one in library.publications()])
    editions = {(tag, part): Edition("", name, tag, label, part, None) for tag, label, part in told}
    said = {field: getattr(found.entry, field) for field in found.entry.__dataclass_fields__}
    with library.transaction():
        after = renamed(type(found.entry)(**(said | {"editions": tuple(editions.values())})), name)
        change_entry(library, signing.analyst(), "imported", None, after)
        LooseEntries(library).remove(found.entry_id)


def _asked(problem: str = "") -> str:
    entries = [(one, _called(one.entry)) for one in LooseEntries(signing.library()).entries()]
    formats = [(key, form.name) for key, form in FORMATS.items()]
    return render_template(
        "desk/import.html", problem=problem, formats=formats, largest=CATALOGUE // MIB, entries=entries, text=request.form.get("text", "")
    )


def _called(publication: object) -> tuple[str, str]:
    return title_in(publication, languages.of_reader())  # type: ignore[arg-type]


def _choice(said: str) -> Choice:
    return next((choice for choice in CHOICES if choice == said), "skip")


def _home(library: Library) -> Path:
    return library.folder / "imports"


def _checked(digest: str) -> str:
    return digest if DIGEST.fullmatch(digest) else abort(404)


def _keep(library: Library, sent: Sent) -> str:
    """Keep what was sent under its digest, once it is on disk; what nobody chose from for long goes."""
    home = _home(library)
    home.mkdir(exist_ok=True)
    for path in home.iterdir():
        if DIGEST.fullmatch(path.name) and path.stat().st_mtime < time.time() - KEPT:
            path.unlink(missing_ok=True)
    head = json.dumps([sent.name, sent.form]).encode() + b"\n"
    digest = hashlib.sha256(head + sent.content).hexdigest()
    with replacing(home / digest) as written:
        written.write_bytes(head + sent.content)
    return digest


def _sent(digest: str) -> Sent:
    path = _home(signing.library()) / _checked(digest)
    if not path.is_file():
        abort(404, gettext("This catalogue has been imported, or has waited too long. Choose the file again."))
    head, _, content = path.read_bytes().partition(b"\n")
    name, form = json.loads(head)
    return Sent(name, form, content)
