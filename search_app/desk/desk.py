"""The desk put together: its parts, in the order of its menu, and its first page."""

from __future__ import annotations

from flask import Blueprint, Flask, render_template
from flask_wtf import CSRFProtect

from index.accounts import secret
from index.library import Library
from search_app.desk import signing

PARTS: tuple[object, ...] = ()  # modules with a `blueprint`, whose page "page" is in the menu under their TITLE

blueprint = Blueprint("desk", __name__, url_prefix="/desk")
blueprint.before_request(signing.admit)
blueprint.register_blueprint(signing.blueprint)
for part in PARTS:
    blueprint.register_blueprint(part.blueprint)  # type: ignore[attr-defined]


@blueprint.get("")
def page() -> str:
    """Show what there is to do."""
    return render_template("desk/desk.html")


def install(app: Flask, library: Library) -> None:
    """Add the desk to an application."""
    app.config.update(
        SECRET_KEY=secret(library.folder),
        SESSION_COOKIE_NAME="isogloss",
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_CHECK_DEFAULT=False,  # readers have no session, and need none; signing.admit checks what is sent to the desk
        WTF_CSRF_TIME_LIMIT=None,  # a form may lie open for a day; the token dies with the session
    )
    CSRFProtect(app)
    signing.install(app)
    app.register_blueprint(blueprint)
    app.jinja_env.globals["desk_menu"] = lambda: [(part.TITLE, f"desk.{part.blueprint.name}.page") for part in PARTS]  # type: ignore[attr-defined]
