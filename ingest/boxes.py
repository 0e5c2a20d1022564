"""Say where the words of a page's text stand."""

from __future__ import annotations

from itertools import chain

import numpy as np
import regex
from numpy.typing import NDArray

from ingest.records import WordBoxes
from ingest.typeset import Typeset

# Where no space parts words, a box for every cluster of letters, so that a mark can begin and end at any of them.
WORD = regex.compile(
    r"(?=[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}])\X|[^\s\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]+"
)
FINE = 16  # parts of a point to which places are rounded; they compress better and nobody sees it
ROW = np.dtype([("start", "<u4"), ("end", "<u4"), ("place", "<f4", 4)])


def word_boxes(text: Typeset, boxes: NDArray[np.float32]) -> WordBoxes:
    """Return the boxes of the words of `text`; its glyphs number the rows of `boxes`: left, bottom, right, top."""
    words = np.fromiter(chain.from_iterable(found.span() for found in WORD.finditer(text.text)), np.int64).reshape(-1, 2)
    glyphs = np.asarray(text.glyphs, np.int64)
    word = np.full(len(glyphs), -1)  # of each character, the number of its word, or -1
    for place, (start, end) in enumerate(words.tolist()):
        word[start:end] = place
    drawn = np.flatnonzero((word >= 0) & (glyphs >= 0))
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


def _has_extent(places: NDArray[np.float32]) -> NDArray[np.bool_]:
    return (places[:, 2] > places[:, 0]) & (places[:, 3] > places[:, 1])


def _on_another_line(places: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Whether each place but the first stands wholly above or below the one before it."""
    return (places[1:, 1] >= places[:-1, 3]) | (places[1:, 3] <= places[:-1, 1])
