"""Read a PDF, page by page. The only module that imports pypdf.

PDFium gives the text and where it stands, and what the file says of itself; pypdf is the second opinion where a page shows text that PDFium
cannot read. Neither names all the errors it raises, so every page has its own try.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pypdf

from ingest.boxes import word_boxes
from ingest.drawn_order import as_written
from ingest.health import health, judged, looks_western, recoded, wrong_encoding
from ingest.layout import Line, PageText, page_texts
from ingest.limits import Watch
from ingest.pdfium import PdfiumDocument, Sheet
from ingest.pdfium import UnreadablePdfError as UnreadablePdfError
from ingest.proposal import propose
from ingest.recognition import Seen, is_unread, recognise
from ingest.records import UNDETERMINED, Content, Health, Page
from ingest.structure import headings, printed_labels
from ingest.trust import Font, fonts_of, page_at
from ingest.typeset import Typeset

log = logging.getLogger(__name__)

ASKED_FOR = "recognition was asked for"  # the cause of a page that was recognised although it had text
NOTHING = Sheet([], np.zeros((0, 4), np.float32), 595.0, 842.0)  # what is known of a page that cannot be opened


def read_pdf(
    path: Path, edition_id: str, language: str = UNDETERMINED, watch: Watch | None = None, asked_for: Collection[int] = frozenset()
) -> Content:
    """Read all pages of an edition in `language`. A page without text says so in its health; those asked for are recognised whatever text they have.

    Raises UnreadableFileError when there are no pages to be had.
    """
    watch = watch or Watch()
    with path.open("rb") as file:
        start = file.read(1024)
    if b"%PDF-" not in start:
        raise UnreadablePdfError(f"not a PDF: it begins with {start[:12]!r}" if start else "not a PDF: it is empty")
    document = PdfiumDocument(path)
    watch.limits.pages_allowed(len(document))
    second = _SecondOpinion(path)
    readings = _in_right_encoding([_watched_page(document, number, second, watch) for number in range(1, len(document) + 1)])
    pages, texts = _pages(edition_id, document, readings, language)
    wanted = {page.number for page in pages if page.number in asked_for and page.number not in watch.lost and not is_unread(page)}
    seen, wants = recognise(document, [_to_recognise(page) if page.number in wanted else page for page in pages], second.fonts, language, watch)
    seen = {number: _kept_as_it_was(one) if number in wanted else one for number, one in seen.items()}
    if any(page.sheet for page in seen.values()):
        pages, texts = _pages(edition_id, document, [_with_what_was_seen(reading, seen) for reading in readings], language)
    pages = tuple(_with_reason(page, seen) for page in pages)
    found, metadata = headings(texts, document.outline()), document.metadata()
    title = " ".join(metadata.get("Title", "").split())
    return Content(title, pages, headings=found, proposal=propose(pages, found, metadata), wants=wants)


@dataclass(frozen=True, slots=True)
class _Reading:
    number: int
    sheet: Sheet
    failed: bool = False
    cause: str = ""  # how reading it ended an earlier process, or why it was recognised
    confidence: float = 1.0  # below 1 only when it was recognised
    recognised: bool = False
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


def _pages(edition_id: str, document: PdfiumDocument, readings: Sequence[_Reading], language: str) -> tuple[tuple[Page, ...], list[PageText]]:
    texts = page_texts([(reading.sheet.lines, reading.sheet.height) for reading in readings])
    pages = [_page(edition_id, *page) for page in zip(_labels(document, texts), readings, texts, strict=True)]
    return judged(pages, language), texts


def _page(edition_id: str, label: str, reading: _Reading, text: PageText) -> Page:
    condition, cause = _condition(text.text.text, reading)
    notes, boxes = next((part.start for part in text.paragraphs if part.footnote), -1), word_boxes(text.text, reading.sheet.boxes)
    return Page(edition_id, reading.number, label, text.text.text, condition, boxes, cause, notes, reading.confidence)


def _condition(text: str, reading: _Reading) -> tuple[Health, str]:
    if reading.recognised:
        return ("recognised", reading.cause) if text else ("image only", f"{reading.cause}; no text was recognised on it")
    condition, cause = health(text, reading.failed, reading.sheet.images)
    return condition, reading.cause or cause or (f"recoded from {reading.encoding}" if reading.encoding else "")


def _with_what_was_seen(reading: _Reading, seen: Mapping[int, Seen]) -> _Reading:
    page = seen.get(reading.number)
    return _Reading(reading.number, page.sheet, cause=page.cause, confidence=page.confidence, recognised=True) if page and page.sheet else reading


def _with_reason(page: Page, seen: Mapping[int, Seen]) -> Page:
    """The page with what prevented its recognition; what it says is then not to be trusted, unless nothing but its make speaks against it."""
    missed = seen.get(page.number)
    if missed is None or missed.sheet:
        return page
    if missed.trusted:
        return replace(page, cause="; ".join(filter(None, (page.cause, missed.cause))))
    return replace(page, health="suspect" if page.readable else page.health, cause=missed.cause)


def _to_recognise(page: Page) -> Page:
    return replace(page, health="image only", cause=ASKED_FOR)


def _kept_as_it_was(seen: Seen) -> Seen:
    """What came of a page that has its own text: that stays where nothing was recognised."""
    if seen.sheet and not seen.sheet.lines:
        return Seen(f"{seen.cause}; no text was recognised on it", trusted=True)
    return seen if seen.sheet else replace(seen, trusted=True)


def _watched_page(document: PdfiumDocument, number: int, second: _SecondOpinion, watch: Watch) -> _Reading:
    if number in watch.lost:
        return _Reading(number, NOTHING, failed=True, cause=watch.lost[number])
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
    return _Reading(number, replace(sheet, lines=as_written(sheet.lines)))


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

    def fonts(self, number: int) -> tuple[Font, ...]:
        """The fonts of a page; none where pypdf fails."""
        try:
            return fonts_of(page_at(self.reader, number)) if self.reader else ()
        except Exception as error:
            log.info("pypdf: fonts of page %d: %s", number, error)
            return ()

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
