"""The command that serves the pages."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ingest.records import IsoglossError
from search_app.cli_ingesting import bring_up_to_date
from search_app.options import ENCODER, LIBRARY, LOG_FORMAT, encoders_of, open_encoder, open_library, plain_errors, remember_encoder
from search_app.places import USUAL

if TYPE_CHECKING:
    from flask import Flask

    from index.encoder import Encoder
    from index.library import Library
    from search_app.serving import Settings


@click.command(epilog="Example: isogloss serve --port 8000")
@click.option(
    "--host", default="127.0.0.1", show_default=True, envvar="ISOGLOSS_HOST",
    help="Address to listen on; the default admits this machine only. [env: ISOGLOSS_HOST]",
)  # fmt: skip
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, envvar="ISOGLOSS_PORT", help="[env: ISOGLOSS_PORT]")
@click.option(
    "--processes", type=click.IntRange(1, 64), default=1, show_default=True, envvar="ISOGLOSS_PROCESSES",
    help="How many processes serve, under gunicorn where there are several; each loads an encoder. [env: ISOGLOSS_PROCESSES]",
)  # fmt: skip
@click.option(
    "--places", type=click.IntRange(1, 64), default=USUAL, show_default=True, envvar="ISOGLOSS_PLACES",
    help="How many questions are answered at a time by all processes; others wait a moment, or are asked to come again. [env: ISOGLOSS_PLACES]",
)  # fmt: skip
@click.option(
    "--ingest",
    "publications",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="First bring the library up to date with this folder.",
)
@click.option("--work/--no-work", default=True, show_default=True, help="Do the jobs of the desk beside it, or leave them to: isogloss work.")
@click.option(
    "--max-upload", type=click.IntRange(1, 100_000), default=200, show_default=True, envvar="ISOGLOSS_MAX_UPLOAD",
    help="MiB of the largest file that analysts may send. [env: ISOGLOSS_MAX_UPLOAD]",
)  # fmt: skip
@click.option(
    "--behind-proxy", "proxies", type=click.IntRange(0, 9), default=0, envvar="ISOGLOSS_PROXIES",
    help="How many proxies of yours are before this server, whose X-Forwarded headers are believed. [env: ISOGLOSS_PROXIES]",
)  # fmt: skip
@click.option(
    "--address", default="", metavar="URL", envvar="ISOGLOSS_ADDRESS",
    help="The public address, such as https://library.example/isogloss, which feeds and citations carry. [env: ISOGLOSS_ADDRESS]",
)  # fmt: skip
@click.option(
    "--metrics", default="", metavar="HOST:PORT", envvar="ISOGLOSS_METRICS",
    help="Where Prometheus is told figures; no proxy should lead there. Nowhere unless said. [env: ISOGLOSS_METRICS]",
)  # fmt: skip
@LOG_FORMAT
@LIBRARY
@ENCODER
def serve(publications: Path | None, work: bool, **said: Any) -> None:
    """Serve the search pages until interrupted; a new library is made where there is none."""
    from search_app import logs
    from search_app.serving import Settings, bound, parsed

    with ExitStack() as held:
        with plain_errors():
            settings = Settings(**said)
            logs.set_format(settings.log_format)
            sockets = [held.enter_context(one) for one in bound(settings.host, settings.port)]
            if settings.metrics:
                figures = [held.enter_context(one) for one in bound(*parsed(settings.metrics), "--metrics")]
                settings, sockets = replace(settings, metrics=str(figures[0].getsockname()[1])), sockets + figures
        run = _serve_together if settings.processes > 1 else _serve_alone
        run(settings, sockets, publications, work)


def settings_from_environment() -> Settings:
    """The settings of `serve`, from its environment variables alone."""
    from search_app.serving import Settings

    said = serve.make_context("isogloss", []).params
    return Settings(**{name: value for name, value in said.items() if name not in ("publications", "work")})


def made(settings: Settings) -> Flask:
    """The application of one of several processes. Raises IsoglossError."""
    from search_app.serving import SHARED, application

    if settings.metrics and settings.processes > 1 and SHARED not in os.environ:
        raise IsoglossError(f"Several processes tell their figures together by a folder: let {SHARED} name an empty one.")
    library = open_library(settings.folder, create=True)
    opened = encoders_of(library, settings.threads)
    return application(settings, library, opened(settings.encoder_name), opened)


def _serve_alone(settings: Settings, sockets: list[Any], publications: Path | None, work: bool) -> None:
    from search_app.serving import application, serve_alone
    from search_app.supervision import Supervisor, command

    with plain_errors():
        library, encoder = _opened(settings, publications)
        server = serve_alone(application(settings, library, encoder, encoders_of(library)), sockets)
    _say_where(settings, sockets)
    with Supervisor(library, command(settings.folder, settings.encoder_name)).beside() if work else nullcontext():
        server.run()


def _serve_together(settings: Settings, sockets: list[Any], publications: Path | None, work: bool) -> None:
    from search_app.processes import prepared, serve_together
    from search_app.supervision import Supervisor, command

    def prepare() -> None:
        from search_app.serving import application

        with plain_errors():
            library, encoder = _opened(settings, publications)
            application(settings, library, encoder, encoders_of(library))  # so that what is wrong is said once

    def load() -> Flask:
        app = made(settings)
        if work:
            Supervisor(app.extensions["searcher"].library, command(settings.folder, settings.encoder_name)).start()
        return app

    code = prepared(prepare)
    if code:
        sys.exit(code)
    _say_where(settings, sockets)
    serve_together(settings, sockets, load)


def _opened(settings: Settings, publications: Path | None) -> tuple[Library, Encoder]:
    """The library, made where there is none and brought up to date where that was asked for, and its encoder."""
    from index.database import holds_library

    new = not holds_library(settings.folder)
    library = open_library(settings.folder, create=True)
    if new:
        click.echo(f"There was no library in {settings.folder}; an empty one has been made.", err=True)
    encoder = open_encoder(settings.encoder_name, library)
    if publications:
        bring_up_to_date(publications, library, encoder)
    remember_encoder(library, encoder, settings.encoder_name)
    return library, encoder


def _say_where(settings: Settings, sockets: list[Any]) -> None:
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    click.echo(f"Isogloss answers on http://{shown}:{sockets[0].getsockname()[1]}  (Ctrl-C ends it)")


COMMANDS = (serve,)
