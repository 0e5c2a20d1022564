from __future__ import annotations

import pytest
from conftest import CORPUS

from ingest.language import identify, known, same_language

SOURCES = sorted(CORPUS.glob("*/source/*.md"))
SENTENCES = {
    "am": "ልጆቹ በትምህርት ቤቱ አቅራቢያ ወንዝ አለ ብለዋል።", "ar": "قال الأطفال إن هناك نهراً بالقرب من المدرسة.", "bn": "শিশুরা বলেছে যে স্কুলের কাছে একটি নদী আছে।",
    "el": "Τα παιδιά είπαν ότι υπάρχει ένα ποτάμι κοντά στο σχολείο.", "fa": "کودکان گفتند که نزدیک مدرسه رودخانه‌ای هست که می‌شناسند.",
    "he": "הילדים אמרו שיש נהר ליד בית הספר.", "hi": "बच्चों ने कहा कि स्कूल के पास एक नदी है।", "ja": "学校の近くに川があると子どもたちは言った。",
    "km": "កុមារបាននិយាយថាមានទន្លេនៅជិតសាលា។", "ko": "아이들은 학교 근처에 강이 있다고 말했다.", "lo": "ເດັກນ້ອຍເວົ້າວ່າມີແມ່ນ້ຳຢູ່ໃກ້ໂຮງຮຽນ.",
    "my": "ကျောင်းအနီးတွင် မြစ်တစ်စင်းရှိသည်ဟု ကလေးများက ပြောသည်။", "ru": "Дети сказали, что рядом со школой есть река.", "ta": "பள்ளிக்கு அருகில் ஒரு ஆறு உள்ளது.",
    "th": "เด็กๆ บอกว่ามีแม่น้ำอยู่ใกล้โรงเรียน", "uk": "Діти сказали, що поруч зі школою є річка.", "vi": "Trẻ em nói rằng có một con sông gần trường học.",
    "zh": "孩子们说学校附近有一条河。", "sw": "Watoto walisema kuna mto karibu na shule yao ya msingi.", "id": "Anak-anak mengatakan bahwa ada sungai di dekat sekolah mereka.",
}  # fmt: skip


def body(path) -> str:
    return path.read_text("utf-8").split("---\n", 2)[2]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: f"{path.parent.parent.name}/{path.stem}")
def test_the_language_of_every_sample_is_told_without_being_told(path):
    assert identify(body(path)) == path.stem.split("-")[0]


@pytest.mark.parametrize("language", SENTENCES)
def test_the_language_of_a_sentence_is_told(language):
    assert identify(SENTENCES[language]) == language


@pytest.mark.parametrize(
    ("language", "expected"),
    [("zh", "zh-Hans"), ("ar", "ar-SD"), ("fa", "fa-AF"), ("bn", "bn-IN"), ("ko", "ko-KP"), ("hi", "hi-IN"), ("sw", "sw-TZ")],
)
def test_what_is_expected_adds_the_region_that_the_text_does_not_show(language, expected):
    assert identify(SENTENCES[language], expected) == expected


@pytest.mark.parametrize(("language", "expected"), [("th", "lo"), ("km", "th"), ("ja", "zh"), ("uk", "ru"), ("fa", "ar"), ("vi", "fr"), ("hi", "ne")])
def test_what_is_expected_never_overrules_clear_evidence(language, expected):
    assert identify(SENTENCES[language], expected) == language


@pytest.mark.parametrize("text", ["", " \n", "2019", "١٢٣ ٤٥٦", "៤៥៦", "৪৫.৬%", "1, 2, 3 – 44", "§ 12", "abc", "● ▪", "3 กม."])
@pytest.mark.parametrize("expected", ["und", "km", "pt-BR"])
def test_numbers_and_signs_have_no_language_whatever_is_expected(text, expected):
    assert identify(text, expected) == "und"


@pytest.mark.parametrize("path", SOURCES[::4], ids=lambda path: f"{path.parent.parent.name}/{path.stem}")
def test_the_same_text_gets_the_same_answer(path):
    shreds = [body(path)[at : at + 25] for at in range(0, 500, 25)]  # so short that the evidence is doubtful
    assert [identify(shred) for shred in shreds] == [identify(shred) for shred in reversed(shreds)][::-1]


def test_japanese_is_told_from_chinese_by_its_syllables_though_most_characters_are_shared():
    assert [identify(text) for text in ("児童保護規程の運用状況調査報告", "儿童保护规程执行情况调查报告，共两部分")] == ["ja", "zh"]


def test_latin_gibberish_is_not_taken_for_the_expected_language():
    assert identify("Wr̿Qk zVxq PpLd qQwz", "vi") != "vi"


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [("pt", "pt-BR", True), ("zh-Hans", "zh-Hant", True), ("de-AT", "de", True), ("th", "lo", False), ("und", "km", False), ("und", "und", True)],
)
def test_tags_name_one_language_whatever_their_regions_and_scripts(left, right, same):
    assert same_language(left, right) is same


@pytest.mark.parametrize(
    ("language", "told"), [("km", True), ("my", True), ("am", True), ("ka", True), ("de-AT", True), ("zh-Hant", True), ("und", False), ("tlh", False), ("shn", False)]
)  # fmt: skip
def test_it_is_known_which_languages_can_be_told(language, told):
    assert known(language) is told


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Setiap orang berhak mendapat pendidikan dan perlindungan undang-undang di negara ini.", "ms"),
        ("Svako ima pravo na život, slobodu i sigurnost ličnosti pred sudom ove zemlje.", "bs"),
    ],
)
def test_the_catalogue_decides_between_languages_that_are_too_near(text, expected):
    assert identify(text, expected) == expected
