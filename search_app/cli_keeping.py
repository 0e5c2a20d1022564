"""Commands that keep a library in order."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from search_app.options import AS_JSON, ENCODER, LIBRARY, TROUBLE, open_library, plain_errors
from search_app.plain import for_terminal, json_for_terminal
from search_app.terminal import counting, errors, print_findings


@click.command(epilog="Example: isogloss doctor --library library")
@AS_JSON
@LIBRARY
@ENCODER
def doctor(as_json: bool, folder: Path, encoder_name: str) -> None:
    """Say what is there on this machine and what is missing, and how to install it.

    Exit code 0: all that is needed is there. 1: something is missing.
    """
    from search_app.doctor import examine

    with plain_errors():
        findings = list(examine(folder, encoder_name))
    if as_json:
        click.echo(json_for_terminal([asdict(finding) for finding in findings]))
    else:
        print_findings(findings)
    sys.exit(TROUBLE if any(finding.state == "missing" for finding in findings) else 0)


@click.command(epilog="Example: isogloss verify --library library && echo sound")
@LIBRARY
def verify(folder: Path) -> None:
    """Check the library, or a backup: the database, every original's checksum, every vector, the generation.

    Exit code 0: sound. 1: faults were found and are printed.
    """
    from index import verification

    with plain_errors():
        library = open_library(folder)
        found = list(verification.faults(library))
        remarks = [] if found else list(verification.remarks(library))
    for line in [*found, *remarks]:
        click.echo(for_terminal(line))
    click.echo(f"{len(found)} faults" if found else "The library is sound.")
    sys.exit(TROUBLE if found else 0)


@click.command(epilog="Example: isogloss backup /mnt/other-disk/isogloss && isogloss verify --library /mnt/other-disk/isogloss")
@click.argument("target", metavar="FOLDER", type=click.Path(file_okay=False, path_type=Path))
@click.option("--prune", is_flag=True, help="Also delete originals from the backup that nothing in the library needs any more.")
@LIBRARY
def backup(target: Path, prune: bool, folder: Path) -> None:
    """Bring the backup in FOLDER up to date with the library, which may be in use meanwhile; only what is new is copied.

    Interrupted, the former backup is whole, and the same command goes on. Exit code 0: backed up. 1: the library is damaged; where that
    keeps it from being backed up, the former backup stays. 2: nothing was done.
    """
    from index.backup import back_up

    with plain_errors(), counting("Copying") as progress:
        done = back_up(open_library(folder), target, prune, progress)
    for line in [*done.faults, *done.lost]:
        click.echo(line)
    if done.faults:
        click.echo(f"{len(done.faults)} faults in the library: nothing was replaced in {target}. Restore what is damaged, then back up again.")
    else:
        pruned = f", {done.pruned} deleted that nothing needs" if prune else ""
        click.echo(f"Backed up to {target}: {done.copied} files copied, {done.there} there already{pruned}.")
    sys.exit(TROUBLE if done.faults or done.lost else 0)


@click.command(epilog="Example: isogloss restore /mnt/other-disk/isogloss --library library")
@click.argument("source", metavar="BACKUP", type=click.Path(exists=True, file_okay=False, path_type=Path))
@LIBRARY
def restore(source: Path, folder: Path) -> None:
    """Make a library of a backup, in a folder that is new or empty; prove it, and make it ready for search. Needs no encoder.

    Exit code 0: restored and sound. 1: restored, with faults, which are printed. 2: nothing could be restored.
    """
    from index import verification
    from index.backup import restore as bring_back

    with plain_errors():
        with counting("Copying") as progress:
            faults = bring_back(source, folder, progress)
        with errors.status("Proving the library"):
            faults += verification.faults(open_library(folder))
    for fault in faults:
        click.echo(fault)
    click.echo(f"Restored to {folder}, with {len(faults)} faults." if faults else f"Restored to {folder}; the library is sound.")
    sys.exit(TROUBLE if faults else 0)


@click.command(epilog="Example: isogloss export everything --library library")
@click.argument("target", metavar="FOLDER", type=click.Path(file_okay=False, path_type=Path))
@LIBRARY
def export(target: Path, folder: Path) -> None:
    """Write everything to FOLDER in open formats: catalogue entries, originals, texts, catalogue.csv, catalogue.ris.

    `isogloss ingest FOLDER` makes the same catalogue of it. Exit code 0: all is there. 1: something could not be exported and is printed.
    """
    from search_app.exporting import export as write_everything

    with plain_errors(), counting("Writing") as progress:
        done = write_everything(open_library(folder), target, progress)
    for problem in done.problems:
        click.echo(problem)
    click.echo(
        f"Exported to {target}: {done.publications} publications, {done.editions} editions, {done.written} files written, {done.same} the same."
    )
    sys.exit(TROUBLE if done.problems else 0)


COMMANDS = (doctor, verify, backup, restore, export)
