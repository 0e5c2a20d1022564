"""Commands that keep a library in order."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from search_app.options import AS_JSON, ENCODER, LIBRARY, TROUBLE, open_library, plain_errors
from search_app.plain import for_terminal, json_for_terminal
from search_app.terminal import print_findings


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
    """Check the library: the database, every original's checksum, every vector, the generation.

    Exit code 0: sound. 1: faults were found and are printed.
    """
    from index.verification import faults

    with plain_errors():
        found = list(faults(open_library(folder)))
    for fault in found:
        click.echo(for_terminal(fault))
    click.echo(f"{len(found)} faults" if found else "The library is sound.")
    sys.exit(TROUBLE if found else 0)


COMMANDS = (doctor, verify)
