from __future__ import annotations

import pytest
from conftest import CORPUS

from ingest.language import identify, identify_in_order, known, prevailing, same_language
from ingest.records import primary

SOURCES = sorted(CORPUS.glob("*/source/*.md"))
SENTENCES = {
    "am": "ልጆቹ በትምህርት ቤቱ አቅራቢያ ወንዝ አለ ብለዋል።", "ar": "قال الأطفال إن هناك نهراً بالقرب من المدرسة.", "bn": "শিশুরা বলেছে যে স্কুলের কাছে একটি নদী আছে।",
    "el": "Τα παιδιά είπαν ότι υπάρχει ένα ποτάμι κοντά στο σχολείο.", "fa": "کودکان گفتند که نزدیک مدرسه رودخانه‌ای هست که می‌شناسند.",
    "he": "הילדים אמרו שיש נהר ליד בית הספר.", "hi": "बच्चों ने कहा कि स्कूल के पास एक नदी है।", "ja": "学校の近くに川があると子どもたちは言った。",
    "km": "កុមារបាននិយាយថាមានទន្លេនៅជិតសាលា។", "ko": "아이들은 학교 근처에 강이 있다고 말했다.", "lo": "ເດັກນ້ອຍເວົ້າວ່າມີແມ່ນ້ຳຢູ່ໃກ້ໂຮງຮຽນ.",
    "my": "ကျောင်းအနီးတွင် မြစ်တစ်စင်းရှိသည်ဟု ကလေးများက ပြောသည်။", "ru": "Дети сказали, что рядом со школой есть река.", "ta": "பள்ளிக்கு அருகில் ஒரு ஆறு உள்ளது.",
    "th": "เด็กๆ บอกว่ามีแม่น้ำอยู่ใกล้โรงเรียน", "uk": "Діти сказали, що поруч зі школою є річка.", "vi": "Trẻ em nói rằng có một con sông gần trường học.",
    "zh-Hans": "孩子们说学校附近有一条河。", "sw": "Watoto walisema kuna mto karibu na shule yao ya msingi.", "id": "Anak-anak mengatakan bahwa ada sungai di dekat sekolah mereka.",
}  # fmt: skip


def body(path) -> str:
    return path.read_text("utf-8").split("---\n", 2)[2]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: f"{path.parent.parent.name}/{path.stem}")
def test_the_language_of_every_sample_is_told_without_being_told(path):
    assert primary(identify(body(path))) == primary(path.stem)


@pytest.mark.parametrize("language", SENTENCES)
def test_the_language_of_a_sentence_is_told(language):
    assert identify(SENTENCES[language]) == language


@pytest.mark.parametrize(
    ("language", "expected"),
    [("zh-Hans", "zh-CN"), ("zh-Hans", "zh"), ("ar", "ar-SD"), ("fa", "fa-AF"), ("bn", "bn-IN"), ("ko", "ko-KP"), ("hi", "hi-IN"), ("sw", "sw-TZ")],
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
    assert [identify(text) for text in ("児童保護規程の運用状況調査報告", "儿童保护规程执行情况调查报告，共两部分")] == ["ja", "zh-Hans"]


def test_latin_gibberish_is_not_taken_for_the_expected_language():
    assert identify("Wr̿Qk zVxq PpLd qQwz", "vi") != "vi"


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [("pt", "pt-BR", True), ("zh-Hans", "zh-Hant", True), ("de-AT", "de", True), ("th", "lo", False), ("und", "km", False), ("und", "und", True)],
)
def test_tags_name_one_language_whatever_their_regions_and_scripts(left, right, same):
    assert same_language(left, right) is same


@pytest.mark.parametrize(
    ("language", "told"), [("km", True), ("nb", True), ("ckb", True), ("my", True), ("am", True), ("ka", True), ("de-AT", True), ("zh-Hant", True), ("und", False), ("tlh", False), ("shn", False)]
)  # fmt: skip
def test_it_is_known_which_languages_can_be_told(language, told):
    assert known(language) is told


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Setiap orang berhak mendapat pendidikan dan perlindungan undang-undang di negara ini.", "ms"),
        ("Svako ima pravo na život, slobodu i sigurnost ličnosti pred sudom ove zemlje.", "bs"),
        ("Alle mennesker er født frie og med samme menneskeverd og menneskerettigheter.", "nb"),
        ("ཨ་མེས་ དང་ འབྲུག་གི་ རྫོང་ཁ་ཨིན་ ལས་ཁུངས་ ཀྱི་ ལོ་རྒྱུས་ ཨིན་ མས་", "bo"),
    ],
)
def test_the_catalogue_decides_between_languages_that_are_too_near(text, expected):
    assert identify(text, expected) == expected


XLM_R = (
    "af am ar as az be bg bn br bs ca cs cy da de el en eo es et eu fa fi fil fr fy ga gd gl gu ha he hi hr hu hy id is it ja jv ka kk km kn ko ku ky la "
    "lo lt lv mg mk ml mn mr ms my ne nl no om or pa pl ps pt ro ru sa sd si sk sl so sq sr su sv sw ta te th tr ug uk ur uz vi xh yi zh"
)


def test_every_language_of_the_encoder_can_be_told():
    assert [language for language in XLM_R.split() if not known(language)] == []


@pytest.mark.parametrize(
    ("text", "expected", "told"),
    [
        ("所有兒童都有受教育的權利。", "und", "zh-Hant"), ("所有兒童都有受教育的權利。", "zh-Hans", "zh-Hant"), ("所有兒童都有受教育的權利。", "zh-TW", "zh-TW"),
        ("所有儿童都有受教育的权利。", "zh-Hant", "zh-Hans"), ("Сва деца имају право на образовање.", "und", "sr-Cyrl"),
        ("Svako dete uvek ima pravo na bezbedno mesto u celom svetu.", "und", "sr-Latn"), ("Svako dete uvek ima pravo na bezbedno mesto.", "sr-Cyrl", "sr-Latn"),
        ("Svako dete uvek ima pravo na bezbedno mesto u celom svetu.", "sr", "sr"),
        ("Барча одамлар эркин, қадр-қиммат ва ҳуқуқларда тенг бўлиб туғиладилар.", "und", "uz-Cyrl"),
    ],
)  # fmt: skip
def test_the_script_is_named_where_a_language_has_several_and_never_against_the_letters(text, expected, told):
    assert identify(text, expected) == told


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("yi", "יעדער מענטש ווערט געבוירן פריי און גלייך אין כבוד און רעכט."), ("ti", "ሰብ ኩሉ ክውለድ ከሎ ነጻን ብክብርን ብመሰልን ሕውነት ዘለዎ እዩ።"),
        ("sd", "سڀئي انسان آزاد ۽ عزت ۽ حقن جي حوالي کان برابر پيدا ٿيا آهن."), ("su", "Sakumna jalma gubrag ka alam dunya teh sifatna merdika jeung boga martabat."),
        ("ku", "Hemû mirov azad û di weqar û mafan de wekhev tên dinyayê."), ("ckb", "هەموو مرۆڤەکان بە ئازادی و یەکسانی لە ڕێز و مافدا لە دایک دەبن."),
        ("ms", "Kanak-kanak berhak mendapat perlindungan kerana mereka ialah mangsa."), ("id", "Anak-anak berhak mendapat perlindungan karena mereka adalah korban."),
    ],
)  # fmt: skip
def test_languages_that_are_easily_taken_for_a_relative_are_told(language, text):
    assert identify(text) == language


@pytest.mark.parametrize(
    "text",
    ["https://lantern.example/publications/river-corridor?id=3", "info@lantern.example www.lantern.example/km", "Table 4 12.5 13.8 2019 n = 45 % 33",
     "ISBN 978-3-16-148410-0", "1 234 567 890 USD EUR KHR", "xqzt vrrk plmw qqgh ttzz", "A B C D E F G", "UNHCR IOM ILO", "\ue001\ue002\ue003\ue004\ue005"],
)  # fmt: skip
def test_addresses_figures_and_codes_have_no_language(text):
    assert identify(text) == "und"


def test_letters_of_another_language_in_the_burmese_script_are_not_called_burmese():
    assert identify("ၵူၼ်းတင်းလၢႆ ၼႆႉ ၵိူတ်ႇမႃး လွတ်ႈလႅဝ်း") == "und"


@pytest.mark.parametrize(("expected", "told"), [("und", "und"), ("ja", "ja"), ("zh-Hant", "zh-Hant"), ("ko", "und")])
def test_a_heading_that_may_be_chinese_or_japanese_is_what_the_catalogue_says(expected, told):
    assert identify("報告書", expected) == told


def test_control_characters_and_halves_of_characters_are_passed_over():
    assert identify("\ud800The children\x00 said that there is a river\x1b near the school.") == "en"


@pytest.mark.parametrize(
    ("language", "sentence", "heading"), [("sw", SENTENCES["sw"], "Muhtasari wa ripoti"), ("ja", SENTENCES["ja"], "報告書"), ("zh-Hant", "所有兒童都有受教育的權利。", "報告書"), ("de", "Die Kinder sagten, dass es einen Fluss gibt.", "Kinder")]
)  # fmt: skip
def test_what_a_heading_leaves_in_doubt_its_neighbours_settle(language, sentence, heading):
    assert identify(heading) in {"und", language}
    assert identify_in_order([sentence, heading, sentence], "en") == [language] * 3
    assert identify_in_order([sentence, heading], language) == [language] * 2


def test_a_sure_text_keeps_its_language_among_others_and_figures_have_none():
    texts = [SENTENCES["lo"], "12 345 (67%)", SENTENCES["th"], "https://lantern.example/lo", SENTENCES["lo"]]
    assert identify_in_order(texts, "lo") == ["lo", "und", "th", "und", "lo"]


def test_the_prevailing_language_has_most_of_the_letters():
    assert prevailing([SENTENCES["km"], SENTENCES["km"], "Summary"]) == "km"
    assert prevailing([SENTENCES["km"], SENTENCES["ar"], SENTENCES["he"]]) == "und"
    assert prevailing([]) == prevailing(["12", ""]) == "und"
