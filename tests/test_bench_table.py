"""What the table of the benches says."""

from __future__ import annotations

from bench.table import Row, table


def test_rows_stand_in_the_order_of_the_targets_and_say_what_is_missed():
    rows = [
        Row("7", "on disk", "1900 bytes", "", "at most 1600", False),
        Row("3", "answer", "8 ms", "2.5 x", "at most 3 x", True),
        Row("3", "words", "1 ms", "0.3 x", "", None),
    ]
    lines = table(rows).splitlines()[2:]
    assert lines == [
        "| 3 | answer | 8 ms | 2.5 x | at most 3 x | reached |",
        "| 3 | words | 1 ms | 0.3 x |  |  |",
        "| 7 | on disk | 1900 bytes |  | at most 1600 | **missed** |",
    ]


def test_a_bar_in_a_cell_ends_no_column():
    assert table([Row("1", "a | b", "", "", "", None)]).splitlines()[2] == "| 1 | a \\| b |  |  |  |  |"
