"""Undo what shaping did to the text of complex scripts: glyphs back to letters, in the order in which they are read.

A PDF holds glyphs. Where one character is not one glyph (Arabic, Indic, Khmer, Thai) programs spell clusters out, PDFium gives a spelling once
for each of its glyphs, and places marks where they are drawn. The boxes of the characters tell what was meant.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import regex
from numpy.typing import NDArray

from ingest.layout import Line
from ingest.typeset import UNPLACED, Typeset

COMPLEX = regex.compile("[\u0590-\u109f\u1780-\u17ff\ufb1d-\ufdff\ufe70-\ufefc]")  # Hebrew to Burmese, Khmer, presentation forms
RIGHT_TO_LEFT = regex.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc--[\p{N}\p{P}\p{M}]]", regex.V1)
LETTER = regex.compile(r"\p{L}")
MARKS = regex.compile(r"\p{M}+")
LAM_ALEF = regex.compile("ل[آأإا]|[آأإا]ل")  # out of one glyph; "al" is none
LAM_ALEF_TURNED = regex.compile("[آأإا]ل")
STACKED = regex.compile(r"\p{Khmer}|\p{Indic_Syllabic_Category=Virama}")  # clusters that no language writes twice in a row
LOOK_BACK = 8  # signs; the glyphs of a cluster are not further apart
TOUCHING = 0.05  # type sizes
WITHIN_LINE = 0.5  # type sizes between the baselines of two pieces of one line; raised marks make PDFium see two
NEAR = 1.2  # type sizes between two pieces of one line; the space between two columns is wider
SPACE = 0.16  # type sizes between two words; less is between two letters
SPACE_RIGHT_TO_LEFT = 0.12
BEARING = 0.03  # type sizes between a letter's ink and the next letter's place: it does not join it
PERSIAN = regex.compile("[پچژگکی]")  # their languages write a zero-width non-joiner, which has no glyph
JOINS = regex.compile(r"\p{Joining_Type=Dual_Joining}\p{M}*$")
# Runs that are read from left to right within a line that is read from right to left; by the classes of `_class`, and in its order.
CLASSES = {"L": "L", "EN": "N", "AN": "A", "ES": "D", "CS": "S", "ET": "T", "R": "R", "AL": "R"}  # B: what takes its direction from around it
LEFT_TO_RIGHT = regex.compile(r"(?=[NATSDB]*L)[LNAT](?:[LNATSDB]*[LNAT])?|T*N+(?:[SD]N+)*T*|A+(?:SA+)*")
OPENING, CLOSING = "([{«", ")]}»"
BRACKETS, STOPS = OPENING + CLOSING, ".,:;!?،؛؟۔"
BRACKET = regex.compile(r"[()\[\]{}«»]")
NON_JOINER = "\u200c"
ARABIC = regex.compile(r"\p{Arabic}")


@dataclass(frozen=True, slots=True)
class Fragment:
    """A stretch of a page's characters that PDFium takes for a line. Coordinates are points from the lower left corner."""

    start: int
    end: int
    left: float
    right: float
    baseline: float
    size: float  # type size


@dataclass(frozen=True, slots=True)
class _Sign:
    """What is drawn as one: a glyph, or a cluster that is spelt out."""

    text: Typeset
    left: float
    right: float
    spelt: int = 0  # the marked content that spells it out, or 0
    spaced: bool = False  # whether PDFium saw a space before it

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2

    def covers(self, other: _Sign) -> bool:
        return self.left <= other.middle <= self.right or other.left <= self.middle <= other.right

    def with_marks(self, marks: _Sign) -> _Sign:
        return replace(self, text=self.text + marks.text)


Ink = Callable[[int], float]  # the left edge of the ink of a character


def unshaped(fragments: Sequence[Fragment], text: str, boxes: NDArray[np.float32], spellings: Sequence[int], ink: Ink) -> list[Line]:
    """Return the lines, with their letters in reading order, each once, its marks behind it.

    `spellings` numbers, for each character, the marked content it is spelt in, or 0.
    """
    rows = boxes.tolist()
    groups = [(group, [sign for fragment in group for sign in _signs(fragment, text, rows, spellings)]) for group in gathered(fragments, text)]
    turned = (
        sum(1 if LAM_ALEF_TURNED.fullmatch(sign.text.text) else -1 for _, signs in groups for sign in signs if LAM_ALEF.fullmatch(sign.text.text)) > 0
    )
    joiners = ink if PERSIAN.search(text) else None
    lines = []
    for group, signs in groups:
        size, widest = max(fragment.size for fragment in group), max(group, key=lambda fragment: fragment.right - fragment.left)
        if _is_right_to_left("".join(sign.text.text for sign in signs)):
            line = _right_to_left(signs, size, turned, joiners)
        else:
            line = _left_to_right(signs, size)
        line = line.strip()
        if line.text:
            lines.append(Line(line, min(part.left for part in group), max(part.right for part in group), widest.baseline, size))
    return lines


def gathered(fragments: Sequence[Fragment], text: str) -> list[list[Fragment]]:
    """Put together what stands on one line: in scripts read from right to left, PDFium gives the pieces of a line in any order."""
    groups: list[list[Fragment]] = []
    any_order = COMPLEX.search(text) is not None and _is_right_to_left(text)
    for fragment in fragments:
        for group in reversed(groups if any_order else groups[-1:]):
            if _on_one_line(group, fragment):
                group.append(fragment)
                break
        else:
            groups.append([fragment])
    return groups


def _on_one_line(group: Sequence[Fragment], fragment: Fragment) -> bool:
    widest = max(group, key=lambda part: part.right - part.left)
    size = max(widest.size, fragment.size)
    left, right = min(part.left for part in group), max(part.right for part in group)
    return abs(widest.baseline - fragment.baseline) < WITHIN_LINE * size and max(left, fragment.left) - min(right, fragment.right) < NEAR * size


def _is_right_to_left(text: str) -> bool:
    letters = len(RIGHT_TO_LEFT.findall(text))
    return letters > 0 and 2 * letters > len(LETTER.findall(text))


def _signs(fragment: Fragment, text: str, rows: Sequence[Sequence[float]], spellings: Sequence[int]) -> Iterator[_Sign]:
    at, spaced = fragment.start, False
    while at < fragment.end:
        if text[at].isspace():
            at, spaced = at + 1, True
            continue
        end = at + 1
        while end < fragment.end and not text[end].isspace() and _drawn_as_one(at, end, rows, spellings):
            end += 1
        edges = rows[at:end]
        piece = Typeset(text[at:end], list(range(at, end)))
        yield _Sign(piece, min(edge[0] for edge in edges), max(edge[2] for edge in edges), spellings[at], spaced)
        at, spaced = end, False


def _drawn_as_one(first: int, other: int, rows: Sequence[Sequence[float]], spellings: Sequence[int]) -> bool:
    if spellings[first] or spellings[other]:
        return spellings[first] == spellings[other]
    return rows[first] == rows[other] and rows[first][2] > rows[first][0]


def _left_to_right(signs: Sequence[_Sign], size: float) -> Typeset:
    """Take every cluster once, and decide the spaces around what was spelt out by the gaps."""
    kept: list[_Sign] = []
    dropped = False  # since the last one that was kept
    for sign in signs:
        repeated = next((place for place in range(len(kept) - 1, max(-1, len(kept) - LOOK_BACK), -1) if _repeats(kept[place], sign, size)), None)
        if repeated is not None:
            kept[repeated] = replace(kept[repeated], left=min(kept[repeated].left, sign.left), right=max(kept[repeated].right, sign.right))
            dropped = True
            continue
        gap = (sign.left - max(before.right for before in kept[-LOOK_BACK:])) / size if kept else 0.0
        wide = gap > SPACE and (dropped or sign.spelt > 0 or (bool(kept) and kept[-1].spelt > 0))
        kept.append(replace(sign, spaced=wide or (sign.spaced and not (dropped and gap <= SPACE))))
        dropped = False
    return _written(kept)


def _repeats(before: _Sign, sign: _Sign, size: float) -> bool:
    """Whether `sign` is another glyph of the cluster that `before` has spelt already."""
    if sign.spelt and sign.spelt == before.spelt:
        return True
    if before.text.text != sign.text.text or not MARKS.search(sign.text.text):
        return False
    touching = not before.spelt and not sign.spelt and STACKED.search(sign.text.text) is not None and sign.left - before.right < TOUCHING * size
    return before.covers(sign) or touching


def _right_to_left(signs: Sequence[_Sign], size: float, turned: bool, ink: Ink | None) -> Typeset:
    """Order the letters by their places, from the right; runs of Latin letters and of digits within them from the left."""
    spelt: set[int] = set()
    letters: list[_Sign] = []
    marks: list[_Sign] = []
    for sign in signs:
        if sign.spelt in spelt:
            continue
        spelt |= {sign.spelt} - {0}
        (marks if MARKS.fullmatch(sign.text.text) else letters).append(sign)
    if not letters:
        return _written(signs)
    letters = sorted((_turned(sign) if turned else sign for sign in letters), key=lambda sign: -sign.middle)
    for mark in marks:
        base = min(range(len(letters)), key=lambda place: (not letters[place].covers(mark), abs(letters[place].middle - mark.middle)))
        letters[base] = letters[base].with_marks(mark)
    line = _with_spaces(letters, size, _unjoined(letters, size, ink) if ink else set())
    classes = "".join(_class(sign.text.text[0]) for sign in line)
    for run in LEFT_TO_RIGHT.finditer(classes):
        line[run.start() : run.end()] = line[run.start() : run.end()][::-1]
    return _with_brackets(_written(line))


def _turned(sign: _Sign) -> _Sign:
    """Several letters out of one glyph, which PDFium gives from left to right."""
    text = sign.text.text
    if len(text) < 2 or not _is_right_to_left(text) or (LAM_ALEF.fullmatch(text) and not LAM_ALEF_TURNED.fullmatch(text)):
        return sign
    return replace(sign, text=Typeset(sign.text.text[::-1], sign.text.glyphs[::-1]))


def _with_spaces(letters: Sequence[_Sign], size: float, unjoined: Collection[int]) -> list[_Sign]:
    line = [letters[0]]
    for place, (before, sign) in enumerate(pairwise(letters)):
        if before.left - sign.right > SPACE_RIGHT_TO_LEFT * size:
            line.append(_Sign(Typeset.unplaced(" "), sign.right, before.left))
        elif place in unjoined:
            line.append(_Sign(Typeset.unplaced(NON_JOINER), sign.right, before.left))
        line.append(sign)
    return line


def _unjoined(letters: Sequence[_Sign], size: float, ink: Ink) -> set[int]:
    """The places of letters that could join the next one and do not."""
    inner = [
        place
        for place, (before, sign) in enumerate(pairwise(letters))
        if before.left - sign.right <= SPACE_RIGHT_TO_LEFT * size and JOINS.search(before.text.text) and ARABIC.match(sign.text.text)
    ]
    unjoined = {place for place in inner if ink(letters[place].text.glyphs[0]) - letters[place].left > BEARING * size}
    return unjoined if 2 * len(unjoined) <= len(inner) else set()  # else this font draws its letters apart


def _class(char: str) -> str:
    """The class by which digits and foreign letters run: after the bidirectional algorithm, Unicode Standard Annex 9."""
    bidi = unicodedata.bidirectional(char)
    return CLASSES.get(bidi, "B")


def _with_brackets(text: Typeset) -> Typeset:
    """PDFium mirrors some brackets and not others: one opens after a space and closes before one."""

    def facing(found: regex.Match[str]) -> str:
        bracket = found.group()
        kind = OPENING.find(bracket) if bracket in OPENING else CLOSING.find(bracket)
        before, after = text.text[: found.start()][-1:], text.text[found.end() :][:1]
        opens, closes = (not before or before.isspace() or before in BRACKETS), (not after or after.isspace() or after in BRACKETS or after in STOPS)
        return bracket if opens == closes else OPENING[kind] if opens else CLOSING[kind]

    return text.sub(BRACKET, facing)


def _written(signs: Iterable[_Sign]) -> Typeset:
    text, glyphs = [], []
    for sign in signs:
        if sign.spaced and text:
            text.append(" ")
            glyphs.append(UNPLACED)
        text.append(sign.text.text)
        glyphs += sign.text.glyphs
    return Typeset("".join(text), glyphs)
