"""A text layer with the wrong letters is told from a sound one, and a document is only recognised for it where something speaks for it."""

from __future__ import annotations

import random
import unicodedata
from pathlib import Path

import pypdf
import pytest
from conftest import CORPUS
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, TextStringObject

from ingest.trust import TRUSTED, Font, doubt, fonts_of, has_wrong_letters, sample_page, similarity

SOUND = Font("Noto Serif", tells=True, latin=False)
EDITIONS = sorted(
    path.relative_to(CORPUS).with_suffix("").as_posix()
    for path in CORPUS.glob("*/*.pdf")
    if path.parent.name != "river-corridor" or path.stem != "vi"
)


def source(edition: str) -> str:
    publication, language = edition.split("/")
    return (CORPUS / publication / "source" / f"{language}.md").read_text("utf-8")[600:2600]


def of_other_letters(text: str) -> str:
    """The text in another order of the same alphabet, as a font with a wrong map gives it."""
    letters = sorted({char for char in text if unicodedata.category(char)[0] in "LM"})
    return text.translate(str.maketrans(dict(zip(letters, random.Random(0).sample(letters, len(letters)), strict=True))))


TEXTS = [
    "humanitarian-casework/ar", "humanitarian-casework/fa", "village-vigilance/hi", "helpline-data/bn", "motorbike-taxi-line/th", "mekong-homestays/km",
    "river-corridor/lo", "boys-services/my", "school-corridor-clubs/am", "payment-signals/ja", "payment-signals/ko", "payment-signals/zh",
    "tourism-curriculum/vi", "online-safety-survey/ru", "safe-terminals/fr", "consent-method/en",
]  # fmt: skip


@pytest.mark.parametrize("edition", TEXTS)
def test_the_same_letters_are_trusted_whatever_their_order_case_and_spaces(edition):
    text = source(edition)
    half = len(text) // 2
    seen = (text[half:] + "\n" + text[:half]).upper().replace(" ", "  ")
    assert similarity(text, seen) > 0.97 and not has_wrong_letters(text, seen)


@pytest.mark.parametrize("edition", TEXTS)
def test_other_letters_of_the_same_script_are_not_trusted(edition):
    assert similarity(of_other_letters(source(edition)), source(edition)) < 0.6
    assert has_wrong_letters(of_other_letters(source(edition)), source(edition))


def test_similarity_by_hand():
    layer = "abcd" * 10  # one piece
    assert similarity(layer, "x" * 5 + "abcd" * 9 + "zzzz" + "y" * 5) == pytest.approx(2 * 36 / (40 + 40))
    assert similarity(layer, "9" * 100) == 0.0


@pytest.mark.parametrize(("layer", "seen"), [("", "forest" * 50), ("forest" * 50, ""), ("", "")])
def test_what_has_no_letters_is_like_nothing(layer, seen):
    assert similarity(layer, seen) == 0.0


def test_a_page_of_which_little_was_recognised_contradicts_nothing():
    layer = of_other_letters(source("safe-terminals/fr"))
    assert not has_wrong_letters(layer, source("safe-terminals/fr")[:400])


def test_a_page_without_a_layer_has_no_wrong_letters():
    assert not has_wrong_letters("", source("mekong-homestays/km"))


def test_running_headers_that_the_layer_leaves_out_change_nothing():
    text = source("boys-services/my")
    assert similarity(text, "မာရီဒီယန် မီးအိမ် ကွန်ရက်\n" + text) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("texts", "number"), [([], None), (["", "12 34"], None), (["ป่า" * 50, "ป่า" * 90, "ป่า" * 70], 2), (["水" * 99], None), (["水" * 100], 1)]
)
def test_the_sample_is_the_page_with_the_most_letters_if_they_are_enough(texts, number):
    assert sample_page(texts) == number


@pytest.mark.parametrize(
    ("font", "language", "reason"),
    [
        (SOUND, "fr", ""), (SOUND, "ru", ""), (SOUND, "ar", ""), (SOUND, "zh", ""),
        (SOUND, "km", "text layers in this script are often wrong"), (SOUND, "my", "text layers in this script are often wrong"),
        (SOUND, "ne", "text layers in this script are often wrong"), (SOUND, "am", "text layers in this script are often wrong"),
        (Font("F1", tells=False, latin=False), "vi", "the font F1 does not say which letters its glyphs are"),
        (Font("Preeti", tells=True, latin=True), "ne", "the font Preeti can only say Latin letters"),
        (Font("Helvetica", tells=True, latin=True), "sw", ""), (Font("Helvetica", tells=True, latin=True), "und", ""),
    ],
)  # fmt: skip
def test_fonts_and_language_say_whether_to_look(font, language, reason):
    assert doubt([SOUND, font], language) == reason


def page_with(**font: object) -> pypdf.PageObject:
    page = pypdf.PdfWriter().add_blank_page(100, 100)
    entries = {
        NameObject(f"/{name}"): value if isinstance(value, (ArrayObject, DictionaryObject)) else NameObject(value) for name, value in font.items()
    }
    page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): DictionaryObject({NameObject("/F1"): DictionaryObject(entries)})})
    return page


def descendants(ordering: str) -> ArrayObject:
    system = DictionaryObject({NameObject("/Ordering"): TextStringObject(ordering)})
    return ArrayObject([DictionaryObject({NameObject("/CIDSystemInfo"): system})])


@pytest.mark.parametrize(
    ("font", "expected"),
    [
        ({"Subtype": "/Type0", "BaseFont": "/ABCDEF+NotoSerif", "ToUnicode": DictionaryObject()}, Font("NotoSerif", True, False)),
        ({"Subtype": "/Type0", "BaseFont": "/X", "Encoding": "/Identity-H", "DescendantFonts": descendants("Identity")}, Font("X", False, False)),
        ({"Subtype": "/Type0", "BaseFont": "/X", "Encoding": "/Identity-V", "DescendantFonts": descendants("Japan1")}, Font("X", True, False)),
        ({"Subtype": "/Type0", "BaseFont": "/X", "Encoding": "/UniGB-UCS2-H"}, Font("X", True, False)),
        (
            {"Subtype": "/Type0", "BaseFont": "/X", "Encoding": DictionaryObject(), "DescendantFonts": descendants("Identity")},
            Font("X", False, False),
        ),
        ({"Subtype": "/Type1", "BaseFont": "/Helvetica"}, Font("Helvetica", True, True)),
        ({"Subtype": "/TrueType", "BaseFont": "/X", "Encoding": "/WinAnsiEncoding", "FontDescriptor": DictionaryObject()}, Font("X", True, True)),
        ({"Subtype": "/TrueType", "BaseFont": "/X", "FontDescriptor": DictionaryObject()}, Font("X", False, True)),
        ({"Subtype": "/Type3"}, Font("without a name", False, False)),
    ],
)
def test_a_font_tells_its_letters_or_does_not(font, expected):
    assert fonts_of(page_with(**font)) == (expected,)


def test_a_page_without_fonts_has_none():
    assert fonts_of(pypdf.PdfWriter().add_blank_page(100, 100)) == ()
    assert fonts_of(pypdf.PdfReader(CORPUS / "east-africa-coast" / "fr.pdf").pages[1]) == ()


def test_the_font_without_a_map_in_the_sample_library_is_found():
    fonts = fonts_of(pypdf.PdfReader(CORPUS / "river-corridor" / "vi.pdf").pages[1])
    assert doubt(fonts, "vi") == "the font Noto-Serif does not say which letters its glyphs are"


@pytest.mark.parametrize("edition", [edition for edition in EDITIONS if Path(edition).name not in {"bn", "hi", "km", "lo", "my", "th", "am"}])
def test_nothing_speaks_against_the_sound_editions_of_the_sample_library(edition):
    assert doubt(fonts_of(pypdf.PdfReader(CORPUS / f"{edition}.pdf").pages[1]), Path(edition).name) == ""


def test_the_threshold_lies_between_sound_and_broken_layers():
    assert TRUSTED == 0.7  # docs/reading.md: the worst sound layer of the sample library gets 0.74, the best broken one 0.2
