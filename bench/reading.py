"""Measure the reading of PDFs: python bench/reading.py FOLDER [--sources corpus].

Reads every PDF below FOLDER with Isogloss and with pypdf, and prints pages per CPU second of both, over all files and of the median file, the
failures by reason, the pages by health and cause, and the memory of the largest child. Each reader has one child process of the same priority and
limits, which has loaded all it needs before; each file is read by one and then by the other, so that both meet the same load. With --sources, a folder like corpus/, whose PDFs were made from
Markdown beside them, it prints for each language how like the text is to its source: PDFium alone, pypdf alone, Isogloss.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import re
import resource
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

import pypdf
import pypdfium2
from pebble import ProcessPool
from rapidfuzz import fuzz

from ingest.language import identify
from ingest.limits import Limits, Watch
from ingest.pdf import read_pdf
from ingest.records import UNDETERMINED, UnreadableFileError

NOT_RECOGNISED = Watch(Limits(recognition_seconds=0))  # only text layers are measured here; bench/recognition.py measures the rest
LIMIT_SECONDS = 300  # for one file
LIMIT_BYTES = 2 * 1024**3  # address space of a child
MARKUP = re.compile(r"^:::.*$|^#+ |^[|:\- ]+$|[*|]", re.MULTILINE)
NOTE = re.compile(r"\[\[note:\s*(.*?)\]\]")
FRONT = ("kind", "title", "subtitle", "publisher", "date", "note")


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of one file: its pages by health and cause, the CPU seconds, the memory of the process so far in bytes, and why it failed."""

    pages: Counter[tuple[str, str]]
    seconds: float
    memory: int
    failure: str = ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sources", type=Path, help="a folder like corpus/, to compare texts with their sources")
    parser.add_argument("--named", action="store_true", help="the files are named after their languages, which are then known as from a catalogue")
    parser.add_argument("--without-pypdf", action="store_true", help="do not read the files with pypdf as well")
    arguments = parser.parse_args()
    files = sorted(path for path in arguments.folder.rglob("*") if path.suffix.lower() == ".pdf" and path.is_file())
    print(f"{len(files)} files")
    readers = [partial(_ours, named=arguments.named)] if arguments.without_pypdf else [partial(_ours, named=arguments.named), _pypdf]
    readings = list(zip(*(_all(read, files) for read in readers), strict=True))
    report([ours for ours, *_ in readings])
    if not arguments.without_pypdf:
        compare([(ours, theirs) for ours, theirs in readings])
    if arguments.sources:
        print_similarities(arguments.sources)


def _all(read: Callable[[Path], Reading], files: list[Path]) -> Iterator[Reading]:
    """Read the files one by one in a child that has read one already, so that nobody pays for imports."""
    with ProcessPool(max_workers=1, initializer=_prepare, context=multiprocessing.get_context("spawn")) as pool:
        for place, path in enumerate([*files[:1], *files]):
            future: Future[Reading] = pool.schedule(read, args=[path], timeout=LIMIT_SECONDS)
            try:
                reading = future.result()
            except Exception as error:  # a dead or late child is that file's failure
                reading = Reading(Counter(), 0.0, 0, f"{type(error).__name__}: {error}"[:80])
            if place:
                yield reading


def _prepare() -> None:
    """Confine a child, and load the readers of languages, which otherwise load when a page first needs them."""
    logging.disable(logging.CRITICAL)
    identify("a text in doubt")
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT_BYTES, LIMIT_BYTES))


def _memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _ours(path: Path, named: bool = False) -> Reading:
    begun = time.process_time()
    try:
        pages = read_pdf(path, path.stem, path.stem if named else UNDETERMINED, NOT_RECOGNISED).pages
    except UnreadableFileError as error:
        return Reading(Counter(), time.process_time() - begun, _memory(), re.sub(r"b['\"].*", "...", str(error)))
    return Reading(Counter((page.health, page.cause) for page in pages), time.process_time() - begun, _memory())


def _pypdf(path: Path) -> Reading:
    begun, pages = time.process_time(), Counter[tuple[str, str]]()
    try:
        for page in pypdf.PdfReader(path).pages:
            page.extract_text()
            pages["read", ""] += 1
    except Exception as error:  # pypdf raises more than it documents
        return Reading(pages, time.process_time() - begun, _memory(), type(error).__name__)
    return Reading(pages, time.process_time() - begun, _memory())


def report(readings: list[Reading]) -> None:
    """Print failures, pages by health and cause, and the largest child."""
    failures = Counter(reading.failure for reading in readings if reading.failure)
    print(
        f"{len(readings) - failures.total()} read, {failures.total()} failed; the largest child held {max(reading.memory for reading in readings) // 2**20} MiB"
    )
    for failure, count in failures.most_common():
        print(f"{count:7} files  {failure}")
    pages = sum((reading.pages for reading in readings), Counter[tuple[str, str]]())
    for (health, cause), count in pages.most_common():
        print(f"{count:7} pages  {health}{': ' if cause else ''}{cause}")


def compare(readings: list[tuple[Reading, Reading]]) -> None:
    """Print the speed of both over the files that both have read whole."""
    both = [pair for pair in readings if not any(reading.failure for reading in pair)]
    pages = sum(ours.pages.total() for ours, _ in both)
    ours, theirs = (sum(pair[place].seconds for pair in both) for place in (0, 1))
    times = sorted(theirs.seconds / max(1e-9, ours.seconds) for ours, theirs in both)
    print(f"{pages} pages of {len(both)} files: {pages / ours:.0f} pages a CPU second, pypdf {pages / theirs:.0f}: {theirs / ours:.1f} times")
    print(f"times by file: {times[len(times) // 20]:.1f} at the lower twentieth, {median(times):.1f} at the median, {times[-1]:.1f} at most")


def print_similarities(folder: Path) -> None:
    """Print a row for each language: the whole text against the whole source, and the paragraphs of the source, wherever they stand."""
    rows: defaultdict[str, list[list[float]]] = defaultdict(list)
    for source in sorted(folder.glob("*/source/*.md")):
        path = source.parent.parent / f"{source.stem}.pdf"
        blocks = _blocks(source.read_text("utf-8"))
        texts = [
            _squeezed(text)
            for text in (
                _pdfium_text(path),
                _pypdf_text(path),
                "\n".join(page.text for page in read_pdf(path, "x", watch=NOT_RECOGNISED).pages if page.readable),
            )
        ]
        if texts[2]:  # a scan, and a sample without any meaning of its codes, have no text to compare
            rows[source.stem].append([fuzz.ratio(" ".join(blocks), text) for text in texts] + [_found(blocks, text) for text in texts])
    print(f"{'':8}{'whole text':^24}{'its paragraphs':^24}\n{'':8}" + f"{'PDFium':>8}{'pypdf':>8}{'ours':>8}" * 2)
    for language, measured in sorted(rows.items()):
        print(f"{language:8}" + "".join(f"{sum(column) / len(column) / 100:8.3f}" for column in zip(*measured, strict=True)))


def _blocks(source: str) -> list[str]:
    """The paragraphs, headings, rows and notes of a source, without markup; the notes last."""
    _, front, body = source.split("---\n", 2)
    said = dict(line.split(":", 1) for line in front.strip().splitlines())
    parts = [*(said[key] for key in FRONT), *NOTE.sub("", body).split("\n"), *NOTE.findall(body)]
    return [text for part in parts if (text := _squeezed(MARKUP.sub(" ", part)))]


def _found(blocks: list[str], text: str) -> float:
    """How like each block is to the stretch of the text that is most like it, weighted by length."""
    long = [block for block in blocks if len(block) >= 20]
    return sum(fuzz.partial_ratio(block, text) * len(block) for block in long) / sum(map(len, long))


def _squeezed(text: str) -> str:
    return " ".join(text.split())


def _pdfium_text(path: Path) -> str:
    return " ".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(path))


def _pypdf_text(path: Path) -> str:
    return " ".join(page.extract_text() for page in pypdf.PdfReader(path).pages)


if __name__ == "__main__":
    main()
