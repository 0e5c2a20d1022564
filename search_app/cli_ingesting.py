"""Commands that bring publications into a library from a folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from search_app.options import ENCODER, LIBRARY, TROUBLE, WORKERS, open_encoder, open_library, plain_errors, remember_encoder
from search_app.terminal import errors, print_report, reading

if TYPE_CHECKING:
    from index.encoder import Encoder
    from index.library import Library


@click.command(epilog="Example: isogloss ingest corpus --library library")
@click.argument("publications", metavar="FOLDER", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--again", is_flag=True, help="Read every file anew, also those that have not changed.")
@WORKERS
@LIBRARY
@ENCODER
def ingest(publications: Path, again: bool, workers: int | str, folder: Path, encoder_name: str) -> None:
    """Bring the library up to date with FOLDER: new and changed files (PDF, .docx, .html) are read, removed ones leave.

    Exit code 0: all is read. 1: something failed or is described wrongly; the table says what. 2: nothing was done.
    """
    with plain_errors():
        library = open_library(folder, create=True)
        encoder = open_encoder(encoder_name, library)
        failed = bring_up_to_date(publications, library, encoder, again, workers)
        remember_encoder(library, encoder, encoder_name)
    sys.exit(TROUBLE if failed else 0)


@click.command(epilog="Example: isogloss describe corpus/new-study --write")
@click.argument("publication", metavar="FOLDER", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--write", is_flag=True, help="Write the entry to FOLDER/publication.toml instead of printing it.")
def describe(publication: Path, write: bool) -> None:
    """Propose a catalogue entry (publication.toml) for the files in FOLDER, from what they say of themselves."""
    from search_app import describing

    with plain_errors(), errors.status("Reading"):
        said = f"Wrote {describing.write(publication)}; look at it before it is ingested.\n" if write else describing.describe(publication)
    click.echo(said, nl=False)


def bring_up_to_date(publications: Path, library: Library, encoder: Encoder, again: bool = False, workers: int | str = 2) -> bool:
    """Bring the library up to date, show progress and the table of what came of it; return whether something failed."""
    from search_app import ingesting

    with reading() as progress:
        report = ingesting.ingest(publications, library, encoder, again, workers, progress)
    print_report(report)
    return report.failed


COMMANDS = (ingest, describe)
