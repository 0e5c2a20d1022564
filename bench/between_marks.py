"""Put what a bench has found into a page of Markdown, between two marks."""

from __future__ import annotations

from pathlib import Path

import click


def write(told: str, into: Path, begin: str, end: str) -> None:
    """Replace what stands between the marks; raises ClickException where they are not there."""
    before, begun, rest = into.read_text("utf-8").partition(begin)
    _, ended, after = rest.partition(end)
    if not (begun and ended):
        raise click.ClickException(f"{into} lacks the marks {begin!r} and {end!r}; nothing was written.")
    into.write_text(f"{before}{begin}\n\n{told}\n{end}{after}", "utf-8")
