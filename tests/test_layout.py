from __future__ import annotations

import pytest

from ingest.layout import Line, breaks_off, page_texts
from ingest.typeset import Typeset

HEIGHT, TOP, STEP = 800.0, 650.0, 15.0


def lines(*texts: str, left: float = 60, width: float = 400, top: float = TOP, size: float = 10) -> list[Line]:
    """Lines of one column, one below the other, all of full width."""
    return [line(text, left, left + width, top - STEP * row, size) for row, text in enumerate(texts)]


def line(text: str, left: float, right: float, baseline: float, size: float, noted: bool = False) -> Line:
    return Line(Typeset.unplaced(text), left, right, baseline, size, noted)


def texts_of(pages) -> list[str]:
    return [page.text.text for page in page_texts(pages)]


def text_of(*typeset: Line) -> str:
    return texts_of([(typeset, HEIGHT)])[0]


def at(baseline: float, text: str, size: float = 8) -> Line:
    return line(text, 60, 460, baseline, size)


@pytest.mark.parametrize("hyphen", ["\u2010", "\u00ad", "\u0002", "\ufffe", "\u007f"])
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
    assert texts_of(pages) == bodies


def test_a_line_in_the_body_stays_even_if_it_recurs_and_one_at_the_edge_stays_if_it_does_not():
    pages = [([at(770, heading), *lines("Water", "2019")], HEIGHT) for heading in ("ป่าไม้", "น้ำ", "학교")]
    assert texts_of(pages) == ["ป่าไม้\nWater 2019", "น้ำ\nWater 2019", "학교\nWater 2019"]


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


def test_a_number_of_several_parts_is_text_even_on_a_line_of_its_own():
    assert text_of(*lines("Spustí se záchranný režim. Viz", "8.6.")) == "Spustí se záchranný režim. Viz 8.6."


def test_the_number_of_a_footnote_on_a_line_of_its_own_is_left_out():
    number = line("3", 200, 204, TOP - 2 * STEP + 4, 6)
    around = lines("هذا", "عدد المدارس"), lines("في البلاد", "كلها", top=TOP - 2 * STEP)
    assert text_of(*around[0], number, *around[1]) == "هذا عدد المدارس في البلاد كلها"


@pytest.mark.parametrize("end", [".", "?", "។", "။", "።", "।", "。", "؟", "۔", "…"])
def test_a_short_line_that_ends_a_sentence_ends_its_paragraph(end):
    short = line(f"x{end}", 60, 200, TOP - STEP, 10)
    assert text_of(*lines("first"), short, *lines("next", top=TOP - 2 * STEP)) == f"first x{end}\nnext"
    assert text_of(*lines("first"), line("x", 60, 200, TOP - STEP, 10), *lines("next", top=TOP - 2 * STEP)) == "first x next"


def test_a_gap_and_another_size_of_type_begin_a_paragraph():
    body = lines("one", "two", "three")
    assert text_of(*body, *lines("four", top=TOP - 4 * STEP)) == "one two three\nfour"
    assert text_of(*lines("ပညာရေး", size=14), *lines("one", "two", top=TOP - STEP)) == "ပညာရေး\none two"


@pytest.mark.parametrize(
    ("typeset", "written"),
    [
        ("ﻣﺪﺭﺳﺔ", "مدرسة"),
        ("ﻻ", "لا"),
        ("лiтера jезику Mіchel", "літера језику Michel"),
        ("Cу d’eau ГОСТ-A iPhone-ом ЖKT", "Су d’eau ГОСТ-A iPhone-ом ЖKT"),
        ("Zуz Łю", "Zyz Łю"),
        ("ท\u0e35\uf70a เป\uf712น ป\uf702", "ที่ เป็น ปี"),
        ("ﮐﻮﺩﮎ", "کودک"),
        ("πρό\u00b5ηµα ∆ίκη 5 µm ∆t", "πρόμημα Δίκη 5 µm ∆t"),
        ("῞Ενα ῎Ισως ᾿Επι ῾Ρόδος", "Ἕνα Ἴσως Ἐπι Ῥόδος"),
        ("Да \uf6c5и \uf6c7у\uf6c8, \uf6c4ра\uf6c6", "Да би пут, град"),
        ("eﬃcient ﬁle", "efficient file"),
        ("e\u0301cole", "école"),
        ("가", "가"),
        ("１２％", "１２％"),
    ],
)
def test_presentation_forms_become_the_letters_that_were_written(typeset, written):
    assert text_of(*lines(typeset)) == written


@pytest.mark.parametrize(
    ("typeset", "written"),
    [
        ("น\u0e4dา", "น\u0e33"),
        ("น\u0e4d\u0e49า", "น\u0e49\u0e33"),
        ("ນ\u0ecd\u0ec9າ", "ນ\u0ec9\u0eb3"),
        ("ที ่นี่", "ที่นี่"),
        ("कि ताब", "कि ताब"),
        ("क िताब", "किताब"),
        ("⼈⼝", "人口"),
    ],
)
def test_letters_that_are_drawn_in_parts_are_written_as_one(typeset, written):
    assert text_of(*lines(typeset)) == written


def test_footnotes_come_last_and_the_page_says_where():
    note = line("The panel met twice.", 60, 300, 90, 8, noted=True)
    body = lines("مياه الغابة", "في القرية.", "وفي المدينة.")
    (page,) = page_texts([([*body[:2], note, body[2]], HEIGHT)])
    assert page.text.text == "مياه الغابة في القرية. وفي المدينة.\nThe panel met twice."
    assert [page.text.text[part.start : part.end] for part in page.paragraphs if part.footnote] == ["The panel met twice."]


@pytest.mark.parametrize("number", ["1", "12.", "¹", "1⁵", "*"])
def test_a_footnote_may_be_told_by_its_number_in_the_line(number):
    (page,) = page_texts([([*lines("Nước", "và rừng"), at(100, f"{number} Làng")], HEIGHT)])
    assert [part.footnote for part in page.paragraphs] == [False, True]


def test_every_note_begins_a_paragraph_and_small_type_without_a_number_is_no_note():
    notes = [line(text, 60, 460, 100 - 10 * row, 8, noted=True) for row, text in enumerate(("ກອງປະຊຸມ", "ໝູ່ບ້ານ"))]
    assert text_of(*lines("ປ່າ", "ນ້ຳ"), *notes) == "ປ່ານ້ຳ\nກອງປະຊຸມ\nໝູ່ບ້ານ"
    (page,) = page_texts([([*lines("ປ່າ"), at(100, "Source: the network")], HEIGHT)])
    assert not any(part.footnote for part in page.paragraphs)


def test_the_header_of_a_chapter_is_left_out_though_other_chapters_have_another():
    chapters = ["ጫካ", "ውሃ", "ትምህርት", "መንገድ"]
    pages = [
        ([at(770, f"{number} {chapter}"), *lines(f"Text {chr(97 + number)}")], HEIGHT)
        for number, chapter in enumerate(chapter for chapter in chapters for _ in range(5))
    ]
    assert {text.split()[0] for text in texts_of(pages)} == {"Text"}


@pytest.mark.parametrize("chapter", ["Глава 3. Вода", "第三章 水和森林在乡村的作用", "CHAPTER 3. NƯỚC VÀ RỪNG", "الفصل 3. مياه الغابة والقرية"])
def test_the_header_of_a_chapter_is_left_out_though_it_goes_on_with_that_of_a_section(chapter):
    pages = [([at(770, f"{chapter} und 3.{number} {section}"), *lines(f"Text {section}")], HEIGHT) for number, section in enumerate("abc")]
    assert texts_of(pages) == ["Text a", "Text b", "Text c"]


@pytest.mark.parametrize("numbered", ["{number} {section}", "{section} {number}", "§3.8 {section} – {number} –"])
@pytest.mark.parametrize("baseline", [770, 685, 115])
def test_a_line_that_carries_the_number_of_its_page_is_left_out_even_in_wide_margins(numbered, baseline):
    sections = ["ជំពូកទឹក", "水", "Śródtytuł", "Лес"]
    pages = [([at(baseline, numbered.format(number=7 + place, section=section)), *lines("Text")], HEIGHT) for place, section in enumerate(sections)]
    assert texts_of(pages) == ["Text"] * 4


def test_a_line_in_wide_margins_stays_if_it_carries_another_number_or_is_in_larger_type():
    pages = [
        ([at(685, f"{number} {word}", size=10), *lines("Text", top=500)], HEIGHT)
        for number, word in zip((2019, 12, 5), ("ปี", "ป่า", "น้ำ"), strict=True)
    ]
    assert texts_of(pages)[1] == "12 ป่า\nText"
    slides = [([line("Water and the forest", 60, 400, 685, 20), *lines(text, top=500)], HEIGHT) for text in ("ab" * 20, "cd" * 20, "ef" * 20)]
    assert texts_of(slides)[0] == "Water and the forest\n" + "ab" * 20


@pytest.mark.parametrize("bullet", "•●▪‣◦")
def test_an_item_of_a_list_needs_no_space_after_its_bullet(bullet):
    assert text_of(*lines("項目", f"{bullet}水", f"{bullet}森")) == f"項目\n{bullet}水\n{bullet}森"


@pytest.mark.parametrize("leaders", [" . . . . . . ", "........", " ........ "])
def test_every_entry_of_a_table_of_contents_is_a_paragraph_without_its_leaders(leaders):
    assert text_of(*lines(f"1 Вода{leaders}5", f"2 Лес{leaders}iv", "3 森林")) == "1 Вода … 5\n2 Лес … iv\n3 森林"


def test_the_glyphs_of_the_text_are_those_of_its_letters():
    (page,) = page_texts(
        [([Line(Typeset("ﬁre", [0, 1, 2]), 60, 460, TOP, 10), Line(Typeset("in­land", list(range(3, 10))), 60, 460, TOP - STEP, 10)], HEIGHT)]
    )
    assert (page.text.text, page.text.glyphs) == ("fire inland", [0, 0, 1, 2, -1, 3, 4, 6, 7, 8, 9])


def test_a_page_without_lines_has_no_text_and_control_characters_are_dropped():
    assert texts_of([(lines("\x01", "\x0c \x1f", "ውሃ"), HEIGHT)]) == ["ውሃ"]
    assert texts_of([([], HEIGHT), (lines("wa\x01ter", "ni\u00adght \t x"), HEIGHT)]) == ["", "water night x"]


def test_the_only_line_of_a_page_is_its_text_even_if_other_pages_begin_alike():
    pages = [([at(HEIGHT * 0.85, "ข้อความเดียวกันทุกหน้าในเล่มนี้", size=10)], HEIGHT) for _ in range(4)]
    assert texts_of(pages) == ["ข้อความเดียวกันทุกหน้าในเล่มนี้"] * 4
