"""How long it takes until a change is seen, and what a new generation costs those who search: python -m bench.change LIBRARY

LIBRARY, one of bench/libraries.py, is copied first. Added is a PDF of 60 pages full of text; the time until a search finds it is told as a multiple of
the time that reading and encoding it takes by itself, in the same process with the same encoder. A generation is built by another process, as the
worker does it, while this one searches.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from textwrap import wrap

import click
import numpy as np

from bench.material import COLLECTIONS, sentences_of
from bench.search import Times, questions, timed
from bench.table import Row, table
from index.encoder import Encoder
from index.library import Library
from index.searcher import Query, Searcher
from index.sentence_encoder import open_encoder
from ingest.passages import cut_pages, encoded_text
from ingest.pipeline import read_files
from ingest.reading import Source
from search_app.ingesting import ingest

PAGES, LINES, COLUMNS = 60, 44, 88  # of the publication that is added
LANGUAGE = "es"
SOUGHT = "Zyxquara Belmontave"  # stands on one of its pages, and nowhere else
LOOKS = 0.02  # seconds between two looks whether it has been stored
SEARCHES = 60  # before a generation is built, and at least as many meanwhile
MANY = 10_000  # questions, more than are asked while a generation of a million is built
BUILD = "import sys; from pathlib import Path; from index import generations; from index.library import Library; generations.build(Library.open(Path(sys.argv[1])))"


@dataclass(frozen=True)
class Changed:
    """What was measured, in seconds."""

    passages: int
    alone: float  # reading and encoding
    added: float  # until found
    removed: float  # until not found any more
    building: float  # one generation
    before: Times  # of searches
    meanwhile: Times


@click.command()
@click.argument("folder", metavar="LIBRARY", type=click.Path(exists=True, path_type=Path))
def main(folder: Path) -> None:
    click.echo(table(rows(measure(folder, open_encoder()))))


def measure(folder: Path, encoder: Encoder) -> Changed:
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="changing-") as scratch:
        copied, corpus = Path(scratch) / "library", Path(scratch) / "corpus"
        shutil.copytree(folder, copied)
        corpus.mkdir()
        path = corpus / "added.pdf"
        path.write_bytes(pdf_of(written()))
        library = Library.open(copied)
        searcher = Searcher(library, encoder)
        alone = timed(lambda: read_and_encode(path, encoder))
        added = add(corpus, searcher)
        removed = remove(searcher)
        asked = questions(MANY)  # each once: what an answer was made of is remembered
        before = searches(searcher, asked[:SEARCHES])
        building, meanwhile = while_building(copied, searcher, asked[SEARCHES:])
        return Changed(library.passage_count(), alone, added, removed, building, before, meanwhile)


def written() -> list[list[str]]:
    """The lines of the pages, sentences of the material in a row; the Spanish ones, which a PDF's own fonts can write."""
    chance, every = Random(1), sentences_of(COLLECTIONS[0], LANGUAGE)
    text = " ".join(chance.choice(every).drawn(chance) for _ in range(PAGES * LINES))
    latin = text.encode("latin-1", "ignore").decode("latin-1")
    lines = wrap(latin, COLUMNS)
    pages = [lines[start : start + LINES] for start in range(0, PAGES * LINES, LINES)]
    pages[PAGES // 2][LINES // 2] = f"{SOUGHT}."
    return pages


def read_and_encode(path: Path, encoder: Encoder) -> None:
    for reading in read_files([Source("alone", path, LANGUAGE)], 1):
        assert reading.content, reading.problem
        passages = cut_pages(reading.content.pages, encoder.count_tokens, LANGUAGE, reading.content.headings)
        encoder.encode_passages([encoded_text(passage, "") for passage in passages])


def add(corpus: Path, searcher: Searcher) -> float:
    """Ingest the folder, and wait until its publication is found."""
    start = time.perf_counter()
    ingesting = threading.Thread(target=ingest, args=(corpus, searcher.library, searcher.encoder))
    ingesting.start()
    revision = searcher.library.revision()
    while not found(searcher):
        while revision == (revision := searcher.library.revision()) and ingesting.is_alive():
            time.sleep(LOOKS)
    seconds = time.perf_counter() - start
    ingesting.join()
    return seconds


def remove(searcher: Searcher) -> float:
    start = time.perf_counter()
    for name in found(searcher):
        searcher.library.remove_publication(name)
    assert not found(searcher)
    return time.perf_counter() - start


def found(searcher: Searcher) -> list[str]:
    """The ids of the publications that hold what only the added one holds."""
    return [hit.publication.publication_id for hit in searcher.search(Query(f'"{SOUGHT}"', exact=True), 1)]


def searches(searcher: Searcher, asked: Sequence[str]) -> Times:
    return [timed(partial(searcher.search, Query(text, counterparts=False))) for text in asked]


def while_building(folder: Path, searcher: Searcher, asked: Sequence[str]) -> tuple[float, Times]:
    """Seconds that building a generation takes, and the times of searches meanwhile; it is built again until there are enough of these."""
    times, seconds = Times(), Times()
    while len(times) < SEARCHES:
        start = time.perf_counter()
        with subprocess.Popen(["nice", sys.executable, "-c", BUILD, folder], env=os.environ | {"OMP_NUM_THREADS": "1"}) as builder:
            while builder.poll() is None:
                times += searches(searcher, [asked[len(times) % len(asked)]])
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds)), times


def rows(one: Changed) -> list[Row]:
    of = f"{one.passages:,} passages"
    late, before = (float(np.percentile(times, 95)) for times in (one.meanwhile, one.before))
    ratio, slowed = one.added / one.alone, late / before
    return [
        Row(
            "5",
            f"adding {PAGES} pages until they are found, {of}",
            f"{one.added:.1f} s",
            f"{ratio:.2f} x",
            "at most 1.3 x reading and encoding them",
            ratio <= 1.3,
        ),
        Row("5", f"deleting them until they are not found, {of}", f"{one.removed:.2f} s", "", "under 1 s", one.removed < 1),
        Row("5", f"building a generation without the encoder, {of}", f"{one.building:.1f} s", "", "minutes at 1,000,000", one.building < 600),
        Row("5", f"answer meanwhile, p95, {of}", f"{1000 * late:.0f} ms", f"{slowed:.2f} x", "at most 2 x p95 before", slowed <= 2),
    ]


def figures(one: Changed) -> dict[str, float]:
    """What bench/capacity.py computes with, in seconds."""
    return {"passages": one.passages, "added": one.added, "removed": one.removed, "building": one.building}


def pdf_of(pages: Sequence[Sequence[str]]) -> bytes:
    """A PDF with these lines of Latin-1 text on its pages."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "", "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"]
    for lines in pages:
        shown = " T* ".join("(" + "".join(f"\\{char}" if char in "\\()" else char for char in line) + ") Tj" for line in lines)
        stream = f"BT /F1 11 Tf 15 TL 60 770 Td {shown} ET"
        objects.append(f"<< /Length {len(stream.encode('latin-1'))} >>\nstream\n{stream}\nendstream")
        objects.append(f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {len(objects)} 0 R /Resources << /Font << /F1 3 0 R >> >> >>")
    kids = " ".join(f"{number} 0 R" for number in range(5, len(objects) + 1, 2))
    objects[1] = f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>"
    out, offsets = b"%PDF-1.4\n", list[int]()
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
    places = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    ending = (
        f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{places}trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF"
    )
    return out + ending.encode("latin-1")


if __name__ == "__main__":
    main()
