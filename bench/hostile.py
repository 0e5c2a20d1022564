"""Read every hostile file of tests/hostile.py within the real limits, beside sound ones: python bench/hostile.py

Writes the table of docs/reading.md, section "Hostile files": what became of each, the CPU time of its processes, and the memory of the largest child process.
Each run starts its processes afresh, so that time and memory are that file's own: about a second and 80 MiB of them go into the start.
"""

from __future__ import annotations

import multiprocessing
import re
import resource
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import click

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))
from conftest import pdf_of  # noqa: E402
from hostile import HOSTILE  # noqa: E402

from ingest.limits import MIB, Limits  # noqa: E402
from ingest.pipeline import Reading, read_files  # noqa: E402
from ingest.reading import Source  # noqa: E402

HEADING = "## Hostile files"
INTRODUCTION = """Made by `python bench/hostile.py` from files written for the purpose (`tests/hostile.py`), each read between two sound files that must come
out whole. Limits of a file: {memory} MiB of address space, {file_seconds} seconds of CPU ({page_seconds} for a page) and {wall_seconds} of the clock,
{pages} pages, {unpacked} MiB unpacked. A page of a PDF that ends its process is left out and the file read once more, for up to {lost_pages} such pages.

PDFium unpacks a stream whole, so what ends a bomb is the limit on memory; its streams are measured afterwards, for the reason. On macOS the
system keeps no limit on address space, so there a file is ended by its CPU time only, and may fill the memory until then. CPU seconds and the memory of
the largest process include the start (a good second, some 80 MiB) of each process; one that was ended had to be started anew."""


@click.command()
def main() -> None:
    """Write the table anew."""
    rows = ["| file | what came of it | reason | CPU seconds | MiB |", "| --- | --- | --- | --: | --: |"]
    with tempfile.TemporaryDirectory() as scratch:
        for name, make in HOSTILE.items():
            path = Path(scratch) / name
            path.write_bytes(make())
            reading, seconds, memory = _measured(path)
            rows.append(f"| {path.stem} ({path.suffix}) | {_outcome(reading)} | {_reason(reading)} | {seconds:.1f} | {memory} |")
            click.echo(rows[-1])
            path.unlink()
    _write(ROOT / "docs" / "reading.md", "\n".join([HEADING, "", INTRODUCTION.format(**_figures()), "", *rows]))


def _measured(path: Path) -> tuple[Reading, float, int]:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:  # a process whose only children are those of this file
        return pool.submit(_read_between_sound_files, path).result()


def _read_between_sound_files(path: Path) -> tuple[Reading, float, int]:
    good = path.parent / "good.pdf"
    good.write_bytes(pdf_of(["The forest."]))
    before, reading, after = read_files(
        [Source(name, file, "en") for name, file in (("before", good), ("hostile", path), ("after", good))], workers=1
    )
    assert [one.content and one.content.pages[0].text for one in (before, after)] == ["The forest."] * 2, path
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return reading, used.ru_utime + used.ru_stime, used.ru_maxrss // 1024  # on Linux, KiB


def _outcome(reading: Reading) -> str:
    if reading.content is None:
        return "refused"
    good = sum(page.health == "good" for page in reading.content.pages)
    return f"{good} of {len(reading.content.pages)} pages read"


def _reason(reading: Reading) -> str:
    if reading.content is None:
        return reading.problem
    return "; ".join(f"page {page.label}: {page.cause or page.health}" for page in reading.content.pages if page.health != "good")


def _figures() -> dict[str, str]:
    limits = Limits()
    bytes_in_mib = {"memory": limits.memory // MIB, "unpacked": limits.unpacked // MIB}
    plain = {name: getattr(limits, name) for name in ("file_seconds", "page_seconds", "wall_seconds", "pages", "lost_pages")}
    return {name: f"{value:,}" for name, value in (bytes_in_mib | plain).items()}


def _write(report: Path, section: str) -> None:
    """Put the section in place of the one that is there, or at the end."""
    text = report.read_text("utf-8") if report.exists() else "# How publications are read\n"
    parts = re.split(r"(?m)^(?=## )", text)
    others = [part for part in parts if not part.startswith(HEADING + "\n")]
    at = next((place for place, part in enumerate(parts) if part.startswith(HEADING + "\n")), len(others))
    others.insert(at, section + "\n\n")
    report.write_text("".join(part if part.endswith("\n\n") else part.rstrip("\n") + "\n\n" for part in others).rstrip("\n") + "\n", "utf-8")


if __name__ == "__main__":
    main()
