"""Lines that tesseract has read across two columns are parted; tables, lists and single columns stay as they are."""

from __future__ import annotations

import pytest

from ingest.columns import columns_parted
from ingest.hocr import RecognisedLine, RecognisedWord

SIZE = 10.0


def line(row: int, *cells: tuple[float, str]) -> RecognisedLine:
    """A line of cells, each of words of letters half as wide as high, from its left edge on."""
    text, words = "", []
    for left, cell in cells:
        for word in cell.split():
            words.append(RecognisedWord(len(text), len(text) + len(word), left, 0, left + 5 * len(word), SIZE, 0.9))
            text, left = f"{text}{word} ", left + 5 * len(word) + 3
    right = max(word.right for word in words)
    return RecognisedLine(text.rstrip(), tuple(words), min(word.left for word in words), right, 700 - 14 * row, SIZE, 0)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("왼쪽 단의 글이다", "오른쪽 단의 글이다"),
        ("左栏的一行文字很长", "右栏的一行文字很长"),
        ("ជួរឈរខាងឆ្វេង", "ជួរឈរខាងស្តាំ"),
        ("the left column", "the right column"),
    ],
)
def test_each_column_is_read_whole(left, right):
    lines = [line(0, (0, "A heading over both of the columns of this page"))]
    lines += [line(row, (0, f"{left} {row}"), (100, f"{right} {row}")) for row in range(1, 7)]
    texts = [f"{left} {row}" for row in range(1, 7)] + [f"{right} {row}" for row in range(1, 7)]
    parted = columns_parted(lines)
    assert [one.text for one in parted] == [lines[0].text, *texts]
    assert {one.left for one in parted[7:]} == {100} and all(one.right <= 100 for one in parted[1:7])
    assert [one.text[word.start : word.end] for one in parted for word in one.words] == [word for one in parted for word in one.text.split()]


def test_the_right_column_comes_first_where_the_script_runs_that_way():
    lines = [line(row, (120, "العمود الأيمن هنا"), (0, "العمود الأيسر هنا")) for row in range(5)]
    assert [one.text for one in columns_parted(lines)] == ["العمود الأيمن هنا"] * 5 + ["العمود الأيسر هنا"] * 5


@pytest.mark.parametrize(
    "cells",
    [
        [("the left column", "the right column")] * 3,
        [("1.", "a point of a list that runs on and on")] * 6,
        [("a", "12"), ("many more words", "7"), ("b", "118"), ("c", "3"), ("some", "44"), ("d", "1")],
    ],
    ids=["few lines", "list", "table"],
)
def test_a_small_table_a_list_and_ragged_cells_stay_line_by_line(cells):
    lines = [line(row, (0, left), (25 if left == "1." else 100, right)) for row, (left, right) in enumerate(cells)]
    assert columns_parted(lines) == lines


def test_a_single_column_and_an_empty_page_stay():
    lines = [line(row, (0, "one column of words that fill the whole line")) for row in range(8)]
    assert (columns_parted(lines), columns_parted([])) == (lines, [])


@pytest.mark.parametrize("noise", ["ㆍ", "＊", "·"])
def test_a_sign_that_is_seen_in_the_empty_gutter_does_not_join_the_columns(noise):
    lines = [line(row, (0, "왼쪽 단의 글이다"), *([(62, noise)] if row in (1, 3) else []), (75, "오른쪽 단의 글이다")) for row in range(6)]
    assert [one.text for one in columns_parted(lines)] == ["왼쪽 단의 글이다"] * 6 + ["오른쪽 단의 글이다"] * 6


def test_lines_that_only_one_column_has_stay_in_it_and_what_follows_at_a_distance_stays_below():
    both = [line(row, (0, "ជួរឈរខាងឆ្វេង"), (100, "ជួរឈរខាងស្តាំ")) for row in range(1, 6)]
    above, below, heading = line(0, (100, "ខាងស្តាំ")), line(6, (0, "ខាងឆ្វេង")), line(9, (0, "ចំណងជើង"))
    texts = ["ជួរឈរខាងឆ្វេង"] * 5 + ["ខាងឆ្វេង", "ខាងស្តាំ"] + ["ជួរឈរខាងស្តាំ"] * 5 + ["ចំណងជើង"]
    assert [one.text for one in columns_parted([above, *both, below, heading])] == texts
