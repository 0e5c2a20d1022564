"""Make the web application. The only module, with the blueprints, that imports flask."""

from __future__ import annotations

import gzip
import logging
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, render_template, request
from flask_babel import Babel, gettext
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup
from werkzeug.exceptions import HTTPException, ServiceUnavailable

from index.encoder import Encoder
from index.library import Library
from index.likeness import Likeness
from index.room import FullDiskError, is_for_want_of_room
from index.searcher import Searcher
from index.store import BusyLibraryError, DamagedLibraryError, ReadOnlyLibraryError, StoreUnreachableError, UnknownOutcomeError
from ingest.drawing import DRAWERS, Drawer
from ingest.records import IsoglossError
from search_app import (
    api,
    busy,
    citing,
    documentation,
    feeds,
    gaps,
    harvesting,
    interface,
    languages,
    likeness,
    pages,
    problems,
    publication,
    quality,
    readiness,
    search,
    spreadsheet,
    wording,
)
from search_app.answers import page_address
from search_app.desk import desk
from search_app.marking import marked
from search_app.pictures import Pictures
from search_app.places import USUAL
from search_app.plain import isolated
from search_app.wording import InsufficientStorage

log = logging.getLogger(__name__)

PACKED = {"text/html", "text/css", "text/javascript", "text/csv", "application/json", "application/atom+xml", "application/xml"}
SHORT = 1000  # bytes that fit one packet with the headers, compressed or not
MOST_SENT = 100_000  # bytes that a reader or a harvester may send; their forms are a hundredth of that
PRIVATE = {"q", "quote", "back"}  # parameters that say what somebody asked
YEAR = 31_536_000  # seconds
GUARDS = {
    "Referrer-Policy": "no-referrer",  # addresses hold what was asked
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # for browsers that do not know frame-ancestors
    "Cross-Origin-Opener-Policy": "same-origin",  # a page that opens this one gets no hold of it
    "Cross-Origin-Resource-Policy": "same-origin",  # nor can it embed pictures of pages, or measure how they load
}
CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


def create_app(
    library: Library, encoder: Encoder, open_encoder: Callable[[str], Encoder] | None = None, places: int = USUAL, drawers: int = DRAWERS
) -> Flask:
    """Make the application that searches `library`. Keeps no query: nothing is logged, and answers forbid to be stored.

    `open_encoder` opens the encoder that the library is given while it is served. So many requests as there are `places` compute at a time,
    and so many processes as there are `drawers` draw pages.

    Raises WrongEncoderError.
    """
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MOST_SENT
    app.json.ensure_ascii, app.json.sort_keys = False, False  # type: ignore[attr-defined]
    app.extensions["searcher"] = Searcher(library, encoder, open_encoder)
    app.extensions["pictures"] = Pictures(library.folder / "pictures", Drawer(drawers))
    app.extensions["likeness"] = Likeness(library)
    Babel(app, locale_selector=languages.of_interface).domain_instance = interface.Catalogues()
    busy.install(app, places)
    readiness.install(app)
    for module in (search, publication, pages, likeness, quality, gaps, languages, citing, spreadsheet, harvesting, api, documentation, feeds):
        app.register_blueprint(module.blueprint)
    desk.install(app, library)
    app.after_request(_guard)
    app.after_request(_pack)
    app.register_error_handler(HTTPException, _explain)
    app.register_error_handler(FullDiskError, _no_room)
    app.register_error_handler(OSError, _no_room)
    app.register_error_handler(ReadOnlyLibraryError, _read_only)
    for silent in (StoreUnreachableError, DamagedLibraryError, BusyLibraryError):
        app.register_error_handler(silent, _silent)
    app.jinja_env.globals |= {
        "interface": languages.of_interface,
        "interfaces": interface.LANGUAGES,
        "here": languages.here,
        "token": _token,
        "feed_address": feeds.address,
    }
    app.jinja_env.filters |= {
        "marked": marked,
        "page_address": page_address,
        "language_name": languages.name,
        "own_name": languages.own_name,
        "country_name": languages.country,
        "direction": languages.direction,
        "part_name": wording.part,
        "state_name": wording.state,
        "health_name": wording.health,
        "cause": wording.cause,
        "change_name": wording.change,
        "moment": wording.moment,
        "day": wording.day,
        "number": wording.number,
        "isolated": isolated,
        "words_found": wording.words_found,
        "confidence": wording.confidence,
    }
    return app


def _token() -> Markup:
    """What every form of the desk must hold, so that no other site can send it."""
    return Markup('<input type="hidden" name="csrf_token" value="{}">').format(generate_csrf())


def _guard(response: Response) -> Response:
    """Let nothing be loaded from elsewhere, and no address with a query be handed on or kept."""
    if response.mimetype != "application/pdf":  # browsers show a PDF in a page of their own, which this would break
        response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY + ("; sandbox" if request.endpoint == "publication.file" else "")
    response.headers.update(GUARDS)
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = f"max-age={YEAR}"
    if (request.endpoint not in ("static", "pages.image") or response.status_code >= 400) and not response.cache_control.no_store:
        asked = PRIVATE & request.args.keys() and request.endpoint != "feeds.atom"
        response.headers["Cache-Control"] = "private, no-store" if asked or "desk" in request.blueprints else "private, no-cache"
    return response


def _pack(response: Response) -> Response:
    """Compress what is text and not short: on a slow line that is most of the waiting."""
    if response.mimetype in PACKED and response.status_code == 200 and not response.content_encoding:
        response.vary.add("Accept-Encoding")
        response.direct_passthrough = False
        body = response.get_data()
        if len(body) > SHORT and request.accept_encodings["gzip"]:
            response.set_data(gzip.compress(body, mtime=0))
            response.content_encoding = "gzip"
            etag, _ = response.get_etag()
            if etag:
                response.set_etag(etag, weak=True)  # the same in content, not byte by byte
    return response


def _no_room(error: FullDiskError | OSError) -> Any:
    """Say that the disk is full; what else the system says is an error of ours."""
    if isinstance(error, OSError) and not is_for_want_of_room(error):
        raise error
    return _explain(InsufficientStorage(gettext("What was stored before is whole, this was not stored. It can be sent again when there is room.")))


def _read_only(error: ReadOnlyLibraryError) -> Any:
    return _explain(ServiceUnavailable(gettext("This library can be searched, but nothing in it can be changed now.")))


def _silent(error: IsoglossError) -> Any:
    log.warning("%s", error)
    return _explain(busy.UnsettledError() if isinstance(error, UnknownOutcomeError) else busy.SilentLibraryError())


def _explain(error: HTTPException) -> tuple[Response | str, int] | tuple[str, int, dict[str, str]]:
    code = error.code or 500
    if request.path.startswith(problems.PREFIX):
        return problems.problem(error), code
    heading, description = wording.error(error)
    headers = {name: str(value) for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    if code == 503 and not busy.is_page():
        return f"{description}\n", code, headers | {"Content-Type": "text/plain; charset=utf-8"}
    if isinstance(error, busy.NotNowError):
        return busy.page(heading, description), code, headers
    return render_template("error.html", heading=heading, description=description), code, headers
