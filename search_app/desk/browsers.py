"""The cookies of the desk: sessions that only its own addresses see, and which browser has signed in before."""

from __future__ import annotations

import secrets

from flask import Flask, Request, current_app, request
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug import Response

KNOWN = "isogloss-known"  # the name of the cookie
YEAR = 365 * 24 * 60 * 60  # seconds


class DeskSessions(SecureCookieSessionInterface):
    """Sessions in a signed cookie that browsers send to the desk only, and over https only wherever the site has it."""

    def get_cookie_path(self, app: Flask) -> str:
        return f"{request.script_root}/desk"

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure


def known_browser(asking: Request, account: str) -> str:
    """The number of the browser that asks, if it has signed in to this account before, else ""."""
    try:
        owner, number = _signer().loads(asking.cookies.get(KNOWN, ""))
    except (BadSignature, ValueError):
        return ""
    return str(number) if owner == account else ""


def remember_browser(answer: Response, account: str) -> None:
    """Let the browser be known as one that has signed in to this account."""
    value = _signer().dumps([account, secrets.token_urlsafe(16)])
    path = current_app.session_interface.get_cookie_path(current_app)
    answer.set_cookie(KNOWN, str(value), max_age=YEAR, path=path, secure=request.is_secure, httponly=True, samesite="Lax")


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt=KNOWN)
