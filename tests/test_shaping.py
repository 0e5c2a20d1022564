from __future__ import annotations

import numpy as np
import pytest

from ingest.shaping import Fragment, gathered, unshaped

SIZE = 10.0


def line_of(*glyphs: tuple[str, float, float], spelt: tuple[int, ...] = (), ink: float | None = None) -> str:
    """What is read from glyphs on one line: (their characters, left, right), in the order in which PDFium gives them."""
    text = "".join(characters for characters, _, _ in glyphs)
    boxes = np.array(
        [[left, 0, right, SIZE] if right > left else [left, 0, left, 0] for characters, left, right in glyphs for _ in characters], np.float32
    )
    spellings = [number for (characters, _, _), number in zip(glyphs, spelt or (0,) * len(glyphs), strict=True) for _ in characters]
    fragment = Fragment(0, len(text), min(left for _, left, _ in glyphs), max(right for _, _, right in glyphs), 0, SIZE)
    (line,) = unshaped([fragment], text, boxes, spellings, lambda at: float(boxes[at, 0]) + (ink or 0.0))
    assert len(line.text.glyphs) == len(line.text.text)
    return line.text.text


def drawn_from_the_right(text: str, step: float = 5.0) -> list[tuple[str, float, float]]:
    """A glyph for each character, the first at the right; a space is a gap that PDFium marks with a character without extent."""
    glyphs, at = [], 400.0
    for char in text:
        glyphs.append((char, at, at) if char == " " else (char, at - step, at))
        at -= step
    return glyphs


@pytest.mark.parametrize(
    ("visual", "read"),
    [
        ("هلا ابا", "هلا ابا"), ("ملع 321 هنم", "ملع 123 هنم"), ("ماع 004,12 صخش", "ماع 21,400 صخش"), ("ةبسن %46 طقف", "ةبسن 64% طقف"),
        ("مسا FDP ديدج", "مسا PDF ديدج"), ("مسا doog si FDP ديدج باتكلل", "مسا PDF is good ديدج باتكلل"), ("שנת 4202 טובה", "שנת 2024 טובה"),
        ("داد ۰۰۰٬۰۴ نفر", "داد ۴۰٬۰۰۰ نفر"), ("سنة ٤٢٠٢ هنا", "سنة ٢٠٢٤ هنا"),
    ],
)  # fmt: skip
def test_letters_are_read_from_the_right_and_numbers_and_foreign_words_from_the_left(visual, read):
    assert line_of(*drawn_from_the_right(visual)) == read


def test_pieces_of_a_line_in_any_order_come_back_into_their_order():
    glyphs = drawn_from_the_right("ملفا مغلقا")
    assert line_of(*glyphs[5:], *glyphs[:5]) == "ملفا مغلقا"


def test_a_mark_goes_behind_the_letter_over_which_it_is_drawn():
    letters = drawn_from_the_right("ملفا كتب")
    assert line_of(("\u064b", 381, 384), *letters, ("\u064f", 372, 374)) == "ملفا\u064b كُتب"


@pytest.mark.parametrize("visual", [")رفق( هو", "(رفق) هو", "«رفق» هو", "»رفق« هو"])
def test_brackets_open_before_and_close_behind_what_they_hold(visual):
    assert line_of(*drawn_from_the_right(visual)) in ("(رفق) هو", "«رفق» هو")


def test_lam_alef_out_of_one_glyph_is_turned_back_and_the_article_is_left_alone():
    assert line_of(("ال", 90, 100), ("م", 85, 90)) == "لام"
    assert line_of(("ا", 95, 100), ("ل", 90, 95), ("م", 85, 90)) == "الم"


@pytest.mark.parametrize(
    "glyphs",
    [
        [("ا", 322.6, 324.7), ("پ", 315.9, 322.6), ("ن", 313.8, 316.5), ("ے", 311.0, 322.0)],
        [("ر", 409.0, 413.8), ("ک", 404.5, 411.3), ("ھ", 400.6, 405.0), ("ت", 397.9, 401.1), ("ے", 395.7, 406.7)],
        [("ا", 96.4, 99.6), ("ل", 91.5, 96.4), ("م", 87.4, 94.6), ("ح", 86.5, 95.8), ("ر", 80.6, 87.3), ("ك", 72.0, 81.8)],
        [("د", 40, 44), ("ی", 36, 40), ("ج", 33, 36), ("ئ", 30.5, 33), ("ے", 28, 39)],
    ],
)
def test_letters_that_stand_over_each_other_keep_the_order_in_which_the_line_is_given(glyphs):
    word = "".join(char for char, _, _ in glyphs)
    assert line_of(*glyphs) == word
    assert line_of(*reversed(glyphs)) == word


def test_foreign_letters_that_stand_over_each_other_are_read_from_the_left():
    latex = [("L", 40, 46), ("A", 42, 48), ("T", 46, 52)]
    assert line_of(("ا", 60, 63), ("ب", 55, 60), *latex, ("ج", 30, 35), ("د", 26, 30)) == "اب LAT جد"


def test_a_letter_that_could_join_the_next_and_does_not_is_followed_by_a_non_joiner():
    persian = drawn_from_the_right("میشود")
    assert line_of(*persian, ink=0.0) == "میشود"
    text, boxes = "میشود", np.array([[left, 0, right, SIZE] for _, left, right in persian], np.float32)
    fragment = Fragment(0, 5, 375, 400, 0, SIZE)
    (line,) = unshaped([fragment], text, boxes, [0] * 5, lambda at: float(boxes[at, 0]) + (0.6 if at == 1 else 0.0))
    assert line.text.text == "می\u200cشود"


@pytest.mark.parametrize(
    ("glyphs", "read"),
    [
        ([("ភ្ញៀ", 0, 10), ("ភ្ញៀ", 4, 10.5), ("ភ្ញៀ", 8, 14), ("វ", 14, 17)], "ភ្ញៀវ"),
        ([("ផ្ទះ", 0, 6), ("ផ្ទះ", 6, 9), ("ផ្ទះ", 1, 5), ("ស", 10, 15)], "ផ្ទះស"),
        ([("পাঁ", 0, 6.6), ("পাঁ", 3.6, 6.8), ("পাঁ", 6.0, 8.8), ("চ", 8.2, 14)], "পাঁচ"),
        ([("पु", 0, 9), ("रु", 8, 17), ("ष", 16, 24), ("पु", 2, 8)], "पुरुष"),
        ([("ชั่", 0, 6), ("ว", 6, 11), ("ชั่", 1, 5)], "ชั่ว"),
    ],
)
def test_a_cluster_that_is_given_once_for_each_of_its_glyphs_is_read_once(glyphs, read):
    assert line_of(*glyphs) == read


@pytest.mark.parametrize(("word", "step"), [("दादा", 8.0), ("মামা", 8.0), ("សាសា", 9.0), ("ต่างต่าง", 8.0)])
def test_a_word_that_repeats_a_syllable_is_left_alone(word, step):
    half = word[: len(word) // 2]
    assert line_of((half, 0, step), (half, step - 0.5, 2 * step - 0.5)) == word


def test_spelt_out_clusters_are_parted_by_their_gaps():
    glyphs = [("से", 0, 6), ("उ", 7.5, 12), ("ब", 11.5, 16), ("के", 18, 24)]
    assert line_of(*glyphs, spelt=(1, 0, 0, 2)) == "से उब के"
    assert line_of(("នៅ", 0, 6), ("ត", 7.4, 12), ("ម", 15, 19), spelt=(1, 0, 0)) == "នៅតម"


def test_what_stands_on_one_line_is_put_together_and_columns_are_not():
    left, right, below = Fragment(0, 3, 50, 150, 700, SIZE), Fragment(3, 6, 155, 250, 703, SIZE), Fragment(6, 9, 50, 150, 688, SIZE)
    column = Fragment(9, 12, 300, 400, 700, SIZE)
    assert gathered([left, right, below, column], "abcdefghijkl") == [[left, right], [below], [column]]


def test_the_number_of_an_item_is_put_before_it_wherever_it_is_given():
    item, other, number = Fragment(0, 4, 70, 200, 700, SIZE), Fragment(4, 8, 70, 200, 685, SIZE), Fragment(8, 10, 60, 66, 700, SIZE)
    assert gathered([item, other, number], "水火木金ABCD1.") == [[number, item], [other]]
