"""Part the lines that tesseract has read across two columns, as it does in Korean, Khmer and Chinese where the columns stand close."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median

import regex

from ingest.hocr import RIGHT_TO_LEFT, RecognisedLine, RecognisedWord

LINES = 4  # in a row that leave the same gap; small tables have fewer
GUTTER = 0.8  # type sizes between columns at least
NARROW = 0.3  # of the width of both; a left column that is narrower holds the numbers of a list
RAGGED = 1.0  # type sizes by which a usual line of a column may stay away from the gutter; cells of a table stay away further
NEXT = 1.6  # usual distances between lines within which a line that stands in one column only belongs to it
INK = regex.compile(r"[\p{L}\p{N}--[ㆍ]]", regex.V1)  # in Korean the empty gutter is read as "ㆍ" or "＊"
Gap = tuple[float, float]  # points from the left


def columns_parted(lines: Sequence[RecognisedLine]) -> list[RecognisedLine]:
    """Return the lines with those that run across a gutter parted, each column whole, in the direction of the script."""
    parted: list[RecognisedLine] = []
    at = 0
    while at < len(lines):
        run, gutter = _run(lines[at:])
        if len(run) >= LINES and _is_gutter(run, gutter):
            pitch = NEXT * median(abs(line.baseline - after.baseline) for line, after in pairwise(run))
            before = _beside([run[0], *reversed(parted)], gutter, pitch)
            after = _beside(lines[at + len(run) - 1 :], gutter, pitch)
            del parted[len(parted) - len(before) :]
            parted += _columns([*reversed(before), *run, *after], gutter)
            at += len(run) + len(after)
        else:
            parted.append(lines[at])
            at += 1
    return parted


def _beside(lines: Sequence[RecognisedLine], gutter: Gap, pitch: float) -> Sequence[RecognisedLine]:
    """The lines that follow the first one closely, at most `pitch` apart, on one side of the gutter."""
    count = 1
    while count < len(lines) and abs(lines[count].baseline - lines[count - 1].baseline) <= pitch and _side(lines[count], gutter):
        count += 1
    return lines[1:count]


def _side(line: RecognisedLine, gutter: Gap) -> str:
    return "left" if line.right <= gutter[1] else "right" if line.left >= gutter[0] else ""


def _run(lines: Sequence[RecognisedLine]) -> tuple[Sequence[RecognisedLine], Gap]:
    """The first lines that leave one gap free, and the gap."""
    shared: Gap = (0.0, 0.0)
    for count, line in enumerate(lines):
        wide = [gap for gap in _gaps(line) if gap[1] - gap[0] >= GUTTER * line.size]
        shares = [(max(shared[0], left), min(shared[1], right)) for left, right in wide] if count else wide
        best = max(shares, key=lambda gap: gap[1] - gap[0], default=(0.0, 0.0))
        if best[1] - best[0] < GUTTER * line.size:
            return lines[:count], shared
        shared = best
    return lines, shared


def _gaps(line: RecognisedLine) -> Iterator[Gap]:
    reached = line.left
    for word in sorted(_said(line), key=lambda word: word.left):
        if word.left > reached > line.left:
            yield reached, word.left
        reached = max(reached, word.right)


def _said(line: RecognisedLine) -> list[RecognisedWord]:
    """The words that have a letter or a digit."""
    return [word for word in line.words if INK.search(line.text, word.start, word.end)]


def _is_gutter(lines: Sequence[RecognisedLine], gutter: Gap) -> bool:
    size = median(line.size for line in lines)
    ends = [max(word.right for word in _said(line) if word.right <= gutter[0]) for line in lines]
    starts = [min(word.left for word in _said(line) if word.left >= gutter[1]) for line in lines]
    left, right = min(line.left for line in lines), max(line.right for line in lines)
    if min(gutter[0] - left, right - gutter[1]) < NARROW * (right - left):
        return False
    return median(gutter[0] - end for end in ends) < RAGGED * size and median(start - gutter[1] for start in starts) < RAGGED * size


def _columns(lines: Sequence[RecognisedLine], gutter: Gap) -> Iterator[RecognisedLine]:
    left_first = not any(RIGHT_TO_LEFT.search(line.text) for line in lines)
    for first in (left_first, not left_first):
        for line in lines:
            words = [word for word in line.words if (word.right <= gutter[0] if first else word.left >= gutter[1])]
            if words:
                yield _part(line, words)


def _part(line: RecognisedLine, words: Sequence[RecognisedWord]) -> RecognisedLine:
    start, end = min(word.start for word in words), max(word.end for word in words)
    moved = tuple(replace(word, start=word.start - start, end=word.end - start) for word in words)
    return replace(
        line, text=line.text[start:end], words=moved, left=min(word.left for word in words), right=max(word.right for word in words)
    )  # fmt: skip
