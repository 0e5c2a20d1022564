"""Read the glyphs of a PDF's pages with PDFium: characters, where each stands, and the lines they make. The only module that imports pypdfium2."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium
import regex
from numpy.typing import NDArray

from ingest.layout import Line
from ingest.records import IsoglossError
from ingest.shaping import COMPLEX, SPACE, Fragment, gathered, unshaped
from ingest.typeset import Typeset

NOTE_MARK = regex.compile(r"(?:^|(?<=[^\s(\[]))\d{1,3}(?!\d)|(?<=\d)\d{1,2}(?!\d)")  # a footnote's number, if it is set smaller
UNIT = regex.compile(r"(?:^|[^\p{L}])(?:[kcmd]?m|CO|s)$")  # a small number after it is an exponent
SMALL = 0.85  # of the type around it
BROKEN_LINE = regex.compile("(?<=[\u0002\ufffe])(?!\r)|\r\n")  # PDFium ends no line after a hyphen that the typesetter put in
Boxes = NDArray[np.float32]  # shape (characters, 4): left, bottom, right, top in PDF points, as displayed, from the lower left corner


class UnreadablePdfError(IsoglossError):
    """The file as a whole cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page as PDFium sees it: its lines in the order of the content; the glyphs of their texts number the rows of `boxes`."""

    lines: list[Line]
    boxes: Boxes
    width: float  # points, as displayed
    height: float
    images: bool = False  # whether it shows any; looked for only where there is no text


class PdfiumDocument:
    """An open PDF. Raises UnreadablePdfError when there are no pages to be had."""

    def __init__(self, path: Path) -> None:
        try:
            self._document = pypdfium2.PdfDocument(path)
        except pypdfium2.PdfiumError as error:
            raise UnreadablePdfError(_reason(str(error))) from error

    def __len__(self) -> int:
        return len(self._document)

    def sheet(self, number: int) -> Sheet:
        """Read the page of this number, from 1. Raises whatever PDFium raises, which is more than it documents."""
        page = self._document[number - 1]
        textpage = page.get_textpage()
        text = _text(textpage)
        display = _Display(page)
        boxes = display.boxes(_loose_boxes(textpage, len(text)))
        fragments = list(_fragments(textpage, text, boxes, display))
        if COMPLEX.search(text):
            lines = unshaped(fragments, text, boxes, _spellings(textpage, text), lambda at: _ink(textpage, at, display))
        else:
            lines = [_line(group, text) for group in gathered(fragments, text)]
        lines = [_without_note_marks(textpage, line) for line in lines]
        images = not lines and any(True for _ in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=3))
        return Sheet(lines, boxes, display.width, display.height, images)


def _reason(error: str) -> str:
    if "password" in error.lower():
        return "needs a password"
    return "damaged: no pages found" if "Success" in error else f"damaged: {error}"  # PDFium refuses a file without pages, and calls it success


class _Display:
    """From the space in which a page was written to that in which it is shown: cropped, turned, its lower left corner at (0, 0)."""

    def __init__(self, page: Any) -> None:
        self.left, self.bottom, right, top = page.get_bbox()
        self.turns = page.get_rotation() // 90  # clockwise
        sides = right - self.left, top - self.bottom
        self.width, self.height = sides if self.turns % 2 == 0 else sides[::-1]

    def boxes(self, boxes: Boxes) -> Boxes:
        left, bottom, right, top = (boxes - np.array([self.left, self.bottom] * 2, np.float32)).T
        if self.turns == 1:
            left, bottom, right, top = bottom, self.height - right, top, self.height - left
        elif self.turns == 2:
            left, bottom, right, top = self.width - right, self.height - top, self.width - left, self.height - bottom
        elif self.turns == 3:
            left, bottom, right, top = self.width - top, left, self.width - bottom, right
        return np.stack([left, bottom, right, top], axis=1)

    def point(self, x: float, y: float) -> tuple[float, float]:
        return self.boxes(np.array([[x, y, x, y]], np.float32))[0, :2].tolist() if self.turns else (x - self.left, y - self.bottom)


def _text(textpage: Any) -> str:
    """One character for each that PDFium counts; pypdfium2 leaves out those that it takes for no text."""
    text = textpage.get_text_range()
    count = textpage.count_chars()
    if len(text) != count or "\ufffd" in text:
        codes = (pdfium.FPDFText_GetUnicode(textpage, at) for at in range(count))
        text = "".join(chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd" for code in codes)
    return str(text)


# The typed wrapper makes objects of every argument; a page has thousands of characters, and this call takes a third of the time.
_loose_box = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)(
    ctypes.cast(pdfium.FPDFText_GetLooseCharBox, ctypes.c_void_p).value or 0
)


def _loose_boxes(textpage: Any, count: int) -> Boxes:
    """From ascent to descent of the font, so that the boxes of a line are of one height."""
    boxes = np.zeros((count, 4), np.float32)
    handle, row = ctypes.cast(textpage.raw, ctypes.c_void_p).value, boxes.ctypes.data
    for at in range(count):
        _loose_box(handle, at, row)
        row += 16
    return boxes[:, [0, 3, 2, 1]]  # PDFium says left, top, right, bottom


def _ink(textpage: Any, at: int, display: _Display) -> float:
    """How far to the left a glyph is drawn."""
    left, right, bottom, top = (pdfium.c_double() for _ in range(4))
    pdfium.FPDFText_GetCharBox(textpage, at, left, right, bottom, top)
    if not display.turns:
        return left.value - display.left
    return float(display.boxes(np.array([[left.value, bottom.value, right.value, top.value]], np.float32))[0, 0])


def _fragments(textpage: Any, text: str, boxes: Boxes, display: _Display) -> Iterator[Fragment]:
    """The stretches that PDFium takes for lines."""
    at = 0
    for found in [*BROKEN_LINE.finditer(text), None]:
        raw = text[at : found.start() if found else len(text)]
        first, last = at + len(raw) - len(raw.lstrip()), at + len(raw.rstrip()) - 1
        if last >= first:
            points = [display.point(*_origin(textpage, place)) for place in (first, (first + last) // 2, last)]
            # Marks and note numbers are set off the baseline, and smaller: three characters decide.
            size = max(_type_size(textpage, first), _type_size(textpage, last))
            left, right = float(boxes[first : last + 1, 0].min()), float(boxes[first : last + 1, 2].max())
            yield Fragment(first, last + 1, left, right, median(y for _, y in points), size)
        at = found.end() if found else len(text)


def _line(group: Sequence[Fragment], text: str) -> Line:
    piece = Typeset("", [])
    for fragment, before in zip(group, [None, *group], strict=False):
        spaced = before is not None and fragment.left - before.right > SPACE * before.size
        piece = piece + (" " if spaced else "") + Typeset(text[fragment.start : fragment.end], list(range(fragment.start, fragment.end)))
    widest = max(group, key=lambda part: part.right - part.left)
    return Line(piece, min(part.left for part in group), max(part.right for part in group), widest.baseline, widest.size)


def _origin(textpage: Any, at: int) -> tuple[float, float]:
    x, y = pdfium.c_double(), pdfium.c_double()
    pdfium.FPDFText_GetCharOrigin(textpage, at, x, y)
    return x.value, y.value


def _type_size(textpage: Any, at: int) -> float:
    """In points on the page; PDFium's own figure leaves out by how much the page enlarges it."""
    matrix = pdfium.FS_MATRIX()
    scale = math.hypot(matrix.c, matrix.d) if pdfium.FPDFText_GetMatrix(textpage, at, matrix) else 1.0
    return float(pdfium.FPDFText_GetFontSize(textpage, at)) * (scale or 1.0)


def _without_note_marks(textpage: Any, line: Line) -> Line:
    def kept(found: regex.Match[str]) -> str:
        glyph = line.text.glyphs[found.start()]
        small = _type_size(textpage, glyph) < SMALL * line.size and not UNIT.search(line.text.text[: found.start()])
        return "" if small else found.group()

    text = line.text.sub(NOTE_MARK, kept)
    noted = text.text[:1] != line.text.text[:1]
    return replace(line, text=text.strip(), noted=noted) if text.text.strip() else line


def _spellings(textpage: Any, text: str) -> list[int]:
    """For each character the marked content that spells it out (ActualText), as a number, or 0 where there is none."""
    of_object: dict[int | None, int] = {}
    numbers: dict[int | None, int] = {}
    spellings = []
    for at in range(len(text)):
        shown = pdfium.FPDFText_GetTextObject(textpage, at)
        key = ctypes.cast(shown, ctypes.c_void_p).value
        if key not in of_object:
            marks = [pdfium.FPDFPageObj_GetMark(shown, place) for place in range(max(0, pdfium.FPDFPageObj_CountMarks(shown)))] if key else []
            spelt = [ctypes.cast(mark, ctypes.c_void_p).value for mark in marks if _spells(mark)]
            of_object[key] = numbers.setdefault(spelt[-1], len(numbers) + 1) if spelt else 0
        spellings.append(of_object[key])
    return spellings


def _spells(mark: Any) -> bool:
    return bool(pdfium.FPDFPageObjMark_GetParamValueType(mark, b"ActualText") == pdfium.FPDF_OBJECT_STRING)
