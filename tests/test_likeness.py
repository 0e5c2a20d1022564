from __future__ import annotations

import pytest
from filling import fill, publication

from index import likeness
from index.library import Library
from index.likeness import Likeness, drawings, like, pairs
from index.view import View

NETWORK = "Published by the Lantern network."  # says nothing that the encoder knows
SHELF = {
    "woods-south": {"es": [NETWORK, "El bosque.", "El bosque y el bosque.", "El bosque crece."], "th": [NETWORK, "ป่า", "ป่า ป่า", "ป่า"]},
    "woods-north": {"de": [NETWORK, "Der Wald.", "Der Wald und der Wald.", "Wald, Wald, Wald."]},
    "wells": {"ar": [NETWORK, "ماء", "ماء ماء", "ماء"]},
    "wells-too": {"en": [NETWORK, "Water.", "Water and water.", "Clean water."]},
    "lessons": {"th": [NETWORK, "โรงเรียน", "โรงเรียน โรงเรียน", "โรงเรียน"]},
}


@pytest.fixture
def shelf(library, encoder) -> Library:
    for name, texts in SHELF.items():
        fill(library, encoder, publication(name, list(texts)), texts)
    return library


@pytest.fixture
def view(shelf) -> View:
    return View.of(shelf, None)


def ids(found) -> list[str]:
    return [related.publication.publication_id for related in found]


@pytest.mark.parametrize(
    ("name", "related"),
    [("woods-south", ["woods-north"]), ("woods-north", ["woods-south"]), ("wells", ["wells-too"]), ("wells-too", ["wells"]), ("lessons", [])],
)
def test_related_publications_are_near_in_meaning_whatever_their_language_and_none_is_better_than_noise(shelf, view, name, related):
    assert ids(Likeness(shelf).related(view, name)) == related


@pytest.mark.parametrize(("readers", "language"), [((), "es"), (("th",), "th"), (("ko", "th-TH"), "th"), (("de",), "es")])
def test_what_makes_them_related_is_shown_in_pairs_in_the_readers_edition_without_what_all_of_them_say(shelf, view, readers, language):
    (found,) = Likeness(shelf).related(view, "woods-south", readers)
    assert found.pairs and found.likeness > likeness.LEAST
    for pair in found.pairs:
        assert (pair.here.language, pair.there.language) == (language, "de") and pair.lead >= likeness.LEAD
        assert NETWORK not in (pair.here.text, pair.there.text)


def test_publications_that_share_only_what_all_say_have_no_pairs(shelf, view):
    places = {one.publication_id: place for place, one in enumerate(view.publications)}
    assert pairs(shelf, view, (places["lessons"], places["wells"]), ()) == ()


def test_likeness_is_mutual_and_bounded(shelf, view):
    drawn = drawings(shelf, view)
    alike = drawn @ drawn.T
    assert abs(alike - alike.T).max() < 1e-6 and abs(alike).max() <= 1 + 1e-6


def test_passages_like_a_passage_are_of_other_publications_one_of_each_nearest_first(shelf, view):
    key, passage = next((key, passage) for key, passage in shelf.passages_of("woods-south.th").items() if passage.text == "ป่า")
    found = like(shelf, view, key)
    assert found[0][0].publication_id == "woods-north" and len(found) == len(SHELF) - 1
    assert "Wald" in found[0][1].text and passage.edition_id == "woods-south.th"
    assert [one.publication_id for one, _ in like(shelf, view, key, k=1)] == ["woods-north"]


def test_what_is_not_there_is_like_nothing(shelf, view):
    assert like(shelf, view, 10_000) == [] and Likeness(shelf).related(view, "nowhere") == []


def test_an_empty_library_and_one_without_pages_relate_nothing(library, encoder):
    assert Likeness(library).related(View.of(library, None), "woods") == []
    fill(library, encoder, publication("woods", ["en"]), {})
    view = View.of(library, None)
    assert Likeness(library).related(view, "woods") == [] and drawings(library, view).shape[0] == 1


def test_a_library_that_changes_is_compared_anew(shelf, view, encoder):
    finder = Likeness(shelf)
    assert ids(finder.related(view, "lessons")) == []
    fill(shelf, encoder, publication("classes", ["de"]), {"de": [NETWORK, "Die Schule.", "Schule und Schule.", "Schule."]})
    assert ids(finder.related(View.of(shelf, view.generation), "lessons")) == ["classes"]
