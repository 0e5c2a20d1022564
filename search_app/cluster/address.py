"""Which addresses of a scheduler are taken: this machine's, or those where both sides show a certificate. Workers run whatever code is sent to them."""

from __future__ import annotations

import ipaddress
import os
from typing import Any, Literal
from urllib.parse import urlsplit

from distributed.security import Security

from search_app.intake import WorkersError

UNPROTECTED = "ISOGLOSS_WORKERS_UNPROTECTED"  # environment variable: "yes" takes tcp:// on a network that nobody else is on
EXPECTED = "expected tcp://127.0.0.1:PORT on this machine, or tls://HOST:PORT"
Role = Literal["client", "worker"]


def checked(address: str, role: Role) -> Security:
    """What a connection to this address is secured by. Raises WorkersError for an address that is not taken, or certificates that are not named."""
    host, scheme = _host(address), urlsplit(address).scheme
    if scheme == "tls":
        return _certified(role)
    if is_loopback(host) or os.environ.get(UNPROTECTED) == "yes":
        return Security()  # type: ignore[no-untyped-call]
    raise WorkersError(
        f"{address} is neither on this machine nor encrypted: whoever reaches it can run code on the workers, and read what is read. Use tls://, as "
        f"docs/workers.md says, or set {UNPROTECTED}=yes where nobody else is on that network."
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine can be meant."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def own_host(address: str) -> str | None:
    """Where a worker of this scheduler listens: on this machine only if the scheduler does; None stands for every interface."""
    host = _host(address)
    return host if is_loopback(host) else None


def _host(address: str) -> str:
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise WorkersError(f"found the workers' address {address!r} ({error}), {EXPECTED}") from error
    if parts.scheme not in ("tcp", "tls") or not host or not port:
        raise WorkersError(f"found the workers' address {address!r}, {EXPECTED}")
    return host


def _certified(role: Role) -> Security:
    security: Any = Security(require_encryption=True)  # type: ignore[no-untyped-call]
    named = security.get_tls_config_for_role(role)
    wanted = {"CA_FILE": named["ca_file"], f"{role.upper()}__CERT": named["cert"]}
    missing = [f"DASK_DISTRIBUTED__COMM__TLS__{name}" for name, path in wanted.items() if not path]
    if missing:
        raise WorkersError(f"tls:// needs certificates, and Dask's settings name none: set {' and '.join(missing)}, as docs/workers.md says.")
    return security  # type: ignore[no-any-return]
