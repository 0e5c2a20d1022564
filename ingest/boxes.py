"""Say where the words of a page's text stand."""

from __future__ import annotations

from functools import cache

import numpy as np
import regex
from numpy.typing import NDArray

from ingest.records import WordBoxes
from ingest.typeset import Typeset

# Where no space parts words, a box for every cluster of letters, so that a mark can begin and end at any of them.
UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\u3000-\u303f\uff00-\uff60]+")
SPACE, WITHIN, UNIT, MARK = range(4)  # of a character: between words; of a word; of a script without spaces; belonging to the one before
STACKERS = (0x17D2, 0x1039)  # Khmer coeng and Burmese virama: the next letter stands below this one
PLANES = 0x40000  # where characters are
FINE = 16  # parts of a point to which places are rounded; they compress better and nobody sees it
ROW = np.dtype([("start", "<u4"), ("end", "<u4"), ("place", "<f4", 4)])


def word_boxes(text: Typeset, boxes: NDArray[np.float32]) -> WordBoxes:
    """Return the boxes of the words of `text`; its glyphs number the rows of `boxes`: left, bottom, right, top."""
    codes = np.frombuffer(text.text.encode("utf-32-le", "replace"), "<u4")
    kinds, glyphs = _kinds()[np.minimum(codes, PLANES - 1)], np.asarray(text.glyphs, np.int64)
    before = np.concatenate(([SPACE], kinds[:-1]))
    after_stacker = np.concatenate(([False], np.isin(codes[:-1], STACKERS)))
    begins = ((kinds != before) & (kinds != MARK) & (before != MARK)) | ((kinds == UNIT) & ~after_stacker) | ((kinds == MARK) & (before == SPACE))
    begins |= (before == MARK) & (kinds != MARK) & (kinds != WITHIN) & ~after_stacker
    word = np.cumsum(begins)  # of each character, how many words have begun
    drawn = np.flatnonzero((kinds != SPACE) & (glyphs >= 0))
    if not len(drawn):
        return WordBoxes()
    places = boxes[glyphs[drawn]]
    drawn, places = drawn[_has_extent(places)], places[_has_extent(places)]
    if not len(drawn):
        return WordBoxes()
    first = np.flatnonzero(np.concatenate(([True], (np.diff(word[drawn]) != 0) | _on_another_line(places))))
    last = np.append(first[1:], len(drawn)) - 1
    rows = np.zeros(len(first), ROW)
    rows["start"], rows["end"] = drawn[first], drawn[last] + 1
    rows["place"][:, :2] = np.floor(np.minimum.reduceat(places[:, :2], first) * FINE) / FINE
    rows["place"][:, 2:] = np.ceil(np.maximum.reduceat(places[:, 2:], first) * FINE) / FINE
    return WordBoxes(rows.tobytes())


@cache
def _kinds() -> NDArray[np.uint8]:
    """The kind of every character."""
    characters = "".join(map(chr, range(0xD800))) + "\ufffd" * 0x800 + "".join(map(chr, range(0xE000, PLANES)))
    kinds = np.full(PLANES, WITHIN, np.uint8)
    for pattern, kind in ((UNSPACED, UNIT), (regex.compile(r"[\p{M}\u200c\u200d]+"), MARK), (regex.compile(r"\s+"), SPACE)):
        for found in pattern.finditer(characters):
            kinds[found.start() : found.end()] = kind
    return kinds


def _has_extent(places: NDArray[np.float32]) -> NDArray[np.bool_]:
    return (places[:, 2] > places[:, 0]) & (places[:, 3] > places[:, 1])


def _on_another_line(places: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Whether each place but the first stands above or below the one before it; the boxes of lines may overlap, up to their middles."""
    middles, heights = (places[:, 1] + places[:, 3]) / 2, places[:, 3] - places[:, 1]
    return np.asarray(np.abs(np.diff(middles)) >= np.maximum(heights[1:], heights[:-1]) / 2)
