"""The command that serves the pages."""

from __future__ import annotations

import logging
from contextlib import nullcontext
from pathlib import Path

import click

from ingest.records import IsoglossError
from search_app.cli_ingesting import bring_up_to_date
from search_app.options import ENCODER, LIBRARY, encoders_of, open_encoder, open_library, plain_errors, remember_encoder
from search_app.places import USUAL


@click.command(epilog="Example: isogloss serve --port 8000")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; the default admits this machine only.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
@click.option(
    "--places", type=click.IntRange(1, 64), default=USUAL, show_default=True, envvar="ISOGLOSS_PLACES",
    help="How many questions are answered at a time; others wait a moment, or are asked to come again. [env: ISOGLOSS_PLACES]",
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
@LIBRARY
@ENCODER
def serve(
    host: str,
    port: int,
    places: int,
    publications: Path | None,
    work: bool,
    max_upload: int,
    proxies: int,
    address: str,
    folder: Path,
    encoder_name: str,
) -> None:
    """Serve the search pages until interrupted; a new library is made where there is none."""
    import waitress

    from index.database import holds_library
    from search_app.busy import admission
    from search_app.factory import create_app
    from search_app.standing import place
    from search_app.supervision import Supervisor, command

    with plain_errors():
        new = not holds_library(folder)
        library = open_library(folder, create=True)
        if new:
            click.echo(f"There was no library in {folder}; an empty one has been made.", err=True)
        encoder = open_encoder(encoder_name, library)
        if publications:
            bring_up_to_date(publications, library, encoder)
        remember_encoder(library, encoder, encoder_name)
        app = create_app(library, encoder, encoders_of(library), places)
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # it warns of every request that waits for a thread, however short
        app.config["LARGEST_UPLOAD"] = max_upload * 1024**2
        place(app, address, proxies, host)
        try:
            server = waitress.create_server(
                app,
                host=host,
                port=port,
                threads=admission(app).threads,
                ident=None,
                connection_limit=1000,
                asyncore_use_poll=True,
                clear_untrusted_proxy_headers=False,  # what of them is believed, `place` decides
            )
        except (OSError, ValueError) as error:
            raise IsoglossError(f"Cannot listen on {host}:{port}: {error}. Choose another with --port.") from error
    shown = f"[{host}]" if ":" in host else host
    ports = [server.effective_port] if hasattr(server, "effective_port") else [port for _, port in server.effective_listen]
    click.echo(f"Isogloss answers on http://{shown}:{ports[0]}  (Ctrl-C ends it)")
    with Supervisor(library, command(folder, encoder_name)).beside() if work else nullcontext():
        server.run()


COMMANDS = (serve,)
