from __future__ import annotations

import pytest

from ingest.near_languages import decide, near


@pytest.mark.parametrize(
    ("left", "right", "too_near"),
    [("id", "ms", True), ("sr", "hr", True), ("nb", "no", True), ("dz", "bo", True), ("fa", "prs", True), ("am", "am", True), ("am", "ti", False),
     ("hi", "ne", False), ("th", "lo", False), ("ja", "zh", False), ("und", "km", False)],
)  # fmt: skip
def test_near_languages_are_those_that_the_catalogue_decides(left, right, too_near):
    assert near(left, right) is near(right, left) is too_near


@pytest.mark.parametrize(
    ("text", "language", "decided"),
    [
        ("bahwa anak-anak", "ms", "id"), ("bahawa kanak-kanak", "id", "ms"), ("setiap orang", "ms", "ms"), ("Jika Anda", "ms", "id"), ("jika anda", "ms", "ms"),
        ("uvek na istom mestu", "hr", "sr"), ("uvijek na istom mjestu", "hr", "hr"), ("prava i slobode", "bs", "bs"), ("bahwa", "jv", "jv"),
    ],
)  # fmt: skip
def test_words_that_only_one_of_two_near_languages_has_decide(text, language, decided):
    assert decide(text, "Latn", language) == decided


def test_croatian_and_bosnian_in_cyrillic_letters_are_called_serbian():
    assert decide("свако има право", "Cyrl", "bs") == "sr"
