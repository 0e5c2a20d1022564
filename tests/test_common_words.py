"""Which words are too common in a library to be marked for their meaning."""

from __future__ import annotations

from filling import fill, publication

from index import sample
from index.common_words import CommonWords
from index.sample import Sample


def test_common_letters_are_told_in_scripts_without_spaces(library, encoder):
    fill(library, encoder, publication("rivers", ["zh"]), {"zh": ["水的学校的"] * 10})
    words = {(0, 1): "的", (1, 3): "学校", (3, 5): "公交", (5, 6): "林"}
    assert CommonWords(library).without(words, "zh") == [(3, 5), (5, 6)]


def test_a_name_is_not_common_because_other_languages_have_it_too(library, encoder):
    others = ["de", "es", "fr", "it"]
    fill(library, encoder, publication("lines", ["en", *others]), {"en": ["The Warsaw line."], **dict.fromkeys(others, ["Warsaw, 2015."] * 2)})
    assert CommonWords(library).without({(0, 6): "Warsaw", (7, 11): "2015"}, "en") == [(0, 6), (7, 11)]


def test_words_are_counted_anew_when_the_library_has_grown(library, encoder):
    common = CommonWords(library)
    assert common.without({(0, 3): "the"}, "en") == [(0, 3)]
    fill(library, encoder, publication("lines", ["en"]), {"en": ["The bus comes."] * 10})
    assert common.without({(0, 3): "the"}, "en") == []


def test_a_small_library_does_not_make_its_subject_common(library, encoder):
    fill(library, encoder, publication("rivers", ["en"]), {"en": ["The water.", "The water.", "The end."]})
    assert CommonWords(library).without({(0, 5): "water"}, "en") == [(0, 5)]


def test_a_large_library_is_judged_by_passages_from_all_over_it(library, encoder, monkeypatch):
    monkeypatch.setattr(sample, "BLOCKS", 4)
    monkeypatch.setattr(sample, "BLOCK", 25)
    fill(library, encoder, publication("rivers", ["km", "lo"], titles={}), {"km": ["ទឹក"] * 300, "lo": ["ນ້ຳ"] * 100})
    taken = Sample.of(library, library.extent())
    assert (len(taken.keys), taken.share) == (100, 0.25)
    assert (len(taken.of_language("km")), len(taken.of_language("lo")), len(taken.of_language("am"))) == (75, 25, 0)
    assert CommonWords(library).without({(0, 3): "ទឹក", (3, 6): "ព្រៃ"}, "km") == [(3, 6)]
