"""Where the site stands for its readers: behind which proxies, under which public address; and which hosts it answers to."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Flask, has_request_context, request
from werkzeug.middleware.proxy_fix import ProxyFix

from ingest.records import IsoglossError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LOOPBACK = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d+)?", re.IGNORECASE)
PROXIES = "PROXIES"  # in an application's config: how many proxies of ours are before it
PRIVATE = "isogloss.private"  # in the environment of a request: whether it came over https, whatever the public address says
HOST = re.compile(r"[A-Za-z0-9.-]+(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?")
PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)*/?")


class WrongAddressError(IsoglossError):
    """The public address is none, or cannot be the one of a site served so."""


@dataclass(frozen=True, slots=True)
class PublicAddress:
    """What readers see of the site in their address bar."""

    scheme: str
    host: str  # with the port, where it is not the scheme's own
    prefix: str  # "" or a path such as "/isogloss", without a slash at its end


class _Under:
    """Let every request look as if it had been sent to the public address, whatever Host it names."""

    def __init__(self, app: WSGIApplication, address: PublicAddress) -> None:
        self._app, self._address = app, address

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        prefix, path = self._address.prefix, environ.get("PATH_INFO", "")
        if prefix and (path == prefix or path.startswith(f"{prefix}/")):  # a proxy may hand the prefix on, or keep it
            path = path[len(prefix) :]
        seen = {"wsgi.url_scheme": self._address.scheme, "HTTP_HOST": self._address.host, "SCRIPT_NAME": prefix, "PATH_INFO": path or "/"}
        return self._app({**environ, PRIVATE: environ["wsgi.url_scheme"] == "https", **seen}, start_response)


class _Named:
    """Answer to these names only; flask's own TRUSTED_HOSTS knows no IPv6 and leaves no page to say so on."""

    def __init__(self, app: WSGIApplication, names: re.Pattern[str]) -> None:
        self._app, self._names = app, names

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        host = environ.get("HTTP_HOST", "localhost")
        if self._names.fullmatch(host):
            return self._app(environ, start_response)
        said = f"This server does not answer to the name {host!r}. If that is its public address, start it with --address.\n"
        start_response("400 Bad Request", [("Content-Type", "text/plain; charset=utf-8"), ("X-Content-Type-Options", "nosniff")])
        return [said.encode()]


def place(app: Flask, address: str, proxies: int, listens_on: str) -> None:
    """Let an application know where it stands: its public address or "", how many trusted proxies are before it, on which address it listens.

    Without a public address a server for this machine answers to this machine's names only: else a page of another site, whose name its owner
    points at 127.0.0.1, could read the library in the name of whoever visits it. Raises WrongAddressError.
    """
    app.config[PROXIES] = proxies
    behind: Any = app.wsgi_app
    if address:
        public = parsed(address)
        if public.scheme == "https" and not proxies:
            raise WrongAddressError(f"{address} needs a proxy that has the certificate; say how many proxies there are with --behind-proxy")
        behind = _Under(behind, public)
    else:
        behind = _Named(behind, LOOPBACK if not proxies and _is_loopback(listens_on) else HOST)
    if proxies:
        behind = ProxyFix(behind, x_for=proxies, x_proto=proxies, x_host=proxies, x_prefix=proxies)
    app.wsgi_app = behind  # type: ignore[method-assign]


def parsed(address: str) -> PublicAddress:
    """A public address taken apart; raises WrongAddressError."""
    try:
        parts = urlsplit(address)
        sound = address.isprintable() and (parts.port is None or parts.port > 0)
    except ValueError:
        sound = False
    if not sound or parts.scheme not in ("http", "https") or not HOST.fullmatch(parts.netloc) or not PREFIX.fullmatch(parts.path):
        raise WrongAddressError(f"expected an address such as https://library.example/isogloss, got {address!r}")
    if parts.query or parts.fragment or "/../" in f"{parts.path}/":
        raise WrongAddressError(f"expected an address without ?, # and .., got {address!r}")
    return PublicAddress(parts.scheme, parts.netloc.lower(), parts.path.rstrip("/"))


def within(path: str) -> str:
    """The address, within the host, of what stands at a path of this site; on the command line the path itself."""
    return f"{request.script_root}{path}" if has_request_context() else path


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
