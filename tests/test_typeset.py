from __future__ import annotations

import pytest
import regex

from ingest.typeset import Typeset


def placed(text: str) -> Typeset:
    return Typeset(text, list(range(len(text))))


@pytest.mark.parametrize(
    ("text", "pattern", "written", "result", "glyphs"),
    [
        ("ﬁnd", "ﬁ", "fi", "find", [0, 0, 1, 2]),
        ("e\u0301cole", "e\u0301", "\u00e9", "\u00e9cole", [0, 2, 3, 4, 5]),
        ("اال", "(ا)(ل)", r"\2\1", "الا", [0, 1, 2]),
        ("নানা", "(না)না", r"\1", "না", [0, 2]),
        ("กขค", "ข", "", "กค", [0, 2]),
        ("水火", "土", "木", "水火", [0, 1]),
    ],
)
def test_an_edit_keeps_the_glyphs_of_what_stays_and_spreads_those_of_what_goes(text, pattern, written, result, glyphs):
    edited = placed(text).sub(regex.compile(pattern), written)
    assert (edited.text, edited.glyphs) == (result, glyphs)


def test_stripping_cutting_and_joining_take_the_glyphs_along():
    text = placed("  ውሃ ")
    assert text.strip() == Typeset("ውሃ", [2, 3])
    assert text.strip().between(1, 2) + " " + Typeset("አለ", [7, 8]) == Typeset("ሃ አለ", [3, -1, 7, 8])
    assert len(Typeset.unplaced("ab")) == 2 and Typeset.unplaced("ab").glyphs == [-1, -1]
