"""Uploads that go on after a broken line: the tus protocol 1.0.0 (https://tus.io) with creation, termination and expiration."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from email.utils import format_datetime
from functools import partial

from flask import Blueprint, Response, abort, current_app, request, url_for
from werkzeug.exceptions import ClientDisconnected

from index.uploads import Upload, UploadError
from search_app.desk import signing
from search_app.desk.receiving import STATUS, problem_of, uploads, worded

VERSION = "1.0.0"
BITE = 64 * 1024  # bytes that are written at a time: what has come when the line breaks is kept up to the last of them

blueprint = Blueprint("resumable", __name__, url_prefix="/uploads")


@blueprint.before_request
def check_version() -> Response | None:
    """Refuse what speaks another version, as the protocol asks."""
    if request.method != "OPTIONS" and request.headers.get("Tus-Resumable") != VERSION:
        return Response(f"expected the header Tus-Resumable: {VERSION}", 412, {"Tus-Version": VERSION}, mimetype="text/plain")
    return None


@blueprint.after_request
def sign(response: Response) -> Response:
    response.headers["Tus-Resumable"] = VERSION
    return response


@blueprint.errorhandler(UploadError)
def explain(error: UploadError) -> Response:
    return Response(worded(error.found, str(error)), STATUS[error.found], mimetype="text/plain")


@blueprint.route("", methods=["OPTIONS"], provide_automatic_options=False)
def offer() -> Response:
    """Say what can be done here."""
    most = str(current_app.config["LARGEST_UPLOAD"])
    return _nothing({"Tus-Version": VERSION, "Tus-Extension": "creation,termination,expiration", "Tus-Max-Size": most})


@blueprint.post("")
def announce() -> Response:
    """Begin an upload; its address comes in the header Location."""
    said = metadata(request.headers.get("Upload-Metadata", ""))
    upload = uploads().create(signing.analyst(), said.get("filename", ""), _count("Upload-Length"), said.get("likeness", ""))
    place = url_for("desk.resumable.receive", upload_id=upload.upload_id)
    return _nothing({"Location": place, "Upload-Offset": "0", **_expiry(upload)}, 201)


@blueprint.route("/<upload_id>", methods=["HEAD"], provide_automatic_options=False)
def tell(upload_id: str) -> Response:
    """Say how far an upload has come."""
    upload = _upload(upload_id)
    sizes = {"Upload-Offset": str(uploads().offset(upload)), "Upload-Length": str(upload.size)}
    return _nothing({**sizes, **_expiry(upload), "Cache-Control": "no-store"}, 200)


@blueprint.patch("/<upload_id>", provide_automatic_options=False)
def receive(upload_id: str) -> Response:
    """Take what comes next of a file; with its last byte it is in the library, and is examined."""
    if request.mimetype != "application/offset+octet-stream":
        abort(415, "expected the content type application/offset+octet-stream")
    offset, upload = _count("Upload-Offset"), _upload(upload_id)
    coming = request.content_length or 0
    if offset == uploads().offset(upload) and coming > upload.size - offset:
        raise UploadError("too large", f"{coming} bytes come where {upload.size - offset} are left")
    pieces = iter(partial(request.stream.read, BITE), b"") if coming else iter(())
    at = uploads().append(upload_id, offset, _until_broken(pieces))
    uploads().finish(upload_id, problem_of)
    return _nothing({"Upload-Offset": str(at), **_expiry(upload)})


@blueprint.delete("/<upload_id>", provide_automatic_options=False)
def discard(upload_id: str) -> Response:
    """End an upload and forget what has come of it."""
    uploads().discard([_upload(upload_id).upload_id], signing.analyst())
    return _nothing({})


@blueprint.post("/<upload_id>", provide_automatic_options=False)
def override(upload_id: str) -> Response:
    """Do what X-HTTP-Method-Override says, for clients behind a proxy that lets no other methods through."""
    asked = {"PATCH": receive, "DELETE": discard}.get(request.headers.get("X-HTTP-Method-Override", ""))
    if asked is None:
        abort(405)
    return asked(upload_id)


def metadata(header: str) -> dict[str, str]:
    """What Upload-Metadata says: keys, each with its value in Base64 after a space, between commas."""
    said = {}
    for pair in header.split(","):
        key, _, value = pair.strip().partition(" ")
        try:
            said[key] = base64.b64decode(value, validate=True).decode("utf-8", "replace")
        except binascii.Error:
            abort(400, f"Upload-Metadata: expected Base64 after {key!r}")
    return said


def _until_broken(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """What comes before the line breaks; then nobody waits for the answer, and the client asks where it stands."""
    try:
        yield from pieces
    except ClientDisconnected:
        return


def _upload(upload_id: str) -> Upload:
    found = uploads().upload(upload_id)
    if found is None:
        raise UploadError("gone", "there is no such upload")
    return found


def _count(header: str) -> int:
    said = request.headers.get(header, "")
    if not (said.isascii() and said.isdecimal() and len(said) < 16):
        abort(400, f"expected the header {header} with a number of bytes, found {said!r}")
    return int(said)


def _expiry(upload: Upload) -> dict[str, str]:
    return {"Upload-Expires": format_datetime(uploads().expires(upload), usegmt=True)} if upload.state == "receiving" else {}


def _nothing(headers: dict[str, str], status: int = 204) -> Response:
    return Response(status=status, headers=headers)
