from __future__ import annotations

import pytest

from ingest.layout import Line, breaks_off, page_texts

HEIGHT, TOP, STEP = 800.0, 650.0, 15.0


def lines(*texts: str, left: float = 60, width: float = 400, top: float = TOP, size: float = 10) -> list[Line]:
    """Lines of one column, one below the other, all of full width."""
    return [Line(text, left, left + width, top - STEP * row, size) for row, text in enumerate(texts)]


def text_of(*typeset: Line) -> str:
    return page_texts([(typeset, HEIGHT)])[0]


def at(baseline: float, text: str, size: float = 8) -> Line:
    return Line(text, 60, 460, baseline, size)


@pytest.mark.parametrize("hyphen", ["\u2010", "\u00ad", "\u0002", "\ufffe"])
@pytest.mark.parametrize(
    ("before", "after", "word"),
    [("inter", "national", "international"), ("обнару", "жение", "обнаружение"), ("Schutz", "räume", "Schutzräume"), ("պաշտ", "պանել", "պաշտպանել")],
)
def test_a_word_that_the_typesetter_broke_is_whole_again(before, after, word, hyphen):
    assert text_of(*lines(f"x {before}{hyphen}", f"{after} y")) == f"x {word} y"


@pytest.mark.parametrize(
    ("before", "after", "joined"),
    [("anti-", "trafficking", "anti-trafficking"), ("คำ-", "ไทย", "คำ-ไทย"), ("2019‐", "2020", "2019‐ 2020"), ("pages –", "all", "pages – all")],
)
def test_a_hyphen_of_the_writer_stays(before, after, joined):
    assert text_of(*lines(before, after)) == joined


def test_a_broken_word_is_joined_over_a_gap_and_kept_open_at_the_end_of_the_page():
    assert text_of(*lines("The panel ex\u2010"), *lines("amined files re\u0002", top=TOP - 4 * STEP)) == "The panel examined files re\u2010"
    assert breaks_off("re\u2010") and not breaks_off("2019\u2010")


@pytest.mark.parametrize(
    ("before", "after", "joined"),
    [
        ("เด็กทุกคน", "มีสิทธิ", "เด็กทุกคนมีสิทธิ"), ("ເດັກ", "ທຸກຄົນ", "ເດັກທຸກຄົນ"), ("កុមារ", "ទាំងអស់", "កុមារទាំងអស់"),
        ("ကလေး", "တိုင်း", "ကလေးတိုင်း"), ("所有儿童", "都有权利", "所有儿童都有权利"), ("子どもの", "けんり", "子どものけんり"), ("，", "儿童", "，儿童"),
        ("모든", "아동", "모든 아동"), ("كل", "طفل", "كل طفل"), ("هر", "کودک", "هر کودک"), ("हर", "बच्चा", "हर बच्चा"), ("প্রতিটি", "শিশু", "প্রতিটি শিশু"),
        ("እያንዳንዱ", "ልጅ", "እያንዳንዱ ልጅ"), ("mỗi", "trẻ", "mỗi trẻ"), ("каждый", "ребёнок", "каждый ребёнок"), ("用", "PDF", "用 PDF"),
    ],
)  # fmt: skip
def test_lines_are_joined_by_the_habit_of_their_script(before, after, joined):
    assert text_of(*lines(before, after)) == joined


@pytest.mark.parametrize(
    "numbers", [("1", "2", "3"), ("١", "٢", "٣"), ("۱", "۲", "۳"), ("៧", "៨", "៩"), ("৪", "৫", "৬"), ("၁", "၂", "၃"), ("iv", "v", "vi")]
)
def test_running_headers_and_page_numbers_are_left_out(numbers):
    bodies = [f"Body {letter} 12" for letter in "abc"]
    pages = [
        ([at(770, "Forest report"), *lines(body), at(30, f"Network {number}" if number.isdigit() else "Network"), at(20, f"– {number} –")], HEIGHT)
        for body, number in zip(bodies, numbers, strict=True)
    ]
    assert page_texts(pages) == bodies


def test_a_line_in_the_body_stays_even_if_it_recurs_and_one_at_the_edge_stays_if_it_does_not():
    pages = [([at(770, heading), *lines("Water", "2019")], HEIGHT) for heading in ("ป่าไม้", "น้ำ", "학교")]
    assert page_texts(pages) == ["ป่าไม้\nWater 2019", "น้ำ\nWater 2019", "학교\nWater 2019"]


def test_columns_are_read_one_after_the_other():
    left, right = lines("The forest", "grows beside", width=180), lines("the water.", "It is old.", left=280, width=180)
    assert text_of(*left, *right) == "The forest grows beside the water. It is old."
    ended = lines("ព្រៃដុះ", "ក្បែរទឹក។", width=180)
    assert text_of(*ended, *right) == "ព្រៃដុះក្បែរទឹក។\nthe water. It is old."


@pytest.mark.parametrize("mark", ["• ", "– ", "1. ", "2) ", "(3) ", "a) ", "▪ "])
def test_every_item_of_a_list_begins_a_paragraph(mark):
    assert text_of(*lines("ຫົວຂໍ້", f"{mark}ປ່າ", f"{mark}ນ້ຳ")) == f"ຫົວຂໍ້\n{mark}ປ່າ\n{mark}ນ້ຳ"


@pytest.mark.parametrize("alone", ["•", "• •", "3.", "– * –"])
def test_marks_that_stand_apart_from_their_items_are_left_out(alone):
    assert text_of(*lines("Water", alone, "flows")) == "Water flows"


def test_the_number_of_a_footnote_on_a_line_of_its_own_is_left_out():
    number = Line("3", 200, 204, TOP - 2 * STEP + 4, 6)
    around = lines("هذا", "عدد المدارس"), lines("في البلاد", "كلها", top=TOP - 2 * STEP)
    assert text_of(*around[0], number, *around[1]) == "هذا عدد المدارس في البلاد كلها"


@pytest.mark.parametrize("end", [".", "?", "។", "။", "።", "।", "。", "؟", "۔", "…"])
def test_a_short_line_that_ends_a_sentence_ends_its_paragraph(end):
    short = Line(f"x{end}", 60, 200, TOP - STEP, 10)
    assert text_of(*lines("first"), short, *lines("next", top=TOP - 2 * STEP)) == f"first x{end}\nnext"
    assert text_of(*lines("first"), Line("x", 60, 200, TOP - STEP, 10), *lines("next", top=TOP - 2 * STEP)) == "first x next"


def test_a_gap_and_another_size_of_type_begin_a_paragraph():
    body = lines("one", "two", "three")
    assert text_of(*body, *lines("four", top=TOP - 4 * STEP)) == "one two three\nfour"
    assert text_of(*lines("ပညာရေး", size=14), *lines("one", "two", top=TOP - STEP)) == "ပညာရေး\none two"


@pytest.mark.parametrize(
    ("typeset", "written"),
    [
        ("ﻣﺪﺭﺳﺔ", "مدرسة"),
        ("ﻻ", "لا"),
        ("ﮐﻮﺩﮎ", "کودک"),
        ("eﬃcient ﬁle", "efficient file"),
        ("e\u0301cole", "école"),
        ("가", "가"),
        ("１２％", "１２％"),
    ],
)
def test_presentation_forms_become_the_letters_that_were_written(typeset, written):
    assert text_of(*lines(typeset)) == written


@pytest.mark.parametrize(
    ("extracted", "written"),
    [("ស្ត្រីស្ត្រី", "ស្ត្រី"), ("ទម្រង់ទម្រង់", "ទម្រង់"), ("কর্মকর্তার্তার", "কর্মকর্তার"), ("শিক্ষিক্ষা", "শিক্ষা"), ("क्षक्ष", "क्ष")],
)
def test_a_cluster_that_pdfium_gives_twice_is_taken_once(extracted, written):
    assert text_of(*lines(extracted)) == written


@pytest.mark.parametrize("word", ["দাদা", "মামাশ্বশুর", "चाचा", "काकाच्या", "ម្នាក់ៗ", "ต่างๆ", "papa", "ማማ", "爸爸"])
def test_a_word_that_repeats_itself_is_left_alone(word):
    assert text_of(*lines(word)) == word


def test_a_page_without_lines_has_no_text_and_control_characters_are_dropped():
    assert page_texts([([], HEIGHT), (lines("wa\x01ter", "ni\u00adght \t x"), HEIGHT)]) == ["", "water night x"]
