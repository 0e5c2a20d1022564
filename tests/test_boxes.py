from __future__ import annotations

import unicodedata

import numpy as np
import pypdfium2
import pytest
from conftest import CORPUS

from ingest.boxes import word_boxes
from ingest.pdf import read_pdf
from ingest.records import WordBox, WordBoxes
from ingest.typeset import Typeset

SAMPLES = ["boys-services/hi", "boys-services/my", "helpline-data/bn", "humanitarian-casework/ar", "mekong-homestays/km", "online-safety-survey/uk",
           "payment-signals/ko", "payment-signals/zh", "platform-reporting-law/fa", "river-corridor/lo", "river-corridor/th", "safe-terminals/es",
           "school-corridor-clubs/am", "travel-agents-audit/ja", "tourism-curriculum/vi"]  # fmt: skip


def letters(text: str) -> set[str]:
    return {char for char in unicodedata.normalize("NFKD", text) if char.isalnum()}


@pytest.mark.parametrize("name", SAMPLES)
def test_the_box_of_a_word_holds_this_word(name):
    page, textpage = read_pdf(CORPUS / f"{name}.pdf", name).pages[1], pypdfium2.PdfDocument(CORPUS / f"{name}.pdf")[1].get_textpage()
    words = [box for box in page.boxes if letters(page.text[box.start : box.end])]
    assert len(words) > 200
    held = [letters(page.text[box.start : box.end]) <= letters(textpage.get_text_bounded(box.left, box.bottom, box.right, box.top)) for box in words]
    assert sum(held) >= 0.97 * len(held)


@pytest.mark.parametrize("name", SAMPLES)
def test_there_is_ink_in_every_box_and_none_is_outside_the_page(name):
    page, pdf_page = read_pdf(CORPUS / f"{name}.pdf", name).pages[1], pypdfium2.PdfDocument(CORPUS / f"{name}.pdf")[1]
    width, height = pdf_page.get_size()
    scale = 3
    image = np.asarray(pdf_page.render(scale=scale, grayscale=True).to_numpy()).squeeze()
    for box in page.boxes:
        assert 0 <= box.left < box.right <= width and 0 <= box.bottom < box.top <= height
        if letters(page.text[box.start : box.end]):
            rows, columns = (
                slice(int((height - box.top) * scale), int((height - box.bottom) * scale) + 1),
                slice(int(box.left * scale), int(box.right * scale) + 1),
            )
            assert image[rows, columns].min() < 160, page.text[box.start : box.end]


@pytest.mark.parametrize("name", SAMPLES)
def test_the_boxes_of_a_page_cover_its_letters_in_the_order_of_its_text(name):
    for page in read_pdf(CORPUS / f"{name}.pdf", name).pages:
        starts = [box.start for box in page.boxes]
        assert starts == sorted(starts)
        covered = {at for box in page.boxes for at in range(box.start, box.end)}
        missed = [char for at, char in enumerate(page.text) if char.isalnum() and at not in covered]
        assert len(missed) <= 0.002 * len(page.text), missed


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("two words", ["two", "words"]), ("два слова", ["два", "слова"]), ("كلمتان هنا", ["كلمتان", "هنا"]), ("दो शब्द", ["दो", "शब्द"]),
        ("ሁለት ቃላት", ["ሁለት", "ቃላት"]), ("두 단어", ["두", "단어"]), ("水，火", ["水", "，", "火"]), ("PDF の頁", ["PDF", "の", "頁"]),
        ("ที่นี่", ["ที่", "นี่"]), ("ສີ່ຄົນ", ["ສີ່", "ຄົ", "ນ"]), ("ស្ត្រី", ["ស្ត្រី"]), ("မြန်မာ", ["မြ", "န်", "မာ"]), ("ที่ 12", ["ที่", "12"]),
    ],
)  # fmt: skip
def test_words_have_boxes_and_where_no_space_parts_them_every_cluster(text, words):
    boxes = np.array([[at, 0, at + 1, 10] for at in range(len(text))], np.float32)
    found = word_boxes(Typeset(text, list(range(len(text)))), boxes)
    assert [text[box.start : box.end] for box in found] == words
    assert all((box.left, box.right) == (box.start, box.end) for box in found)


def test_a_word_over_two_lines_has_two_boxes_and_what_nobody_drew_has_none():
    text = Typeset("a international x", [0, -1, *range(1, 14), -1, -1])
    boxes = np.array([[at * 5, 40 if at < 6 else 20, at * 5 + 5, 50 if at < 6 else 30] for at in range(14)], np.float32)
    assert list(word_boxes(text, boxes)) == [WordBox(0, 1, 0, 40, 5, 50), WordBox(2, 7, 5, 40, 30, 50), WordBox(7, 15, 30, 20, 70, 30)]


def test_a_word_over_two_lines_whose_boxes_overlap_has_two_boxes():
    boxes = np.array([[at * 5, 40 if at < 4 else 28, at * 5 + 5, 57 if at < 4 else 45] for at in range(8)], np.float32)
    found = word_boxes(Typeset("language", list(range(8))), boxes)
    assert list(found) == [WordBox(0, 4, 0, 40, 20, 57), WordBox(4, 8, 20, 28, 40, 45)]


def test_boxes_survive_packing_and_are_found_by_the_characters_they_hold():
    boxes = WordBoxes.of([WordBox(0, 3, 1, 2, 3, 4), WordBox(4, 7, 5, 2, 8, 4), WordBox(8, 9, 9, 2, 10, 4)])
    assert WordBoxes(boxes.packed) == boxes and len(boxes) == 3 and boxes[-1] == WordBox(8, 9, 9, 2, 10, 4)
    assert [box.start for box in boxes.within(2, 5)] == [0, 4] and boxes.within(7, 8) == () and boxes[1:] == (boxes[1], boxes[2])
    with pytest.raises(IndexError):
        boxes[3]


@pytest.mark.parametrize("turns", [90, 180, 270])
def test_boxes_are_where_a_turned_and_cropped_page_shows_the_words(tmp_path, turns):
    document = pypdfium2.PdfDocument(CORPUS / "safe-terminals" / "es.pdf")
    page = document[1]
    page.set_cropbox(30, 40, 480, 690)
    page.set_rotation(turns)
    document.save(tmp_path / "turned.pdf")
    turned = pypdfium2.PdfDocument(tmp_path / "turned.pdf")[1]
    height = turned.get_height()
    image = np.asarray(turned.render(scale=2, grayscale=True).to_numpy()).squeeze()
    found = read_pdf(tmp_path / "turned.pdf", "x").pages[1]
    straight = read_pdf(CORPUS / "safe-terminals" / "es.pdf", "x").pages[1]
    assert letters(found.text) >= letters(straight.text) and "\n1 Red" not in found.text  # the footer is cropped away
    for box in found.boxes:
        rows, columns = (
            slice(int((height - box.top) * 2), int((height - box.bottom) * 2) + 1),
            slice(max(0, int(box.left * 2)), int(box.right * 2) + 1),
        )
        assert image[rows, columns].min() < 160, found.text[box.start : box.end]
