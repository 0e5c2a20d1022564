"""Signing in and out. The only module that imports flask_login."""

from __future__ import annotations

from flask import Blueprint, Flask, current_app, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from werkzeug import Response as AnyResponse

from index.accounts import Accounts
from index.library import Library
from search_app.languages import local
from search_app.search import searcher

blueprint = Blueprint("signing", __name__)


class Analyst(UserMixin):  # type: ignore[misc]  # it ships no types
    """Somebody who is signed in: what Flask-Login keeps of them in the cookie is their session's token."""

    def __init__(self, name: str, token: str) -> None:
        self.name, self.id = name, token


def install(app: Flask) -> None:
    """Let the application know who is signed in."""
    manager = LoginManager(app)
    manager.session_protection = None  # it binds a session to an address and a browser, which change on slow lines

    @manager.user_loader  # type: ignore[untyped-decorator]
    def load(token: str) -> Analyst | None:
        name = Accounts(library()).signed_in(token)
        return Analyst(name, token) if name else None


def library() -> Library:
    """The library that is served."""
    return searcher().library


def analyst() -> str:
    """The name of the account that is signed in; only for pages below /desk."""
    return str(current_user.name)


def is_analyst() -> bool:
    """Whether somebody is signed in."""
    return bool(current_user.is_authenticated)


@blueprint.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> AnyResponse | str | tuple[str, int]:
    """Ask for name and password, and open a session."""
    back = local(request.values.get("back", ""), url_for("desk.page"))
    if request.method == "GET":
        return render_template("desk/sign_in.html", back=back, problem="")
    name = request.form.get("name", "")
    token = Accounts(library()).sign_in(name, request.form.get("password", ""))
    if token is None:
        return render_template("desk/sign_in.html", back=back, problem=gettext("The name or the password is wrong.")), 403
    login_user(Analyst(name, token))
    return redirect(back, 303)


@blueprint.post("/sign-out")
def sign_out() -> AnyResponse:
    """End the session, here and in the library."""
    if current_user.is_authenticated:
        Accounts(library()).sign_out(current_user.id)
    logout_user()
    return redirect(url_for("search.page"), 303)


def admit() -> AnyResponse | None:
    """Let nobody to the desk who is not signed in, and no form that another site has sent. For every request below /desk."""
    if current_app.config["WTF_CSRF_ENABLED"]:
        current_app.extensions["csrf"].protect()
    if current_user.is_authenticated or request.endpoint == "desk.signing.sign_in":
        return None
    back = request.full_path.rstrip("?") if request.method == "GET" else url_for("desk.page")
    return redirect(url_for("desk.signing.sign_in", back=back), 303)
