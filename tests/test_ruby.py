from __future__ import annotations

import pytest

from ingest.ruby import without_readings
from ingest.shaping import Fragment

TEXT = "に日ほん本国民は"
READINGS = [Fragment(0, 1, 104, 108, 710, 5), Fragment(2, 4, 109, 121, 710, 5)]
BASES = [Fragment(1, 2, 100, 110, 700, 10), Fragment(4, 8, 110, 150, 700, 10)]


def test_readings_above_characters_are_left_out_and_the_line_is_whole_again():
    (first, second), (here, there) = READINGS, BASES
    assert without_readings([first, here, second, there], TEXT) == [here, there]


@pytest.mark.parametrize(
    "other",
    [
        Fragment(2, 4, 109, 121, 710, 9),  # as large as the text
        Fragment(2, 4, 109, 121, 714, 5),  # a line of its own
        Fragment(2, 4, 109, 121, 700, 5),  # within the line
        Fragment(2, 4, 300, 312, 710, 5),  # beside it
        Fragment(4, 5, 109, 114, 710, 5),  # no kana
    ],
)
def test_what_is_no_reading_stays(other):
    assert without_readings([other, *BASES], TEXT) == [other, *BASES]


def test_small_kana_above_other_letters_stay():
    fragments = [Fragment(0, 2, 100, 110, 710, 5), Fragment(2, 5, 100, 115, 700, 10)]
    assert without_readings(fragments, "かなdvi") == fragments
