"""Read one file, whatever its format: the work of a reading process."""

from __future__ import annotations

import mmap
import re
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

from ingest.formats import PDF, WORD, format_of
from ingest.health import judged
from ingest.html import read_html
from ingest.limits import MIB, Watch
from ingest.pdf import read_pdf
from ingest.records import UNDETERMINED, Content
from ingest.word import read_word

FLATE_STREAM = re.compile(rb"/FlateDecode[^\0]{0,500}?stream\r?\n|/Fl\b[^\0]{0,500}?stream\r?\n")
BITE = MIB  # bytes that are unpacked at a time


@dataclass(frozen=True, slots=True)
class Source:
    """The file of an edition, and how it is to be read."""

    edition_id: str
    path: Path
    language: str = UNDETERMINED  # BCP 47
    recognise: frozenset[int] = frozenset()  # pages, from 1, to recognise although they have text; only those of a PDF can be


def read_file(source: Source, watch: Watch | None = None) -> Content:
    """Read a file by what it is, not by what it is called. Raises UnreadableFileError when nothing of it can be had."""
    watch = watch or Watch()
    watch.page(0)
    form = format_of(source.path)
    if form is PDF:
        return read_pdf(source.path, source.edition_id, source.language, watch, source.recognise)
    content = read_word(source.path, source.edition_id, watch) if form is WORD else read_html(source.path, source.edition_id)
    return replace(content, pages=judged(content.pages, source.language))


def unpacks_too_far(path: Path, watch: Watch) -> bool:
    """Whether a PDF holds a stream that unpacks to more than the limit. For the diagnosis of a file that ended its reading process.

    The streams are looked for in the bytes of the file, so an encrypted one, or one in object streams, is not found.
    """
    watch.page(0)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return any(_unpacked(content, found.end(), found.group().count(b"/Fl"), watch.limits.unpacked) for found in FLATE_STREAM.finditer(content))


def _unpacked(content: mmap.mmap, start: int, times: int, limit: int) -> bool:
    """Whether the stream at `start`, packed so many times, is longer than `limit` after any of the unpackings."""
    layers = [zlib.decompressobj() for _ in range(times)]
    sizes = [0] * times
    for at in range(start, len(content), BITE):
        pieces = [content[at : at + BITE]]
        for place, layer in enumerate(layers):
            unpacked = []
            for piece in pieces:
                while piece and not layer.eof:
                    try:
                        unpacked.append(layer.decompress(piece, BITE))
                    except zlib.error:
                        return False
                    sizes[place] += len(unpacked[-1])
                    if sizes[place] > limit:
                        return True
                    piece = layer.unconsumed_tail
            pieces = unpacked
        if layers[0].eof:
            return False
    return False
