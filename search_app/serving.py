"""Serving a library: how, with what application, on which sockets; and all of it in one process. The only module that imports waitress."""

from __future__ import annotations

import logging
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask

from index.library import Library
from ingest.drawing import DRAWERS
from ingest.records import IsoglossError
from search_app import logs, standing
from search_app.factory import create_app
from search_app.places import share
from search_app.watching import watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from index.encoder import Encoder

SHARED = "PROMETHEUS_MULTIPROC_DIR"  # names the folder where several processes note their figures; prometheus_client's own variable
CONNECTIONS = 1000  # of one process, most of which only wait for what comes next on them


@dataclass(frozen=True, slots=True)
class Settings:
    """How a library is served. What is said of places, encoders and drawing is meant for the machine, and divided among its processes."""

    folder: Path
    encoder_name: str  # "" for that of the library
    host: str
    port: int
    processes: int
    places: int
    max_upload: int  # MiB
    proxies: int
    address: str
    metrics: str  # HOST:PORT, or "" where nobody is told figures
    log_format: str

    @property
    def threads(self) -> int:
        """Threads with which a process encodes; 0 where it has the machine for itself."""
        return max(1, (os.cpu_count() or 1) // self.processes) if self.processes > 1 else 0


def application(settings: Settings, library: Library, encoder: Encoder, open_encoder: Callable[[str], Encoder]) -> Flask:
    """The application of one of the processes that serve a library."""
    logs.set_format(settings.log_format)
    logs.keep_readers_out()
    app = create_app(library, encoder, open_encoder, share(settings.places, settings.processes), share_of_drawing(settings.processes))
    app.config["LARGEST_UPLOAD"] = settings.max_upload * 1024**2
    standing.place(app, settings.address, settings.proxies, settings.host)
    if settings.log_format == "json":
        logs.REQUESTS.setLevel("INFO")
        watch(app, logs.note)
    if settings.metrics:
        from search_app import metrics

        metrics.install(app, parsed(settings.metrics)[1])
    return app


def share_of_drawing(processes: int) -> int:
    """The processes that draw pages for one of several that serve."""
    return max(1, DRAWERS // processes)


def parsed(where: str) -> tuple[str, int]:
    """HOST:PORT taken apart; a port alone is one of this machine's. Raises IsoglossError."""
    host, _, port = where.rpartition(":")
    if not (port.isascii() and port.isdecimal() and int(port) < 65536):
        raise IsoglossError(f"expected HOST:PORT for the metrics, such as 127.0.0.1:9100, got {where!r}")
    return host.strip("[]") or "127.0.0.1", int(port)


def bound(host: str, port: int, option: str = "--port") -> list[socket.socket]:
    """Sockets bound to where a server is to listen, one for each address that `host` has. Raises IsoglossError, which names the option."""
    made: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, address in dict.fromkeys((family, address) for family, _, _, _, address in found):
            one = socket.socket(family, socket.SOCK_STREAM)
            made.append(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.bind(address)
    except (OSError, OverflowError) as error:
        for one in made:
            one.close()
        raise IsoglossError(f"Cannot listen on {host}:{port}: {error}. Choose another with {option}.") from error
    return made


def serve_alone(app: Flask, sockets: list[socket.socket]) -> Any:
    """A server of one process, whose `run` serves until it is interrupted."""
    import waitress

    from search_app.busy import admission

    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # it warns of every request that waits for a thread, however short
    return waitress.create_server(
        app,
        sockets=sockets,
        threads=admission(app).threads,
        ident=None,
        connection_limit=CONNECTIONS,
        asyncore_use_poll=True,
        clear_untrusted_proxy_headers=False,  # what of them is believed, `standing.place` decides
    )
