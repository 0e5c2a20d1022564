"""Recognise the pages of a PDF that are only pictures, and all of them where their letters are not those that are seen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import median

import numpy as np

from ingest.hocr import Recognition
from ingest.language import identify, prevailing, reads_as
from ingest.layout import Line
from ingest.limits import Watch
from ingest.ocr import DPI, SCRIPT_PACK, RecognitionError, Tesseract, find_tesseract, pack_of, scale_for
from ingest.pdfium import PdfiumDocument, Sheet
from ingest.records import UNDETERMINED, Page
from ingest.scripts import read_script
from ingest.trust import Font, doubt, has_wrong_letters, sample_page
from ingest.typeset import Typeset

ALPHABETS = {"Latn", "Cyrl"}
VOICES = 20  # pages at most, spread over a document, that tell its language
USUAL_CONFIDENCE = {"lo": 0.37, "fa": 0.86, "ar": 0.89}  # of the packs that are less sure where they are right (docs/reading.md)
SAME_SIZE = 0.2  # share by which recognised type may differ from the usual on its page and still be of that size


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of a page that was to be recognised."""

    cause: str  # why it was to be recognised and, if it was not, what prevented it
    sheet: Sheet | None = None  # None when it was not recognised
    confidence: float = 0.0  # in [0, 1]
    trusted: bool = False  # whether the text it has is believed all the same


@dataclass(frozen=True, slots=True)
class Eyes:
    """What is needed to recognise pages of one document."""

    document: PdfiumDocument
    tesseract: Tesseract
    language: str
    watch: Watch
    until: float  # on the monotonic clock, in seconds

    def see(self, number: int, cause: str) -> Seen:
        """Recognise the page of this number, from 1."""
        if time.monotonic() >= self.until or not self.watch.has_time():
            return Seen(f"{cause}; not recognised, because the time for one file was used up: split it")
        self.watch.page(number)
        try:
            size = self.document.size(number)
            scale = scale_for(*size, self.language)
            recognition = self.tesseract.recognise(self.document.picture(number, scale), scale, self.language)
        except RecognitionError as error:
            return Seen(f"{cause}; {error}")
        except Exception as error:  # PDFium raises more than it documents; the page's cause tells the reader
            return Seen(f"{cause}; it cannot be drawn: {error}")
        return Seen(cause, sheet_of(recognition, *size), recognition.confidence)


def recognise(
    document: PdfiumDocument, pages: Sequence[Page], fonts: Callable[[int], Sequence[Font]], language: str, watch: Watch
) -> tuple[Mapping[int, Seen], str]:
    """Recognise what has to be, of a document in `language`, which is told where it is not known and matters; `fonts` gives those of the page of a number.

    Returns what came of each page that was to be recognised, by its number, and the language pack that was missing, or "".
    """
    unread = {page.number: page.cause for page in pages if is_unread(page)}
    sample = sample_page([page.text if page.readable else "" for page in pages])
    if sample and _spells_words(pages[sample - 1].text):
        sample = None
    shown = fonts(sample) if sample else ()
    if language == UNDETERMINED and (unread or (sample and doubt(shown, f"und-{read_script(pages[sample - 1].text)[1]}"))):
        texts = [page.text for page in pages if page.readable]
        language = prevailing(texts[:: len(texts) // VOICES + 1])
    doubts = doubt(shown, language) if sample else ""
    if not unread and not doubts:
        return {}, ""
    wants = _pack(language)
    try:
        tesseract = _asked(find_tesseract)
        wants = ""
        if language == UNDETERMINED and watch.limits.recognition_seconds:
            language = _language_seen(document, tesseract, min(unread, default=sample or 1), watch)
        tesseract.packs_for(language)
    except RecognitionError as error:
        believed = _not_compared(pages, str(error)) if doubts else {}
        return believed | {number: Seen(f"{cause}; {error}") for number, cause in unread.items()}, wants or error.pack
    eyes = Eyes(document, tesseract, language, watch, time.monotonic() + watch.limits.recognition_seconds)
    seen = dict(_wrong(eyes, pages, sample, doubts)) if sample and doubts else {}
    return seen | {number: eyes.see(number, cause) for number, cause in unread.items()}, ""


def is_unread(page: Page) -> bool:
    """Whether there is something on a page that its text does not tell."""
    return page.health == "image only" or bool(page.text and not page.readable)


def _spells_words(text: str) -> bool:
    """Whether a text in an alphabet of many languages reads as one of them; with wrong letters it would not, so nobody need look at its fonts."""
    return read_script(text)[1] in ALPHABETS and reads_as(text)


def _language_seen(document: PdfiumDocument, tesseract: Tesseract, first: int, watch: Watch) -> str:
    """The language of a document whose text does not tell it, by what one page looks like: its script, then what is read in that script.

    The second page is taken where there is one, since a cover has few letters. Raises RecognitionError when it cannot be told.
    """
    number = min(first + 1, len(document))
    if number in watch.lost:
        raise RecognitionError("its language is not known; name it in the catalogue entry")
    watch.page(number)
    try:
        picture = document.picture(number, DPI / 72)
    except Exception as error:  # PDFium raises more than it documents
        raise RecognitionError(f"its language is not known, and page {number} cannot be drawn: {error}") from error
    script = tesseract.script_of(picture)
    readings = {tag: tesseract.recognise(picture, DPI / 72, tag) for tag in tesseract.languages_in(script)}
    best = max(readings, key=lambda tag: readings[tag].confidence / USUAL_CONFIDENCE.get(tag, 0.94))
    told = identify(readings[best].text)
    if told == UNDETERMINED:
        raise RecognitionError("its language is not known, and what was recognised on a page of it does not tell; name it in the catalogue entry")
    return told


def _wrong(eyes: Eyes, pages: Sequence[Page], sample: int, doubts: str) -> Iterator[tuple[int, Seen]]:
    """Recognise all pages that have text, if the sample has the wrong letters."""
    cause = f"wrong letters: {doubts}"
    first = eyes.see(sample, cause)
    if first.sheet is None:
        yield from _not_compared(pages, first.cause.removeprefix(f"{cause}; ")).items()
    elif has_wrong_letters(pages[sample - 1].text, "\n".join(line.text.text for line in first.sheet.lines)):
        yield sample, first
        for page in pages:
            if page.readable and page.number != sample:
                yield page.number, eyes.see(page.number, cause)


def _not_compared(pages: Sequence[Page], why: str) -> dict[int, Seen]:
    """Believe the text of all pages that have some, and say that nobody has looked whether it is what stands there."""
    cause = f"its text layer could not be compared with what is seen: {why}"
    return {page.number: Seen(cause, trusted=True) for page in pages if page.readable}


@cache
def _asked(find: Callable[[], Tesseract]) -> Tesseract:
    """What `find` found when this process asked first: a reading process lasts for one ingest, and the program answers in two runs of it."""
    return find()


def sheet_of(recognition: Recognition, width: float, height: float) -> Sheet:
    """What was recognised on a page of this size in points, as if PDFium had read it; type of about the usual size is of the usual size."""
    usual = median(line.size for line in recognition.lines) if recognition.lines else 0.0
    lines, boxes, at = [], [np.zeros((0, 4), np.float32)], 0
    for line in recognition.lines:
        text = Typeset(line.text, list(range(at, at + len(line.text))))
        size = usual if abs(line.size - usual) < SAME_SIZE * usual else line.size
        lines.append(Line(text, line.left, line.right, line.baseline, size))
        boxes.append(line.character_boxes())
        at += len(line.text)
    return Sheet(lines, np.concatenate(boxes), width, height)


def _pack(language: str) -> str:
    """The language pack that is missing, "" where there is none to be had; without a language, what tells the script of a page."""
    if language == UNDETERMINED:
        return SCRIPT_PACK
    try:
        return pack_of(language)
    except RecognitionError:
        return ""
