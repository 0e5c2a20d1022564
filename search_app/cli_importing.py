"""The command that imports a catalogue."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from search_app.options import LIBRARY, TROUBLE, open_library, plain_errors
from search_app.terminal import print_import

FORMATS = ("csv", "ris", "bibtex", "dublin-core", "listing")


@click.command("import", epilog="Example: isogloss import catalogue.csv --files publications --dry-run")
@click.argument("catalogue", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--format", "form", type=click.Choice(FORMATS), help="What FILE is; without it, its content tells.")
@click.option("--dry-run", is_flag=True, help="Only show what would be stored, and why.")
@click.option("--files", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Take files that FILE names from this folder.")
@click.option("--same", type=click.Choice(["skip", "merge", "new"]), default="skip", show_default=True, help="What to do with what is there already.")
@LIBRARY
def import_(catalogue: Path, form: str | None, dry_run: bool, files: Path | None, same: str, folder: Path) -> None:
    """Import publications from a catalogue: CSV, RIS, BibTeX, Dublin Core (OAI-PMH), or a listing with lines such as "Available in: English".

    Exit code 0: all is stored. 1: something is flagged or could not be taken; it was printed. 2: nothing was done.
    """
    from index.database import holds_library
    from ingest.imports import read_import
    from search_app.importing import Choice, Row, compare, store

    with plain_errors():
        found = read_import(catalogue.read_bytes(), form or "")
        library = open_library(folder, create=not dry_run) if not dry_run or holds_library(folder) else None
        rows = compare(library, found.entries) if library else [Row(entry) for entry in found.entries]
        chosen: list[Choice] = [same if row.there else "add" for row in rows]  # type: ignore[misc]
        pairs = list(zip(found.entries, chosen, strict=True))
        report = store(library, "command line", catalogue.name, pairs, files) if library and not dry_run else None
    print_import(found, rows, report)
    click.echo(report.summary if report else f"{len(rows)} records, read as {found.form}. Nothing was stored.")
    flagged = any(one.flagged for one in report.outcomes) if report else any(entry.flagged for entry in found.entries)
    sys.exit(TROUBLE if found.problems or flagged or (report and report.having("failed")) else 0)


COMMANDS = (import_,)
