"""What benches find out, as rows of one table: each bench module has rows(...) -> list[Row] beside its main, and bench/performance.py puts them together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

HEADER = ("ask", "what", "figure", "ratio", "target", "")


@dataclass(frozen=True)
class Row:
    """One thing that was measured, in words and figures ready to be read."""

    ask: str  # number of the target in the list of issue 7: "1"
    what: str  # what was measured, of what size: "full answer, p50, 1,000,000 passages"
    figure: str  # with its unit: "8.1 ms"
    ratio: str  # to what is named, measured in the same run: "2.7 x encoding the query"; "" where the target is a figure of its own
    target: str  # "at most 3 x"; "" where nothing is asked and the row only informs
    reached: bool | None  # None where nothing is asked, or it was not measured on this machine


def table(rows: Iterable[Row]) -> str:
    """The rows as Markdown, in the order of the targets; rows of one target keep theirs."""
    cells = [(row.ask, row.what, row.figure, row.ratio, row.target, _said(row)) for row in sorted(rows, key=lambda row: row.ask)]
    lines = [HEADER, ("---",) * len(HEADER), *cells]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _said(row: Row) -> str:
    if row.reached is None:
        return ""
    return "reached" if row.reached else "**missed**"
