"""What may answer, and what is only the nearest there is."""

from __future__ import annotations

import pytest
from filling import fill, publication

from index import generations
from index.closeness import Closeness, legible
from index.language_priors import declaration
from index.searcher import Query, Searcher


@pytest.mark.parametrize(
    ("nearness", "coverage", "legible", "answers"),
    [(0.6, 0, True, True), (0.4, 0, True, False), (0.4, 1, True, True), (0.6, 0, False, False), (0.4, 0.8, False, True)],
)
def test_near_in_meaning_or_whole_in_words_may_answer(nearness, coverage, legible, answers):
    assert Closeness(0.5, legible).may_answer(nearness, coverage) is answers


def test_where_nobody_has_measured_everything_may_answer(encoder):
    assert Closeness.of("qqxz wvkq", encoder, None).may_answer(-1, 0)


@pytest.mark.parametrize(
    "text",
    ["OPSC", "Krawczyk", "Article 12(3)", "", "?!", "116 111", "水", "ТОРГОВЛЯ ЛЮДЬМИ", "ΕΜΠΟΡΙΑ ΑΝΘΡΩΠΩΝ", "NUCENÁ PRÁCE", "ασυνόδευτα ανήλικα"],
)
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


@pytest.mark.parametrize("languages", [["en"] * 60, ["en", "es"] * 30, ["en", "es", "th", "ru", "ar", "zh"] * 10])
def test_a_question_about_other_things_is_far_in_a_library_of_one_language_too(library, real_encoder, languages):
    texts = dict.fromkeys(languages, ())
    for language in texts:
        articles = [text for tag, text in declaration() if tag.split("-")[0] == language]
        texts[language] = articles[: languages.count(language)][:30]
    fill(library, real_encoder, publication("declaration", list(texts)), texts)
    generations.build(library)
    searcher = Searcher(library, real_encoder)
    assert searcher.search(Query("Everyone has the right to education."))[0].close
    assert not searcher.search(Query("Which bicycle tyres grip best on ice?"))[0].close
