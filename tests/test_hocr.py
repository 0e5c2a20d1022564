"""What tesseract writes of a page becomes lines whose words know their place, in every script."""

from __future__ import annotations

from xml.etree.ElementTree import ParseError

import numpy as np
import pytest

from ingest.hocr import Recognition, read_hocr

HEIGHT = 1000  # pixels
SCALE = 2.0  # pixels per point


def hocr_of(*paragraphs: list[list[str]], confidence: int = 90) -> str:
    """hOCR of paragraphs of lines of words; each line is 40 pixels below the one before, each letter 10 pixels wide."""
    written, top = "", 100
    for lines in paragraphs:
        written += "<p class='ocr_par'>"
        for words in lines:
            width = 10 * sum(map(len, words))
            written += f'<span class="ocr_line" title="bbox 100 {top} {100 + width} {top + 30}; baseline 0 -6; x_size 24; x_ascenders 5">'
            left = 100
            for word in words:
                box = f"bbox {left} {top} {left + 10 * len(word)} {top + 24}; x_wconf {confidence}"
                written += f"<span class='ocrx_word' title='{box}'><strong>{word.replace('&', '&amp;')}</strong></span>\n"
                left += 10 * len(word)
            written, top = written + "</span>", top + 40
        written += "</p>"
    return f"<html xmlns='http://www.w3.org/1999/xhtml'><body><div class='ocr_page' title='image \"stdin\"'>{written}</div></body></html>"


def read(hocr: str, plain: str) -> Recognition:
    return read_hocr(hocr, plain, HEIGHT, SCALE)


@pytest.mark.parametrize(
    ("words", "plain", "text"),
    [
        (["The", "forest", "&", "the", "river."], "The forest & the river.\n", "The forest & the river."),
        (["الغابة", "والماء"], "\u200fالغابة والماء\n", "الغابة والماء"),
        (["היער", "והמים"], "היער והמים\n", "היער והמים"),
        (["जंगल", "और", "पानी।"], "जंगल और पानी।\n", "जंगल और पानी।"),
        (["ป่", "า", "อ", "ยู่", "RIVA", "น้ำ"], "ป่าอยู่ RIVA น้ำ\n", "ป่าอยู่ RIVA น้ำ"),
        (["ព្រៃ", "ឈើ", "ទឹក"], "ព្រៃឈើ  ទឹក\n", "ព្រៃឈើ ទឹក"),
        (["ປ່າ", "ໄມ້"], "ປ່າໄມ້\n", "ປ່າໄມ້"),
        (["သစ်", "တော", "ရေ"], "သစ်တော ရေ\n", "သစ်တော ရေ"),
        (["ጫካ", "ውሃ"], "ጫካ ውሃ\n", "ጫካ ውሃ"),
        (["森", "林", "と", "水", "。"], "森 林と 水 。\n", "森林と水。"),
        (["森林", "JIXT", "水"], "森林 JIXT 水\n", "森林 JIXT 水"),
        (["숲은", "강가에"], "숲은       강가에\n", "숲은 강가에"),
    ],
)
def test_spaces_stand_where_the_plain_text_has_them_and_never_within_chinese_and_japanese(words, plain, text):
    (line,) = read(hocr_of([words]), plain).lines
    assert line.text == text
    assert [line.text[word.start : word.end] for word in line.words] == words


def test_a_space_follows_a_word_that_the_plain_text_has_not():
    (line,) = read(hocr_of([["ป่า", "ดง", "น้ำ", "ใส"]]), "ป่า น้ำใส").lines
    assert line.text == "ป่า ดง น้ำใส"


def test_half_letters_of_devanagari_are_written_as_everywhere():
    (line,) = read(hocr_of([["क्\u200dयों", "है"]]), "क्\u200dयों है").lines
    assert (line.text, line.words[0].end) == ("क्यों है", 5)


@pytest.mark.parametrize("word", ["র\u200d্য", "ශ්\u200dරී", "می\u200cخواهم"])
def test_joiners_that_are_spelling_stay(word):
    assert read(hocr_of([[word]]), word).text == word


def test_letters_are_composed():
    (line,) = read(hocr_of([["Tie\u0302\u0301ng"]]), "Tie\u0302\u0301ng").lines
    assert line.text == "Tiếng" and line.words[0].end == len("Tiếng")


def test_places_are_points_from_the_lower_left_corner():
    (line,) = read(hocr_of([["forest", "water"]]), "forest water").lines
    assert (line.left, line.right, line.baseline, line.size) == (50, 105, (1000 - 130 + 6) / 2, 12)
    forest, water = line.words
    assert (forest.left, forest.bottom, forest.right, forest.top) == (50, 438, 80, 450) and (water.start, water.end, water.left) == (7, 12, 80)


def test_a_slanted_baseline_is_taken_at_the_middle_of_the_line():
    slanted = hocr_of([["forest"]]).replace("baseline 0 -6", "baseline 0.1 -6")
    (line,) = read(slanted, "forest").lines
    assert line.baseline == pytest.approx((1000 - 130 + 6 - 3) / 2)


def test_lines_keep_their_order_and_know_their_paragraph():
    recognition = read(hocr_of([["one"], ["two"]], [["three"]]), "one\ntwo\n\nthree\n")
    assert [(line.text, line.paragraph) for line in recognition.lines] == [("one", 0), ("two", 0), ("three", 1)]
    assert recognition.text == "one\ntwo\nthree"


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        ([["Bwe-"], ["jumbe"]], "Bwe\u00ad\njumbe"),
        ([["дет-"], ["ский"]], "дет\u00ad\nский"),
        ([["Mutter-"], ["Kind"]], "Mutter-\nKind"),
        ([["2019-"], ["heute"]], "2019-\nheute"),
        ([["ป่า-"], ["น้ำ"]], "ป่า-\nน้ำ"),
    ],
)
def test_the_hyphen_of_a_broken_word_is_soft(lines, text):
    assert read(hocr_of(lines), "\n".join(lines[0] + lines[1])).text == text


def test_a_hyphen_at_the_end_of_a_paragraph_stays():
    assert read(hocr_of([["see-"]], [["also"]]), "see-\n\nalso").text == "see-\nalso"


def test_marks_above_a_line_are_no_line():
    hocr = hocr_of([["ป่า"], ["e,"], ["น้ำ"]]).replace("bbox 100 140 120 164", "bbox 100 140 120 146")
    assert read(hocr, "ป่า\ne,\nน้ำ").text == "ป่า\nน้ำ"


def test_confidence_is_weighed_by_the_length_of_the_words():
    mixed = hocr_of([["a", "forest"]]).replace("x_wconf 90", "x_wconf 20", 1)
    assert read(mixed, "a forest").confidence == pytest.approx((1 * 0.2 + 6 * 0.9) / 7)


def test_a_page_without_words_has_no_lines_and_no_confidence():
    empty = read(hocr_of([["", " "]]), "\f")
    assert (empty.lines, empty.text, empty.confidence) == ((), "", 0.0)


def test_the_boxes_of_characters_divide_the_word_in_the_direction_of_its_script():
    (line,) = read(hocr_of([["ab", "غاب"]]), "ab غاب").lines
    boxes = line.character_boxes()
    assert boxes.shape == (6, 4)
    assert boxes[:, 0].tolist() == [50, 55, 0, 70, 65, 60] and boxes[:, 2].tolist() == [55, 60, 0, 75, 70, 65]
    assert np.all(boxes[[0, 1, 3, 4, 5], 1] == 438) and np.all(boxes[2] == 0)


@pytest.mark.parametrize(("hocr", "error"), [("no XML", ParseError), (hocr_of([["forest"]]).replace("bbox", "box"), KeyError)])
def test_what_is_no_hocr_is_refused(hocr, error):
    with pytest.raises(error):
        read(hocr, "forest")
