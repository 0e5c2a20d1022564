"""The command line: finding and serving; what else there is stands in the modules cli_*. Heavy libraries are imported where a command needs them."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ingest.records import IsoglossError
from search_app import cli_importing, cli_keeping, cli_measuring
from search_app.options import AS_JSON, ENCODER, LIBRARY, TROUBLE, open_encoder, open_library, plain_errors
from search_app.terminal import errors, print_hit, print_report, reading

if TYPE_CHECKING:
    from index.library import Library
    from index.sentence_encoder import SentenceEncoder


@click.group()
@click.version_option(package_name="isogloss")
def main() -> None:
    """Search publications by meaning, across languages."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")


@main.command(epilog="Example: isogloss ingest corpus --library library")
@click.argument("publications", metavar="FOLDER", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--again", is_flag=True, help="Read every file anew, also those that have not changed.")
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="Processes that read files.")
@LIBRARY
@ENCODER
def ingest(publications: Path, again: bool, workers: int, folder: Path, encoder_name: str) -> None:
    """Bring the library up to date with FOLDER: new and changed files (PDF, .docx, .html) are read, removed ones leave.

    Exit code 0: all is read. 1: something failed or is described wrongly; the table says what. 2: nothing was done.
    """
    with plain_errors():
        failed = _ingest(publications, open_library(folder, create=True), open_encoder(encoder_name), again, workers)
    sys.exit(TROUBLE if failed else 0)


@main.command(epilog="Example: isogloss describe corpus/new-study --write")
@click.argument("publication", metavar="FOLDER", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--write", is_flag=True, help="Write the entry to FOLDER/publication.toml instead of printing it.")
def describe(publication: Path, write: bool) -> None:
    """Propose a catalogue entry (publication.toml) for the files in FOLDER, from what they say of themselves."""
    from search_app import describing

    with plain_errors(), errors.status("Reading"):
        said = f"Wrote {describing.write(publication)}; look at it before it is ingested.\n" if write else describing.describe(publication)
    click.echo(said, nl=False)


@main.command(epilog='Example: isogloss search "Who may check a recruiter?" --language hi --json')
@click.argument("query")
@click.option("-k", type=click.IntRange(1, 100), default=10, show_default=True, help="How many publications.")
@click.option("--language", multiple=True, help="Only editions in this language (BCP 47); may be repeated, like the next four.")
@click.option("--year", multiple=True)
@click.option("--kind", multiple=True)
@click.option("--topic", multiple=True)
@click.option("--country", multiple=True, help="ISO 3166-1 code.")
@click.option("--exact", is_flag=True, help="Only what holds every word of QUERY.")
@AS_JSON
@LIBRARY
@ENCODER
def search(query: str, k: int, exact: bool, as_json: bool, folder: Path, encoder_name: str, **facets: Sequence[str]) -> None:
    """Print the publications that answer QUERY, whatever language they are in.

    Exit code 0 also when nothing is found.
    """
    from index.searcher import Query, Searcher
    from search_app.answers import answer
    from search_app.facets import filters_from

    with plain_errors():
        library = open_library(folder)
        hits = Searcher(library, open_encoder(encoder_name)).search(Query(query, filters_from(facets), exact), k)
        found = answer(query, hits)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=1))
    else:
        if hits and not found["close"]:
            click.echo("Nothing comes close to this question. What follows is the nearest there is, and probably no answer.\n", err=True)
        for hit in found["hits"]:
            print_hit(hit)
        if not found["hits"]:
            click.echo("Nothing found.", err=True)


@main.command(epilog="Example: isogloss serve --port 8000")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; the default admits this machine only.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
@click.option("--threads", type=click.IntRange(1, 64), default=8, show_default=True)
@click.option(
    "--ingest",
    "publications",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="First bring the library up to date with this folder.",
)
@LIBRARY
@ENCODER
def serve(host: str, port: int, threads: int, publications: Path | None, folder: Path, encoder_name: str) -> None:
    """Serve the search pages until interrupted."""
    import waitress

    from search_app.factory import create_app

    with plain_errors():
        library, encoder = open_library(folder, create=publications is not None), open_encoder(encoder_name)
        if publications:
            _ingest(publications, library, encoder)
        app = create_app(library, encoder)
        try:
            server = waitress.create_server(app, host=host, port=port, threads=threads, ident=None, connection_limit=1000, asyncore_use_poll=True)
        except (OSError, ValueError) as error:
            raise IsoglossError(f"Cannot listen on {host}:{port}: {error}. Choose another with --port.") from error
    shown = f"[{host}]" if ":" in host else host
    ports = [server.effective_port] if hasattr(server, "effective_port") else [port for _, port in server.effective_listen]
    click.echo(f"Isogloss answers on http://{shown}:{ports[0]}  (Ctrl-C ends it)")
    server.run()


@main.command(epilog="Example: isogloss status --json")
@AS_JSON
@LIBRARY
def status(as_json: bool, folder: Path) -> None:
    """Say what the library holds, and which editions could not be read well."""
    from index import generations

    with plain_errors():
        library = open_library(folder)
        trouble = [
            {"edition_id": state.edition.edition_id, "state": state.state, "reason": state.reason}
            for state in library.edition_states()
            if state.reason
        ]
        found = {
            "library": str(folder), **library.counts(), "encoder": library.meta("encoder"),
            "generation": generations.current_name(library), "trouble": trouble,
        }  # fmt: skip
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=1))
        return
    for key in ("library", "publications", "editions", "languages", "pages", "passages", "generation"):
        click.echo(f"{key:13} {found[key]}")
    for row in trouble:
        click.echo(f"{row['state']:13} {row['edition_id']}: {row['reason']}")


def _ingest(publications: Path, library: Library, encoder: SentenceEncoder, again: bool = False, workers: int = 2) -> bool:
    """Bring the library up to date, show progress and the table of what came of it; return whether something failed."""
    from search_app.ingesting import ingest as bring_up_to_date

    with reading() as progress:
        report = bring_up_to_date(publications, library, encoder, again, workers, progress)
    print_report(report)
    return report.failed


for command in (*cli_importing.COMMANDS, *cli_keeping.COMMANDS, *cli_measuring.COMMANDS):
    main.add_command(command)
