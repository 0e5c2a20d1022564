"""Exact words in every script: how they are cut, folded, looked up, required, excluded and marked."""

from __future__ import annotations

import hashlib
import random

import numpy as np
import pytest
from filling import fill, passage_of, publication

from index.names import kept_keys, sought_keys
from index.query import parse, sought
from index.terms import TERMS_VERSION, _cut_anew, fold, indexed, pieces, terms
from index.words import exact, exact_spans, search_words

CUT = {
    "sub-district": "sub district", "l'enfant": "l enfant", "l’enfant": "l enfant", "U.N.": "un", "J.K. Rowling": "jk rowling", "e.g. this": "eg this",
    "COVID-19": "covid 19", "Art. 12(3)": "art 12 3", "10,000": "10 000", "10.000": "10 000", "www.a.b.example.com": "www a b example com",
    "CO₂": "co2", "law¹²": "law", "co\u00adoperate": "cooperate", "a\u200bb": "a b", "м'який м’який": "мякий мякий", 'צה"ל צה״ל': "צהל צהל",
    "می‌روید": "ميرويد", "北京大学": "北京 京大 大学 学", "水": "水", "第12条COVID疫情": "第 12 条 covid 疫情 情", "森は ガギ": "森は は ガギ ギ", "서울에서": "서울 울에 에서 서",
    "แม่น้ำโขง": "แม่ ม่น้ํา น้ําโ โข ขง ง", "ใช้OPSCใน๑๒": "ใช้ ช้ opsc ใน น 12", "ປ່າໄມ້": "ປ່າ າໄ ໄມ້ ມ້", "ក្រុម\u200bជាតិ": "ក្រុម មជា ជាតិ តិ", "មន្ត្រី": "មន្ត្រី ន្ត្រី",
    "မြန်မာ": "မြန် န်မာ မာ", "👩‍👩‍👧 ½ — …": "", "1️⃣": "1", "\x00 a\x00b \ud800": "a b",
}  # fmt: skip

ONE_WORD = [
    ("Straße", "STRASSE"), ("Ｅｕｒｏ", "euro"), ("ﬁne", "fine"), ("café", "cafe\u0301"), ("Đặng", "dang"), ("Tra\u0302\u0300n", "Trần"), ("Trần", "tran"),
    ("IŞIK", "ışık"), ("İzmir", "izmir"), ("Łódź", "lodz"), ("Æther", "aether"), ("Qurʾān", "quran"),
    ("ΟΔΌΣ", "οδος"), ("Ёлка", "елка"), ("за\u0301мок", "замок"), ("и\u0306од", "йод"), ("Ї", "ї"),
    ("أحمد", "احمد"), ("إسلام", "اسلام"), ("آمال", "امال"), ("ٱلله", "الله"), ("مُحَمَّد", "محمد"), ("كتـــاب", "كتاب"), ("مدرسة", "مدرسه"), ("على", "علي"), ("علی", "علي"),
    ("کتاب", "كتاب"), ("مؤمن", "مومن"), ("رئيس", "رييس"), ("ﻻ", "لا"), ("شָ\u05c1לום".replace("ش", "ש"), "שלום"),
    ("ज़मीन", "जमीन"), ("हिन्दी", "हिंदी"), ("सम्बन्ध", "संबंध"), ("ড়", "ড"), ("นํ้า", "น้ำ"), ("ນໍ້າ", "ນ້ຳ"), ("ｶﾞ", "ガ"), ("한", "한".encode().decode()),
    *[(digits, "123") for digits in ("１２３", "١٢٣", "۱۲۳", "१२३", "১২৩", "๑๒๓", "១២៣", "໑໒໓", "၁၂၃")],
]  # fmt: skip
TWO_WORDS = [("война", "воина"), ("क", "का"), ("มา", "มี"), ("ক", "কা"), ("हिंदी", "हदी"), ("か", "が"), ("မ", "မာ")]


@pytest.mark.parametrize(("text", "cut"), CUT.items())
def test_text_is_cut_into_folded_terms(text, cut):
    assert [term.text for term in terms(text)] == cut.replace("ำ", "ํา").split()


@pytest.mark.parametrize(("one", "other"), ONE_WORD)
def test_spellings_of_one_word_are_one_term(one, other):
    assert fold(one) == fold(other) != ""


@pytest.mark.parametrize(("one", "other"), TWO_WORDS)
def test_marks_that_make_another_word_are_kept(one, other):
    assert fold(one) != fold(other)


@pytest.mark.parametrize("text", CUT)
def test_terms_stand_in_reading_order_on_their_characters(text):
    for before, term in zip([None, *terms(text)], terms(text), strict=False):
        assert 0 <= term.start < term.end <= len(text) and (before is None or before.start < term.start)
        assert "".join(piece.text for piece in pieces(text[term.start : term.end])) == term.text


def test_terms_are_made_as_their_version_says():
    """Whoever changes what is indexed raises TERMS_VERSION, so that libraries are indexed anew, and puts the new digest here."""
    written = [*CUT, *(word for pair in ONE_WORD + TWO_WORDS for word in pair), *NAMES, "NATO und die USA", "Ο Βλαδίμηρος στη Ρώμη"]
    made = hashlib.sha256("\n".join(map(indexed, written)).encode()).hexdigest()
    assert (TERMS_VERSION, made[:16]) == ("1", "494ab70acf22287d")


@pytest.mark.parametrize("text", [*CUT, "U.N. und NATO\u3000北京 大学\u2028แม่ น้ำ", "Vladimir Владимир Vladimir"])
def test_a_text_is_indexed_word_by_word_as_it_is_as_a_whole(text):
    whole, (terms_made, acronyms, names) = indexed(text).split(), _cut_anew(text)
    assert whole == [*terms_made.split(), *dict.fromkeys([*acronyms, *names])]


NAMES = ["Vladimir", "Владимир", "فلاديمير", "ולדימיר", "व्लादिमीर"]


@pytest.mark.parametrize("there", NAMES)
@pytest.mark.parametrize("sought", NAMES)
def test_a_name_is_recognised_in_another_alphabet(sought, there):
    if NAMES.index(sought) != NAMES.index(there):
        assert set(sought_keys(fold(sought))) & set(kept_keys(there, fold(there)))


@pytest.mark.parametrize("word", ["владимир", "vladimir", "水", "12"])
def test_words_that_look_like_no_name_have_no_key(word):
    assert kept_keys(word, fold(word)) == () or word == "水"


@pytest.fixture
def stored(library, encoder):
    """Store texts, each as one page; answer with the texts that have given keys."""

    def store(*texts: str):
        fill(library, encoder, publication("woods", ["en"], titles={}), {"en": texts})
        return lambda keys: {passage.text for passage in library.passages([int(key) for key in keys]).values()}

    return store


def best(library, query: str):
    hits = search_words(library, parse(query), 10)
    return [library.passages([int(key)])[int(key)].text for key in hits.keys]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("Vladimir", "Президент Владимир Путин"),
        ("Владимир", "Vladimir Putin spoke"),
        ("vladimir", "الرئيس فلاديمير بوتين"),
        ("Wladimir", "राष्ट्रपति व्लादिमीर"),
    ],
)
def test_search_finds_a_name_in_another_alphabet_below_the_word_itself(library, stored, query, found):
    stored("nothing of it", found, f"{query} himself")
    hits = search_words(library, parse(query), 10)
    texts = best(library, query)
    coverage = dict(zip(texts, hits.coverage, strict=True))
    assert coverage[f"{query} himself"] == 1 and 0 < coverage[found] < 1 and "nothing of it" not in texts


@pytest.mark.parametrize(
    ("query", "text"),
    [("水", "森林和水的资源"), ("น้ำ", "แม่นํ้าโขง"), ("ក្រុម", "ជាក្រុម\u200bជាតិ"), ("ミャンマー", "軍はミャンマーで"), ("မြန်မာ", "ပြည်မြန်မာနိုင်ငံ"), ("ປ່າ", "ໃນປ່າໄມ້"),
     ("서울", "그는 서울에서"), ("مدرسه", "في المَدْرَسَة مَدْرَسَةٌ"), ("जमीन", "यह ज़मीन है"), ("tran hung dao", "Tra\u0302\u0300n Hưng Đạo"), ("OPSC", "พิธีสารOPSCฉบับ"),
     ("Art. 12(3)", "see art 12 (3) of it"), ("COVID-19", "der Covid 19 Virus")],
)  # fmt: skip
def test_exact_words_are_found_and_covered_in_every_script(library, stored, query, text):
    texts_of = stored("something else", text)
    hits = search_words(library, parse(query), 10)
    assert texts_of(hits.keys) == {text} and hits.coverage.tolist() == pytest.approx([1.0])
    assert texts_of(exact(library, parse(query))) == {text}


def test_coverage_weighs_words_by_their_rarity(library, stored):
    stored("the OPSC", "the forest", "the water", "the school", "the bus")
    hits = search_words(library, parse("the OPSC protocol"), 10)
    coverage = dict(zip(best(library, "the OPSC protocol"), hits.coverage, strict=True))
    assert 0 < coverage["the water"] < 0.1 < coverage["the OPSC"] < 0.6 and max(hits.coverage) == coverage["the OPSC"]
    assert (hits.bm25 > 0).all() and (np.diff(hits.bm25) <= 0).all()


def test_letters_of_an_unspaced_run_weigh_together_as_one_word(library, stored):
    stored("OPSC", "北京大学的历史", "something else")
    hits = search_words(library, parse("OPSC 北京大学的历史"), 10)
    assert hits.coverage.tolist() == pytest.approx([0.5, 0.5], abs=0.01)


def test_capitals_count_where_they_tell_an_acronym_from_a_word(library, stored):
    texts_of = stored(
        "US law", "between us", "between us two", "they told us", "the IT age", "NATO", "Nato", "HUMAN RIGHTS", "human rights", "a human", "rights"
    )
    assert best(library, "US") == ["US law"] and texts_of(exact(library, parse("US law"))) == {"US law"}
    assert set(best(library, "us")) == {"US law", "between us", "between us two", "they told us"}
    assert set(best(library, "NATO")) == {"NATO", "Nato"}
    assert texts_of(exact(library, parse("HUMAN RIGHTS"))) == {"HUMAN RIGHTS", "human rights"}
    assert exact_spans("tell us of the US", search_words(library, parse("US"), 10).telling) == [(15, 17)]


def test_phrases_are_required_and_words_excluded(library, stored):
    texts_of = stored("forest law and water", "law of the forest", "forest law and school", "water law")
    hits = search_words(library, parse('"forest law" -school'), 10)
    assert texts_of(hits.keys) == {"forest law and water"}
    assert texts_of(hits.required) == {"forest law and water", "forest law and school"} and texts_of(hits.excluded) == {"forest law and school"}
    keys = np.asarray([key for key, _, _ in library.passage_table()])
    assert texts_of(keys[hits.admits(keys)]) == {"forest law and water"}
    assert texts_of(exact(library, parse('law -"forest law"'))) == {"law of the forest", "water law"}


def test_what_is_asked_beside_other_keys_comes_in_their_order(library, stored):
    stored("forest", "water", "forest and water")
    hits = search_words(library, parse("forest"), 10)
    keys = np.asarray([key for key, _, _ in library.passage_table()])
    bm25, coverage = hits.beside(keys)
    assert coverage.tolist() == [1, 0, 1] and bm25[0] == bm25[2] > bm25[1] == 0
    assert search_words(library, parse("…"), 10).beside(keys)[1].tolist() == [0, 0, 0]


def said(found):
    return [" ".join(piece.text for piece in words.pieces) for words in found]


@pytest.mark.parametrize(
    ("query", "free", "required", "excluded", "meaning"),
    [
        ('law "human rights" water', ["law", "water"], ["human rights"], [], "law human rights water"),
        ("“a b” «c d» „e f“ »g h« „i“", [], ["a b", "c d", "e f", "g h", "i"], [], "a b c d e f g h i"),
        ("北京「大学」『历史』", ["北 京"], ["大 学", "历 史"], [], "北京大学历史"),
        ('law -water -"sub district" −fire', ["law"], [], ["water", "sub district", "fire"], "law"),
        ("sub-district - water", ["sub district", "water"], [], [], "sub-district - water"),
        ('צה"ל "צה"ל"', ["צהל"], ["צהל"], [], 'צה"ל צה"ל'),
        ('law "human', ["law", "human"], [], [], 'law "human'),
        ("l'enfant 12(3) 10,000 北京,上海", ["l", "enfant", "12 3", "10 000", "北 京", "上 海"], [], [], "l'enfant 12(3) 10,000 北京,上海"),
        ("-l'enfant", [], [], ["l enfant"], ""),
        ('"" -"" - -- -…', [], [], [], "-"),
    ],
)
def test_a_query_is_taken_apart(query, free, required, excluded, meaning):
    asked = parse(query)
    assert (said(asked.free), said(asked.required), said(asked.excluded)) == (free, required, excluded)
    assert asked.meaning == meaning


HOSTILE = [
    "", " ", '"', '""', '"a', "-", '-"', "-a", '-"a b"', "a AND", "AND OR NOT NEAR(", "a*", "^a", "a:b", "terms : a", "{a}", "(a", "a)", "a + b", "NEAR(a b)",
    "'; DROP TABLE words; --", "👩‍👩‍👧", "\x00", "a\x00b", "\ud800", "\u202e\u200f", "≈vladimir ∼putin ≡us", "ー ゝ 〇", "\u0301", "ﷺ", "ǃ", "ㅤ", "a" * 1000, "水" * 1000,
    "a " * 500, '" ' * 500, "-a " * 300, " ".join(f"w{number}" for number in range(300)), "น้ำ -水 \"a 水 b\"",
]  # fmt: skip


@pytest.mark.parametrize("query", HOSTILE)
def test_no_query_raises(library, stored, query):
    stored("forest a b", "水とCOVID", query.encode("utf-8", "replace").decode())
    hits = search_words(library, parse(query), 10)
    exact(library, parse(query))
    exact_spans(query, hits.telling)
    assert ((hits.coverage >= 0) & (hits.coverage <= 1 + 1e-6)).all()


def test_no_random_query_raises(library, stored):
    stored("forest", "水とCOVID")
    dice = random.Random(12)
    letters = 'ab ""\'-*^:(){}+,.;“”„«»「」\x00\u200b\u200d\u0301แม่ำน水ーक्षאב"مُ12①≈é'
    for _ in range(2000):
        query = "".join(dice.choices(letters, k=dice.randrange(30)))
        search_words(library, parse(query), 5)
        exact(library, parse(query))


@pytest.mark.parametrize(
    ("text", "query", "marked"),
    [
        ("แม่น้ำโขงไหลผ่าน", "น้ำโขง", ["น้ำโขง"]),
        ("แม่นํ้าโขง", "น้ำ", ["นํ้า"]),
        ("ذهب إلى المَدْرَسَةِ مَدْرَسَةٌ", "مدرسة", ["مَدْرَسَةٌ"]),
        ("यह ज़मीन हिन्दी", "जमीन हिंदी", ["ज़मीन", "हिन्दी"]),
        ("在北京大学学习,北京", "北京大学", ["北京大学"]),
        ("北京和上海", "北京大学", []),
        ("北 京,北京", "北京", ["北京"]),
        ("第12条和第123条", "第12条", ["第12条"]),
        ("Tra\u0302\u0300n Hưng Đạo", "tran dao", ["Tra\u0302\u0300n", "Đạo"]),
        ("COVID-19 and covid", "covid-19", ["COVID-19"]),
        ("In Art. 12(3), 123", "Art. 12(3)", ["Art", "12(3"]),
        ("The U.N. and the un", '"the UN"', ["The U.N", "the un"]),
        ("ဒီမြန်မာပြည်", "မြန်မာ", ["မြန်မာ"]),
        ("haha haha", "“haha haha” haha", ["haha haha"]),
    ],
)
def test_marks_land_on_the_words(text, query, marked):
    asked = parse(query)
    assert [text[start:end] for start, end in exact_spans(text, asked.wanted)] == marked


def test_very_common_words_are_not_marked_beside_rare_ones(library, stored):
    stored("the OPSC", *[f"the forest {number}" for number in range(60)])
    assert said(search_words(library, parse("the OPSC"), 10).telling) == ["opsc"]
    assert said(search_words(library, parse("the"), 10).telling) == ["the"]
    assert said(search_words(library, parse('"the" OPSC'), 10).telling) == ["opsc", "the"]


def test_words_leave_with_their_passages(library, encoder):
    work = publication("woods", ["en", "de"])
    fill(library, encoder, work, {"en": ["ancient zebra"], "de": ["altes Okapi"]})
    fill(library, encoder, work, {"en": ["new gnu"], "de": ["altes Okapi"]})
    assert (best(library, "zebra"), best(library, "gnu"), best(library, "Okapi")) == ([], ["new gnu"], ["altes Okapi"])
    library.put_publication(publication("woods", ["en"]), "folder", [], encoder.encode_passages([]))
    assert (best(library, "Okapi"), counted(library, "okapi", "gnu")) == ([], {"okapi": 0, "gnu": 1})
    library.remove_publication("woods")
    assert counted(library, "gnu", "woods") == {"gnu": 0, "woods": 0}
    assert library.store.words.stray() == []


def test_a_failing_transaction_leaves_no_words(library, encoder):
    work = publication("woods", ["en"])
    passage = passage_of(work.editions[0], 0, "zebra", 0)
    with pytest.raises(ValueError, match="zip"):
        library.put_publication(work, "folder", [passage, passage], encoder.encode_passages(["zebra"]))
    assert (library.store.words.stray(), counted(library, "zebra")) == ([], {"zebra": 0})


def counted(library, *terms: str) -> dict[str, int]:
    return {term: library.postings.count(sought(term)) for term in terms}
