"""Commands that measure how well a library is found."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from search_app.options import AS_JSON, ENCODER, LIBRARY, open_encoder, open_library, plain_errors
from search_app.plain import json_for_terminal
from search_app.terminal import counting, print_figures, print_matrix, print_quality


@click.command(epilog="Example: isogloss evaluate my-test-collection --temporary --json")
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

    with plain_errors(), tempfile.TemporaryDirectory() as scratch, counting("Encoding") as progress:
        home = Path(scratch) if temporary else folder / "evaluations"
        figures = evaluate_collection(collection, home, open_encoder(encoder_name), progress)
    by_pair = figures.pop("by_pair")
    if as_json:
        click.echo(json_for_terminal(figures | {"by_pair": by_pair} if pairs else figures))
        return
    names = [name for name in figures if name not in ("passages", "by_language")]
    print_figures(f"{figures['passages']} passages", names, {"all": figures, **figures["by_language"]})
    if pairs:
        print_matrix("R@20: rows ask, columns are found", by_pair, lambda cell: f"{cell['R@20']:.2f}")
        print_matrix("Queries behind each figure", by_pair, lambda cell: str(cell["queries"]))


@click.command(epilog="Example: isogloss quality --library library --write quality.md")
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
    with plain_errors():
        library = open_library(folder)
        searcher = Searcher(library, open_encoder(encoder_name, library))
        with counting("Asking") as progress:
            figures = measure(searcher, progress)
        save(library, figures)
        if report:
            report.write_text(markdown(figures), "utf-8")
    if as_json:
        click.echo(json_for_terminal(figures))
    else:
        print_quality(figures)


COMMANDS = (evaluate, quality)
