"""Undo what shaping did to the text of complex scripts: glyphs back to letters, in the order in which they are read.

A PDF holds glyphs. Where one character is not one glyph (Arabic, Indic, Khmer, Thai) programs spell clusters out, PDFium gives a spelling once
for each of its glyphs, and places marks where they are drawn. The boxes of the characters tell what was meant.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import regex
from numpy.typing import NDArray

from ingest.direction import LEFT_TO_RIGHT, class_of, is_right_to_left, with_brackets
from ingest.layout import LONE_MARKS, Line
from ingest.typeset import UNPLACED, Typeset

COMPLEX = regex.compile("[\u0590-\u109f\u1780-\u17ff\ufb1d-\ufdff\ufe70-\ufefc]")  # Hebrew to Burmese, Khmer, presentation forms
REPEATED = regex.compile(r"(\p{L}\p{M}+).{0,12}?\1")  # a cluster may have been given once for each of its glyphs
MARKS = regex.compile(r"\p{M}+")
LAM_ALEF = regex.compile("ل[آأإا]|[آأإا]ل")  # out of one glyph; "al" is none
LAM_ALEF_TURNED = regex.compile("[آأإا]ل")
# No language writes such a cluster twice in a row.
STACKED = regex.compile(r"\p{Indic_Syllabic_Category=Virama}|\p{Indic_Syllabic_Category=Invisible_Stacker}")
LOOK_BACK = 8  # signs; the glyphs of a cluster are not further apart
OVERLAP = 0.12  # type sizes; neighbours overlap less
TOUCHING = 0.2  # type sizes
WITHIN_LINE = 0.5  # type sizes between the baselines of two pieces of one line; raised marks make PDFium see two
NEAR = 1.2  # type sizes between two pieces of one line; the space between two columns is wider
SPACE = 0.1  # type sizes between two words; less is between two letters
SPACE_IN_UNSPACED = 0.21  # the same in scripts that put a space between phrases only, and more air between letters
UNSPACED = regex.compile(r"[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")
SPACE_RIGHT_TO_LEFT = 0.12
BEARING = 0.03  # type sizes between a letter's ink and the next letter's place: it does not join it
PERSIAN = regex.compile("[پچژگکی]")  # their languages write a zero-width non-joiner, which has no glyph
JOINS = regex.compile(r"\p{Joining_Type=Dual_Joining}\p{M}*$")
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


@dataclass(slots=True)
class _Sign:
    """What is drawn as one: a glyph, or a cluster that is spelt out."""

    text: str
    glyphs: list[int]  # as long as the text
    left: float
    right: float
    spelt: int = 0  # the marked content that spells it out, or 0
    spaced: bool = False  # whether a space stands before it
    repeated: bool = False  # whether another glyph of the same cluster was left out

    def covers(self, other: _Sign) -> bool:
        """Whether the middle of one lies within the other."""
        return self.left <= (other.left + other.right) / 2 <= self.right or other.left <= (self.left + self.right) / 2 <= other.right


Ink = Callable[[int], float]  # the left edge of the ink of a character


def unshaped(fragments: Sequence[Fragment], text: str, boxes: NDArray[np.float32], spellings: Sequence[int], ink: Ink) -> list[Line]:
    """Return the lines, with their letters in reading order, each once, its marks behind it.

    `spellings` numbers, for each character, the marked content it is spelt in, or 0.
    """
    rows = boxes.tolist()
    turned = _turns_ligatures(text, rows)
    joiners = ink if PERSIAN.search(text) else None
    lines = []
    for group in gathered(fragments, text):
        written = "".join(text[part.start : part.end] for part in group)
        right_to_left = is_right_to_left(written)
        if right_to_left or REPEATED.search(written) or any(any(spellings[part.start : part.end]) for part in group):
            signs = [sign for part in group for sign in _signs(part, text, rows, spellings)]
            size = max(part.size for part in group)
            lines.append(_line(group, _right_to_left(signs, size, turned, joiners) if right_to_left else _left_to_right(signs, size)))
        else:
            lines.append(plain_line(group, text))
    return lines


def plain_line(group: Sequence[Fragment], text: str) -> Line:
    """The line as PDFium gives it."""
    first = group[0]
    piece = Typeset(text[first.start : first.end], list(range(first.start, first.end)))
    for before, part in pairwise(group):
        spaced = part.left - before.right > SPACE * before.size
        piece = piece + (" " if spaced else "") + Typeset(text[part.start : part.end], list(range(part.start, part.end)))
    return _line(group, piece)


def _line(group: Sequence[Fragment], text: Typeset) -> Line:
    widest = _widest(group)
    return Line(text, min(part.left for part in group), max(part.right for part in group), widest.baseline, widest.size)


def _widest(group: Sequence[Fragment]) -> Fragment:
    return max(group, key=lambda part: part.right - part.left) if len(group) > 1 else group[0]


def _turns_ligatures(text: str, rows: Sequence[Sequence[float]]) -> bool:
    """Whether letters that come out of one glyph are given from left to right, as PDFium mostly does: lam-alef shows it."""
    pairs = [pair for pair in LAM_ALEF.finditer(text, overlapped=True) if rows[pair.start()] == rows[pair.end() - 1]]
    return 2 * sum(LAM_ALEF_TURNED.match(pair.group()) is not None for pair in pairs) > len(pairs)


def gathered(fragments: Sequence[Fragment], text: str) -> list[list[Fragment]]:
    """Put together what stands on one line, from the left: a number and its item, the pieces of a line that is read from right to left."""
    groups: list[list[Fragment]] = []
    right_to_left = COMPLEX.search(text) is not None and is_right_to_left(text)
    for fragment in fragments:
        any_order = right_to_left or LONE_MARKS.fullmatch(text, fragment.start, fragment.end)
        for group in reversed(groups if any_order else groups[-1:]):
            if _on_one_line(group, fragment):
                group.append(fragment)
                break
        else:
            groups.append([fragment])
    return [sorted(group, key=lambda fragment: fragment.left) for group in groups]


def _on_one_line(group: Sequence[Fragment], fragment: Fragment) -> bool:
    widest = _widest(group)
    if abs(widest.baseline - fragment.baseline) >= WITHIN_LINE * (size := max(widest.size, fragment.size)):
        return False
    return max(fragment.left, min(part.left for part in group)) - min(fragment.right, max(part.right for part in group)) < NEAR * size


def _signs(fragment: Fragment, text: str, rows: Sequence[Sequence[float]], spellings: Sequence[int]) -> Iterator[_Sign]:
    at, spaced = fragment.start, False
    while at < fragment.end:
        if text[at].isspace():
            at, spaced = at + 1, True
            continue
        end = at + 1
        while end < fragment.end and not text[end].isspace() and _drawn_as_one(at, end, rows, spellings):
            end += 1
        left, right = rows[at][0], rows[at][2]
        for edge in rows[at + 1 : end]:
            left, right = min(left, edge[0]), max(right, edge[2])
        yield _Sign(text[at:end], list(range(at, end)), left, right, spellings[at], spaced)
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
        near = kept[-LOOK_BACK:]
        alike = [before for before in reversed(near) if before.text == sign.text or (before.spelt and before.spelt == sign.spelt)]
        repeated = next((before for before in alike if _repeats(before, sign, size)), None)
        if repeated is not None:
            repeated.repeated = True
            repeated.left, repeated.right = min(repeated.left, sign.left), max(repeated.right, sign.right)
            dropped = True
            continue
        sign.spaced = sign.spaced and not dropped  # else the space is one between two glyphs of a cluster
        if near and (dropped or sign.spelt or near[-1].spelt):
            gap = sign.left - max(before.right for before in near)
            sign.spaced = gap > size * (SPACE if sign.spaced or not UNSPACED.match(sign.text) else SPACE_IN_UNSPACED)
        kept.append(sign)
        dropped = False
    return _written(kept)


def _repeats(before: _Sign, sign: _Sign, size: float) -> bool:
    """Whether `sign` is another glyph of the cluster that `before`, which reads alike, has spelt already."""
    if sign.spelt and sign.spelt == before.spelt:
        return True
    if not MARKS.search(sign.text):
        return False
    overlap = min(before.right, sign.right) - max(before.left, sign.left)
    least = -TOUCHING if STACKED.search(sign.text) else 0.0 if before.repeated else OVERLAP
    return before.covers(sign) or overlap > least * size


def _right_to_left(signs: Sequence[_Sign], size: float, turned: bool, ink: Ink | None) -> Typeset:
    """Order the letters by their places, from the right; runs of Latin letters and of digits within them from the left."""
    once = {sign.spelt or -place: sign for place, sign in enumerate(signs, start=1)}.values()
    letters = _from_the_right([sign for sign in once if not MARKS.fullmatch(sign.text)])
    if not letters:
        return _written(list(once))
    for sign in letters if turned else ():
        if len(sign.text) > 1:
            _turn(sign)
    centres = [-sign.left - sign.right for sign in letters]
    for mark in once:
        if MARKS.fullmatch(mark.text):
            at = bisect_left(centres, -mark.left - mark.right)
            base = min(
                letters[max(0, at - LOOK_BACK) : at + LOOK_BACK],
                key=lambda sign: (not sign.covers(mark), abs(sign.left + sign.right - mark.left - mark.right)),
            )
            base.text, base.glyphs = base.text + mark.text, base.glyphs + mark.glyphs
    line = _with_spaces(letters, size, _unjoined(letters, size, ink) if ink else set())
    classes = "".join([class_of(sign.text[0]) for sign in line])
    for run in LEFT_TO_RIGHT.finditer(classes):
        line[run.start() : run.end()] = line[run.start() : run.end()][::-1]
    return with_brackets(_written(line))


def _from_the_right(given: Sequence[_Sign]) -> list[_Sign]:
    """Order the letters by their middles; one that reaches far below or above its neighbour, as the last yeh of Urdu does, as PDFium gives them."""
    turning = [(place, sign) for place, sign in enumerate(given) if class_of(sign.text[0]) == "R"]
    places = {id(sign): place for place, sign in turning}
    leftward = [before.left + before.right > sign.left + sign.right for (_, before), (_, sign) in pairwise(turning)]
    step = 1 if 2 * sum(leftward) >= len(leftward) else -1
    ordered: list[_Sign] = []
    for sign in sorted(given, key=lambda sign: -sign.left - sign.right):
        at = len(ordered)
        while at and ordered[at - 1].covers(sign) and 0 < step * _distance(places, sign, ordered[at - 1]) < LOOK_BACK:
            at -= 1
        ordered.insert(at, sign)
    return ordered


def _distance(places: Mapping[int, int], sign: _Sign, other: _Sign) -> int:
    """How many places `other` is given after `sign`; 0 if one of them is not of a script that is read from the right."""
    return places[id(other)] - places[id(sign)] if id(sign) in places and id(other) in places else 0


def _turn(sign: _Sign) -> None:
    """Put several letters out of one glyph, which PDFium gives from left to right, into their order."""
    if is_right_to_left(sign.text) and (LAM_ALEF_TURNED.fullmatch(sign.text) or not LAM_ALEF.fullmatch(sign.text)):
        sign.text, sign.glyphs = sign.text[::-1], sign.glyphs[::-1]


def _with_spaces(letters: Sequence[_Sign], size: float, unjoined: Collection[int]) -> list[_Sign]:
    for sign in letters:
        sign.spaced = False
    line = [letters[0]]
    for place, (before, sign) in enumerate(pairwise(letters)):
        if before.left - sign.right > SPACE_RIGHT_TO_LEFT * size:
            line.append(_Sign(" ", [UNPLACED], sign.right, before.left))
        elif place in unjoined:
            line.append(_Sign(NON_JOINER, [UNPLACED], sign.right, before.left))
        line.append(sign)
    return line


def _unjoined(letters: Sequence[_Sign], size: float, ink: Ink) -> set[int]:
    """The places of letters that could join the next one and do not."""
    inner = [
        place
        for place, (before, sign) in enumerate(pairwise(letters))
        if before.left - sign.right <= SPACE_RIGHT_TO_LEFT * size and JOINS.search(before.text) and ARABIC.match(sign.text)
        and not LAM_ALEF.match(before.text[:1] + sign.text[:1])  # one glyph, in two parts
    ]  # fmt: skip
    unjoined = {place for place in inner if ink(letters[place].glyphs[0]) - letters[place].left > BEARING * size}
    return unjoined if 2 * len(unjoined) <= len(inner) else set()  # else this font draws its letters apart


def _written(signs: Iterable[_Sign]) -> Typeset:
    texts: list[str] = []
    glyphs: list[int] = []
    for sign in signs:
        if sign.spaced and texts:
            texts.append(" ")
            glyphs.append(UNPLACED)
        texts.append(sign.text)
        glyphs += sign.glyphs
    return Typeset("".join(texts), glyphs)
