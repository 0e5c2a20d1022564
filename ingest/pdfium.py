"""Read the glyphs of a PDF's pages with PDFium: characters, where each stands, and the lines they make. The only module that imports pypdfium2."""

from __future__ import annotations

import ctypes
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium
import regex
from numpy.typing import NDArray

from ingest.layout import Line
from ingest.records import UnreadableFileError
from ingest.ruby import without_readings
from ingest.shaping import COMPLEX, Fragment, gathered, plain_line, unshaped

DIGITS = regex.compile(r"\d+")  # a footnote's number, or its end, if it is set smaller
NOTE_DIGITS = 3  # a footnote has no longer number
UNIT = regex.compile(r"(?:^|[^\p{L}])(?:[kcmd]?m|CO|s)$")  # a small number after it is an exponent
SMALL = 0.85  # of the type around it
TALL = 2.0  # type sizes; some fonts say that they reach over the lines around them, and no script does
ASCENT, DESCENT = 0.9, 0.25  # type sizes, of those that say so
RAISED = 0.1  # type sizes above the line at least
LINE = regex.compile(
    "[^\\s\u0002\ufffe](?:[^\r\n\u0002\ufffe]*(?:[\u0002\ufffe]|[^\\s\u0002\ufffe]))?"
)  # PDFium ends no line after a hyphen that the typesetter put in
ENDED = regex.compile(r"[\p{L}\p{M}]+|\p{N}+|[^\s\p{L}\p{M}\p{N}]")  # what an edit takes whole; the boxes of its ends are asked for
BOXED_LETTERS = regex.compile(
    "[\u0590-\u109f\u1780-\u17ff\u2e80-\ua4cf\uf900-\ufdff\ufe30-\ufefc\uff00-\uffef\U00020000-\U0003ffff]"
)  # asked for each
Boxes = NDArray[np.float32]  # shape (characters, 4): left, bottom, right, top in PDF points, as displayed, from the lower left corner


def _foreign(name: str, result: Any, *arguments: Any) -> Any:
    """PDFium's function without the conversions of its typed wrapper, which take longer than the function; a page has thousands of characters."""
    return ctypes.CFUNCTYPE(result, ctypes.c_void_p, *arguments)(ctypes.cast(getattr(pdfium, name), ctypes.c_void_p).value or 0)


_loose_box = _foreign("FPDFText_GetLooseCharBox", ctypes.c_int, ctypes.c_int, ctypes.c_void_p)
_char_origin = _foreign("FPDFText_GetCharOrigin", ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
_font_size = _foreign("FPDFText_GetFontSize", ctypes.c_double, ctypes.c_int)
_matrix = _foreign("FPDFText_GetMatrix", ctypes.c_int, ctypes.c_int, ctypes.c_void_p)
_text_object = _foreign("FPDFText_GetTextObject", ctypes.c_void_p, ctypes.c_int)
_count_marks = _foreign("FPDFPageObj_CountMarks", ctypes.c_int)
_mark = _foreign("FPDFPageObj_GetMark", ctypes.c_void_p, ctypes.c_ulong)
_value_type = _foreign("FPDFPageObjMark_GetParamValueType", ctypes.c_int, ctypes.c_char_p)


class UnreadablePdfError(UnreadableFileError):
    """The PDF as a whole cannot be read."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page as PDFium sees it: its lines in the order of the content; the glyphs of their texts number the rows of `boxes`."""

    lines: list[Line]
    boxes: Boxes
    width: float  # points, as displayed
    height: float
    images: bool = False  # whether it shows any; looked for only where no text could be read
    unread: bool = False  # whether it shows text, of which none could be read


class PdfiumDocument:
    """An open PDF. Raises UnreadablePdfError when there are no pages to be had."""

    def __init__(self, path: Path) -> None:
        try:
            self._document = pypdfium2.PdfDocument(path)
        except pypdfium2.PdfiumError as error:
            raise UnreadablePdfError(_reason(str(error))) from error

    def __len__(self) -> int:
        return len(self._document)

    def metadata(self) -> dict[str, str]:
        """What the file says of itself: Title, Author, CreationDate and others."""
        return dict(self._document.get_metadata_dict(skip_empty=True))

    def label(self, number: int) -> str:
        """The label that the file gives the page of this number, or ""."""
        return str(self._document.get_page_label(number - 1))

    def outline(self) -> list[tuple[int, str, int]]:
        """The level, title and page of each entry of the outline that leads to a page; levels and pages from 1."""
        entries = []
        for entry in self._document.get_toc():
            target = entry.get_dest()
            page = target.get_index() if target else None
            if page is not None:
                entries.append((entry.level + 1, " ".join(entry.get_title().split()), page + 1))
        return entries

    def sheet(self, number: int) -> Sheet:
        """Read the page of this number, from 1. Raises whatever PDFium raises, which is more than it documents."""
        page = self._document[number - 1]
        textpage = page.get_textpage()
        text = _text(textpage)
        display = _Display(page)
        boxes = display.boxes(_loose_boxes(textpage, text))
        fragments = [fragment for fragment in _fragments(textpage, text, boxes, display) if display.shows(fragment)]
        _lower(boxes, fragments)
        if COMPLEX.search(text):
            lines = unshaped(fragments, text, boxes, _spellings(textpage, text), lambda at: _ink(textpage, at, display))
        else:
            lines = [plain_line(group, text) for group in gathered(without_readings(fragments, text), text)]
        lines = [_without_note_marks(textpage, line, display) for line in lines]
        shown = (
            set() if lines else {shown.type for shown in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE, pdfium.FPDF_PAGEOBJ_TEXT], max_depth=3)}
        )
        return Sheet(lines, boxes, display.width, display.height, pdfium.FPDF_PAGEOBJ_IMAGE in shown, pdfium.FPDF_PAGEOBJ_TEXT in shown)

    def size(self, number: int) -> tuple[float, float]:
        """Width and height of a page in points, as displayed."""
        width, height = self._document[number - 1].get_size()
        return float(width), float(height)

    def picture(self, number: int, scale: float) -> NDArray[np.uint8]:
        """Draw a page at `scale` pixels per point; shape (height, width), 0 is black. Raises whatever PDFium raises."""
        drawn: NDArray[np.uint8] = self._document[number - 1].render(scale=scale, grayscale=True).to_numpy()
        return drawn.reshape(drawn.shape[:2])

    def coloured_picture(self, number: int, scale: float) -> NDArray[np.uint8]:
        """The same in colour; shape (height, width, 3), red first."""
        drawn: NDArray[np.uint8] = self._document[number - 1].render(scale=scale, rev_byteorder=True).to_numpy()
        return drawn[:, :, :3]


def _reason(error: str) -> str:
    if "password" in error.lower():
        return "it is encrypted and needs a password; open it with the password and save a copy without one"
    return "damaged: no pages found" if "Success" in error else f"damaged: {error}"  # PDFium refuses a file without pages, and calls it success


class _Display:
    """From the space in which a page was written to that in which it is shown: cropped, turned, its lower left corner at (0, 0)."""

    def __init__(self, page: Any) -> None:
        self.left, self.bottom, right, top = page.get_bbox()
        self.turns = page.get_rotation() // 90  # clockwise
        sides = right - self.left, top - self.bottom
        self.width, self.height = sides if self.turns % 2 == 0 else sides[::-1]

    def boxes(self, boxes: Boxes) -> Boxes:
        shown = boxes[:, 2] > boxes[:, 0]
        left, bottom, right, top = (boxes - np.array([self.left, self.bottom] * 2, np.float32)).T
        if self.turns == 1:
            left, bottom, right, top = bottom, self.height - right, top, self.height - left
        elif self.turns == 2:
            left, bottom, right, top = self.width - right, self.height - top, self.width - left, self.height - bottom
        elif self.turns == 3:
            left, bottom, right, top = self.width - top, left, self.width - bottom, right
        return np.stack([left, bottom, right, top], axis=1) * shown[:, None]

    def shows(self, fragment: Fragment) -> bool:
        """Whether it stands on the page, and not where printers leave notes, beyond the trim."""
        return fragment.right > 0 and fragment.left < self.width and -fragment.size < fragment.baseline < self.height

    def points(self, places: NDArray[np.float64]) -> NDArray[np.floating[Any]]:
        """Where points are shown; shape (points, 2)."""
        if not self.turns:
            return np.asarray(places - np.array([self.left, self.bottom]))
        return self.boxes(np.hstack([places, places + 1]).astype(np.float32))[:, :2]


def _text(textpage: Any) -> str:
    """One character for each that PDFium counts; pypdfium2 leaves out those that it takes for no text."""
    text = textpage.get_text_range()
    count = textpage.count_chars()
    if len(text) != count or "\ufffd" in text:
        codes = (pdfium.FPDFText_GetUnicode(textpage, at) for at in range(count))
        text = "".join(chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd" for code in codes)
    return str(text)


def _loose_boxes(textpage: Any, text: str) -> Boxes:
    """From ascent to descent of the font, so that the boxes of a line are of one height.

    Where spaces part words, the ends of a word tell where it is, and the rows of its other characters are left zero: that halves the
    time that a page takes.
    """
    boxes = np.zeros((len(text), 4), np.float32)
    row = boxes.ctypes.data
    for at in _ends_of_words(text) if not BOXED_LETTERS.search(text) else range(len(text)):
        _loose_box(textpage.raw, at, row + 16 * at)
    return boxes[:, [0, 3, 2, 1]]  # PDFium says left, top, right, bottom


def _ends_of_words(text: str) -> set[int]:
    spans = [found.span() for found in ENDED.finditer(text)]
    return {start for start, _ in spans} | {end - 1 for _, end in spans}


def _ink(textpage: Any, at: int, display: _Display) -> float:
    """How far to the left a glyph is drawn."""
    left, right, bottom, top = (pdfium.c_double() for _ in range(4))
    pdfium.FPDFText_GetCharBox(textpage, at, left, right, bottom, top)
    if not display.turns:
        return float(left.value - display.left)
    return float(display.boxes(np.array([[left.value, bottom.value, right.value, top.value]], np.float32))[0, 0])


def _fragments(textpage: Any, text: str, boxes: Boxes, display: _Display) -> list[Fragment]:
    """The stretches that PDFium takes for lines."""
    spans = [found.span() for found in LINE.finditer(text)]
    if not spans:
        return []
    shown = boxes[:, 2] > boxes[:, 0]
    edges = np.clip(np.array(spans).ravel(), 0, len(text) - 1)
    lefts = np.minimum.reduceat(np.where(shown, boxes[:, 0], np.inf), edges)[::2].tolist()
    rights = np.maximum.reduceat(np.where(shown, boxes[:, 2], -np.inf), edges)[::2].tolist()
    # Marks and note numbers are set off the baseline, and smaller: three characters decide.
    origins = display.points(_origins(textpage.raw, [at for start, end in spans for at in (start, (start + end - 1) // 2, end - 1)]))
    middle = np.sort(origins[:, 1].reshape(-1, 3), axis=1)[:, 1].tolist()
    ends = origins[:, 0].reshape(-1, 3)[:, [0, 2]].tolist()
    fragments = []
    for (start, end), left, right, baseline, (first, last) in zip(spans, lefts, rights, middle, ends, strict=True):
        size = max(_font_size(textpage.raw, start), _font_size(textpage.raw, end - 1)) * _enlarged(textpage, start)
        if right < left:  # nothing in it has an extent
            left, right = first, last
        fragments.append(Fragment(start, end, left, right, baseline, size))
    return fragments


def _lower(boxes: Boxes, fragments: list[Fragment]) -> None:
    """Bring the boxes of a font that lies about its height down to the line that they stand on."""
    tallest = (boxes[:, 3] - boxes[:, 1]).max(initial=0)
    for part in fragments:
        if tallest > TALL * part.size:
            rows = boxes[part.start : part.end]
            tall = (rows[:, 3] - rows[:, 1] > TALL * part.size) & (rows[:, 1] < part.baseline) & (rows[:, 3] > part.baseline)
            rows[tall, 1] = np.maximum(rows[tall, 1], part.baseline - DESCENT * part.size)
            rows[tall, 3] = np.minimum(rows[tall, 3], part.baseline + ASCENT * part.size)


def _origins(textpage: Any, characters: list[int]) -> NDArray[np.float64]:
    """Where the baselines of characters begin; shape (characters, 2)."""
    origins = np.zeros((len(characters), 2))
    row = origins.ctypes.data
    for place, at in enumerate(characters):
        _char_origin(textpage, at, row + 16 * place, row + 16 * place + 8)
    return origins


def _enlarged(textpage: Any, at: int) -> float:
    """How much larger than its font size says a character is shown."""
    matrix = pdfium.FS_MATRIX()
    return (math.hypot(matrix.c, matrix.d) if _matrix(textpage.raw, at, ctypes.byref(matrix)) else 1.0) or 1.0


def _without_note_marks(textpage: Any, line: Line, display: _Display) -> Line:
    def is_mark(place: int) -> bool:
        glyph = line.text.glyphs[place]
        if glyph < 0 or _font_size(textpage.raw, glyph) * _enlarged(textpage, glyph) >= SMALL * line.size:
            return False
        return bool(
            display.points(_origins(textpage.raw, [glyph]))[0, 1] > line.baseline + RAISED * line.size
        )  # else a figure in a font that is smaller

    marks = []
    for found in DIGITS.finditer(line.text.text):
        start = found.end()
        while start > found.start() and found.end() - start <= NOTE_DIGITS and is_mark(start - 1):
            start -= 1
        if 0 < found.end() - start <= NOTE_DIGITS and not UNIT.search(line.text.text[: found.start()]):
            marks.append((start, found.end()))
    if not marks or sum(end - start for start, end in marks) == len(line.text):
        return line
    text = line.text
    for start, end in reversed(marks):
        text = text.between(0, start) + text.between(end, len(text))
    return replace(line, text=text.strip(), noted=marks[0][0] == 0)


def _spellings(textpage: Any, text: str) -> list[int]:
    """For each character the marked content that spells it out (ActualText), as a number, or 0 where there is none."""
    shown = [_text_object(textpage.raw, at) for at in range(len(text))]
    numbers: dict[int, int] = {}
    of_object: dict[int | None, int] = {None: 0}
    for thing in {thing for thing in shown if thing}:
        marks = (_mark(thing, place) for place in range(max(0, _count_marks(thing))))
        spelt = [mark for mark in marks if _value_type(mark, b"ActualText") == pdfium.FPDF_OBJECT_STRING]
        of_object[thing] = numbers.setdefault(spelt[-1], len(numbers) + 1) if spelt else 0
    return [of_object[thing] for thing in shown]
