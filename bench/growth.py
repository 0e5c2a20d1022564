"""What grows with a library: what a process keeps of it, how long it takes to open it and to build a generation: python -m bench.growth LIBRARY...

No encoder is needed. Every library, one of bench/libraries.py, is opened in a process of its own; the generation is built of a copy, in one thread,
as the worker builds it. Memory is what is resident; the part of it that lies in files is shared by all processes, and given back when others need it.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from bench.search import Memory, resident
from bench.size import size_of
from bench.table import Row, table
from index import generations
from index.generations import Generation
from index.library import Library
from index.view import View

BUILD = """
import sys, time
from pathlib import Path
from index import generations
from index.library import Library
library = Library.open(Path(sys.argv[1]))
begun = time.process_time()
generations.build(library)
print(time.process_time() - begun)
"""


@dataclass(frozen=True, slots=True)
class Grown:
    """What was found of one library: bytes, and seconds."""

    passages: int
    publications: int
    pages: int
    dimension: int  # of vectors
    parts: Mapping[str, int]  # on disk, as bench/size.py tells them
    text: int  # of passages and pages, on disk
    generation: Memory  # what loading the generation took
    columns: int  # what the view holds beside it
    loading: float  # seconds, of the generation
    viewing: float  # of the view
    building: float  # of processor time, one generation


@click.command()
@click.argument("libraries", type=click.Path(exists=True, path_type=Path), nargs=-1, required=True)
@click.option("--one", is_flag=True, hidden=True)
def main(libraries: Sequence[Path], one: bool) -> None:
    if one:
        click.echo(json.dumps(asdict(measure(libraries[0]))))
    else:
        click.echo(table(rows([measured(folder) for folder in libraries])))


def measured(folder: Path) -> Grown:
    """Measure one library in a process of its own."""
    done = subprocess.run([sys.executable, "-m", "bench.growth", "--one", folder], check=True, stdout=subprocess.PIPE, text=True)
    read = json.loads(done.stdout.splitlines()[-1])
    return Grown(**(read | {"generation": Memory(**read["generation"])}))


def measure(folder: Path) -> Grown:
    library = Library.open(folder)
    before, begun = _resident(), time.perf_counter()
    generation = generations.load_or_build(library)
    loading, after = time.perf_counter() - begun, _resident()
    begun = time.perf_counter()
    view = View.of(library, generation)
    viewing = time.perf_counter() - begun
    counts, size = library.counts(), size_of(folder)
    assert len(view.keys) == size.passages
    dimension = library.vectors(0, None, 1)[1].shape[1]
    return Grown(
        size.passages,
        counts["publications"],
        counts["pages"],
        dimension,
        size.parts,
        size.text,
        Memory(after.all - before.all, after.files - before.files),
        held_by_view(library, generation),
        loading,
        viewing,
        building(folder),
    )


def held_by_view(library: Library, generation: Generation) -> int:
    """Bytes: what is resident would tell as much of what was needed on the way."""
    tracemalloc.start()
    view = View.of(library, generation)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del view
    return held


def building(folder: Path) -> float:
    """Processor seconds that building a generation of a copy takes, of a process that does nothing else."""
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="building-") as scratch:
        copied = Path(scratch) / "library"
        shutil.copytree(folder, copied)
        done = subprocess.run([sys.executable, "-c", BUILD, copied], check=True, stdout=subprocess.PIPE, env=os.environ | {"OMP_NUM_THREADS": "1"})
        return float(done.stdout)


def rows(found: Sequence[Grown]) -> list[Row]:
    made = []
    for one in found:
        of, each = f"{one.passages:,} passages", one.columns / one.passages
        made += [
            Row("5", f"building a generation, {of}", f"{one.building:.1f} s of one core", "", "", None),
            Row("6", f"opening a library, {of}", f"generation {one.loading:.2f} s, columns {one.viewing:.2f} s", "", "", None),
            Row("3", f"columns of the view, {of}", f"{each:.0f} bytes a passage", f"{one.columns / 2**20:.0f} MiB", "", None),
        ]
    return made


def _resident() -> Memory:
    ctypes.CDLL(None).malloc_trim(0)  # else what was freed counts as resident, and the next step seems to need nothing
    return resident()


if __name__ == "__main__":
    main()
