"""The page, and the report, that say how well the library's own editions find each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask import Blueprint, render_template
from flask_babel import format_percent, gettext

from index import generations, quality
from search_app import languages
from search_app.search import searcher

HEADS = {"by_query_language": "By the language that asks", "by_passage_language": "By the language that is found", "by_kind": "By what asks"}

blueprint = Blueprint("quality", __name__)


@blueprint.get("/quality")
def page() -> str:
    """Show the figures that were made last, and whether they are of the generation in use."""
    library = searcher().library
    figures = quality.load(library)
    return render_template(
        "quality.html", figures=figures, extremes=_extremes(figures) if figures else (),
        old=figures is not None and figures["generation"] != generations.current_name(library), columns=columns, in_ten=in_ten, percent=percent,
    )  # fmt: skip


def in_ten(recall: float) -> str:
    """Say a share as so many of 10; never "10 of 10" or "0 of 10" unless that is exact."""
    tenths = round(10 * recall)
    if tenths == 10 and recall < 1:
        return str(gettext("more than 9 of 10"))
    return str(gettext("fewer than 1 of 10") if tenths == 0 and recall > 0 else gettext("%(tenths)d of 10", tenths=tenths))


def percent(share: float | None) -> str:
    """Say a share in whole percent, or that there was too little to say it."""
    return str(gettext("too few to say") if share is None else format_percent(share))


def columns(by_pair: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The languages that are found, for a table whose rows are those that ask."""
    return sorted({language for row in by_pair.values() for language in row})


def markdown(figures: quality.Figures) -> str:
    """Write the figures down as a report."""
    library = figures["library"]
    parts = [
        "# How well editions find each other",
        f"Made {figures['made'][:10]} by `isogloss quality` from {library['publications']} publications, {library['editions']} editions and "
        f"{library['passages']} passages, with the encoder `{figures['encoder'][:12]}`, generation {figures['generation']}.",
        "Every title and abstract, and up to three passages of every edition, asked for its own publication in each other language it has. "
        f"Found means: a passage of that edition, or its catalogue entry, among the first {figures['first']} passages, after the publication's own "
        f"passages in the asking language were left out. Fewer than {figures['fewest']} questions, or texts, are too few to say (–). Own language: the share of the "
        f"first {quality.TOP} in the asking language.",
        _table(["", "Found", "Questions", "Own language"], [_row("All", figures["all"], own=True)]),
    ]
    for key, head in HEADS.items():
        own = key == "by_query_language"
        rows = [_row(name if key == "by_kind" else _named(name), cell, own) for name, cell in figures[key].items()]
        parts += [f"## {head}", _table(["", "Found", "Questions"] + ["Own language"] * own, rows)]
    across = columns(figures["by_pair"])
    pairs = [[_named(asked), *(_short(row.get(language)) for language in across)] for asked, row in figures["by_pair"].items()]
    parts += ["## By pair", "Rows ask, columns are found; percent, with the number of questions.", _table(["", *across], pairs)]
    return "\n\n".join(parts) + "\n"


def _extremes(figures: quality.Figures) -> list[tuple[str, str, float]]:
    """The best pair and the worst, as (query language, passage language, recall); "" is any language: of whole query languages, where these say more."""
    pairs = [(asked, found, cell) for asked, row in figures["by_pair"].items() for found, cell in row.items() if cell["recall"] is not None]
    whole = [(asked, "", cell) for asked, cell in figures["by_query_language"].items() if cell["recall"] is not None]
    told = pairs if len(pairs) >= len(whole) else whole
    ordered = sorted(told, key=lambda one: (one[2]["recall"], one[2]["questions"]))
    return [(asked, found, cell["recall"]) for asked, found, cell in (ordered[-1], ordered[0])] if len(ordered) > 1 else []


def _row(label: str, cell: Mapping[str, Any], own: bool) -> list[str]:
    return [label, _plainly(cell["recall"]), str(cell["questions"])] + ([_plainly(cell[f"own_language@{quality.TOP}"])] if own else [])


def _short(cell: Mapping[str, Any] | None) -> str:
    return "" if cell is None else f"{'–' if cell['recall'] is None else _plainly(cell['recall'])} ({cell['questions']})"


def _named(tag: str) -> str:
    return f"{languages.name(tag)} ({tag})"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plainly(share: float | None) -> str:
    return "too few to say" if share is None else f"{100 * share:.0f}%"
