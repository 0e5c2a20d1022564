"""Part the lines that tesseract has read across two columns, as it does in Korean, Khmer and Chinese where the columns stand close."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import median

from ingest.hocr import RIGHT_TO_LEFT, RecognisedLine, RecognisedWord

LINES = 4  # in a row that leave the same gap; small tables have fewer
GUTTER = 0.8  # type sizes between columns at least
NARROW = 0.3  # of the width of both; a left column that is narrower holds the numbers of a list
RAGGED = 1.0  # type sizes by which a usual line of a column may stay away from the gutter; cells of a table stay away further
Gap = tuple[float, float]  # points from the left


def columns_parted(lines: Sequence[RecognisedLine]) -> list[RecognisedLine]:
    """Return the lines with those that run across a gutter parted, each column whole, in the direction of the script."""
    parted: list[RecognisedLine] = []
    at = 0
    while at < len(lines):
        run, gutter = _run(lines[at:])
        if len(run) >= LINES and _is_gutter(run, gutter):
            parted += _columns(run, gutter)
            at += len(run)
        else:
            parted.append(lines[at])
            at += 1
    return parted


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
    for word in sorted(line.words, key=lambda word: word.left):
        if word.left > reached > line.left:
            yield reached, word.left
        reached = max(reached, word.right)


def _is_gutter(lines: Sequence[RecognisedLine], gutter: Gap) -> bool:
    size = median(line.size for line in lines)
    ends = [max(word.right for word in line.words if word.right <= gutter[0]) for line in lines]
    starts = [min(word.left for word in line.words if word.left >= gutter[1]) for line in lines]
    left, right = min(line.left for line in lines), max(line.right for line in lines)
    if min(gutter[0] - left, right - gutter[1]) < NARROW * (right - left):
        return False
    return median(gutter[0] - end for end in ends) < RAGGED * size and median(start - gutter[1] for start in starts) < RAGGED * size


def _columns(lines: Sequence[RecognisedLine], gutter: Gap) -> Iterator[RecognisedLine]:
    left_first = not any(RIGHT_TO_LEFT.search(line.text) for line in lines)
    for first in (left_first, not left_first):
        for line in lines:
            yield _part(line, [word for word in line.words if (word.right <= gutter[0]) == first])


def _part(line: RecognisedLine, words: Sequence[RecognisedWord]) -> RecognisedLine:
    start, end = min(word.start for word in words), max(word.end for word in words)
    moved = tuple(replace(word, start=word.start - start, end=word.end - start) for word in words)
    return replace(
        line, text=line.text[start:end], words=moved, left=min(word.left for word in words), right=max(word.right for word in words)
    )  # fmt: skip
