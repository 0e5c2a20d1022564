"""Quotations are found again, also where the text has been read otherwise since."""

from __future__ import annotations

import pytest

from ingest.quotation import EXACT, find_quotation
from ingest.records import Page

SAID = [
    ("en", "Of the 57 services, 49 say that they are open to all children.", "the  57 services, 49 say"),
    ("ar", "كانت ثلاثة مخيمات للنزوح في شمال العراق، هي تل زيتون.", "مخيمات للنزوح في شمال العراق"),
    ("fa", "کودکان حق دارند که از آنان محافظت شود.", "حق دارند که"),
    ("he", "לכל ילד יש זכות להגנה.", "ילד יש זכות"),
    ("hi", "लड़कों को भी संरक्षण चाहिए, यह शायद ही कभी सोचा जाता है।", "संरक्षण चाहिए, यह"),
    ("bn", "প্রতিটি শিশুর সুরক্ষার অধিকার আছে।", "সুরক্ষার অধিকার"),
    ("ta", "ஒவ்வொரு குழந்தைக்கும் பாதுகாப்பு உரிமை உண்டு.", "பாதுகாப்பு உரிமை"),
    ("th", "ระเบียงแม่น้ำบัวหลวงเป็นเส้นทางท่องเที่ยวยาว 640 กิโลเมตร", "เส้นทางท่องเที่ยว"),
    ("lo", "ເດັກທຸກຄົນມີສິດໄດ້ຮັບການປົກປ້ອງ", "ມີສິດໄດ້ຮັບ"),
    ("km", "កុមារទាំងអស់មានសិទ្ធិទទួលបានការការពារ។", "មានសិទ្ធិទទួល"),
    ("my", "ကလေးတိုင်း ကာကွယ်မှု ရပိုင်ခွင့် ရှိသည်။", "ကာကွယ်မှု ရပိုင်ခွင့်"),
    ("am", "ሁሉም ልጆች የመጠበቅ መብት አላቸው።", "የመጠበቅ መብት"),
    ("zh", "与儿童网络剥削有关的资金流动，其信息往往最先由银行掌握。", "资金流动，其信息"),
    ("ja", "すべての子どもには守られる権利がある。", "守られる権利"),
    ("ko", "모든 아동은 보호받을 권리가 있다.", "보호받을 권리"),
]


def pages(*texts, **more):
    return [Page("one", number, str(number), text, "good", **more) for number, text in enumerate(texts, start=1)]


@pytest.mark.parametrize(("language", "text", "quotation"), SAID)
def test_a_quotation_is_found_in_every_script_to_the_letter(language, text, quotation):
    found = find_quotation(quotation, pages("", f"Other words.\n{text}", ""), 2)
    assert found and found.likeness == EXACT
    ((page, start, end),) = found.spans
    assert page == 2 and "".join(f"Other words.\n{text}"[start:end].split()) == "".join(quotation.split())


def test_spaces_hyphens_case_and_punctuation_may_differ():
    text = "He said: “The sur-\nvivors’ fund pays\nwithin 48 hours.”"
    found = find_quotation("the survivors' fund pays within 48 Hours", pages(text), 1)
    assert found and found.likeness == EXACT
    ((_, start, end),) = found.spans
    assert (text[start:end].split()[0], text[start:end].split()[-1]) == ("The", "hours")


def test_a_quotation_is_looked_for_on_its_page_then_beside_it_then_over_the_end_of_a_page():
    three = pages("The forest grows. It was", "the same year. The forest grows.", "The forest grows.")
    assert [find_quotation("the forest grows", three, number).spans[0][0] for number in (1, 2, 3)] == [1, 2, 3]
    assert find_quotation("The same year", three, 3).spans == ((2, 0, 13),)
    assert find_quotation("It was the same year.", three, 1).spans == ((1, 18, 24), (2, 0, 13))


def test_a_quotation_over_the_end_of_a_page_goes_past_the_footnotes():
    first = Page("one", 1, "1", "It was\n1 A note.", "good", footnotes=7)
    assert find_quotation("It was the same", [first, *pages("", "the same year")[1:]], 1).spans == ((1, 0, 6), (2, 0, 8))


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("During 2020 the team mapped 57 services and interviewed", "Intro. During 2O20 the tearn mapped 57 services and lnterviewed 146."),
        ("وتتحدث الأسر هناك العربية ولهجتين من الكردية", "قال: وتتحدث الاسر هناك العربيه ولهجتين من الكردية."),
        ("เด็กที่ต้องการความช่วยเหลือจึงอาจมีผู้พบเห็น", "ก่อน เด็กที่ตองการความช่วยเหลือจึงอาจมีผูพบเห็น หลัง"),
        ("监测系统发出警报并对首位审阅者隐去客户姓名之后", "首先监测系统发出警报井对首位审阅者隐去客户姓名之后。"),
    ],
)
def test_a_quotation_that_is_read_otherwise_now_is_found_by_likeness_and_said_to_be(was, now):
    found = find_quotation(was, pages("Nothing here.", now), 2)
    assert found and found.likeness < EXACT
    ((page, start, end),) = found.spans
    assert page == 2 and abs((end - start) - len(was)) <= 4


@pytest.mark.parametrize(
    "quotation",
    ["", "…", "A sentence that stands nowhere on any of these pages at all", "Waldrand", "这一句话在这些页面上的任何地方都没有出现过，也不会出现"],
)
def test_what_is_nowhere_is_not_found(quotation):
    assert find_quotation(quotation, pages("The forest grows by the water, and the school opens in the morning.", "监测系统发出警报。"), 1) is None


def test_letters_that_fold_to_several_keep_their_place():
    assert find_quotation("strasse 12", pages("Die Straße ① ½ ﬁn: Straße 12."), 1).spans == ((1, 19, 28),)
