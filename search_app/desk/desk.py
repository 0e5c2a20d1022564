"""The desk put together: its parts, in the order of its menu, and its first page."""

from __future__ import annotations

from typing import Protocol

from flask import Blueprint, Flask, render_template
from flask_babel.speaklater import LazyString
from flask_wtf.csrf import CSRFError, CSRFProtect

from index.accounts import Accounts, secret
from index.library import Library
from search_app.desk import entries, files, imports, jobs, log, rebuild, receiving, report, resumable, signing
from search_app.desk.browsers import DeskSessions


class Part(Protocol):
    """A module of the desk."""

    blueprint: Blueprint  # its view "page" is in the menu
    TITLE: LazyString  # under this name

    def notice(self) -> str:
        """Say in a sentence what waits there for somebody; "" when nothing does."""


PARTS: tuple[Part, ...] = (
    files,
    entries,
    imports,
    jobs,
    rebuild,
    report,
    log,
)

blueprint = Blueprint("desk", __name__, url_prefix="/desk")
blueprint.before_request(receiving.admit_more)
blueprint.before_request(signing.admit)
blueprint.context_processor(signing.known_to_templates)
blueprint.register_error_handler(CSRFError, signing.explain_forgery)
blueprint.register_blueprint(signing.blueprint)
blueprint.register_blueprint(resumable.blueprint)
for part in PARTS:
    blueprint.register_blueprint(part.blueprint)


@blueprint.get("")
def page() -> str:
    """Show what there is to do."""
    return render_template("desk/desk.html", parts=[(part.TITLE, _address(part), part.notice()) for part in PARTS])


def install(app: Flask, library: Library) -> None:
    """Add the desk to an application."""
    app.config.update(
        SECRET_KEY=secret(library.folder),
        SESSION_COOKIE_NAME="isogloss",
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_SSL_STRICT=False,  # it wants a referrer, and pages here send none, so that no question goes with it
        WTF_CSRF_CHECK_DEFAULT=False,  # readers have no session, and need none; signing.admit checks what is sent to the desk
        WTF_CSRF_TIME_LIMIT=None,  # a form may lie open for a day; the token dies with the session
    )
    app.session_interface = DeskSessions()
    CSRFProtect(app)
    signing.install(app)
    Accounts(library).forget_old()
    receiving.install(app, library)
    app.register_blueprint(blueprint)
    app.jinja_env.globals["desk_menu"] = lambda: [(part.TITLE, _address(part)) for part in PARTS]


def _address(part: Part) -> str:
    return f"desk.{part.blueprint.name}.page"
