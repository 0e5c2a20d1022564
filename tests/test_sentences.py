from __future__ import annotations

import pytest
from conftest import CORPUS

from ingest.sentences import sentence_spans

SENTENCES = {
    "am": ["ልጆቹ ደረሱ።", "ማን ይቀበላቸዋል?", "ማንም የለም።"],
    "ar": ["وصل الأطفال.", "من سيأتي؟", "لا أحد!", "انتظروا."],
    "bn": ["শিশুরা এসেছে।", "কে নিতে আসবে?", "কেউ না।"],
    "de": ["Die Kinder kamen an.", "Wer holt sie ab?", "„Niemand!“"],
    "el": ["Τα παιδιά ήρθαν.", "Ποιος θα τα πάρει;", "Κανείς."],
    "es": ["Llegaron los niños.", "¿Quién vino?", "¡Nadie!"],
    "fa": ["کودکان رسیدند.", "چه کسی می‌آید؟", "هیچ‌کس."],
    "hi": ["बच्चे आ गए।", "उन्हें कौन लेने आएगा?", "कोई नहीं।"],
    "id": ["Anak-anak tiba.", "Siapa yang menjemput?", "Tidak ada."],
    "ja": ["子どもたちが来た。", "誰が迎えに来るのか？", "だれも来ない。", "7機関は銀行である。", "PRDも来た。"],
    "km": ["កុមារមកដល់។", "មន្ត្រីសួរពួកគេ។", "តើអ្នកណាឆ្លើយ?", "គ្មាននរណា!", "ចប់៕"],
    "ko": ["아이들이 도착했다.", "누가 데리러 오는가?", "아무도 없다."],
    "my": ["ကလေးများ ရောက်လာသည်။", "အရာရှိက မေးသည်။"],
    "ru": ["Дети приехали.", "Кто их встретит?", "Никто."],
    "sw": ["Watoto walifika.", "Nani atawachukua?", "Hakuna."],
    "ur": ["بچے آ گئے۔", "انہیں کون لے گا؟", "کوئی نہیں۔"],
    "vi": ["Trẻ em đã đến.", "Ai sẽ đón?", "Không ai cả."],
    "zh": ["孩子们到了。", "谁来接他们？", "没有人！", "他们等着。", "146名教师合格。", "MLN的人说：“走吧。”"],
    "und": ["One came.", "Two went."],
}
UNSPACED = {"ja", "zh"}


def sentences(text: str, language: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text, language)]


@pytest.mark.parametrize("language", SENTENCES)
def test_sentences_end_where_the_script_ends_them(language):
    written = SENTENCES[language]
    assert sentences(("" if language in UNSPACED else " ").join(written), language) == written


@pytest.mark.parametrize("language", ["pt-BR", "zh-Hant", "de-AT", "km-KH"])
def test_a_region_or_script_in_the_tag_changes_nothing(language):
    primary = language.split("-")[0]
    text = " ".join(SENTENCES.get(primary, SENTENCES["es"]))
    assert sentences(text, language) == sentences(text, primary) and len(sentences(text, language)) > 1


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Dr. Lee of the U.N. wrote 3.5 pages at 5 p.m. on Monday."), ("de", "Am 3. Mai kam z. B. Dr. Weber mit ca. 40 Kindern an."),
        ("es", "La Sra. Pérez llegó tarde."), ("pt", "O Sr. Silva e a Dra. Lima chegaram."), ("ru", "В 2020 г. школа открылась."),
        ("km", "គេចែកសៀវភៅ ប៊ិច។ល។"), ("hi", "शर्मा ने 3.5 किमी की यात्रा की।"), ("ar", "بلغ العدد 3.5 في المائة."),
    ],
)  # fmt: skip
def test_a_stop_after_an_abbreviation_or_within_a_number_ends_no_sentence(language, text):
    assert sentences(text, language) == [text]


@pytest.mark.parametrize(
    ("language", "clauses"),
    [
        ("th", ["เจ้าหน้าที่ตรวจเรือทุกลำก่อนออกเดินทางในตอนเช้า", "เด็กที่เดินทางคนเดียวต้องมีเอกสารจากผู้ปกครอง", "ถ้าไม่มีให้โทรแจ้ง"]),
        ("lo", ["ພະນັກງານກວດເຮືອທຸກລຳກ່ອນອອກເດີນທາງໃນຕອນເຊົ້າ", "ເດັກທີ່ເດີນທາງຄົນດຽວຕ້ອງມີເອກະສານຈາກຜູ້ປົກຄອງ"]),
    ],
)
def test_thai_and_lao_are_divided_at_spaces_into_stretches_that_say_something(language, clauses):
    assert sentences(" ".join(clauses), language) == clauses
    short = "ป่า น้ำ และดิน" if language == "th" else "ປ່າ ນ້ຳ ແລະ ດິນ"
    assert sentences(short, language) == [short]


def test_thai_numbers_and_foreign_names_are_not_cut_from_their_sentence():
    text = "ในปี 2562 เจ้าหน้าที่ 120 คนจาก MLN ผ่านการอบรมแล้วทั้งหมดที่เมืองนี้"
    assert sentences(text, "th") == [text]


@pytest.mark.parametrize("language", [*SENTENCES, "th", "lo"])
def test_a_newline_ends_a_sentence_always(language):
    heading, text = "ABC", SENTENCES.get(language, ["น้ำไหล"])[0]
    assert sentences(f"{heading}\n  {text} \n\n{heading}", language) == [heading, text, heading]


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*/source/*.md")), ids=lambda path: f"{path.parent.parent.name}/{path.stem}")
def test_nothing_but_white_space_lies_outside_the_spans_which_come_in_order(path):
    text = path.read_text("utf-8")
    spans = sentence_spans(text, path.stem)
    borders = [0, *(border for span in spans for border in span), len(text)]
    assert borders == sorted(borders)
    assert "".join(text[end:start] for end, start in zip(borders[::2], borders[1::2], strict=True)).strip() == ""
    assert all(text[start:end] == text[start:end].strip() != "" and "\n" not in text[start:end] for start, end in spans)


@pytest.mark.parametrize("text", ["", " \n\t \n"])
def test_white_space_has_no_sentences(text):
    assert sentence_spans(text, "am") == []
