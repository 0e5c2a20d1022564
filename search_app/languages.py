"""Names and directions of languages, what the reader reads, in which language the interface speaks, and the page where both are chosen."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import langcodes
from babel import Locale, UnknownLocaleError
from flask import Blueprint, current_app, redirect, render_template, request
from flask_babel import get_locale
from markupsafe import Markup
from werkzeug import Response as AnyResponse

from index.searcher import Searcher
from ingest.records import UNDETERMINED
from search_app.interface import LANGUAGES

READS, SPEAKS = "reads", "speaks"  # cookies: the languages the reader reads, best first, and the one the interface is to speak
SPEAKS_NOW = "isogloss.interface"  # in the environment of a request: what has been found out once
YEAR = 365 * 24 * 60 * 60  # seconds
MOST_READ = 10  # languages; nobody is known to read more, and a cookie stays short
REMEMBERED = 1000  # tags; addresses may hold any number of others

blueprint = Blueprint("languages", __name__)


@blueprint.get("/languages")
def page() -> str:
    """Show which languages there are to choose: for editions, those of the library and those already chosen; for the interface, its own."""
    searcher: Searcher = current_app.extensions["searcher"]
    there = {edition.language for publication in searcher.publications() for edition in publication.editions} - {UNDETERMINED}
    chosen = of_reader()
    offered = [*dict.fromkeys(chosen), *sorted(there - set(chosen), key=lambda tag: name(tag).casefold())]
    return render_template(
        "languages.html", offered=offered, chosen=chosen, remembered=READS in request.cookies, back=local(request.args.get("back", ""))
    )


@blueprint.post("/languages")
def choose() -> AnyResponse:
    """Remember the choice in the reader's browser for a year, and nowhere else; nothing chosen means what the browser states."""
    answer = redirect(local(request.form.get("back", "")), 303)
    if "forget" in request.form:
        _remember(answer, READS, "")
        _remember(answer, SPEAKS, "")
        return answer
    if "reads" in request.form:
        _remember(answer, READS, ".".join(tags(request.form.getlist("reads"))))
    if "interface" in request.form:
        _remember(answer, SPEAKS, next((tag for tag in LANGUAGES if tag == request.form["interface"]), ""))
    return answer


def of_reader() -> list[str]:
    """The reader's languages, best first: as chosen here, else as the browser states them."""
    return tags(request.cookies.get(READS, "").split(".")) or tags(request.accept_languages.values())


def of_interface() -> str:
    """The language of the interface: as chosen here, else the one that the browser likes best of those it speaks, else English."""
    if SPEAKS_NOW not in request.environ:
        chosen = request.cookies.get(SPEAKS, "")
        request.environ[SPEAKS_NOW] = chosen if chosen in LANGUAGES else request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0]
    return str(request.environ[SPEAKS_NOW])


def tags(said: Iterable[str]) -> list[str]:
    """Those that are language tags, written as BCP 47 does, each once; what else a form, a cookie or a browser may say is passed over."""
    short = (tag for tag in said if len(tag) <= 35 and langcodes.tag_is_valid(tag))  # characters; RFC 5646 asks software to hold 35
    return list(dict.fromkeys(langcodes.standardize_tag(tag) for tag in short))[:MOST_READ]


@lru_cache(REMEMBERED)
def name(tag: str) -> str:
    """A language's name in that language ("ខ្មែរ"), or the tag where the name is not known."""
    locale = _locale(tag)
    return str(locale.get_display_name() or tag) if locale else tag


@lru_cache(REMEMBERED)
def direction(tag: str) -> str:
    """How the language is written: "ltr", "rtl", or "auto" where that is not known."""
    locale = _locale(tag)
    return str(locale.text_direction) if locale else "auto"


@lru_cache(REMEMBERED)
def own_name(tag: str) -> Markup:
    """A language's name in that language, as HTML that says which one it is."""
    return Markup('<span lang="{0}" dir="{1}">{2}</span>').format(tag, direction(tag), name(tag))


def country(code: str) -> str:
    """A country's name in the language of the interface."""
    return str((get_locale() or Locale("en")).territories.get(code, code))


def _remember(answer: AnyResponse, cookie: str, value: str) -> None:
    path = request.script_root or "/"
    if value:
        answer.set_cookie(cookie, value, max_age=YEAR, path=path, samesite="Lax", httponly=True, secure=request.is_secure)
    else:
        answer.delete_cookie(cookie, path=path, samesite="Lax", httponly=True, secure=request.is_secure)


def here() -> str:
    """The address of the page that is asked for, within this host; of what answers a form, that of the page that holds the form."""
    path = request.path
    while request.method == "POST" and path and not _can_be_visited(path):
        path = path.rpartition("/")[0]
    return request.script_root + request.full_path.rstrip("?").replace(request.path, path or "/", 1)


def local(address: str, otherwise: str = "") -> str:
    """The address if it is one of this site, else the other one, or the first page."""
    home = f"{request.script_root}/"
    ours = address.startswith(home) and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if ours else otherwise or home


def _can_be_visited(path: str) -> bool:
    adapter = current_app.create_url_adapter(request)
    return adapter is not None and adapter.test(path, "GET")


def _locale(tag: str) -> Locale | None:
    try:
        return Locale.parse(tag, sep="-") if tag != UNDETERMINED else None
    except (UnknownLocaleError, ValueError):
        return None
