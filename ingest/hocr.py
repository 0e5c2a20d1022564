"""Read what tesseract writes of a page: its hOCR says where words stand, its plain text says where the spaces are.

hOCR alone does not do: in Thai, Chinese and Japanese every word of it is a letter or two, and nothing tells which of them a space follows.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from statistics import median
from xml.etree import ElementTree

import numpy as np
import regex
from numpy.typing import NDArray

NEVER_SPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}\u3000-\u303f\uff00-\uffef]"
SPACE_WITHIN = regex.compile(rf"(?<={NEVER_SPACED}) (?={NEVER_SPACED})")
UNWRITTEN = regex.compile(  # marks of direction, and what asks for half a Devanagari letter where it is drawn anyhow
    r"[\u200e\u200f\u202a-\u202e\u2066-\u2069]|(?<=\u094d)\u200d(?=\p{Devanagari})"
)
RIGHT_TO_LEFT = regex.compile(r"[\p{Arabic}\p{Hebrew}\p{Syriac}\p{Thaana}--\p{N}]", regex.V1)
NEAR = 100  # characters, mostly spaces and empty lines, between two words of the plain text
BROKEN = regex.compile(r"\p{Ll}[-\u2010]$")
SLIVER = 0.4  # of the usual height of a line; the marks above Thai letters are sometimes taken for a line of their own
FIELD = regex.compile(r"(\w+) ([-\d. ]+)")  # of an hOCR title: "bbox 161 176 582 218; baseline 0 -8; x_size 33"


@dataclass(frozen=True, slots=True)
class RecognisedWord:
    """A word as recognised; in scripts without spaces often a letter. Coordinates are PDF points from the lower left corner."""

    start: int  # characters in the text of its line
    end: int
    left: float
    bottom: float
    right: float
    top: float
    confidence: float  # tesseract's own estimate, in [0, 1]


@dataclass(frozen=True, slots=True)
class RecognisedLine:
    """A line of type, its words in the order they are read. Coordinates are PDF points from the lower left corner."""

    text: str
    words: tuple[RecognisedWord, ...]
    left: float
    right: float
    baseline: float
    size: float  # from the foot of "p" to the head of "d"
    paragraph: int  # from 0; lines that tesseract takes for one paragraph share it

    def character_boxes(self) -> NDArray[np.float32]:
        """Where each character stands, shape (characters, 4): left, bottom, right, top in points. A word is divided evenly; spaces have no extent."""
        boxes = np.zeros((len(self.text), 4), np.float32)
        for word in self.words:
            edges = np.linspace(word.left, word.right, word.end - word.start + 1)
            if RIGHT_TO_LEFT.search(self.text[word.start : word.end]):
                edges = edges[::-1]
            sides = np.sort(np.stack((edges[:-1], edges[1:])), axis=0)
            boxes[word.start : word.end] = np.stack(
                (sides[0], np.full_like(sides[0], word.bottom), sides[1], np.full_like(sides[0], word.top)), axis=1
            )
        return boxes


@dataclass(frozen=True, slots=True)
class Recognition:
    """What was recognised on a page: lines in reading order."""

    lines: tuple[RecognisedLine, ...]

    @property
    def text(self) -> str:
        return "\n".join(line.text for line in self.lines)

    @property
    def confidence(self) -> float:
        """The mean confidence of the words, by their length; 0 for a page without words."""
        words = [word for line in self.lines for word in line.words]
        length = sum(word.end - word.start for word in words)
        return sum(word.confidence * (word.end - word.start) for word in words) / length if length else 0.0


def read_hocr(hocr: str, plain: str, height: int, scale: float) -> Recognition:
    """Return the lines of a picture `height` pixels high at `scale` pixels per point. Raises ValueError, ParseError or KeyError for other XML."""
    lines = list(_lines(hocr, plain, height, scale))
    usual = median(_extent(line) for line in lines) if lines else 0.0
    return Recognition(tuple(_broken_words_marked([line for line in lines if _extent(line) >= SLIVER * usual])))


def _extent(line: RecognisedLine) -> float:
    return max(word.top for word in line.words) - min(word.bottom for word in line.words)


def _broken_words_marked(lines: Sequence[RecognisedLine]) -> Iterator[RecognisedLine]:
    """Turn the hyphen of a word that goes on in the next line into a soft one, which layout takes out when it joins them."""
    for line, after in zip_longest(lines, lines[1:]):
        if after and line.paragraph == after.paragraph and BROKEN.search(line.text) and after.text[0].islower():
            yield replace(line, text=line.text[:-1] + "\u00ad")
        else:
            yield line


def _lines(hocr: str, plain: str, height: int, scale: float) -> Iterator[RecognisedLine]:
    root = ElementTree.fromstring(hocr)
    paragraphs = [element for element in root.iter() if element.get("class") == "ocr_par"]
    lines = [(place, line) for place, paragraph in enumerate(paragraphs) for line in paragraph]
    words = [[word for word in line.iter() if word.get("class") == "ocrx_word" and _text(word)] for _, line in lines]
    spaces = iter(_spaces([_text(word) for there in words for word in there], plain))
    for (paragraph, line), there in zip(lines, words, strict=True):
        if there:
            yield _line(line, paragraph, [(word, next(spaces)) for word in there], height, scale)


def _line(line: ElementTree.Element, paragraph: int, words: list[tuple[ElementTree.Element, bool]], height: int, scale: float) -> RecognisedLine:
    text, placed = "", []
    for word, spaced in words:
        own = _text(word)
        if text.endswith(" ") and SPACE_WITHIN.search(text[-2:] + own[0]):
            text = text[:-1]
        fields = _fields(word)
        left, top, right, bottom = fields["bbox"]
        confidence = fields["x_wconf"][0] / 100
        placed.append(
            RecognisedWord(
                len(text), len(text) + len(own), left / scale, (height - bottom) / scale, right / scale, (height - top) / scale, confidence
            )
        )
        text += own + " " * spaced
    fields = _fields(line)
    left, top, right, bottom = fields["bbox"]
    slope, offset = fields.get("baseline", (0.0, 0.0))
    baseline = bottom + offset + slope * (right - left) / 2
    (size,) = fields.get("x_size", (bottom - top,))
    return RecognisedLine(text.rstrip(), tuple(placed), left / scale, right / scale, (height - baseline) / scale, size / scale, paragraph)


def _text(word: ElementTree.Element) -> str:
    return _clean("".join(word.itertext())).strip()


def _clean(text: str) -> str:
    return unicodedata.normalize("NFC", UNWRITTEN.sub("", text))


def _fields(element: ElementTree.Element) -> dict[str, tuple[float, ...]]:
    return {name: tuple(float(number) for number in numbers.split()) for name, numbers in FIELD.findall(element.get("title", ""))}


def _spaces(words: Sequence[str], plain: str) -> list[bool]:
    """Whether a space follows each word, by the plain text; one follows a word that does not stand there."""
    plain = _clean(plain)
    spaced, at = [], 0
    for word in words:
        found = plain.find(word, at, at + len(word) + NEAR)
        at = at if found < 0 else found + len(word)
        spaced.append(found < 0 or plain[at : at + 1].isspace())
    return spaced
