"""Read the text of a PDF, page by page. The only module that imports pypdfium2 and pypdf.

PDFium gives the text and where it stands; pypdf gives metadata and page labels, and is the second opinion where PDFium finds no text.
Neither names all the errors it raises, so every page has its own try.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import pypdf
import pypdfium2
import pypdfium2.raw as pdfium

from ingest.layout import Line, page_texts
from ingest.limits import Watch
from ingest.records import Content, Health, Page, UnreadableFileError

log = logging.getLogger(__name__)

MIN_READABLE = 0.5  # share of letters, marks, digits and spaces below which a text layer is rubbish
NOTE_MARK = re.compile(r"(?:^|(?<=[^\s\d(\[]))\d{1,2}(?=\D|$)")  # a footnote's number, if it is set smaller


class UnreadablePdfError(UnreadableFileError):
    """The PDF as a whole cannot be read."""


def read_pdf(path: Path, edition_id: str, watch: Watch | None = None) -> Content:
    """Read all pages. A page without text says so in its health; raises UnreadableFileError when there are no pages to be had."""
    watch = watch or Watch()
    with path.open("rb") as file:
        start = file.read(1024)
    if b"%PDF-" not in start:
        raise UnreadablePdfError(f"not a PDF: it begins with {start[:12]!r}" if start else "not a PDF: it is empty")
    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        raise UnreadablePdfError(_reason(str(error))) from error
    watch.limits.pages_allowed(len(document))
    second = _SecondOpinion(path)
    readings = [_watched_page(document, number, second, watch) for number in range(len(document))]
    texts = page_texts([(reading.lines, reading.height) for reading in readings])
    pages = tuple(
        Page(edition_id, number, second.label(number), text, _health(text, reading), watch.lost.get(number, ""))
        for number, (reading, text) in enumerate(zip(readings, texts, strict=True), start=1)
    )
    return Content(second.title(), pages)


def _reason(error: str) -> str:
    if "password" in error.lower():
        return "it is encrypted and needs a password; open it with the password and save a copy without one"
    return "damaged: no pages found" if "Success" in error else f"damaged: {error}"  # PDFium refuses a file without pages, and calls it success


@dataclass(frozen=True, slots=True)
class _Reading:
    lines: list[Line]
    height: float  # of the page, in points
    images: bool  # looked for only where there is no text
    failed: bool = False


def _health(text: str, reading: _Reading) -> Health:
    if text:
        readable = sum(char.isalnum() or char.isspace() or (char.isprintable() and not "\ue000" <= char <= "\uf8ff") for char in text)
        return "good" if readable >= MIN_READABLE * len(text) else "unreadable"
    return "unreadable" if reading.failed else "image only" if reading.images else "empty"


def _watched_page(document: pypdfium2.PdfDocument, number: int, second: _SecondOpinion, watch: Watch) -> _Reading:
    if number + 1 in watch.lost:
        return _Reading([], 1.0, images=False, failed=True)
    watch.page(number + 1)
    return _read_page(document, number, second)


def _read_page(document: pypdfium2.PdfDocument, number: int, second: _SecondOpinion) -> _Reading:
    try:
        page = document[number]
        lines, height = _typeset_lines(page.get_textpage()), page.get_height()
        images = not lines and any(True for _ in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=3))
        return _Reading(lines or second.lines(number + 1, height), height, images)
    except Exception as error:  # PDFium raises more than it documents; the page's health tells the reader
        log.warning("page %d: %s", number + 1, error)
        return _Reading(second.lines(number + 1, 1.0), 1.0, images=False, failed=True)


def _typeset_lines(textpage: pypdfium2.PdfTextPage) -> list[Line]:
    units = textpage.get_text_range().encode("utf-16-le", "surrogatepass")  # PDFium counts UTF-16 units
    lines, at = [], 0
    for raw in units.decode("utf-16-le", "replace").split("\r\n"):
        length = len(raw.encode("utf-16-le")) // 2
        text = raw.strip()
        if text:
            first = at + len(raw) - len(raw.lstrip())
            last = at + length - 1 - (len(raw) - len(raw.rstrip()))
            left, *lefts = _origin(textpage, first)
            right, *rights = _origin(textpage, last)
            # Marks and note numbers are set off the baseline, and smaller: three characters decide.
            baseline = median((*lefts, *rights, _origin(textpage, (first + last) // 2)[1]))
            size = max(pdfium.FPDFText_GetFontSize(textpage, first), pdfium.FPDFText_GetFontSize(textpage, last))
            text = _without_note_marks(textpage, text, first, size)
            lines.append(Line(text, min(left, right), max(left, right), baseline, size))
        at += length + 2
    return lines


def _without_note_marks(textpage: pypdfium2.PdfTextPage, text: str, first: int, size: float) -> str:
    def kept(found: re.Match[str]) -> str:
        small = pdfium.FPDFText_GetFontSize(textpage, first + found.start()) < 0.85 * size
        return "" if small else found.group()

    return NOTE_MARK.sub(kept, text).strip() or text


def _origin(textpage: pypdfium2.PdfTextPage, position: int) -> tuple[float, float]:
    x, y = pdfium.c_double(), pdfium.c_double()
    pdfium.FPDFText_GetCharOrigin(textpage, position, x, y)
    return x.value, y.value


class _SecondOpinion:
    """pypdf's view of the file; answers with nothing where pypdf fails."""

    def __init__(self, path: Path) -> None:
        try:
            self.reader: pypdf.PdfReader | None = pypdf.PdfReader(path)
            self.labels = list(self.reader.page_labels)
        except Exception as error:  # pypdf raises more than PyPdfError on damaged files; PDFium has read this one
            log.info("pypdf: %s", error)
            self.reader, self.labels = None, []

    def title(self) -> str:
        try:
            return " ".join(str(self.reader.metadata.title or "").split()) if self.reader and self.reader.metadata else ""
        except Exception:
            return ""

    def label(self, number: int) -> str:
        return self.labels[number - 1] if number <= len(self.labels) else str(number)

    def lines(self, number: int, height: float) -> list[Line]:
        """The lines of a page, spread evenly over its height: pypdf tells their order, not reliably their place."""
        try:
            texts = self.reader.pages[number - 1].extract_text().splitlines() if self.reader else []
        except Exception as error:
            log.info("pypdf: page %d: %s", number, error)
            return []
        texts = [" ".join(text.split()) for text in texts if text.strip()]
        step = height / (len(texts) + 1)
        return [Line(text, 0.0, float(len(text)), height - step * place, step / 1.5) for place, text in enumerate(texts, start=1)]
