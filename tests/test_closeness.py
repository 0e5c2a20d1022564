"""What may answer, and what is only the nearest there is."""

from __future__ import annotations

import pytest

from index import closeness
from index.alignment import LanguagePrior
from index.closeness import Closeness, legible


@pytest.mark.parametrize(
    ("nearness", "coverage", "legible", "answers"),
    [(0.6, 0, True, True), (0.4, 0, True, False), (0.4, 1, True, True), (0.6, 0, False, False), (0.4, 0.8, False, True)],
)
def test_near_in_meaning_or_whole_in_words_may_answer(nearness, coverage, legible, answers):
    assert Closeness(0.5, legible).may_answer(nearness, coverage) is answers


def test_where_nobody_has_measured_everything_may_answer(library, encoder):
    assert Closeness.of("qqxz wvkq", encoder, library).may_answer(-1, 0)


@pytest.mark.parametrize("text", ["OPSC", "Krawczyk", "Article 12(3)", "", "?!", "116 111", "水"])
def test_a_name_or_a_number_is_never_taken_for_no_language(real_encoder, text):
    assert legible(text, real_encoder)


@pytest.mark.parametrize(
    "text",
    [
        "How are children asked their age?", "どのように子どもに年齢を尋ねますか。", "아이들에게 나이를 어떻게 묻습니까?", "儿童的年龄是如何询问的？", "เด็กถูกถามอายุอย่างไร",
        "តើគេសួរអាយុកុមារដោយរបៀបណា", "ເດັກຖືກຖາມອາຍຸແນວໃດ", "ကလေးများ၏ အသက်ကို မည်သို့မေးသနည်း", "የልጆች ዕድሜ እንዴት ይጠየቃል?", "كيف يُسأل الأطفال عن أعمارهم؟",
        "बच्चों से उनकी उम्र कैसे पूछी जाती है?", "শিশুদের বয়স কীভাবে জিজ্ঞাসা করা হয়?", "Watoto wanaulizwaje umri wao?", "Trẻ em được hỏi tuổi như thế nào?",
    ],
)  # fmt: skip
def test_a_question_is_words_of_some_language(real_encoder, text):
    assert legible(text, real_encoder)


@pytest.mark.parametrize("text", ["xkqwz vjfhq plmzr", "ฟแอืใผ ฎฐธฒ ฌญฑ", "ឋឌឍ ឪឬឰ ឭឱឥ", "ђжщъ ыфхц щшэю"])
def test_letters_at_random_are_no_language(real_encoder, text):
    assert not legible(text, real_encoder)


def test_the_default_encoder_has_a_limit_and_keeps_to_it(library, real_encoder):
    library.set_meta("encoder", real_encoder.fingerprint)
    least = Closeness.of("How are children asked their age?", real_encoder, library).least
    assert least is not None
    assert not Closeness.of("How are children asked their age?", real_encoder, library).may_answer(least - 0.01, 0)
    assert isinstance(closeness.prior_for(library), LanguagePrior)
