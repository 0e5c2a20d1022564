"""Which words are too common in a library to be marked for their meaning."""

from __future__ import annotations

from filling import fill, publication

from index import common_words, generations, sample
from index.common_words import CommonWords
from index.sample import Sample


def test_common_letters_are_told_in_scripts_without_spaces(library, encoder):
    fill(library, encoder, publication("rivers", ["zh"]), {"zh": ["水的学校的"] * 10})
    words = [("的", "zh"), ("学校", "zh"), ("公交", "zh"), ("林", "zh")]
    assert CommonWords(library).rare(words) == {("公交", "zh"), ("林", "zh")}


def test_a_name_is_not_common_because_other_languages_have_it_too(library, encoder):
    others = ["de", "es", "fr", "it"]
    fill(library, encoder, publication("lines", ["en", *others]), {"en": ["The Warsaw line."], **dict.fromkeys(others, ["Warsaw, 2015."] * 2)})
    words = {("Warsaw", "en"), ("2015", "en")}
    assert CommonWords(library).rare(words) == words


def test_words_are_counted_anew_when_the_library_has_grown(library, encoder):
    common = CommonWords(library)
    assert common.rare([("the", "en")]) == {("the", "en")}
    fill(library, encoder, publication("lines", ["en"]), {"en": ["The bus comes."] * 10})
    assert common.rare([("the", "en")]) == set()


def test_a_small_library_does_not_make_its_subject_common(library, encoder):
    fill(library, encoder, publication("rivers", ["en"]), {"en": ["The water.", "The water.", "The end."]})
    assert CommonWords(library).rare([("water", "en")]) == {("water", "en")}


def test_a_large_library_is_judged_by_passages_from_all_over_it(library, encoder, monkeypatch):
    monkeypatch.setattr(sample, "BLOCKS", 4)
    monkeypatch.setattr(sample, "BLOCK", 25)
    fill(library, encoder, publication("rivers", ["km", "lo"], titles={}), {"km": ["ទឹក"] * 300, "lo": ["ນ້ຳ"] * 100})
    taken = Sample.of(library, library.extent())
    assert len(taken.keys) == 100
    assert (len(taken.of_language("km")), len(taken.of_language("lo")), len(taken.of_language("am"))) == (75, 25, 0)
    assert CommonWords(library).rare([("ទឹក", "km"), ("ព្រៃ", "km")]) == {("ព្រៃ", "km")}


def test_words_are_judged_by_the_language_they_stand_in(library, encoder):
    fill(library, encoder, publication("lines", ["de", "fr"]), {"de": ["Die Linie."] * 100, "fr": ["Une ligne."] * 400})
    words = [("die", "de"), ("die", "fr"), ("ligne", "fr"), ("Linie", "fr"), ("...", "fr")]
    assert CommonWords(library).rare(words) == {("die", "fr"), ("Linie", "fr")}


def test_letters_that_are_written_in_two_ways_are_common_in_both(library, encoder):
    fill(library, encoder, publication("rivers", ["th", "ja"]), {"th": ["ทำ"] * 10, "ja": ["カ゛ワ", "ｶﾜ"] * 10})
    assert CommonWords(library).rare([("ทำ", "th"), ("ทํา", "th"), ("ｶ", "ja"), ("ワ", "ja"), ("แม่น้ำ", "th")]) == {("แม่น้ำ", "th")}


def test_a_word_is_rare_whose_letters_are_common_but_never_together(library, encoder):
    fill(library, encoder, publication("rivers", ["zh"]), {"zh": ["学校", "校门"] * 10})
    assert CommonWords(library).rare([("学校", "zh"), ("校门", "zh"), ("学校门", "zh")]) == {("学校门", "zh")}


def test_a_generation_keeps_them_for_a_library_that_stays_about_the_same(library, encoder, monkeypatch):
    languages = {"lo": ["ນ້ຳ ແລະ ປ່າ"] * 30, "ar": ["الماء والغابة"] * 30, "am": ["ውሃ እና ደን"] * 30}
    fill(library, encoder, publication("rivers", [*languages], titles={}), languages)
    words = [("ນ້ຳ", "lo"), ("ປາ", "lo"), ("الماء", "ar"), ("النهر", "ar"), ("ውሃ", "am"), ("ወንዝ", "am"), ("ውሃ", "he"), ("...", "am")]
    read = CommonWords(library).rare(words)
    assert read == {("ປາ", "lo"), ("النهر", "ar"), ("ወንዝ", "am"), ("ውሃ", "he")}
    generations.build(library)
    with monkeypatch.context() as patch:
        patch.delattr(Sample, "of")
        assert CommonWords(library).rare(words) == read
    revision = library.revision()
    common_words.keep(library)
    assert library.revision() == revision
    fill(library, encoder, publication("lakes", ["am"], titles={}), {"am": ["ወንዝ"] * 30})
    assert ("ወንዝ", "am") not in CommonWords(library).rare(words)


def test_what_another_version_kept_is_not_used(library, encoder, monkeypatch):
    fill(library, encoder, publication("rivers", ["km"], titles={}), {"km": ["ទឹក"] * 30})
    with monkeypatch.context() as patch:
        patch.setattr(common_words, "VERSION", "0")
        patch.setattr(common_words, "COMMON", 10)
        generations.build(library)
        assert CommonWords(library).rare([("ទឹក", "km")]) == {("ទឹក", "km")}
    assert CommonWords(library).rare([("ទឹក", "km")]) == set()


def test_a_generation_learns_the_common_words_of_a_language_that_is_new(library, encoder):
    fill(library, encoder, publication("rivers", ["fa"], titles={}), {"fa": ["آب و جنگل"] * 100})
    generations.build(library)
    fill(library, encoder, publication("lakes", ["th"], titles={}), {"th": ["น้ำและป่า"] * 8})
    generations.build(library)
    assert CommonWords(library).rare([("ป่า", "th"), ("ปลา", "th"), ("آب", "fa")]) == {("ปลา", "th")}


def test_a_language_that_was_hardly_there_is_judged_again_also_by_whoever_has_asked_before(library, encoder):
    fill(library, encoder, publication("rivers", ["fa", "th"], titles={}), {"fa": ["آب و جنگل"] * 1000, "th": ["น้ำ"]})
    generations.build(library)
    common = CommonWords(library)
    assert common.rare([("ป่า", "th")]) == {("ป่า", "th")}
    fill(library, encoder, publication("lakes", ["th"], titles={}), {"th": ["ป่าและ"] * 90})
    generations.build(library)
    assert common.rare([("ป่า", "th"), ("ปลา", "th")]) == {("ปลา", "th")}


def test_what_a_version_to_come_kept_is_not_taken_apart(library, encoder):
    fill(library, encoder, publication("rivers", ["km"], titles={}), {"km": ["ទឹក"] * 30})
    library.set_meta("common_words", '["2 1", [0, 0]]')
    assert CommonWords(library).rare([("ទឹក", "km")]) == set()
