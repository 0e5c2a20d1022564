from __future__ import annotations

from dataclasses import replace

import pytest
from conftest import CORPUS, pdf_of

from ingest.health import health, in_ranges, judged, looks_western, recoded, summary, wrong_encoding
from ingest.pdf import read_pdf
from ingest.records import Page
from ingest.typeset import Typeset

SENTENCES = {
    "ru": "Все люди рождаются свободными и равными в своём достоинстве и правах. Они наделены разумом и совестью.",
    "uk": "Всі люди народжуються вільними і рівними у своїй гідності та правах. Вони наділені розумом і совістю.",
    "bg": "Всички хора се раждат свободни и равни по достойнство и права. Те са надарени с разум и съвест.",
    "el": "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα.",
    "th": "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ ต่างมีเหตุผลและมโนธรรม",
    "he": "כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם. כולם חוננו בתבונה ובמצפון.",
    "ar": "يولد جميع الناس أحرارا متساوين في الكرامة والحقوق. وقد وهبوا عقلا وضميرا.",
}
SOUND = {
    "fr": "Tous les êtres humains naissent libres et égaux en dignité et en droits : à l’été, où l’âme rêve, ça dépend.",
    "vi": "Tất cả mọi người sinh ra đều được tự do và bình đẳng về nhân phẩm và quyền lợi.",
    "is": "Hver maður er borinn frjáls og jafn öðrum að virðingu og réttindum. Þeir eru gæddir vitsmunum og samvizku.",
    "de": "Alle Menschen sind frei und gleich an Würde und Rechten geboren; „größer“ – übermäßig schön.",
    "am": "የሰው ልጅ ሁሉ ሲወለድ ነጻና በክብርና በመብትም እኩልነት ያለው ነው።", "zh": "人人生而自由，在尊严和权利上一律平等。", "hi": "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता प्राप्त है।",
}  # fmt: skip


def as_western(text: str, encoding: str) -> str:
    """What a reader sees who takes the bytes of a text for Western Windows, or where that has no character, for Latin-1."""
    return "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in text.encode(encoding))


@pytest.mark.parametrize(
    ("language", "encoding"),
    [("ru", "cp1251"), ("uk", "cp1251"), ("bg", "cp1251"), ("ru", "koi8-r"), ("el", "cp1253"), ("th", "tis-620"), ("he", "cp1255"), ("ar", "cp1256"),
     ("ru", "utf-8"), ("th", "utf-8"), ("ar", "utf-8"), ("el", "utf-8")],
)  # fmt: skip
def test_text_that_was_read_in_a_wrong_encoding_is_recoded_and_keeps_its_glyphs(language, encoding):
    seen = as_western(SENTENCES[language], encoding)
    found = wrong_encoding([seen] * 2)
    text = recoded(Typeset(seen, list(range(len(seen)))), found)
    assert text.text == SENTENCES[language] and len(text.glyphs) == len(text.text) and text.glyphs == sorted(text.glyphs)


def test_latin_1_shows_the_same_letters():
    seen = SENTENCES["ru"].encode("cp1251").decode("latin-1")
    assert recoded(Typeset.unplaced(seen), wrong_encoding([seen] * 2)).text == SENTENCES["ru"]


@pytest.mark.parametrize("language", [*SOUND, *SENTENCES])
def test_sound_text_is_left_alone(language):
    text = (SOUND | SENTENCES)[language] * 3
    assert wrong_encoding([text]) == "" and not looks_western(text) and health(text, failed=False, images=False) == ("good", "")


def test_a_pdf_of_mojibake_is_read_as_what_it_says_and_the_cause_tells(tmp_path):
    lines = [line.encode("cp1251").decode("latin-1") for line in SENTENCES["ru"].split(". ")] * 3
    (tmp_path / "ru.pdf").write_bytes(pdf_of(lines, ["The forest."]))
    page, other = read_pdf(tmp_path / "ru.pdf", "x").pages
    assert page.text.startswith("Все люди рождаются свободными и равными")
    assert (page.health, page.cause.split(";")[0]) == ("good", "recoded from cp1251") and "recoded" not in other.cause and len(page.boxes) > 20


@pytest.mark.parametrize(
    ("text", "failed", "images", "condition", "cause"),
    [
        ("", False, False, "empty", ""), ("", False, True, "image only", "an image without text"), ("", True, False, "unreadable", "the page could not be opened"),
        ("\ue041\ue042 \ue043\ue041", False, False, "unreadable", "codes that stand for no letters"),
        ("¤¦§¨ ©ª«¬ ®¯°± ²³´µ ¶·¸¹ º»¼½ " * 4, False, False, "suspect", "mojibake: letters of an encoding that is not known"),
        ("ា ី ុ កា ិ េ " * 5, False, False, "suspect", "letters unlikely: marks without their letters"),
        ("सरѠसвर कҴई йўनшमय Ѡлए ўकया सЭा џवक " * 3, False, False, "suspect", "letters unlikely: words in two scripts"),
    ],
)  # fmt: skip
def test_a_page_says_what_is_wrong_with_it(text, failed, images, condition, cause):
    assert health(text, failed, images) == (condition, cause)


def page(text: str, number: int = 1) -> Page:
    return Page("x", number, str(number), text, "good")


def test_a_page_in_another_language_than_the_catalogue_says_is_suspect_and_still_read():
    thai, arabic, short = judged([page(SENTENCES["th"]), page(SENTENCES["ar"] * 2, 2), page("1. ISBN", 3)], "th")
    assert (thai.health, short.health) == ("good", "good")
    assert (arabic.health, arabic.cause, arabic.readable) == ("suspect", "reads as ar, the catalogue says th", True)


def test_a_document_whose_fonts_do_not_say_what_their_codes_mean_is_rubbish_on_all_its_pages():
    pages = judged(read_pdf(CORPUS / "river-corridor" / "vi.pdf", "x").pages, "vi")
    assert {one.health for one in pages} == {"suspect"} and not any(one.readable for one in pages)


@pytest.mark.parametrize(
    "name", ["boys-services/hi", "helpline-data/bn", "mekong-homestays/km", "payment-signals/ko", "school-corridor-clubs/am", "tourism-curriculum/vi"]
)
def test_the_pages_of_a_sound_sample_are_good(name):
    pages = judged(read_pdf(CORPUS / f"{name}.pdf", name).pages, name.split("/")[1])
    assert {one.health for one in pages} == {"good"}
    assert {one.cause.split(" be compared")[0] for one in pages} <= {"", "its text layer could not"}  # where its fonts are in doubt


def test_what_was_recognised_and_is_in_no_language_is_suspect():
    found, sound, short = judged(
        [replace(page(text, number), health="recognised", cause="an image without text") for number, text in enumerate(["xq zzkw qqv vvxz " * 5, SENTENCES["th"], "12"], start=1)],
        "th",
    )  # fmt: skip
    assert (found.health, found.cause, found.readable) == ("suspect", "an image without text; what was recognised is in no language", False)
    assert (sound.health, short.health) == ("recognised", "recognised") and sound.readable


@pytest.mark.parametrize(
    ("numbers", "written"), [([3], "page 3"), ([1, 2, 3, 4], "pages 1-4"), ([1, 2, 4, 7, 8], "pages 1-2, 4, 7-8"), ([2, 9], "pages 2, 9")]
)
def test_page_numbers_are_written_short(numbers, written):
    assert in_ranges(numbers) == written


def test_an_edition_is_summed_up_by_health_and_cause_without_what_is_well():
    healths = [
        ("good", ""),
        ("image only", "an image without text"),
        ("empty", ""),
        ("image only", "an image without text"),
        ("good", "recoded from cp874"),
    ]
    pages = [Page("x", number, str(number), "", health, cause=cause) for number, (health, cause) in enumerate(healths, start=1)]
    assert summary(pages) == "2 image only (pages 2, 4): an image without text; 1 good (page 5): recoded from cp874"
    assert summary(pages[:1]) == ""


def test_letters_of_an_old_indic_font_are_rubbish_codes_and_names_with_capitals_are_not():
    drawn = "vh EdnO\\ kSl mA\\ hF khF rhtF hF pr is trh acAnk us BFV ho jAygF yh nhF socA TA aOr us sAmn dKkr BF mJ EvvAs nhF haA Ek vh TAyF"
    names = "McKay, LeBlanc, MacDonald and DeWitt of UNICEF met NGOs at the village school in McLean to speak of water for the children there"
    assert [page.health for page in judged([page(drawn)], "hi")] == ["suspect"]
    assert [page.health for page in judged([page(names)], "en")] == ["good"]


def test_thai_signs_that_are_drawn_lower_are_recoded_too():
    assert recoded(Typeset.unplaced("\xb7\xd5\x8b \xe0\xbb\x9a\xb9 \xba\xd7\x8c\xcd\xa7"), "cp874").text == "ที่ เป็น บื้อง"
