"""Measure reading and encoding by workers of Dask against the default: python -m bench.workers [FOLDER] [--limit PAGES] [--readers 2] [--threads 1].

The same PDFs (of FOLDER, or the sample library's) are ingested into a new library three times: here, by one worker, and by two, each with as many
processes that read and as many threads that encode. Scheduler and workers are processes of their own on this machine, started before the clock is: where
one machine's cores are full already, a second worker can add nothing, and the ratio says what handing out costs. A few pages say nothing; take hundreds.
"""

from __future__ import annotations

import argparse
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from distributed import Client

from bench.ingest import CORPUS, chosen
from bench.table import Row, table
from index.encoder import Encoder
from index.library import Library
from index.sentence_encoder import open_encoder
from search_app.ingesting import ingest
from search_app.intake import Where

LEAST = 0.9  # of the default's throughput, with one worker: what handing out may cost
GRACE = 20  # seconds for a process to end


def rows(folder: Path, limit: int, readers: int, threads: int) -> list[Row]:
    with tempfile.TemporaryDirectory() as scratch:
        files = chosen(folder, Path(scratch) / "pdfs", limit)
        (Path(scratch) / "warming").mkdir()
        shutil.copy(files[-1], Path(scratch) / "warming")
        encoder = open_encoder(threads=threads)
        encoder.encode_passages(["what is loaded at the first text is loaded now"])
        here = throughput(Path(scratch), encoder, readers)
        found = [Row("3", f"here, {len(files)} files", f"{here:.1f} pages a second", "", "", None)]
        for count in (1, 2):
            with workers(count, readers, threads) as address:
                there = throughput(Path(scratch), encoder, address)
            target = f"at least {LEAST} x" if count == 1 else ""
            reached = there >= LEAST * here if count == 1 else None
            found.append(Row("3", f"workers of Dask: {count}", f"{there:.1f} pages a second", f"{there / here:.2f} x here", target, reached))
    return found


def throughput(folder: Path, encoder: Encoder, where: Where) -> float:
    """Pages a second, from PDF to searchable, once what is loaded at the first file is loaded."""
    for name in ("warming", "pdfs"):
        with tempfile.TemporaryDirectory(dir=folder) as home:
            library = Library.create(Path(home) / "library")
            begun = time.perf_counter()
            ingest(folder / name, library, encoder, workers=where)
            seconds, pages = time.perf_counter() - begun, library.counts()["pages"]
            library.close()
    return pages / seconds


@contextmanager
def workers(count: int, readers: int, threads: int) -> Iterator[str]:
    """Start a scheduler and so many workers; yields its address once all are there."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    scheduler = ["distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(port), "--dashboard-address", "127.0.0.1:0"]
    worker = ["search_app", "ingest-worker", address, "--readers", str(readers), "--threads", str(threads)]
    processes = [_start(scheduler), *(_start(worker) for _ in range(count))]
    try:
        with Client(address, timeout=60, set_as_default=False) as client:
            client.wait_for_workers(count, timeout=300)
        yield address
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait(GRACE)


def _start(command: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", *command], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=CORPUS)
    parser.add_argument("--limit", type=int, default=400, help="pages")
    parser.add_argument("--readers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    print(table(rows(asked.folder, asked.limit, asked.readers, asked.threads)))


if __name__ == "__main__":
    main()
