"""The command line. The only module that prints, with search_app/terminal.py; heavy libraries are imported where a command needs them."""

from __future__ import annotations

import json
import logging
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ingest.records import IsoglossError
from search_app.terminal import counting, errors, print_figures, print_findings, print_hit, print_matrix, print_quality, print_report, reading

if TYPE_CHECKING:
    from index.library import Library
    from index.sentence_encoder import SentenceEncoder

TROUBLE = 1  # exit code: the work was done, and something in it needs attention
UNUSABLE = 2  # exit code: wrong use, or nothing could be done (click's own code for wrong options)
INTERRUPTED = 130

LIBRARY = click.option(
    "--library", "folder", type=click.Path(file_okay=False, path_type=Path), default="library", show_default=True, envvar="ISOGLOSS_LIBRARY",
    help="The folder of the library. [env: ISOGLOSS_LIBRARY]",
)  # fmt: skip
ENCODER = click.option(
    "--encoder", "encoder_name", default="", envvar="ISOGLOSS_ENCODER",
    help="A sentence-transformers model by folder or hub name; the default one comes with the installation. [env: ISOGLOSS_ENCODER]",
)  # fmt: skip
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


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
    with _plain_errors():
        failed = _ingest(publications, _library(folder, create=True), _encoder(encoder_name), again, workers)
    sys.exit(TROUBLE if failed else 0)


@main.command(epilog="Example: isogloss describe corpus/new-study --write")
@click.argument("publication", metavar="FOLDER", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--write", is_flag=True, help="Write the entry to FOLDER/publication.toml instead of printing it.")
def describe(publication: Path, write: bool) -> None:
    """Propose a catalogue entry (publication.toml) for the files in FOLDER, from what they say of themselves."""
    from search_app import describing

    with _plain_errors(), errors.status("Reading"):
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

    with _plain_errors():
        library = _library(folder)
        hits = Searcher(library, _encoder(encoder_name)).search(Query(query, filters_from(facets), exact), k)
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

    with _plain_errors():
        library, encoder = _library(folder, create=publications is not None), _encoder(encoder_name)
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

    with _plain_errors():
        library = _library(folder)
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


@main.command(epilog="Example: isogloss doctor --library library")
@AS_JSON
@LIBRARY
@ENCODER
def doctor(as_json: bool, folder: Path, encoder_name: str) -> None:
    """Say what is there on this machine and what is missing, and how to install it.

    Exit code 0: all that is needed is there. 1: something is missing.
    """
    from search_app.doctor import examine

    with _plain_errors():
        findings = list(examine(folder, encoder_name))
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False, indent=1))
    else:
        print_findings(findings)
    sys.exit(TROUBLE if any(finding.state == "missing" for finding in findings) else 0)


@main.command(epilog="Example: isogloss verify --library library && echo sound")
@LIBRARY
def verify(folder: Path) -> None:
    """Check the library: the database, every original's checksum, every vector, the generation.

    Exit code 0: sound. 1: faults were found and are printed.
    """
    from index.verification import faults

    with _plain_errors():
        found = list(faults(_library(folder)))
    for fault in found:
        click.echo(fault)
    click.echo(f"{len(found)} faults" if found else "The library is sound.")
    sys.exit(TROUBLE if found else 0)


@main.command(epilog="Example: isogloss evaluate my-test-collection --temporary --json")
@click.argument("collection", metavar="FOLDER", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--temporary", is_flag=True, help="Keep nothing on disk; otherwise the indexed passages are kept in the library folder for the next time."
)
@click.option("--pairs", is_flag=True, help="Also tell R@20 for each language of the queries and each language of the passages.")
@AS_JSON
@LIBRARY
@ENCODER
def evaluate(collection: Path, temporary: bool, pairs: bool, as_json: bool, folder: Path, encoder_name: str) -> None:
    """Measure search on a test collection in the BEIR layout: corpus.jsonl, queries.jsonl, qrels/test.tsv."""
    from search_app.evaluating import evaluate_collection

    with _plain_errors(), tempfile.TemporaryDirectory() as scratch, counting("Encoding") as progress:
        home = Path(scratch) if temporary else folder / "evaluations"
        figures = evaluate_collection(collection, home, _encoder(encoder_name), progress)
    by_pair = figures.pop("by_pair")
    if as_json:
        click.echo(json.dumps(figures | {"by_pair": by_pair} if pairs else figures, indent=1))
        return
    names = [name for name in figures if name not in ("passages", "by_language")]
    print_figures(f"{figures['passages']} passages", names, {"all": figures, **figures["by_language"]})
    if pairs:
        print_matrix("R@20: rows ask, columns are found", by_pair, lambda cell: f"{cell['R@20']:.2f}")
        print_matrix("Queries behind each figure", by_pair, lambda cell: str(cell["queries"]))


@main.command(epilog="Example: isogloss quality --library library --write quality.md")
@click.option("--write", "report", type=click.Path(dir_okay=False, path_type=Path), help="Also write a report in Markdown to this file.")
@AS_JSON
@LIBRARY
@ENCODER
def quality(report: Path | None, as_json: bool, folder: Path, encoder_name: str) -> None:
    """Measure how well the library's own editions find each other, and keep the figures for the page /quality.

    Titles, abstracts and passages of one edition ask for the same publication's other editions; no judgements are needed.
    """
    from index.quality import measure, save
    from index.searcher import Searcher
    from search_app.quality import markdown

    if report and not report.absolute().parent.is_dir():
        raise click.BadParameter(f"the folder {report.absolute().parent} does not exist.", param_hint="--write")
    with _plain_errors():
        library = _library(folder)
        searcher = Searcher(library, _encoder(encoder_name))
        with counting("Asking") as progress:
            figures = measure(searcher, progress)
        save(library, figures)
        if report:
            report.write_text(markdown(figures), "utf-8")
    if as_json:
        click.echo(json.dumps(figures, ensure_ascii=False, indent=1))
    else:
        print_quality(figures)


def _ingest(publications: Path, library: Library, encoder: SentenceEncoder, again: bool = False, workers: int = 2) -> bool:
    """Bring the library up to date, show progress and the table of what came of it; return whether something failed."""
    from search_app.ingesting import ingest as bring_up_to_date

    with reading() as progress:
        report = bring_up_to_date(publications, library, encoder, again, workers, progress)
    print_report(report)
    return report.failed


def _library(folder: Path, create: bool = False) -> Library:
    from index.library import Library

    return Library.create(folder) if create else Library.open(folder)


def _encoder(name: str) -> SentenceEncoder:
    from index.sentence_encoder import open_encoder

    with errors.status("Loading the encoder (the first time it is unpacked, which takes half a minute)"):
        return open_encoder(name)


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Turn what a user can mend into a message and an exit code, without a traceback."""
    try:
        yield
    except (IsoglossError, OSError) as error:  # also a full disk, or a folder that may not be written
        click.echo(f"Error: {error}", err=True)
        sys.exit(UNUSABLE)
    except KeyboardInterrupt:
        click.echo("Interrupted. What was done is kept; the same command goes on from there.", err=True)
        sys.exit(INTERRUPTED)
