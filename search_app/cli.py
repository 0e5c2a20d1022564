"""The command line: finding and serving; what else there is stands in the modules cli_*. Heavy libraries are imported where a command needs them."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path

import click

from search_app import (
    cli_accounts,
    cli_cluster,
    cli_encoder,
    cli_importing,
    cli_ingesting,
    cli_keeping,
    cli_measuring,
    cli_moving,
    cli_serving,
    cli_working,
)
from search_app.options import AS_JSON, ENCODER, LIBRARY, open_encoder, open_library, plain_errors
from search_app.plain import for_terminal, json_for_terminal, plain_log
from search_app.terminal import print_hit


@click.group()
@click.version_option(package_name="isogloss")
def main() -> None:
    """Search publications by meaning, across languages."""
    logging.basicConfig(level=logging.WARNING, handlers=[plain_log()])
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")


@main.command(epilog='Example: isogloss search "Who may check a recruiter?" --language hi --json')
@click.argument("query")
@click.option("-k", type=click.IntRange(1, 100), default=10, show_default=True, help="How many publications.")
@click.option("--language", multiple=True, help="Only editions in this language (BCP 47); may be repeated, like the next four.")
@click.option("--year", multiple=True)
@click.option("--kind", multiple=True)
@click.option("--topic", multiple=True)
@click.option("--country", multiple=True, help="ISO 3166-1 code.")
@click.option("--exact", is_flag=True, help="Only what holds every word of QUERY.")
@click.option("--exhaustive", is_flag=True, help="Compare with every passage: in a large library nothing is missed, and it takes far longer.")
@AS_JSON
@LIBRARY
@ENCODER
def search(
    query: str, k: int, exact: bool, exhaustive: bool, as_json: bool, folder: Path, encoder_name: str, **facets: Sequence[str]
) -> None:  # fmt: skip
    """Print the publications that answer QUERY, whatever language they are in.

    Exit code 0 also when nothing is found.
    """
    from index.searcher import Query, Searcher
    from search_app.answers import answer
    from search_app.facets import filters_from

    with plain_errors():
        library = open_library(folder)
        asked = Query(query, filters_from(facets), exact, exhaustive=exhaustive)
        hits = Searcher(library, open_encoder(encoder_name, library)).search(asked, k)
        found = answer(query, hits)
    if as_json:
        click.echo(json_for_terminal(found))
    else:
        if hits and not found["close"]:
            click.echo("Nothing comes close to this question. What follows is the nearest there is, and probably no answer.\n", err=True)
        for hit in found["hits"]:
            print_hit(hit)
        if not found["hits"]:
            click.echo("Nothing found.", err=True)


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
        click.echo(json_for_terminal(found))
        return
    for key in ("library", "publications", "editions", "languages", "pages", "passages", "generation"):
        click.echo(for_terminal(f"{key:13} {found[key]}"))
    for row in trouble:
        click.echo(for_terminal(f"{row['state']:13} {row['edition_id']}: {row['reason']}"))


for module in (
    cli_accounts,
    cli_cluster,
    cli_encoder,
    cli_importing,
    cli_ingesting,
    cli_keeping,
    cli_measuring,
    cli_moving,
    cli_serving,
    cli_working,
):
    for each in module.COMMANDS:
        main.add_command(each)
