"""Measure everything that issue 7 asks for, and put it into one table: python -m bench.performance HOME [--full] [--into docs/performance.md] [--note] [--pdfs FOLDER] [--semantra PATH]

HOME keeps the libraries (bench/libraries.py) for the next run: of 10 and 100 thousand passages, with --full of a million too. Each bench runs in a
process of its own, one after the other; one that ends in an error has a row that says so. With --into, the part of that file between its two marks
is replaced by what was found, and the pictures beside it are drawn anew. With --note, what bench/capacity.py computes with is kept (bench/constants.py).
Exit code 1 when a target is missed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from bench import constants, growth, libraries, search
from bench.between_marks import write
from bench.material import COLLECTIONS, read
from bench.pictures import draw
from bench.table import Row, table
from index.sentence_encoder import open_encoder

CORPUS = Path("corpus")
SIZES = (10_000, 100_000)
FULL = 1_000_000
LONGEST = 3600.0  # seconds for one bench; semantra reads long PDFs for half an hour
BENCHES = ("encoding", "ingest", "vectors", "load", "change", "growth")  # and search, whose figures are drawn too
Found = tuple[list[Row], Any]  # the rows, and what bench/capacity.py computes with, None where that is nothing
BEGIN, END = "<!-- what follows is written by: make bench-full -->", "<!-- end of what is written -->"


@dataclass(frozen=True)
class Chosen:
    """What is measured, and on what."""

    home: Path
    full: bool
    pdfs: Path
    semantra: str

    @property
    def sizes(self) -> tuple[int, ...]:
        return (*SIZES, FULL) if self.full else SIZES

    @property
    def arguments(self) -> list[str]:
        return [str(self.home), *["--full"] * self.full, "--pdfs", str(self.pdfs), "--semantra", self.semantra]


@click.command()
@click.argument("home", type=click.Path(path_type=Path))
@click.option("--full", is_flag=True, help="Also a million passages, and the peers that take long.")
@click.option("--into", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A Markdown file with the two marks.")
@click.option("--note", is_flag=True, help="Keep what bench/capacity.py computes with.")
@click.option("--pdfs", type=click.Path(exists=True, file_okay=False, path_type=Path), default=CORPUS, show_default=True, help="What is ingested.")
@click.option("--semantra", default="", help="The program semantra, the peer of the ingest.")
@click.option("--only", type=click.Choice(BENCHES), hidden=True)
def main(home: Path, full: bool, into: Path | None, note: bool, pdfs: Path, semantra: str, only: str | None) -> None:
    chosen = Chosen(home, full, pdfs, semantra)
    if only:
        rows, figures = found_by(only, chosen)
        click.echo(json.dumps({"rows": [asdict(row) for row in rows], "figures": figures}))
        return
    start = time.monotonic()
    made_ready(home, chosen.sizes)
    measured = [search.measured(home / str(size)) for size in chosen.sizes]
    found = {"search": (search.rows(measured), list(map(search.figures, measured))), **{name: measured_apart(name, chosen) for name in BENCHES}}
    rows = [row for some, _ in found.values() for row in some]
    told = f"{constants.machine()}\n\n{table(rows)}\n"
    click.echo(f"{told}\n{(time.monotonic() - start) / 60:.0f} minutes")
    if into:
        write(told, into, BEGIN, END)
        draw(measured, into.parent)
    if note:
        constants.note({name: figures for name, (_, figures) in found.items() if figures})
    sys.exit(1 if any(row.reached is False for row in rows) else 0)


def made_ready(home: Path, sizes: Sequence[int]) -> None:
    """Make the libraries that are not there yet."""
    home.mkdir(parents=True, exist_ok=True)
    encoder = open_encoder()
    material = read(COLLECTIONS, encoder, home / libraries.CACHE)
    for size in sizes:
        libraries.ready(home / str(size), size, material, encoder)


def measured_apart(name: str, chosen: Chosen) -> Found:
    """Run one bench in a process of its own; after LONGEST it is ended, with all that it has started."""
    command = [sys.executable, "-m", "bench.performance", *chosen.arguments, "--only", name]
    bench = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        said, _ = bench.communicate(timeout=LONGEST)
    except subprocess.TimeoutExpired:
        return [Row("", f"the bench {name} was ended", f"it ran for {LONGEST / 60:.0f} minutes", "", "", False)], None
    finally:
        with suppress(ProcessLookupError):  # where nothing is left of it
            os.killpg(bench.pid, signal.SIGKILL)
        bench.wait()
    if bench.returncode:
        return [Row("", f"the bench {name} ended in an error", f"exit code {bench.returncode}", "", "", False)], None
    found = json.loads(said.splitlines()[-1])
    return [Row(**row) for row in found["rows"]], found["figures"]


def found_by(name: str, chosen: Chosen) -> Found:
    """What one bench finds; each is imported only where it runs, because others must not lie in its memory."""
    home, largest = chosen.home, chosen.home / str(chosen.sizes[-1])
    if name == "encoding":
        from bench import encoding

        measured = encoding.measure_chosen(*COLLECTIONS)
        return encoding.rows_of(measured), encoding.figures(measured)
    if name == "ingest":
        from bench import ingest

        return ingest.measure(chosen.pdfs, Path(chosen.semantra) if chosen.semantra else None)
    if name == "vectors":
        from bench import vector_search

        return vector_search.rows(largest), None
    if name == "load":
        from bench import load

        return list(load.rows(home / str(SIZES[-1]), COLLECTIONS[0] / "queries.jsonl", 10 if chosen.full else 5)), None
    if name == "growth":
        grown = [growth.measured(home / str(size)) for size in chosen.sizes]
        return growth.rows(grown), [asdict(one) for one in grown]
    from bench import change

    changed = [change.measure(folder, open_encoder()) for folder in dict.fromkeys((home / str(SIZES[-1]), largest))]
    return [row for one in changed for row in change.rows(one)], [change.figures(one) for one in changed]


if __name__ == "__main__":
    main()
