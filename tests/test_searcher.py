"""Search: publications by meaning, whatever the language, from one state of the library."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import LexiconEncoder
from filling import fill, publication

from index import generations
from index import searcher as searcher_module
from index.alignment import LanguagePrior
from index.closeness import WHOLE
from index.filters import Filters
from index.related import TokenMeans
from index.searcher import Query, Searcher, WrongEncoderError
from index.words import SAME_NAME
from ingest.records import Passage
from search_app.storing import encode_uncoded


@pytest.fixture
def searcher(library, encoder):
    fill(
        library, encoder, publication("woods", ["es", "th"], year=2019, topics=("nature",)), {"es": ["El bosque crece.", "Nada."], "th": ["ป่าเติบโต"]}
    )
    fill(library, encoder, publication("rivers", ["de"], kind="report", countries=("DE",)), {"de": ["Das Wasser steigt."]})
    fill(
        library,
        encoder,
        publication("lessons", ["ar", "de-AT"], topics=("schools",)),
        {"ar": ["تفتح مدرسة أبوابها."], "de-AT": ["Die Schule öffnet."]},
    )
    generations.build(library)
    return Searcher(library, encoder)


def found(hits):
    return [hit.publication.publication_id for hit in hits]


@pytest.mark.parametrize("query", ["forest", "Wald", "bosque", "ป่า", "غابة"])
def test_search_finds_the_publication_whatever_the_language(searcher, query):
    assert found(searcher.search(Query(query), k=1)) == ["woods"]


def test_a_publication_takes_one_place_however_many_editions_it_has(searcher):
    hits = searcher.search(Query("forest"))
    assert sorted(found(hits)) == ["lessons", "rivers", "woods"]
    assert [hit.rank for hit in hits] == [1, 2, 3]
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_the_best_page_is_shown_and_marked(searcher):
    best = searcher.search(Query("water"), k=1)[0].hit
    assert (best.passage.text, best.page) == ("Das Wasser steigt.", 1)
    assert [(mark.start, mark.end, mark.why) for mark in best.marks] == [(0, 18, "meaning")]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(languages=("th",)), {"woods"}),
        (Filters(languages=("de",)), {"rivers", "lessons"}),
        (Filters(languages=("de-AT",)), {"lessons"}),
        (Filters(years=("2019",)), {"woods"}),
        (Filters(kinds=("report",)), {"rivers"}),
        (Filters(topics=("nature", "schools")), {"woods", "lessons"}),
        (Filters(countries=("DE",)), {"rivers"}),
        (Filters(languages=("es",), topics=("schools",)), set()),
    ],
)
def test_filters_admit_only_what_fits(searcher, filters, expected):
    hits = searcher.search(Query("forest", filters))
    assert set(found(hits)) == expected
    if filters.languages:
        assert {hit.hit.passage.language.split("-")[0] for hit in hits} <= {tag.split("-")[0] for tag in filters.languages}


def test_paging_repeats_nothing_and_drops_nothing(library, encoder):
    for number in range(25):
        fill(library, encoder, publication(f"woods-{number:02}", ["en"]), {"en": ["forest " * (number % 3 + 1)]})
    searcher = Searcher(library, encoder)
    pages = [found(searcher.search(Query("forest"), k=7, offset=offset)) for offset in range(0, 28, 7)]
    assert [one for page in pages for one in page] == found(searcher.search(Query("forest"), k=25))
    assert len({one for page in pages for one in page}) == 25


def test_many_passages_of_one_publication_hide_no_other(library, encoder):
    fill(library, encoder, publication("big", ["en"]), {"en": ["forest"] * 500})
    fill(library, encoder, publication("small", ["en"]), {"en": ["forest water"]})
    assert found(Searcher(library, encoder).search(Query("forest"), k=2)) == ["big", "small"]


def test_what_is_newer_than_the_generation_is_found_at_once(searcher, library, encoder):
    assert "new" not in found(searcher.search(Query("bus")))
    fill(library, encoder, publication("new", ["th"]), {"th": ["รถบัสจอดที่สถานี"]})
    assert found(searcher.search(Query("bus"), k=1)) == ["new"]
    assert generations.current_name(library) == "0001"


def test_what_was_removed_is_found_no_more(searcher, library):
    library.remove_publication("woods")
    assert "woods" not in found(searcher.search(Query("forest")))


def test_a_replaced_edition_answers_with_its_new_text_only(searcher, library, encoder):
    fill(library, encoder, publication("rivers", ["de"]), {"de": ["Die Schule am Fluss."]})
    texts = {hit.passage.text for one in searcher.search(Query("water"), k=10) for hit in [one.hit]}
    assert "Das Wasser steigt." not in texts
    assert "Die Schule am Fluss." in texts


def test_a_swapped_generation_gives_the_same_answers(searcher, library):
    before = [(hit.publication.publication_id, hit.score) for hit in searcher.search(Query("school"))]
    generations.build(library)
    assert [(hit.publication.publication_id, hit.score) for hit in searcher.search(Query("school"))] == before


def test_a_publication_without_pages_is_found_by_its_catalogue_entry(searcher, library, encoder):
    fill(library, encoder, publication("talk", ["de"], titles={"de": "Ein Gespräch über Autobus und Bus"}), {})
    hit = searcher.search(Query("bus"), k=1)[0]
    assert (hit.publication.publication_id, hit.hit.page) == ("talk", 0)


def test_an_empty_library_answers_with_nothing(library, encoder):
    assert Searcher(library, encoder).search(Query("forest")) == []


@pytest.mark.parametrize("text", ["ป่า", "غابة", "forest"])
def test_what_comes_first_into_an_empty_library_is_found_before_a_generation_holds_it(library, encoder, text, caplog):
    searcher = Searcher(library, encoder)
    fill(library, encoder, publication("woods", ["th"]), {"th": [text]})
    for one in (searcher, Searcher(library, encoder)):
        assert [hit.hit.passage.text for hit in one.search(Query("forest"))] == [text]
    assert not caplog.records


def test_another_encoder_is_refused_with_the_way_out(searcher, library):
    with pytest.raises(WrongEncoderError, match="isogloss ingest FOLDER --library"):
        Searcher(library, LexiconEncoder("another"))


def test_the_same_question_gets_the_same_answer(searcher):
    assert searcher.search(Query("forest water")) == searcher.search(Query("forest water"))


def test_the_readers_edition_is_shown_where_it_answers_as_well(searcher):
    shown = {
        readers: searcher.search(Query("forest", readers=readers), k=1)[0].hit.passage.language
        for readers in (("th",), ("fr", "th"), ("es",), ("fr",))
    }
    assert shown == {("th",): "th", ("fr", "th"): "th", ("es",): "es", ("fr",): shown[("fr",)]}


def test_the_same_passage_in_the_readers_edition_stands_beside_a_hit_in_another(library, encoder):
    texts = {"en": ["The forest grows.", "The water rises.", "The school opens in spring."], "th": ["ป่าเติบโต", "น้ำขึ้นสูง", "โรงเรียนเปิด"]}
    fill(library, encoder, publication("woods", ["en", "th"]), texts)
    searcher = Searcher(library, encoder)
    told = {}
    for readers in ((), ("th",), ("en", "th"), ("de",)):
        found = searcher.search(Query("school", Filters(languages=("en",)), readers=readers), k=1)[0]
        told[readers] = found.counterpart and (found.counterpart.passage.text, found.counterpart.page)
    assert told == {(): None, ("th",): ("โรงเรียนเปิด", 3), ("en", "th"): None, ("de",): None}
    assert searcher.search(Query("school", Filters(languages=("en",)), readers=("th",), counterparts=False), k=1)[0].counterpart is None


def test_a_word_decides_within_the_readers_language_too(library, encoder):
    fill(library, encoder, publication("woods", ["es"]), {"es": ["El bosque de Zanzibar crece.", "El bosque crece."]})
    searcher = Searcher(library, encoder)
    for readers in ((), ("es",)):
        assert "Zanzibar" in searcher.search(Query("bosque Zanzibar", readers=readers), k=1)[0].hit.passage.text


@pytest.mark.parametrize("query", ["\U00011f50", "\U0001e4f0 forest", "\x00", '"', "-", "😀🔥"])
def test_no_character_is_too_new_or_too_odd_to_be_asked(searcher, query):
    assert len(searcher.search(Query(query))) in {0, 3}


def limited(library, monkeypatch, least):
    """Build a generation that compares as it is, and knows from which nearness a passage may answer."""
    monkeypatch.setattr(generations, "prior_for", lambda *_: LanguagePrior({}, None, close=least))
    monkeypatch.setattr(generations, "fit_languages", lambda *_: None)
    generations.build(library)


@pytest.mark.parametrize(
    ("query", "least", "close"),
    [
        ("forest", 1.9, {"woods"}),
        ("Wasser", 1.9, {"rivers"}),
        ("autobús", 1.9, set()),  # nothing here is about buses
        ("steigt", 9, {"rivers"}),  # by its words, however far its meaning
        ("Wald steigt", 9, set()),
    ],
)
def test_what_comes_nowhere_near_is_said_to_be_far(library, encoder, searcher, monkeypatch, query, least, close):
    limited(library, monkeypatch, least)
    hits = searcher.search(Query(query))
    assert {hit.publication.publication_id for hit in hits if hit.close} == close
    assert len(hits) == 3


def test_where_nobody_has_measured_what_is_near_nothing_is_called_far(searcher):
    assert all(hit.close for hit in searcher.search(Query("autobús")))


def test_what_holds_the_words_that_were_asked_for_may_answer_however_far_its_meaning(library, searcher, monkeypatch):
    limited(library, monkeypatch, 9)
    for query in (Query("Wasser steigt", exact=True), Query('"Wasser steigt" autobús')):
        assert [hit.close for hit in searcher.search(query)][:1] == [True]
    assert not any(hit.close for hit in searcher.search(Query("Wasser autobús")))


def test_a_name_in_another_alphabet_counts_as_the_whole_name():
    assert SAME_NAME >= WHOLE


@pytest.mark.parametrize("text", ["", "-", '"', "?!", "…", "، ؟"])
def test_signs_alone_ask_for_nothing(searcher, text):
    assert searcher.search(Query(text)) == []


CROWD = {"en": ["The forest grows. A forest by the water. Rain.", "The bus."], "th": ["ป่าเติบโต", "รถบัสในป่า", "น้ำ"]}


@pytest.fixture
def overlapping(library, encoder):
    """One publication whose English first page is cut into three passages that share sentences."""
    fill(library, encoder, publication("other", ["en"]), {"en": ["forest forest forest"]})
    work = publication("crowd", ["en", "th"])
    fill(library, encoder, work, CROWD)
    sentences = [(0, 17), (18, 40), (41, 46)]
    text = CROWD["en"][0]

    def cut(ordinal, first, last):
        start, end = sentences[first][0], sentences[last][1]
        spans = tuple((left - start, right - start) for left, right in sentences[first : last + 1])
        return Passage("crowd.en", ordinal, 1, start, 1, end, "en", text[start:end], spans)

    passages = [cut(0, 0, 1), cut(1, 1, 2), cut(2, 0, 2)]
    (state,) = [state for state in library.edition_states("crowd") if state.edition.edition_id == "crowd.en"]
    library.put_reading(state, library.pages("crowd.en"), passages, encoder.encode_passages([one.text for one in passages]))
    return Searcher(library, encoder)


def marked(hit):
    return hit.passage.edition_id, hit.page, hit.passage.text[hit.marks[0].start : hit.marks[0].end]


@pytest.mark.parametrize("query", ["forest", "غابة", "ป่า"])
def test_inside_a_publication_every_passage_is_found_best_first_and_no_sentence_twice(overlapping, query):
    hits = overlapping.inside(Query(query), "crowd", k=10)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    sentences = [marked(hit) for hit in hits]
    assert len(sentences) == len(set(sentences)) and {edition for edition, _, _ in sentences} == {"crowd.en", "crowd.th"}
    assert ("crowd.en", 1, "The forest grows.") in sentences and ("crowd.en", 1, "A forest by the water.") in sentences
    assert all(hit.page > 0 for hit in hits)


def test_inside_a_publication_only_the_editions_that_were_asked_for_answer(overlapping):
    for filters, edition, expected in [(Filters(languages=("th",)), "", "crowd.th"), (Filters(), "crowd.en", "crowd.en")]:
        assert {hit.passage.edition_id for hit in overlapping.inside(Query("forest", filters), "crowd", 10, edition)} == {expected}
    assert overlapping.inside(Query("forest"), "no such publication") == []
    assert overlapping.inside(Query("?"), "crowd") == []
    assert [marked(hit)[2] for hit in overlapping.inside(Query("รถบัส", exact=True), "crowd")] == ["รถบัสในป่า"]


def test_fewer_answers_inside_a_publication_are_the_first_of_more(overlapping):
    more = overlapping.inside(Query("forest"), "crowd", k=10)
    assert [overlapping.inside(Query("forest"), "crowd", k=k) for k in (1, 2, 3)] == [more[:1], more[:2], more[:3]]


@pytest.fixture
def coded(library, context_encoder, monkeypatch):
    """A library of which codes are kept."""
    monkeypatch.setattr(searcher_module, "shipped_means", lambda _: TokenMeans((1, 2), np.zeros((2, context_encoder.width), np.float32)))
    fill(library, context_encoder, publication("crowd", ["en", "th", "ar"]), CROWD | {"ar": ["يرتفع ماء النهر في الربيع. المدرسة مغلقة."]})
    encode_uncoded(library, context_encoder)
    return Searcher(library, context_encoder)


@pytest.mark.parametrize("query", ["forest", "غابة", "ป่า", "water", "Wasser", "ماء"])
def test_a_page_marks_the_sentence_that_the_list_marks(coded, query):
    (listed,) = coded.search(Query(query), k=1)
    inside = coded.inside(Query(query), "crowd", k=20)
    assert marked(listed.hit) in [marked(hit) for hit in inside]
    assert listed.hit.marks[0].why == "meaning"


def test_passages_with_codes_are_marked_without_the_encoder(coded, context_encoder):
    context_encoder.encoded.clear()
    assert [found.publication.publication_id for found in coded.search(Query("agua"))] == ["crowd"]
    assert context_encoder.encoded == []


def test_passages_that_came_without_codes_are_marked_as_well(coded, library, context_encoder):
    fill(library, context_encoder, publication("rivers", ["km"]), {"km": ["ទឹក water"]})
    found = {one.publication.publication_id: one.hit for one in coded.search(Query("Wasser"))}
    assert set(found) == {"crowd", "rivers"} and all(hit.marks[0].why == "meaning" for hit in found.values())
    assert "ទឹក water" in context_encoder.encoded
