"""Measure everything that issue 7 asks for, and put it into one table: python -m bench.performance HOME [--full] [--into docs/performance.md] [--pdfs FOLDER] [--semantra PATH]

HOME keeps the libraries (bench/libraries.py) for the next run: of 10 and 100 thousand passages, with --full of a million too. Each bench runs in a
process of its own, one after the other; one that ends in an error has a row that says so. With --into, the part of that file between its two marks
is replaced by what was found, and the pictures beside it are drawn anew. Exit code 1 when a target is missed.
"""

from __future__ import annotations

import json
import os
import platform
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import click

from bench import libraries, search
from bench.material import COLLECTIONS, read
from bench.pictures import draw
from bench.table import Row, table
from index.sentence_encoder import open_encoder

CORPUS = Path("corpus")
SIZES = (10_000, 100_000)
FULL = 1_000_000
LONGEST = 3600.0  # seconds for one bench; semantra reads long PDFs for half an hour
BENCHES = ("encoding", "ingest", "vectors", "load", "change")  # and search, whose figures are drawn too
BEGIN, END = "<!-- what follows is written by: make bench-full -->", "<!-- end of what is written -->"
TELLING = ("avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512_vnni", "avx512_bf16", "avx_vnni", "amx_tile", "amx_int8", "amx_bf16")


@dataclass(frozen=True)
class Chosen:
    """What is measured, and on what."""

    home: Path
    full: bool
    pdfs: Path
    semantra: str

    @property
    def arguments(self) -> list[str]:
        return [str(self.home), *["--full"] * self.full, "--pdfs", str(self.pdfs), "--semantra", self.semantra]


@click.command()
@click.argument("home", type=click.Path(path_type=Path))
@click.option("--full", is_flag=True, help="Also a million passages, and the peers that take long.")
@click.option("--into", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A Markdown file with the two marks.")
@click.option("--pdfs", type=click.Path(exists=True, file_okay=False, path_type=Path), default=CORPUS, show_default=True, help="What is ingested.")
@click.option("--semantra", default="", help="The program semantra, the peer of the ingest.")
@click.option("--only", type=click.Choice(BENCHES), hidden=True)
def main(home: Path, full: bool, into: Path | None, pdfs: Path, semantra: str, only: str | None) -> None:
    chosen = Chosen(home, full, pdfs, semantra)
    if only:
        click.echo(json.dumps([asdict(row) for row in rows_of(only, chosen)]))
        return
    start = time.monotonic()
    sizes = (*SIZES, FULL) if full else SIZES
    made_ready(home, sizes)
    measured = [search.measured(home / str(size)) for size in sizes]
    rows = [*search.rows(measured), *(row for name in BENCHES for row in measured_apart(name, chosen))]
    told = f"{machine()}\n\n{table(rows)}\n"
    click.echo(f"{told}\n{(time.monotonic() - start) / 60:.0f} minutes")
    if into:
        write(told, into)
        draw(measured, into.parent)
    sys.exit(1 if any(row.reached is False for row in rows) else 0)


def made_ready(home: Path, sizes: Sequence[int]) -> None:
    """Make the libraries that are not there yet."""
    home.mkdir(parents=True, exist_ok=True)
    encoder = open_encoder()
    material = read(COLLECTIONS, encoder, home / libraries.CACHE)
    for size in sizes:
        libraries.ready(home / str(size), size, material, encoder)


def measured_apart(name: str, chosen: Chosen) -> list[Row]:
    """Run one bench in a process of its own; after LONGEST it is ended, with all that it has started."""
    command = [sys.executable, "-m", "bench.performance", *chosen.arguments, "--only", name]
    bench = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        said, _ = bench.communicate(timeout=LONGEST)
    except subprocess.TimeoutExpired:
        return [Row("", f"the bench {name} was ended", f"it ran for {LONGEST / 60:.0f} minutes", "", "", False)]
    finally:
        with suppress(ProcessLookupError):  # where nothing is left of it
            os.killpg(bench.pid, signal.SIGKILL)
        bench.wait()
    if bench.returncode:
        return [Row("", f"the bench {name} ended in an error", f"exit code {bench.returncode}", "", "", False)]
    return [Row(**row) for row in json.loads(said.splitlines()[-1])]


def rows_of(name: str, chosen: Chosen) -> list[Row]:
    """What one bench finds; each is imported only where it runs, because others must not lie in its memory."""
    home = chosen.home
    largest = home / str(FULL if chosen.full else SIZES[-1])
    if name == "encoding":
        from bench import encoding

        return encoding.rows(*COLLECTIONS)
    if name == "ingest":
        from bench import ingest

        return ingest.rows(chosen.pdfs, Path(chosen.semantra) if chosen.semantra else None)
    if name == "vectors":
        from bench import vector_search

        return vector_search.rows(largest)
    if name == "load":
        from bench import load

        return list(load.rows(home / str(SIZES[-1]), COLLECTIONS[0] / "queries.jsonl", 10 if chosen.full else 5))
    from bench import change

    measured = [change.measure(folder, open_encoder()) for folder in dict.fromkeys((home / str(SIZES[-1]), largest))]
    return [row for one in measured for row in change.rows(one)]


def machine() -> str:
    """One line about what this was measured on."""
    about = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    named = re.search(r"model name\s*: (.*)", about)
    there = re.search(r"flags\s*: (.*)", about)
    flags = there[1].split() if there else []
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    telling = ", ".join(flag for flag in TELLING if flag in flags) or "unknown"
    name = named[1].strip() if named else platform.machine()
    return f"{date.today().isoformat()}: {os.cpu_count()} cores of {name} with {telling}; {memory:.0f} GiB of memory; Python {platform.python_version()}."


def write(told: str, into: Path) -> None:
    before, begin, rest = into.read_text("utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise click.ClickException(f"{into} lacks the marks {BEGIN!r} and {END!r}; nothing was written.")
    into.write_text(f"{before}{BEGIN}\n\n{told}\n{END}{after}", "utf-8")


if __name__ == "__main__":
    main()
