from __future__ import annotations

import pytest

from ingest.drawn_order import as_written
from ingest.layout import Line
from ingest.typeset import Typeset

STRAYS = ["\u09bfক", "\u17c1\u1780", "\u1031က"]  # lines that begin with a vowel: as many as it takes to tell


def page(*texts: str) -> list[Line]:
    return [Line(Typeset(text, list(range(len(text)))), 60, 460, 700 - 15 * row, 10) for row, text in enumerate(texts)]


def texts(lines: list[Line]) -> list[str]:
    return [line.text.text for line in lines]


@pytest.mark.parametrize(
    ("drawn", "written"),
    [
        ("\u09bfসয়াম", "সিয়াম"),  # Bengali
        ("\u093fकताब", "किताब"),  # Devanagari
        ("प\u093fरव\u093fतर\u094dत", "परिवर्तित"),
        ("कर\u094d", "र्क"),
        ("\u0a3fਕਤਾਬ", "ਕਿਤਾਬ"),  # Gurmukhi
        ("\u0abfકતાબ", "કિતાબ"),  # Gujarati
        ("\u0bc6பண", "பெண"),  # Tamil
        ("\u0d46പണ", "പെണ"),  # Malayalam
        ("\u17c1លាក", "លោក"),  # Khmer
        ("\u17d2រពះជាមា\u17d2ចស់\u17d2រសឡាញ់", "ព្រះជាម្ចាស់ស្រឡាញ់"),
        ("\u1031\u103cကာ", "က\u103c\u1031ာ"),  # Burmese
        ("\u1031က\u103b \u103cပ\u103d", "က\u103b\u1031 ပ\u103c\u103d"),
    ],
)
def test_letters_in_the_order_of_drawing_are_put_into_that_of_writing(drawn, written):
    assert texts(as_written(page(*STRAYS, drawn)))[-1] == written


@pytest.mark.parametrize("text", ["हिन्दी की किताब", "সিয়াম কেন এসেছে", "லெனின்", "ព្រះជាម្ចាស់ស្រឡាញ់មនុស្សលោក", "ကြောင့် ကျေးရွာ အေး", "เด็กไทย", "ເດັກ", "ع"])
def test_letters_in_the_order_of_writing_stay(text):
    assert texts(as_written(page(*[text] * 9))) == [text] * 9


def test_a_vowel_or_two_in_the_wrong_place_are_slips():
    sound = page("কেন", "\u09bfক", "\u09c7ক")
    assert as_written(sound) == sound


def test_a_vowel_that_a_gap_parts_from_its_letter_tells_nothing():
    parted = page(*["ক \u09bfন"] * 9)
    assert as_written(parted) == parted


def test_letters_keep_as_many_glyphs_and_those_of_their_syllable():
    (line,) = as_written(page(*STRAYS, "कि \u093fकताब"))[-1:]
    assert len(line.text.glyphs) == len(line.text) and set(line.text.glyphs[3:5]) == {3, 4}


def test_khmer_letters_that_stand_below_nothing_tell_it_too():
    assert texts(as_written(page("\u17d2រពះ", "ជាមា\u17d2ចស់\u17d2រសឡាញ់")))[0] == "ព្រះ"
