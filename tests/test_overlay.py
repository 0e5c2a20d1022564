"""Marks on the picture of a page: lines out of word boxes, outlines out of lines."""

from __future__ import annotations

import re

import pytest

from ingest.records import Page, WordBox, WordBoxes
from search_app import overlay
from search_app.overlay import MARGIN, Rectangle, outline

HEIGHT = 800.0


def boxes_of(*rows, right_to_left=False, width=500.0):
    """Words of one letter and a space each; a row is (baseline, left, words), words are 20 wide and 5 apart."""
    made, at = [], 0
    for bottom, left, words in rows:
        for word in range(words):
            x = left + 25 * word
            x = width - x - 20 if right_to_left else x
            made.append(WordBox(at, at + 1, x, bottom, x + 20, bottom + 10))
            at += 2
    return WordBoxes.of(made)


def lines(boxes, start, end, height, text="w w w w " * 50):
    return overlay.lines(Page("one", 1, "1", text, "good", boxes), start, end, height)


def rectangles(found):
    return [(box.left, box.top, box.right, box.bottom) for box in found]


def points(path):
    return [[tuple(float(number) for number in point.split()) for point in figure.split("L")] for figure in re.findall("M([^Z]*)Z", path)]


def test_the_words_of_a_line_are_one_rectangle_measured_from_the_upper_left_corner():
    boxes = boxes_of((700, 50, 4), (680, 50, 4))
    assert rectangles(lines(boxes, 2, 11, HEIGHT)) == [(75, 90, 145, 100), (50, 110, 95, 120)]
    assert rectangles(lines(boxes, 2, 3, HEIGHT)) == [(75, 90, 95, 100)]
    assert lines(boxes, 100, 200, HEIGHT) == [] and lines(WordBoxes(), 0, 9, HEIGHT) == []


def test_a_line_from_right_to_left_is_one_rectangle_too():
    boxes = boxes_of((700, 50, 4), (680, 50, 4), right_to_left=True)
    assert rectangles(lines(boxes, 2, 11, HEIGHT)) == [(355, 90, 425, 100), (405, 110, 450, 120)]


def test_numbers_that_run_against_a_line_from_right_to_left_join_the_words_after_them():
    words = [(400, 420), (360, 380), (330, 350), (300, 320)]  # in reading order: word, "11", "900", word
    order = [0, 2, 1, 3]
    boxes = WordBoxes.of(WordBox(2 * at, 2 * at + 1, words[place][0], 700, words[place][1], 710) for at, place in enumerate(order))
    assert rectangles(lines(boxes, 0, 8, HEIGHT)) == [(400, 90, 420, 100), (300, 90, 380, 100)]


def test_a_line_that_runs_down_the_page_is_one_rectangle_and_a_column_of_numbers_is_not():
    sideways = WordBoxes.of([WordBox(0, 1, 50, 700, 70, 710), WordBox(5, 6, 50, 600, 70, 610), WordBox(7, 8, 50, 585, 70, 595)])
    assert rectangles(lines(sideways, 0, 8, HEIGHT, "abcdef g")) == [(50, 90, 70, 215)]
    column = WordBoxes.of(WordBox(2 * at, 2 * at + 1, 50, 700 - 20 * at, 56, 712 - 20 * at) for at in range(3))
    assert len(lines(column, 0, 6, HEIGHT, "5 3 7")) == 3


def test_words_in_two_columns_at_one_height_are_two_rectangles():
    boxes = boxes_of((700, 50, 2), (700, 300, 2))
    assert rectangles(lines(boxes, 0, 7, HEIGHT)) == [(50, 90, 95, 100), (300, 90, 345, 100)]


def test_a_raised_or_small_word_stays_in_its_line():
    boxes = WordBoxes.of([WordBox(0, 1, 50, 700, 70, 712), WordBox(1, 2, 70, 706, 74, 713), WordBox(3, 4, 78, 700, 98, 712)])
    assert rectangles(lines(boxes, 0, 4, HEIGHT)) == [(50, 87, 98, 100)]


def test_an_outline_follows_the_first_and_the_last_line_and_is_closed():
    path = outline([Rectangle(100, 90, 200, 100), Rectangle(50, 110, 200, 120), Rectangle(50, 130, 120, 140)], 600, HEIGHT)
    (figure,) = points(path)
    assert figure == [
        (202, 88), (202, 105), (202, 105), (202, 125), (122, 125), (122, 142),
        (48, 142), (48, 125), (48, 125), (48, 105), (98, 105), (98, 88),
    ]  # fmt: skip
    assert MARGIN == 2 and path.startswith("M") and path.endswith("Z")


@pytest.mark.parametrize(
    "rows",
    [
        [Rectangle(50, 700, 250, 710), Rectangle(50, 720, 250, 730), Rectangle(300, 90, 500, 100)],  # over the end of a column
        [Rectangle(300, 700, 500, 710), Rectangle(50, 90, 250, 100), Rectangle(50, 110, 250, 120)],  # columns from right to left
        [Rectangle(50, 90, 250, 100), Rectangle(50, 180, 250, 190)],  # a table or a picture between
    ],
)
def test_blocks_that_do_not_stand_below_each_other_are_outlined_each(rows):
    assert len(points(outline(rows, 600, HEIGHT))) == 2


def test_an_outline_never_leaves_the_page():
    (figure,) = points(outline([Rectangle(-5, 0, 700, 801)], 600, HEIGHT))
    assert {x for x, _ in figure} == {0, 600} and {y for _, y in figure} == {0, 800}
