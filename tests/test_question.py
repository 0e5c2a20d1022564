"""How passages are grouped: what is looked up among few candidates is what all of them would have shown."""

from __future__ import annotations

import numpy as np
import pytest
from filling import fill, publication

from index import question
from index.filters import Filters
from index.meanwhile import Part
from index.question import Question
from index.view import View
from index.words import parse, search_words

TEXTS = {
    "woods": {"en": ["forest forest", "bus forest", "school"], "th": ["ป่า", "รถบัส", "น้ำ"], "ar": ["غابة ماء", "مدرسة"]},
    "rivers": {"de": ["Wasser Wald", "Wasser"], "ar": ["ماء", "غابة"], "th": ["น้ำ ป่า"]},
    "lessons": {"es": ["escuela bosque", "escuela"], "th": ["โรงเรียน"]},
    "talks": {"de": []},
}


@pytest.fixture
def view(library, encoder) -> View:
    for name, texts in TEXTS.items():
        fill(library, encoder, publication(name, list(texts)), texts)
    return View.of(library)


def asked(library, encoder, view, text, readers=(), filters=None) -> Question:
    vector = encoder.encode_queries([text])
    nothing = Part.of(search_words(library, parse("zzz"), 10))
    return Question(view, vector, view.generation.aligned(vector), text, nothing, False, view.among(filters or Filters()), readers)


@pytest.mark.parametrize("readers", [(), ("th",), ("ar", "th"), ("ko", "de"), ("es", "en")])
@pytest.mark.parametrize("text", ["forest", "ماء", "โรงเรียน bosque", "bus water"])
def test_however_few_candidates_are_fused_the_same_pages_are_shown(library, encoder, view, monkeypatch, text, readers):
    one = asked(library, encoder, view, text, readers)
    expected = shown(view, one.publications(0, 4))
    for candidates in (1, 3, 8):
        monkeypatch.setattr(question, "CANDIDATES", candidates)
        assert shown(view, one.publications(0, 4)) == shown(view, one.publications(0, 2) + one.publications(2, 4)) == expected
    assert len({publication for publication, *_ in expected}) == 4


def shown(view, groups):
    """Without the keys: of passages that are equally near, any may be among few candidates."""
    return [(group.publication, round(group.score, 5), bool(view.table.on_page[view.places(np.asarray([group.key]))[0]])) for group in groups]


@pytest.mark.parametrize("text", ["forest", "น้ำ"])
def test_the_page_in_the_readers_language_is_the_nearest_of_its_edition(library, encoder, view, text):
    (shown,) = [
        group
        for group in asked(library, encoder, view, text, ("th",)).publications(0, 4)
        if view.publications[group.publication].publication_id == "woods"
    ]
    pages = library.passages_of("woods.th")
    cosines = dict(
        zip(pages, (encoder.encode_passages([passage.text for passage in pages.values()]) @ encoder.encode_queries([text])[0]).tolist(), strict=True)
    )
    if shown.key in cosines:
        assert cosines[shown.key] == pytest.approx(max(cosines.values())) and shown.lost <= question.OWN_EDITION
    else:
        assert text != "น้ำ"


def test_what_has_no_page_is_shown_by_its_entry_and_loses_nothing(library, encoder, view):
    groups = asked(library, encoder, view, "forest", ("th",)).publications(0, 4)
    (entry,) = [group for group in groups if view.publications[group.publication].publication_id == "talks"]
    assert not view.table.on_page[view.places(np.asarray([entry.key]))[0]] and entry.lost == 0


def test_within_a_publication_each_page_is_ranked_once_and_none_of_another(library, encoder, view):
    for edition, expected in (("", 8), ("woods.ar", 2), ("woods.km", 0)):
        keys = [group.key for group in asked(library, encoder, view, "forest").within("woods", edition)]
        assert len(keys) == len(set(keys)) == expected and all(passage.edition_id.startswith("woods") for passage in library.passages(keys).values())
    assert asked(library, encoder, view, "forest").within("nowhere", "") == []
    assert len(asked(library, encoder, view, "forest", filters=Filters(languages=("th",))).within("woods", "")) == 3


def test_where_nothing_is_admitted_nothing_is_found(library, encoder, view):
    none = asked(library, encoder, view, "forest", filters=Filters(languages=("my",)))
    assert none.publications(0, 10) == [] and len(none.passages(5)[1]) == 0
