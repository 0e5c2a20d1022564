"""What both ways of sending files share: the limits, the check of what has come, and errors in the reader's words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from flask import Flask, current_app, request
from flask_babel import gettext

from index.library import Library
from index.uploads import LIMITS, Uploads
from ingest.formats import PDF, format_of
from ingest.records import UnreadableFileError
from search_app.desk import signing

MIB = 1024**2
PIECE = 4 * MIB  # bytes of one request that goes on with a file; the page's own script sends a quarter of it
FORM = 1024 * MIB  # bytes of the plain form with all its files; waitress takes no more
TYPED = 2 * MIB  # bytes of a form that is filled in: abstracts in thirty languages take nine for a letter of some scripts
CATALOGUE = 10 * MIB  # bytes of a catalogue that is imported; one of ten thousand publications with their abstracts is half of that
LARGE = {
    "desk.resumable.receive": PIECE, "desk.resumable.override": PIECE, "desk.files.send": FORM,
    "desk.files.add_rows": TYPED, "desk.entries.edit": TYPED, "desk.entries.new": TYPED,
    "desk.imports.send": CATALOGUE, "desk.imports.take": CATALOGUE,
}  # fmt: skip
STATUS = {"gone": 404, "offset": 409, "busy": 423, "empty": 400, "too large": 413, "too many": 507, "no room": 507}


def install(app: Flask, library: Library) -> None:
    """Finish what was interrupted; until `isogloss serve` says otherwise, the limits are those of index/uploads.py."""
    app.config.setdefault("LARGEST_UPLOAD", LIMITS.size)
    Uploads(library).settle(problem_of)


def uploads() -> Uploads:
    """The uploads of the library that is served."""
    return Uploads(signing.library(), replace(LIMITS, size=current_app.config["LARGEST_UPLOAD"]))


def admit_more() -> None:
    """Let those who are signed in send more than a reader may, where files are sent. Runs before the form is looked at."""
    if request.endpoint in LARGE and signing.is_analyst():
        request.max_content_length = LARGE[request.endpoint]
        request.max_form_memory_size = min(LARGE[request.endpoint], CATALOGUE)  # of what is no file


def problem_of(path: Path) -> str:
    """Why a file that has come is refused, by its content; "" for a PDF."""
    try:
        found = format_of(path)
    except UnreadableFileError as error:
        return str(error)
    if found is PDF:
        return ""
    return f"it is a {found.name} file, expected a PDF; save it as PDF, or put it into a folder and run: isogloss ingest FOLDER"


def worded(found: str, message: str) -> str:
    """What an UploadError says, in the language of the interface."""
    said = {
        "gone": gettext("This file is no longer expected here: it was added, discarded, or sent too long ago. Send it again."),
        "empty": gettext("The file is empty. Get it anew from where it came."),
        "too large": gettext(
            "The file is larger than the %(most)s MiB that are taken. Make its pictures smaller, or split it.",
            most=current_app.config["LARGEST_UPLOAD"] // MIB,
        ),
        "too many": gettext("Too many files wait here already. Add or discard some of them first."),
        "no room": gettext("The disk of the library is full. Make room there, then send the file again: what has come is kept."),
    }
    return str(said.get(found, message))
