"""Measure ingest from PDF to searchable: python -m bench.ingest [FOLDER] [--semantra PATH] [--limit PAGES].

Ingests the PDFs of FOLDER (the sample library's without one) into a new library, in a process of its own, and then encodes the same passages once more by
the encoder alone, with nothing beside it: the ratio of the two says what reading, cutting and storing cost. On a machine whose cores the encoder alone fills,
reading takes its time from it, so the ratio to the processor's own bound is printed too: all CPU seconds of the ingest, spread over all cores.
Memory is the proportional share (PSS) of the whole process tree, read several times a second. Stages are in CPU seconds.

With --semantra, the program of semantra 0.1.12 in an environment of its own (which wants setuptools==80.9.0), it reads and encodes the same PDFs with the
weights of the same encoder; both are then timed as whole commands, with all they load.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import platformdirs
import pypdfium2

from bench.processes import Tree, watched
from bench.table import Row, table
from index import bundled
from index.library import Library
from index.sentence_encoder import open_encoder
from search_app import ingesting, intake, storing

CORPUS = Path(__file__).parent.parent / "corpus"
GIB = 1024**3


@dataclass(frozen=True, slots=True)
class Measured:
    """What one ingest took. Seconds are of the clock unless they are said to be of CPU."""

    pages: int
    passages: int
    tokens: int  # that the encoder was given, each as often as it was
    opening: float  # of the encoder
    ingest: float
    alone: float  # to encode the same passages once more, nothing else going on
    cpu: float  # of the main process while it ingested
    cpu_alone: float  # of it while it only encoded
    cutting: float  # of CPU
    coding: float  # of CPU
    storing: float  # of CPU
    boxes: int  # bytes of the places of words on all pages


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=CORPUS)
    parser.add_argument("--semantra", type=Path, help="the program semantra")
    parser.add_argument(
        "--limit", type=int, default=10_000, help="PDFs are taken in the order of their size, largest first, until they have so many pages"
    )
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)  # the library to make, in the process that is measured
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(asdict(ingest(arguments.folder, arguments.one))))
    else:
        print(table(rows(arguments.folder, arguments.semantra, arguments.limit)))


def rows(folder: Path = CORPUS, semantra: Path | None = None, limit: int = 10_000) -> list[Row]:
    """What is found of the PDFs of a folder, bare of any catalogue."""
    return measure(folder, semantra, limit)[0]


def measure(folder: Path = CORPUS, semantra: Path | None = None, limit: int = 10_000) -> tuple[list[Row], dict[str, Any]]:
    """The rows, and what bench/capacity.py computes with."""
    with tempfile.TemporaryDirectory(prefix="isogloss-bench-") as scratch:
        pdfs = chosen(folder, Path(scratch) / "pdfs", limit)
        open_encoder()  # prepared before anything is measured
        tree, begun = Tree(), time.perf_counter()
        said = watched([sys.executable, "-m", "bench.ingest", str(Path(scratch) / "pdfs"), "--one", str(Path(scratch) / "library")], tree)
        measured, whole = Measured(**json.loads(said.splitlines()[-1])), time.perf_counter() - begun
        found = _rows(measured, tree, len(pdfs))
        if semantra:
            theirs = Tree()
            peer = timed_semantra(semantra, pdfs, Path(scratch) / "semantra", theirs)
            found.append(_against(measured, whole - measured.alone, peer, theirs))
        sizes = {"bytes": sum(path.stat().st_size for path in pdfs), "memory": tree.memory}
    counted = {name: getattr(measured, name) for name in ("pages", "passages", "tokens", "boxes")}
    return found, counted | sizes | {"stages": _stages(measured, tree)}


def chosen(folder: Path, into: Path, limit: int) -> list[Path]:
    """Copy the largest PDFs of a folder, up to so many pages, to a folder of their own."""
    into.mkdir()
    pages, files = 0, []
    for path in sorted((path for path in folder.rglob("*.pdf") if path.is_file()), key=lambda path: (-path.stat().st_size, path)):
        count = len(pypdfium2.PdfDocument(path))
        if pages + count <= limit:
            pages += count
            files.append(Path(shutil.copyfile(path, into / f"{len(files):03}-{path.parent.name}-{path.name}")))
    return files


def ingest(folder: Path, library_folder: Path) -> Measured:
    """Ingest a folder, in this process; then encode all that was stored once more."""
    begun = time.perf_counter()
    encoder = open_encoder()
    encoder.encode_passages(["what is loaded at the first text is loaded now"])
    opening = time.perf_counter() - begun
    library = Library.create(library_folder)
    with spent(intake, "cut") as cutting, spent(storing, "kept") as coding, spent(ingesting, "_put", ingesting._Run) as stored:
        begun, used = time.perf_counter(), time.process_time()
        ingesting.ingest(folder, library, encoder)
        seconds, cpu = time.perf_counter() - begun, time.process_time() - used
    texts = storing._texts(library, list(library.passages([key for key, _, _ in library.passage_table()]).values()))
    tokens = sum(encoder.count_tokens(texts))
    begun, used = time.perf_counter(), time.process_time()
    for start in range(0, len(texts), storing.BATCH):
        encoder.encode_passages(texts[start : start + storing.BATCH])
    alone, cpu_alone = time.perf_counter() - begun, time.process_time() - used
    pages, boxes = library.rows("SELECT count(*), sum(length(boxes)) FROM pages")[0]
    return Measured(
        pages, len(texts), tokens, opening, seconds, alone, cpu, cpu_alone, cutting["seconds"], coding["seconds"], stored["seconds"], boxes
    )


@contextmanager
def spent(module: Any, name: str, owner: Any = None) -> Iterator[Counter[str]]:
    """Count the CPU seconds of a function, in whichever thread it is called."""
    owner, seconds = owner or module, Counter[str]()
    real: Callable[..., Any] = getattr(owner, name)

    def counted(*given: Any, **named: Any) -> Any:
        begun = time.thread_time()
        try:
            return real(*given, **named)
        finally:
            seconds["seconds"] += time.thread_time() - begun  # type: ignore[assignment]

    setattr(owner, name, counted)
    try:
        yield seconds
    finally:
        setattr(owner, name, real)


def timed_semantra(program: Path, pdfs: list[Path], folder: Path, tree: Tree) -> float:
    """The seconds in which semantra reads and encodes the same files with the same weights."""
    model = platformdirs.user_cache_path("isogloss") / bundled.UNPACKED
    options = ["--no-server", "--no-confirm", "--semantra-dir", str(folder), "--transformer-model", str(model)]
    begun = time.perf_counter()
    watched([str(program), *options, *map(str, pdfs)], tree, stderr=subprocess.DEVNULL, env=os.environ | {"HF_HUB_OFFLINE": "1"})
    return time.perf_counter() - begun


def _rows(measured: Measured, tree: Tree, files: int) -> list[Row]:
    cores = len(os.sched_getaffinity(0))
    pace, share = measured.pages / measured.ingest, measured.alone / measured.ingest
    total = measured.cpu + tree.seconds
    bound = max(measured.alone, total / cores)
    stages = _stages(measured, tree).items()
    said = ", ".join(f"{name} {seconds / total:.0%} ({1000 * seconds / measured.pages:.0f} ms a page)" for name, seconds in stages)
    what = f"{measured.pages} pages of {files} PDFs, {measured.passages} passages, {cores} cores"
    figure = f"{pace:.1f} pages/s, {measured.tokens / measured.ingest:,.0f} tokens/s"
    return [
        Row("2", f"PDF to searchable, {what}", figure, f"{share:.2f} of the encoder alone", "at least 0.90", share >= 0.9),
        Row("2", "the same, against all CPU seconds spread over the cores", figure, f"{bound / measured.ingest:.2f} of that bound", "", None),
        Row("2", "memory of the process tree (PSS, most)", f"{tree.memory / GIB:.2f} GiB", "", "under 2 GB", tree.memory < 2e9),
        Row("2", "where CPU time goes", said, "", "", None),
    ]


def _stages(measured: Measured, tree: Tree) -> dict[str, float]:
    """CPU seconds of each stage."""
    encoding = measured.cpu - measured.cutting - measured.coding - measured.storing
    return {
        "reading": tree.seconds, "cutting": measured.cutting, "encoding": encoding, "making codes": measured.coding, "storing": measured.storing
    }  # fmt: skip


def _against(measured: Measured, whole: float, peer: float, theirs: Tree) -> Row:
    figure = f"{measured.pages / whole:.1f} pages/s, semantra {measured.pages / peer:.1f} ({theirs.memory / GIB:.2f} GiB)"
    return Row("2", "whole command against semantra 0.1.12", figure, f"{peer / whole:.1f} x semantra", "at least 5 x", peer >= 5 * whole)


if __name__ == "__main__":
    main()
