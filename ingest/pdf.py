"""Read a PDF, page by page. The only module that imports pypdf.

PDFium gives the text and where it stands, and what the file says of itself; pypdf is the second opinion where a page shows text that PDFium
cannot read. Neither names all the errors it raises, so every page has its own try.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pypdf

from ingest.boxes import word_boxes
from ingest.health import health, looks_western, recoded, wrong_encoding
from ingest.layout import Line, PageText, page_texts
from ingest.limits import Watch
from ingest.pdfium import PdfiumDocument, Sheet
from ingest.pdfium import UnreadablePdfError as UnreadablePdfError
from ingest.proposal import propose
from ingest.records import Content, Page
from ingest.structure import headings, printed_labels
from ingest.typeset import Typeset

log = logging.getLogger(__name__)

NOTHING = Sheet([], np.zeros((0, 4), np.float32), 595.0, 842.0)  # what is known of a page that cannot be opened


def read_pdf(path: Path, edition_id: str, watch: Watch | None = None) -> Content:
    """Read all pages. A page without text says so in its health; raises UnreadableFileError when there are no pages to be had."""
    watch = watch or Watch()
    with path.open("rb") as file:
        start = file.read(1024)
    if b"%PDF-" not in start:
        raise UnreadablePdfError(f"not a PDF: it begins with {start[:12]!r}" if start else "not a PDF: it is empty")
    document = PdfiumDocument(path)
    watch.limits.pages_allowed(len(document))
    second = _SecondOpinion(path)
    readings = _in_right_encoding([_watched_page(document, number, second, watch) for number in range(1, len(document) + 1)])
    texts = page_texts([(reading.sheet.lines, reading.sheet.height) for reading in readings])
    found, metadata = headings(texts, document.outline()), document.metadata()
    pages = [_page(edition_id, *page) for page in zip(_labels(document, texts), readings, texts, strict=True)]
    return Content(" ".join(metadata.get("Title", "").split()), tuple(pages), headings=found, proposal=propose(texts, found, metadata))


@dataclass(frozen=True, slots=True)
class _Reading:
    number: int
    sheet: Sheet
    failed: bool = False
    lost: str = ""  # how reading it ended an earlier process
    encoding: str = ""  # in which it was written, when it was read in another


def _in_right_encoding(readings: list[_Reading]) -> list[_Reading]:
    encoding = wrong_encoding(_written(reading) for reading in readings)
    if not encoding:
        return readings
    return [_recoded(reading, encoding) if encoding == "utf-8" or looks_western(_written(reading)) else reading for reading in readings]


def _recoded(reading: _Reading, encoding: str) -> _Reading:
    lines = [replace(line, text=recoded(line.text, encoding)) for line in reading.sheet.lines]
    return replace(reading, sheet=replace(reading.sheet, lines=lines), encoding=encoding) if lines != reading.sheet.lines else reading


def _written(reading: _Reading) -> str:
    return "\n".join(line.text.text for line in reading.sheet.lines)


def _labels(document: PdfiumDocument, texts: Sequence[PageText]) -> list[str]:
    """The labels that the file gives its pages, else those that are printed on them, else their numbers."""
    numbers = [str(number) for number in range(1, len(texts) + 1)]
    given = [document.label(number) for number in range(1, len(texts) + 1)]
    printed = [] if any(given) else printed_labels([text.edge for text in texts])
    return next((labels for labels in (given, printed) if any(labels)), numbers)


def _page(edition_id: str, label: str, reading: _Reading, text: PageText) -> Page:
    condition, cause = health(text.text.text, reading.failed, reading.sheet.images)
    cause = reading.lost or cause or (f"recoded from {reading.encoding}" if reading.encoding else "")
    notes = next((part.start for part in text.paragraphs if part.footnote), -1)
    return Page(edition_id, reading.number, label, text.text.text, condition, word_boxes(text.text, reading.sheet.boxes), cause, notes)


def _watched_page(document: PdfiumDocument, number: int, second: _SecondOpinion, watch: Watch) -> _Reading:
    if number in watch.lost:
        return _Reading(number, NOTHING, failed=True, lost=watch.lost[number])
    watch.page(number)
    return _read_page(document, number, second)


def _read_page(document: PdfiumDocument, number: int, second: _SecondOpinion) -> _Reading:
    try:
        sheet = document.sheet(number)
    except Exception as error:  # PDFium raises more than it documents; the page's health tells the reader
        log.warning("page %d: %s", number, error)
        return _Reading(number, replace(NOTHING, lines=second.lines(number, NOTHING.height)), failed=True)
    if sheet.unread:
        sheet = replace(sheet, lines=second.lines(number, sheet.height))
    return _Reading(number, sheet)


class _SecondOpinion:
    """pypdf's view of the file, opened when it is asked for; answers with nothing where pypdf fails."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def reader(self) -> pypdf.PdfReader | None:
        try:
            return pypdf.PdfReader(self.path)
        except Exception as error:  # pypdf raises more than PyPdfError on damaged files; PDFium has read this one
            log.info("pypdf: %s", error)
            return None

    def lines(self, number: int, height: float) -> list[Line]:
        """The lines of a page, spread evenly over its height: pypdf tells their order, not reliably their place."""
        try:
            texts = self.reader.pages[number - 1].extract_text().splitlines() if self.reader else []
        except Exception as error:
            log.info("pypdf: page %d: %s", number, error)
            return []
        texts = [" ".join(text.split()) for text in texts if text.strip()]
        step = height / (len(texts) + 1)
        return [Line(Typeset.unplaced(text), 0.0, float(len(text)), height - step * place, step / 1.5) for place, text in enumerate(texts, start=1)]
