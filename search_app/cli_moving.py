"""The command that moves a library between its folder and an engine."""

from __future__ import annotations

from pathlib import Path

import click

from search_app.options import LIBRARY, plain_errors
from search_app.terminal import counting


@click.command(epilog="Example: isogloss move --to postgresql://isogloss@db.example/isogloss --library library")
@click.option(
    "--to", "address", metavar="ADDRESS", help="Into the PostgreSQL database at this address, which must be empty and have the extension vector."
)
@click.option("--to-folder", is_flag=True, help="Back into library.sqlite in the library's folder.")
@LIBRARY
def move(address: str | None, to_folder: bool, folder: Path) -> None:
    """Move the rows of a library from its folder into an engine, or back. It is searched meanwhile, and nearly to the end it can be changed.

    Interrupted, the same command goes on. Originals and pictures stay in the folder. Afterwards restart the server, with ISOGLOSS_STORE set to ADDRESS, or not set.
    Exit code 0: moved, and proven to be the same. 2: not moved.
    """
    from index import moving
    from index.database import EMBEDDED

    if bool(address) == to_folder:
        raise click.UsageError("Expected one of --to ADDRESS and --to-folder.")
    with plain_errors(), counting("Comparing") as progress:
        library = moving.source(folder)
        former = library.store.where
        sums = moving.move(library, address or EMBEDDED, progress)
    for table, held in sums.items():
        click.echo(f"{table:15} {held.rows:>10}  {held.digest}")
    click.echo(f"All rows are in both places, bit for bit the same. {former} takes no more changes and stays until you remove it.")
    set_to = "with ISOGLOSS_STORE set to this ADDRESS" if address else "without ISOGLOSS_STORE"
    click.echo(f"Now restart what serves {folder}, {set_to}: until then it goes on reading the former place.")


COMMANDS = (move,)
