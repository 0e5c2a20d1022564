from __future__ import annotations

import pytest

from ingest.direction import class_of, is_right_to_left, with_brackets
from ingest.typeset import Typeset


@pytest.mark.parametrize(("text", "turned"), [("مدرسة", True), ("בית ספר PDF", True), ("the word مدرسة", False), ("١٢٣ (٤)", False), ("ปลา", False)])
def test_a_line_is_read_from_the_right_if_most_of_its_letters_are(text, turned):
    assert is_right_to_left(text) is turned


def test_digits_and_their_separators_run_from_the_left():
    assert [class_of(char) for char in "aא1٣٫ "] == ["L", "R", "N", "A", "S", "B"]


@pytest.mark.parametrize("turned", [")رفق( هو", "(رفق) هو"])
def test_a_bracket_opens_before_what_it_holds(turned):
    assert with_brackets(Typeset.unplaced(turned)).text == "(رفق) هو"
