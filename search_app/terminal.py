"""What commands show on a terminal: progress on standard error, tables and hits on standard output."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from search_app.plain import for_terminal

MATRIX_COLUMNS = 12  # of languages; they fit a terminal of 80 characters

errors = Console(stderr=True)


def harmless(text: str) -> str:
    """What a file or the catalogue says, as the tables and bars of rich can show it."""
    return escape(for_terminal(text))


def progress_bar() -> Progress:
    """A bar that counts what is done and is gone when all is."""
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=errors, transient=True
    )  # fmt: skip


@contextmanager
def counting(doing: str) -> Iterator[Callable[[str, int, int], None]]:
    """Show how much of each thing is done; gives the function that takes what, done and total."""
    with progress_bar() as bar:
        tasks: dict[str, Any] = {}

        def progress(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(f"{doing} {what}", total=total)
            bar.update(tasks[what], completed=done)

        yield progress


@contextmanager
def reading() -> Iterator[Callable[[int, int, str], None]]:
    """Show how many editions are read; gives the function that takes how many are done, how many there are and what is being done."""
    with progress_bar() as bar:
        task = bar.add_task("Reading", total=None)
        yield lambda done, total, what: bar.update(task, completed=done, total=total, description=harmless(what) or "Reading")


def print_report(report: Any) -> None:
    """Print every edition with what became of it, then what is wrong in the catalogue, then the sums."""
    table = Table("Edition", "State", "Reason")
    for state in report.editions:
        table.add_row(harmless(state.edition.edition_id), state.state, harmless(state.reason))
    console = Console()
    console.print(table)
    for problem in [*report.problems, *report.refused]:
        console.print(harmless(problem), style="red", soft_wrap=True)
    for name in report.kept:
        console.print(harmless(f"{name}: left alone, because it is kept in the library since an analyst changed or removed it"), soft_wrap=True)
    states = [state.state for state in report.editions]
    counts = [f"{states.count(kind)} {kind}" for kind in ("read", "partly read", "failed", "no file", "waiting") if kind in states]
    done = [f"{report.done[what]} {what}" for what in ("read", "failed", "unchanged", "removed") if what != "failed" or report.done[what]]
    said = f"{_count(len(states), 'edition')}: {', '.join(counts)}. This time: {', '.join(done)}. {_count(len(report.problems), 'fault')} in the catalogue."
    left_out = f" {_count(len(report.refused), 'file')} in a format that is not read." if report.refused else ""
    console.print(said + left_out, soft_wrap=True)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def print_findings(findings: Sequence[Any]) -> None:
    """Print what `isogloss doctor` found, each remedy below what it mends."""
    for finding in findings:
        colour = {"there": "green", "optional": "yellow", "missing": "red"}[finding.state]
        click.echo(f"{click.style(f'{finding.state:9}', fg=colour)} {for_terminal(f'{finding.what}: {finding.found}')}")
        if finding.remedy:
            click.echo(f"{'':10}{for_terminal(finding.remedy)}")


def print_hit(hit: dict[str, Any]) -> None:
    """Print one publication with the sentence that answers."""
    where = f"page {hit['page_label']}" if hit["page"] else "catalogue entry"
    title, place = for_terminal(hit["title"]), for_terminal(f"[{hit['language']}, {where}; {hit['edition_id']}]")
    click.echo(f"{hit['rank']:2}. {click.style(title, bold=True)}  {place}")
    for mark in (mark for mark in hit["marks"] if mark["why"] == "meaning"):
        click.echo(f"    {for_terminal(hit['text'][mark['start'] : mark['end']])}")
    click.echo(f"    in: {', '.join(edition['language'] for edition in hit['editions'])}\n")


def print_quality(figures: dict[str, Any]) -> None:
    """Print what `isogloss quality` measured."""
    names = ["recall", "found", "questions"]
    asked = {"all": figures["all"], **figures["by_query_language"]}
    print_figures("By the language that asks", ["texts", *names, "own_language@10"], asked, "too few")
    print_figures("By the language that is found", names, figures["by_passage_language"], "too few")
    print_figures("By what asks", names, figures["by_kind"], "too few")
    print_matrix(
        "Recall: rows ask, columns are found (-: too few)",
        figures["by_pair"],
        lambda cell: "-" if cell["recall"] is None else f"{cell['recall']:.2f}",
    )
    print_matrix("Questions behind each figure", figures["by_pair"], lambda cell: str(cell["questions"]))


def print_figures(title: str, names: Sequence[str], rows: Mapping[str, Mapping[str, Any]], unsaid: str = "") -> None:
    """Print a row of figures for each label; `unsaid` stands where there is none."""
    table = Table("", *names, title=title)
    for label, row in rows.items():
        table.add_row(
            label, *(unsaid if row[name] is None else f"{row[name]:.3f}" if isinstance(row[name], float) else str(row[name]) for name in names)
        )
    Console().print(table)


def print_matrix(title: str, rows: Mapping[str, Mapping[str, Any]], said: Callable[[Any], str]) -> None:
    """Print a table of languages by languages, MATRIX_COLUMNS at a time."""
    columns = sorted({language for row in rows.values() for language in row})
    for start in range(0, len(columns), MATRIX_COLUMNS):
        block = columns[start : start + MATRIX_COLUMNS]
        click.echo(f"\n{title}\n{'':8}" + "".join(f"{language:>6}" for language in block))
        for label, row in rows.items():
            click.echo((f"{label:8}" + "".join(f"{said(row[language]) if language in row else '':>6}" for language in block)).rstrip())


def print_import(found: Any, rows: Sequence[Any], report: Any) -> None:
    """Print every entry of an imported catalogue with its remarks, then what is wrong, then what could not be stored, where there is a report."""
    from search_app.answers import title_in
    from search_app.remarks import remark

    table = Table("Line", "Publication", "Editions", "Remarks")
    for row in rows:
        publication = row.entry.publication
        there = [f"It is there already: {row.same.publication_id} (same {row.by})." if row.same else "It is kept already."] if row.there else []
        table.add_row(
            str(row.entry.line), escape(title_in(publication, ())[0]), " ".join(edition.language for edition in publication.editions) or "none",
            escape(" ".join([*there, *map(remark, row.entry.remarks)])),
        )  # fmt: skip
    console = Console()
    console.print(table)
    for said in found.remarks:
        console.print(escape(remark(said)), soft_wrap=True)
    for problem in found.problems:
        console.print(escape(f"line {problem.line}: {remark(problem.remark)}"), style="red", soft_wrap=True)
    for one in report.outcomes if report else ():
        for said in (said for said in one.remarks if said.code in ("no file", "files")):
            console.print(escape(f"{one.publication_id}: {remark(said)}"), soft_wrap=True)
        if one.why:
            console.print(escape(f"{one.publication_id}: {one.why}"), style="red", soft_wrap=True)
