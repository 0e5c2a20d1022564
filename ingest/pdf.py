"""Read a PDF, page by page. The only module that imports pypdf.

PDFium gives the text and where it stands; pypdf gives metadata, outline and page labels, and is the second opinion where PDFium finds no
text. Neither names all the errors it raises, so every page has its own try.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pypdf
import regex

from ingest.boxes import word_boxes
from ingest.layout import Line, page_texts
from ingest.pdfium import PdfiumDocument, Sheet, UnreadablePdfError
from ingest.records import Health, Page
from ingest.typeset import Typeset

log = logging.getLogger(__name__)

MIN_READABLE = 0.5  # share of letters, marks, digits and spaces below which a text layer is rubbish
UNREADABLE = regex.compile(r"[\p{Co}\p{Cn}\p{Cc}--\s]", regex.V1)
A4 = (595.0, 842.0)  # points; the size of a page that cannot be opened


@dataclass(frozen=True, slots=True)
class PdfContent:
    """What a PDF holds: its pages in order, and the title its metadata gives, or ""."""

    title: str
    pages: tuple[Page, ...]


def read_pdf(path: Path, edition_id: str) -> PdfContent:
    """Read all pages. A page without text says so in its health; raises UnreadablePdfError when there are no pages to be had."""
    with path.open("rb") as file:
        start = file.read(1024)
    if b"%PDF-" not in start:
        raise UnreadablePdfError(f"not a PDF: it begins with {start[:12]!r}" if start else "not a PDF: it is empty")
    document = PdfiumDocument(path)
    second = _SecondOpinion(path)
    readings = [_read_page(document, number, second) for number in range(1, len(document) + 1)]
    texts = page_texts([(reading.sheet.lines, reading.sheet.height) for reading in readings])
    pages = tuple(
        Page(
            edition_id,
            number,
            document.label(number) or str(number),
            text.text.text,
            *_health(text.text.text, reading),
            word_boxes(text.text, reading.sheet.boxes),
        )
        for number, (reading, text) in enumerate(zip(readings, texts, strict=True), start=1)
    )
    return PdfContent(document.title(), pages)


@dataclass(frozen=True, slots=True)
class _Reading:
    sheet: Sheet
    failed: bool = False


def _health(text: str, reading: _Reading) -> tuple[Health]:
    if text:
        return ("good" if len(UNREADABLE.findall(text)) <= MIN_READABLE * len(text) else "unreadable",)
    return ("unreadable" if reading.failed else "image only" if reading.sheet.images else "empty",)


def _read_page(document: PdfiumDocument, number: int, second: _SecondOpinion) -> _Reading:
    try:
        sheet = document.sheet(number)
    except Exception as error:  # PDFium raises more than it documents; the page's health tells the reader
        log.warning("page %d: %s", number, error)
        return _Reading(Sheet(second.lines(number, A4[1]), np.zeros((0, 4), np.float32), *A4), failed=True)
    if sheet.unread:
        sheet = replace(sheet, lines=second.lines(number, sheet.height))
    return _Reading(sheet)


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
