"""Turn the lines of a page into its text: running headers left out, broken lines and words rejoined by the habits of the script."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

EDGE = 0.12  # share of the page's height, at its top and its foot, where running headers, footers and page numbers stand
NEW_PARAGRAPH = 1.15  # times the usual distance between lines
SHORT = 0.85  # share of the column's width; a line that ends a sentence before it ends its paragraph
SMALL = 0.85  # of the type around it: a footnote's number in the running text
NOTE_NUMBER = re.compile(r"\d{1,2}")
SAME_SIZE = 0.1  # relative difference of type size within one paragraph
BREAKS = "\u2010\u00ad\u0002\ufffe"  # a hyphen that the typesetter put in; PDFium turns "-" at a line's end into one of the last two
SENTENCE_END = frozenset(".!?…:;。！？؟۔।॥።။។៕")
BULLET = re.compile(r"[•●▪‣◦–—·*]\s|\(?\d{1,2}[.)]\s|\(?[a-z]\)\s")
LONE_MARKS = re.compile(r"([•●▪‣◦–—·*\s]|\d{1,2}[.)])+")  # bullets and list numbers that stand apart from their items
PAGE_NUMBER = re.compile(r"\W*(\d{1,4}|[ivxlc]{1,6})\W*")
UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "IDEOGRAPHIC", "FULLWIDTH")  # first words of Unicode names
REPEATED = re.compile(  # PDFium gives a cluster that the writer spelt out (ActualText) once for each of its glyph runs
    r"([\u1780-\u17b3][\u1780-\u17d3]{1,7}?)\1"  # Khmer, which writes a repeated word with a sign of its own
    r"|([\u0900-\u0bff]{1,6}?[\u094d\u09cd][\u0900-\u0bff]{0,6}?)\2"  # Indic, where a conjunct is in it
)
LIGATURES = re.compile("[\ufb00-\ufb06\ufb50-\ufdff\ufe70-\ufeff]+")  # Latin ligatures, Arabic presentation forms


@dataclass(frozen=True, slots=True)
class Line:
    """One line of type. Coordinates are PDF points from the lower left corner."""

    text: str
    left: float
    right: float
    baseline: float
    size: float  # type size


def page_texts(pages: Sequence[tuple[Sequence[Line], float]]) -> list[str]:
    """Return the text of each page, given its lines in reading order and its height.

    Paragraphs are separated by a newline. A line at the edge of the page that recurs on other pages (numbers apart), a page number,
    and bullets that were set apart from their items are left out.
    """
    running = _running(pages)
    return [_paragraphs([line for line in lines if not _is_furniture(line, height, running)]) for lines, height in pages]


def unspaced(char: str) -> bool:
    """Whether a character belongs to a script that puts no space between words."""
    return unicodedata.name(char, "").startswith(UNSPACED)


def breaks_off(text: str) -> bool:
    """Whether the last word goes on in the next line, or on the next page."""
    return text[-1] in BREAKS and text[-2:-1].isalpha()


def _running(pages: Sequence[tuple[Sequence[Line], float]]) -> set[str]:
    keys = Counter(key for lines, height in pages for key in {_key(line) for line in lines if _at_edge(line, height)})
    return {key for key, count in keys.items() if count >= max(2, 0.4 * len(pages))}


def _key(line: Line) -> str:
    return re.sub(r"\d+", "#", line.text)


def _at_edge(line: Line, height: float) -> bool:
    return not EDGE * height < line.baseline < (1 - EDGE) * height


def _is_furniture(line: Line, height: float, running: set[str]) -> bool:
    if LONE_MARKS.fullmatch(line.text):
        return True
    return _at_edge(line, height) and (_key(line) in running or PAGE_NUMBER.fullmatch(line.text) is not None)


def _paragraphs(lines: Sequence[Line]) -> str:
    usual = _usual_distance(lines)
    width = max((line.right - line.left for line in lines), default=0)
    text, before = "", None
    for line in lines:
        if before is not None and line.size < SMALL * before.size and NOTE_NUMBER.fullmatch(line.text):
            continue
        if before is None:
            text = line.text
        elif _starts_paragraph(before, line, usual, width):
            text += "\n" + line.text
        else:
            text = _joined(text, line.text)
        before = line
    return _normalised(text)


def _usual_distance(lines: Sequence[Line]) -> float:
    """The median distance between lines, in type sizes."""
    pairs = pairwise(lines)
    distances = [(up.baseline - down.baseline) / down.size for up, down in pairs if down.size and 0 < up.baseline - down.baseline < 4 * down.size]
    return median(distances) if distances else 1.5


def _starts_paragraph(before: Line, line: Line, usual: float, width: float) -> bool:
    if abs(line.size - before.size) > SAME_SIZE * max(line.size, before.size) or BULLET.match(line.text):
        return True
    if breaks_off(before.text):
        return False
    ended = before.text[-1] in SENTENCE_END
    distance = before.baseline - line.baseline
    if distance < -line.size:  # the next column
        return ended
    if distance > NEW_PARAGRAPH * usual * line.size:
        return True
    column = max(line.right - line.left, before.right - before.left, width / 2.2)
    return ended and before.right - before.left < SHORT * column


def _joined(text: str, more: str) -> str:
    if breaks_off(text):
        return text[:-1] + more
    if text[-1] == "-" or (unspaced(text[-1]) and unspaced(more[0])):
        return text + more
    return f"{text} {more}"


def _normalised(text: str) -> str:
    text = LIGATURES.sub(lambda found: unicodedata.normalize("NFKC", found.group()), text)
    text = REPEATED.sub(lambda found: found[1] or found[2], text)
    text = re.sub(f"[{BREAKS}]$", BREAKS[0], text)  # the word goes on on the next page
    text = re.sub(f"[{BREAKS[1:]}]", "", text)  # what is left of them stood within a line
    text = re.sub(r"[\x00-\x08\x0b-\x1f]", "", text)
    return unicodedata.normalize("NFC", re.sub(r"[^\S\n]+", " ", text)).strip()
