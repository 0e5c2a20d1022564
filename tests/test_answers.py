from __future__ import annotations

from dataclasses import replace

import pytest

from index.counterparts import Counterpart
from index.filters import Filters
from index.marks import Mark
from index.searcher import Hit, PublicationHit
from ingest.records import Edition, Passage, Publication
from search_app.answers import abstract_in, answer, edition_data, title_in
from search_app.facets import filters_from

TITLES = {"ar": "الغابة", "en": "Woods", "pt-BR": "Bosques", "zh-Hans": "森林", "km": "ព្រៃ"}


def publication(titles=TITLES, abstracts=None, language="km") -> Publication:
    edition = Edition(f"woods.{language}", "woods", language, "Khmer", "whole", "ab12")
    return Publication("woods", titles, abstracts or {}, 2020, "study", (), ("KH",), "", (edition,))


@pytest.mark.parametrize(
    ("readers", "title", "language"),
    [
        (["km"], "ព្រៃ", "km"), (["ar-EG", "en"], "الغابة", "ar"), (["pt-PT"], "Bosques", "pt-BR"), (["zh-Hant-TW"], "森林", "zh-Hans"),
        (["am", "ar"], "الغابة", "ar"), (["am", "vi"], "Woods", "en"), ([], "Woods", "en"), (["pt"], "Bosques", "pt-BR"),
    ],
)  # fmt: skip
def test_the_title_is_in_the_first_of_the_readers_languages_that_has_one_else_in_english(readers, title, language):
    assert title_in(publication(), readers) == (title, language)


def test_without_a_title_that_the_reader_or_english_has_any_is_given_and_without_titles_the_id():
    assert title_in(publication({"th": "ป่า"}), ["ko"]) == ("ป่า", "th")
    assert title_in(publication({}), ["ko"]) == ("Untitled publication (woods)", "und")


def test_the_abstract_is_chosen_like_the_title_and_may_be_missing():
    found = publication(abstracts={"hi": "जंगल", "bn": "বন"})
    assert [abstract_in(found, readers) for readers in (["bn-IN"], ["th"])] == [("বন", "bn"), ("जंगल", "hi")]
    assert abstract_in(publication(), ["hi"]) is None


def test_the_parameters_of_an_address_become_filters_and_empty_ones_admit_all():
    values = {"language": ["th", ""], "year": ["2020"], "kind": [], "topic": ["water"], "country": ["KH", "LA"], "q": ["x"]}
    assert filters_from(values) == Filters(("th",), ("2020",), (), ("water",), ("KH", "LA"))
    assert not filters_from({"language": [""]})


@pytest.mark.parametrize(
    ("edition_id", "digest", "file"),
    [("woods.my", "ab", "/files/woods.my"), ("50% #1?.my", "ab", "/files/50%25%20%231%3F.my"), ("ป่า.th", "ab", "/files/%E0%B8%9B%E0%B9%88%E0%B8%B2.th"),
     ("woods.my", None, None)],
)  # fmt: skip
def test_an_edition_tells_the_address_of_its_file_if_it_has_one(edition_id, digest, file):
    data = edition_data(Edition(edition_id, "woods", "my", "Burmese", "annex", digest))
    assert data == {"edition_id": edition_id, "language": "my", "label": "Burmese", "part": "annex", "file": file}


@pytest.mark.parametrize(("page", "shown", "close"), [(3, 3, True), (0, None, False)])
@pytest.mark.parametrize(("language", "told"), [("km", "km"), ("und", "lo")])
def test_a_hit_is_plain_data_and_the_language_is_told_by_the_passage_where_the_edition_does_not(page, shown, close, language, told):
    text = "ព្រៃ។ ទឹក។"
    passage = Passage(f"woods.{language}", 0, page, 0, page, len(text), "lo", text, ((0, 5), (6, 10)))
    found = PublicationHit(
        2, 0.87654321, publication(language=language), Hit(0.8, passage, page, (Mark(6, 10, "meaning"),), 0.7, "A-3" if page else "", close)
    )
    assert answer("ទឹក?", [found], ["ar"]) == {
        "query": "ទឹក?", "close": close,
        "hits": [{
            "rank": 2, "score": 0.8765, "close": close, "publication_id": "woods", "title": "الغابة", "title_language": "ar", "edition_id": f"woods.{language}", "language": told if page else "lo",
            "page": shown, "page_label": "A-3" if page else None, "page_address": f"/pages/ab12/{page}" if page else None, "text": text, "marks": [{"start": 6, "end": 10, "why": "meaning"}],
            "editions": [{"edition_id": f"woods.{language}", "language": language, "label": "Khmer", "part": "whole", "file": f"/files/woods.{language}"}],
            "counterpart": None,
        }],
    }  # fmt: skip


def test_the_same_passage_in_the_readers_edition_is_plain_data_without_a_number_for_its_confidence():
    other = Edition("woods.ar", "woods", "ar", "Arabic", "whole", "cd34")
    shown, own = (Passage(f"woods.{language}", 0, 4, 0, 4, 10, language, "ព្រៃ។ ទឹក។", ((0, 5), (6, 10))) for language in ("km", "ar"))
    work = replace(publication(), editions=(*publication().editions, other))
    hit = Hit(0.8, shown, 4, (Mark(6, 10, "meaning"),), 0.7, "iv", True)
    found = PublicationHit(1, 0.8, work, hit, Counterpart(own, 5, "v", (0, 5), "likely"))
    assert answer("ទឹក?", [found], ["ar"])["hits"][0]["counterpart"] == {
        "edition_id": "woods.ar", "language": "ar", "page": 5, "page_label": "v", "page_address": "/pages/cd34/5", "text": own.text, "marks": [{"start": 0, "end": 5, "why": "meaning"}], "confidence": "likely",
    }  # fmt: skip
