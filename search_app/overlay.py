"""Where marks lie on the picture of a page: word boxes put together to lines, and lines to the outline of a passage."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ingest.records import Page, WordBox

SAME_LINE = 0.5  # of the lower of two boxes, at least, that lies beside the other
GAP = 1.5  # line heights between words of one line; what is further apart stands in two columns
SPACE = 0.6  # heights of sideways letters between its words
EXTENT = 0.1  # points by which the sides of a sideways line may differ
LEADING = 1.5  # line heights between lines of one block; what is further apart is outlined by itself
MARGIN = 2.0  # points around what is outlined


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A rectangle in points from the upper left corner of the page, as SVG has it."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    def joined(self, other: Rectangle) -> Rectangle:
        return Rectangle(min(self.left, other.left), min(self.top, other.top), max(self.right, other.right), max(self.bottom, other.bottom))


def lines(page: Page, start: int, end: int, height: float) -> list[Rectangle]:
    """The characters from `start` up to `end` of a page's text, a rectangle for each line or part of a line, in reading order.

    `height` is that of the page in points. Whichever way a line runs, words that stand beside each other are one rectangle.
    """
    found: list[Rectangle] = []
    before = start
    for box in page.boxes.within(start, end):
        rectangle = _from(box, height)
        if found and (_beside(found[-1], rectangle) or _sideways(found[-1], rectangle, page.text[before : box.start])):
            found[-1] = found[-1].joined(rectangle)
        else:
            found.append(rectangle)
        before = box.end
    return found


def outline(rows: Sequence[Rectangle], width: float, height: float) -> str:
    """A path in SVG around lines in reading order: one closed figure for each block, such as a column, MARGIN points away from it."""
    return "".join(_figure(block, width, height) for block in _blocks(rows))


def _from(box: WordBox, height: float) -> Rectangle:
    return Rectangle(box.left, height - box.top, box.right, height - box.bottom)


def _beside(line: Rectangle, word: Rectangle) -> bool:
    shared = min(line.bottom, word.bottom) - max(line.top, word.top)
    apart = max(line.left, word.left) - min(line.right, word.right)
    lower = min(line.height, word.height)
    return shared >= SAME_LINE * lower and apart <= GAP * max(line.height, word.height)


def _sideways(line: Rectangle, word: Rectangle, between: str) -> bool:
    """Whether letters go on in a line that runs up or down the page; of a word there, only the ends have boxes."""
    apart = max(line.top, word.top) - min(line.bottom, word.bottom)
    same = abs(line.left - word.left) <= EXTENT and abs(line.right - word.right) <= EXTENT
    return same and (apart <= SPACE * word.width or not any(char.isspace() for char in between))


def _blocks(rows: Iterable[Rectangle]) -> list[list[Rectangle]]:
    """Lines that stand below each other."""
    blocks: list[list[Rectangle]] = []
    for row in rows:
        above = blocks[-1][-1] if blocks else None
        if above is not None and -above.height / 2 < row.top - above.bottom < LEADING * above.height and _share_width(blocks[-1], row):
            blocks[-1].append(row)
        else:
            blocks.append([row])
    return blocks


def _share_width(block: Sequence[Rectangle], row: Rectangle) -> bool:
    return min(line.left for line in block) < row.right and row.left < max(line.right for line in block)


def _figure(block: Sequence[Rectangle], width: float, height: float) -> str:
    """Around the lines of a block: the first and the last have their own ends, those between them have those of the widest."""
    left, right = min(line.left for line in block), max(line.right for line in block)
    ends = [(line.left, line.right) if at in (0, len(block) - 1) else (left, right) for at, line in enumerate(block)]
    borders = [(above.bottom + below.top) / 2 for above, below in pairwise(block)]
    tops, bottoms = [block[0].top - MARGIN, *borders], [*borders, block[-1].bottom + MARGIN]
    down = [(end + MARGIN, y) for (_, end), *ys in zip(ends, tops, bottoms, strict=True) for y in ys]
    up = [(start - MARGIN, y) for (start, _), *ys in reversed(list(zip(ends, bottoms, tops, strict=True))) for y in ys]
    points = ((min(max(x, 0.0), width), min(max(y, 0.0), height)) for x, y in down + up)
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + "Z"
