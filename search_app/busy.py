"""Who waits when many ask at once, and what is said to those for whom no place becomes free. Who asks is known while the request lasts, and only in memory."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import cast

from flask import Blueprint, Flask, Response, current_app, g, render_template, request
from flask_babel import gettext
from markupsafe import escape
from werkzeug.exceptions import ServiceUnavailable

from search_app.languages import here, of_interface
from search_app.places import NoPlaceError, Places, Ticket
from search_app.standing import PROXIES

LINE = 8  # readers that may wait for each place; a place is taken for some thirty milliseconds
PATIENCE = 1.0  # seconds that a reader waits for a place before being asked to come again
PICTURES = 12  # requests that may wait for pictures of pages, which other processes draw
SPARE = 8  # threads for what is never kept waiting
AGAIN = 2  # seconds after which to ask again
LATER = 30  # where somebody must mend something first, or another server take over
MANY = 20  # hits from which on a request takes two places: each is read again for the sentence that answers
CHEAP = {
    "static", "busy.health", "readiness.ready", "languages.choose", "publication.file", "harvesting.robots", "feeds.opensearch", "documentation.page",
    "documentation.description", "documentation.moved",
}  # fmt: skip
LARGE = {"spreadsheet.table", "feeds.atom"}  # what looks at a hundred hits or more, unless fewer are asked for
ALL_LARGE = "large"  # the party of all such requests: half of the places is left to others
SAME = "the same again"  # stands in the page that is kept where the address goes
KEPT = 100  # pages, one for each language

blueprint = Blueprint("busy", __name__)


class NotNowError(ServiceUnavailable):
    """It cannot be answered now, and can be soon. Its page is made without the library."""


class BusyError(NotNowError):
    """Too many ask at once for this one to be answered soon."""

    def __init__(self) -> None:
        super().__init__(gettext("Too many questions are asked at this moment. Try again in a few seconds."), retry_after=AGAIN)


class SilentLibraryError(NotNowError):
    """The library cannot be read."""

    def __init__(self) -> None:
        super().__init__(gettext("The library does not answer at this moment. Nothing in it is lost. Try again in a minute."), retry_after=LATER)


class UnsettledError(NotNowError):
    """The library was lost while something was being stored."""

    def __init__(self) -> None:
        said = gettext("The library stopped answering while this was being stored. All of it is stored, or nothing: look before you send it again.")
        super().__init__(said, retry_after=LATER)


@dataclass(frozen=True, slots=True)
class Admission:
    """The places of an application: for what computes, and for what waits until a picture is drawn."""

    computing: Places
    pictures: Places

    @classmethod
    def of(cls, places: int) -> Admission:
        return cls(Places(places, LINE * places, PATIENCE), Places(PICTURES, 0, 0))

    @property
    def threads(self) -> int:
        """As many as can be in a place or in a line, and some more: so that whatever is cheap always finds one."""
        return self.computing.count + self.computing.line + self.pictures.count + SPARE


def install(app: Flask, places: int) -> None:
    """Let no more than so many requests compute at a time."""
    app.extensions["admission"] = Admission.of(places)
    app.before_request(_enter)
    app.after_request(_stay)
    app.teardown_request(_leave)
    app.register_blueprint(blueprint)


def admission(app: Flask) -> Admission:
    return cast(Admission, app.extensions["admission"])


@blueprint.get("/health")
def health() -> Response:
    """Say that the server answers, without looking at the library: for whatever watches over it."""
    return Response("ok\n", mimetype="text/plain", headers={"Cache-Control": "no-store"})


def page(heading: str, description: str) -> str:
    """The page that says so, with a link that asks the same again. Made from one that is kept, since it is sent when there is no time to lose."""
    return _page_in(of_interface(), request.script_root, heading, description).replace(SAME, str(escape(here())))


@lru_cache(KEPT)
def _page_in(language: str, root: str, heading: str, description: str) -> str:
    """The same for every address; `language` and `root` are those of the request."""
    return render_template("busy.html", heading=heading, description=description, again=SAME)


def wait_for_picture() -> bool:
    """Leave this request's place to others, since all that is left is to wait for a picture; returns whether there is room to wait."""
    _leave()
    try:
        _take(admission(current_app).pictures)
    except NoPlaceError:
        return False
    return True


def is_page() -> bool:
    """Whether this request is for a page, not for something that a program reads."""
    return request.blueprint not in ("feeds", "harvesting") and request.endpoint != "pages.image"


def _enter() -> None:
    if request.endpoint is None or request.endpoint in CHEAP or "desk" in request.blueprints:
        return
    places = admission(current_app)
    try:
        if request.endpoint == "pages.image":
            _take(places.pictures)
        else:
            _take(places.computing, *((2, ALL_LARGE) if _is_large() else (1,)))
    except NoPlaceError:
        raise BusyError from None


def _take(places: Places, weight: int = 1, *parties: Hashable) -> None:
    reader = _reader()
    g.place = places, places.enter(weight, *parties, *([reader] if reader else []))


def _stay(response: Response) -> Response:
    """Keep the place of an answer that is made while it is sent."""
    if response.is_streamed and not response.direct_passthrough and "place" in g:
        places, ticket = cast(tuple[Places, Ticket], g.pop("place"))
        response.call_on_close(lambda: places.leave(ticket))
    return response


def _leave(error: BaseException | None = None) -> None:
    if "place" in g:
        places, ticket = cast(tuple[Places, Ticket], g.pop("place"))
        places.leave(ticket)


def _is_large() -> bool:
    """Whether this request looks at many hits, or at every passage."""
    said = request.args.get("k", "")
    hits = int(said) if said.isascii() and said.isdigit() and len(said) < 9 else 0
    return bool(request.args.get("exhaustive")) or hits > MANY or (not hits and request.endpoint in LARGE)


def _reader() -> Hashable:
    """Where a request comes from; None where one address may stand for many readers: this machine's, and without a known proxy any of a network within."""
    try:
        address = ip_address(request.remote_addr or "")
    except ValueError:
        return None
    address = getattr(address, "ipv4_mapped", None) or address
    if address.is_loopback or (address.is_private and not current_app.config.get(PROXIES)):
        return None
    return ip_network((address, 64), strict=False) if isinstance(address, IPv6Address) else address
