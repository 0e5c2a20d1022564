"""Signing in and out, and another password. The only module that imports flask_login."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

from flask import Blueprint, Flask, current_app, make_response, redirect, render_template, request, session, url_for
from flask_babel import gettext, ngettext
from flask_login import LoginManager, UserMixin, current_user, login_user
from werkzeug import Response as AnyResponse
from werkzeug.exceptions import BadRequest

from index.accounts import SHORTEST, Accounts, BusyError, WrongAccountError, normal_name
from index.attempts import TooManyAttemptsError
from index.changes import Changes
from index.library import Library
from search_app.desk.browsers import known_browser, remember_browser
from search_app.languages import here, local
from search_app.search import searcher
from search_app.standing import PRIVATE

A_MOMENT = 2  # seconds, after which whoever found the desk busy may try again
FORWARDED = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded")  # what only proxies say

blueprint = Blueprint("signing", __name__)


class Analyst(UserMixin):  # type: ignore[misc]  # it ships no types
    """Somebody who is signed in: what Flask-Login keeps of them in the cookie is their session's token."""

    def __init__(self, name: str, token: str) -> None:
        self.name, self.id = name, token


def install(app: Flask) -> None:
    """Let the application know who is signed in."""
    manager = LoginManager()
    manager.session_protection = None  # it binds a session to an address and a browser, which change on slow lines
    app.login_manager = manager  # type: ignore[attr-defined]  # init_app would read the session after every answer, also a reader's

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


def known_to_templates() -> dict[str, Any]:
    """What the templates of the desk show of who is signed in."""
    return {"current_user": current_user}


def is_analyst() -> bool:
    """Whether somebody is signed in."""
    return bool(current_user.is_authenticated)


@blueprint.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> AnyResponse:
    """Ask for name and password, and open a session."""
    back = local(request.values.get("back", ""), url_for("desk.page"))
    if not _is_private():
        return _asked_again("desk/sign_in.html", _why_not_private(), 403, back=back, refused=True)
    if request.method == "GET":
        return make_response(render_template("desk/sign_in.html", back=back, problem=""))
    name = normal_name(request.form.get("name", ""))
    refusal = _refusal(name, request.form.get("password", ""))
    if refusal:
        return _asked_again("desk/sign_in.html", *refusal, back=back)
    answer = redirect(back, 303)
    _begin(name, answer)
    return answer


@blueprint.post("/sign-out")
def sign_out() -> AnyResponse:
    """End the session, here and in the library."""
    Accounts(library()).sign_out(current_user.id)
    session.clear()
    return redirect(url_for("search.page"), 303)


@blueprint.route("/password", methods=["GET", "POST"])
def password() -> AnyResponse:
    """Give one's own account another password; every session but a new one of this browser ends."""
    if request.method == "GET":
        return make_response(render_template("desk/password.html", shortest=SHORTEST, problem="", done="done" in request.args))
    name, wanted = analyst(), request.form.get("password", "")
    if wanted != request.form.get("again", ""):
        return _asked_again("desk/password.html", gettext("The new password was typed in two ways."), 400, shortest=SHORTEST)
    refusal = _refusal(name, request.form.get("current", ""))
    if refusal:
        return _asked_again("desk/password.html", *refusal, shortest=SHORTEST)
    try:
        with library().transaction(contents=False):
            Accounts(library()).put(name, wanted)
            Changes(library()).note(name, "password changed", name)
    except WrongAccountError:
        return _asked_again(
            "desk/password.html",
            gettext("A password has at least %(count)d characters, and at most a thousand.", count=SHORTEST),
            400,
            shortest=SHORTEST,
        )
    answer = redirect(url_for("desk.signing.password", done=1), 303)
    _begin(name, answer)
    return answer


def admit() -> AnyResponse | None:
    """Let nobody to the desk who is not signed in, and no form that another site has sent. For every request below /desk."""
    if request.endpoint != "desk.signing.sign_in" and not current_user.is_authenticated:
        return redirect(url_for("desk.signing.sign_in", back=here() if request.method == "GET" else url_for("desk.page")), 303)
    if current_app.config["WTF_CSRF_ENABLED"]:
        current_app.extensions["csrf"].protect()
    return None


def explain_forgery(error: BadRequest) -> tuple[str, int]:
    """Say what to do where a form bears no token, or one of a session that is over."""
    return render_template("error.html", heading=gettext("This page was open for too long"), description=gettext(
        "You have signed in or out since it was opened, or another site sent this form. Nothing was changed. Go back, reload the page, and send it again."
    )), 400  # fmt: skip


def _begin(name: str, answer: AnyResponse) -> None:
    """Sign somebody in with a session of which nothing is left of what the browser had before."""
    session.clear()
    login_user(Analyst(name, Accounts(library()).open_session(name)))
    remember_browser(answer, name)


def _refusal(name: str, said: str) -> tuple[str, int, int] | None:
    """Why a password is not taken: what is said, the status, and in how many seconds to try again; None when it is right."""
    try:
        if Accounts(library()).is_right(name, said, request.remote_addr or "", known_browser(request, name)):
            return None
    except TooManyAttemptsError as error:
        minutes = -(-error.seconds // 60)
        told = ngettext(
            "Too many attempts have failed. Try again in a minute.", "Too many attempts have failed. Try again in %(num)d minutes.", minutes
        )
        return told, 429, error.seconds
    except BusyError:
        return gettext("Others are signing in at this moment. Try again."), 503, A_MOMENT
    return gettext("The name or the password is wrong."), 403, 0


def _asked_again(template: str, problem: str, status: int, seconds: int = 0, **shown: Any) -> AnyResponse:
    answer = make_response(render_template(template, problem=problem, **shown), status)
    if seconds:
        answer.headers["Retry-After"] = str(seconds)
    return answer


def _is_private() -> bool:
    """Whether nobody between here and the browser can read a password."""
    if request.is_secure:
        return bool(request.environ.get(PRIVATE, True))
    return _is_loopback(request.remote_addr) and not any(name in request.headers for name in FORWARDED)


def _why_not_private() -> str:
    why = str(gettext("Passwords are taken over https only, so that nobody on the way can read them."))
    if _is_loopback(request.remote_addr) or any(name in request.headers for name in FORWARDED):
        return f"{why} {gettext('If a proxy before this site has https, start Isogloss with --behind-proxy and --address.')}"
    return why


def _is_loopback(address: str | None) -> bool:
    try:
        found = ip_address(address or "")
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_loopback
