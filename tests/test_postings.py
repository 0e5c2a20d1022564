"""Where words stand: kept and added to, counted, forgotten when passages leave."""

from __future__ import annotations

import numpy as np
import pytest
from filling import fill, publication

from index import embedded_words, generations, postings
from index.library import Library
from index.postings import NONE, among, merged
from index.query import sought


@pytest.mark.parametrize(
    ("language", "text", "term"), [("th", "ป่าไม้", "ป่า"), ("ar", "غابة الماء", "غابه"), ("zh", "森林", "森林"), ("my", "သစ်တော", "သစ်")]
)
def test_what_is_kept_grows_with_the_library_and_shrinks_with_it(library, encoder, language, text, term):
    expression = sought(term + "*")
    assert library.postings.of(expression).tolist() == []
    fill(library, encoder, publication("one", [language], titles={}), {language: [text, "—"]})
    assert (library.postings.of(expression).tolist(), library.postings.count(expression)) == ([1], 1)
    fill(library, encoder, publication("two", [language], titles={}), {language: ["—", text]})
    assert (library.postings.of(expression).tolist(), library.postings.count(expression)) == ([1, 4], 2)
    library.remove_publication("one")
    assert (library.postings.of(expression).tolist(), library.postings.count(expression)) == ([4], 1)


def test_what_another_process_stores_and_removes_is_noticed(library, encoder):
    other = Library.open(library.folder)
    fill(other, encoder, publication("woods", ["ja"], titles={}), {"ja": ["森の水", "水"]})
    assert library.postings.of('"水"*').tolist() == [1, 2]
    fill(other, encoder, publication("woods", ["ja"], titles={}), {"ja": ["森"]})
    assert library.postings.of('"水"*').tolist() == [] and library.postings.of('"森"*').tolist() == [3]
    assert library.passage_count() == other.counts()["passages"] == 1


@pytest.mark.parametrize("first", [1, 2, 4, 5, 9])
def test_a_word_is_counted_the_same_whether_few_or_many_passages_hold_it(library, encoder, monkeypatch, first):
    fill(library, encoder, publication("woods", ["ko"], titles={}), {"ko": ["서울 숲"] * 5})
    exact = library.postings.count('"숲"')
    monkeypatch.setattr(postings, "FIRST", first)
    counting = Library.open(library.folder)
    assert counting.postings.count('"숲"') == exact == 5
    fill(library, encoder, publication("more", ["ko"], titles={}), {"ko": ["숲"] * 4})
    assert counting.postings.counts(['"숲"', '"서울"']) == [9, 5]
    assert counting.postings.of('"숲"').tolist() == list(range(1, 10)) and counting.postings.count('"숲"') == 9


@pytest.mark.embedded_only("looks into the index of FTS5")
def test_a_generation_leaves_words_in_one_piece_and_finds_the_same(library, encoder):
    for number, text in enumerate(["水の森", "ป่าไม้", "غابة الماء", "숲 1", "ទឹក"] * 4):
        fill(library, encoder, publication(f"p{number}", ["mul"], titles={}), {"mul": [text, "—"]})
    expressions = ['"水"*', '"1"', '"غابه"', '"ទ"*', '"none"']
    before = [library.matching(expression, 0, 100).tolist() for expression in expressions]

    def segments() -> int:
        return library.rows("SELECT count(DISTINCT segid) FROM words_idx")[0][0]

    assert segments() > 1 and [len(found) for found in before] == [4, 4, 4, 4, 0]
    generations.build(library)
    assert segments() == 1 and [library.matching(expression, 0, 100).tolist() for expression in expressions] == before
    revision = library.revision()
    generations.build(library)
    assert segments() == 1 and library.revision() == revision + 1  # the generation in use has changed, no words have
    library.remove_publication("p0")
    assert library.store.words.stray() == library.store.words.missing() == [] and len(library.matching('"水"*', 0, 100)) == 3
    assert library.faults() == []


@pytest.mark.embedded_only("the engine counts all")
def test_a_common_word_is_counted_about_until_it_is_read(library, encoder, monkeypatch):
    monkeypatch.setattr(postings, "FIRST", 10)
    monkeypatch.setattr(embedded_words, "FEW", 50)
    monkeypatch.setattr(embedded_words, "THINNED", 4)
    monkeypatch.setattr(embedded_words, "STRETCHES", 8)
    texts = ["ป่าไม้ 12" if number % 3 else "แม่น้ำ" for number in range(600)]
    fill(library, encoder, publication("woods", ["th"], titles={}), {"th": texts})
    assert library.postings.count('"12"') == pytest.approx(400, rel=0.2) and library.postings.count('"13"') == 0
    fill(library, encoder, publication("more", ["th"], titles={}), {"th": ["12"] * 7})
    assert library.postings.count('"12"') == pytest.approx(407, rel=0.2)
    assert len(library.postings.of('"12"')) == library.postings.count('"12"') == 407


def test_memory_is_bounded_and_answers_stay(library, encoder, monkeypatch):
    fill(library, encoder, publication("woods", ["he"], titles={}), {"he": ["יער מים"] * 3})
    monkeypatch.setattr(postings, "MEMORY", postings.ENTRY + 20)
    for _ in range(2):
        assert [keys.tolist() for keys in library.postings.all_of(['"יער"', '"מים"', '"אחר"'])] == [[1, 2, 3], [1, 2, 3], []]
        assert len(library.postings._known) == 1


def test_keys_are_compared_and_merged_whatever_their_size():
    small, large = np.asarray([1, 3, 5], np.uint32), np.asarray([3, 5, 2**40], np.int64)
    assert among(large, small).tolist() == [True, True, False] and not among(large, NONE).any()
    assert among(small, large).tolist() == [False, True, True]
    assert merged(small, large, NONE).tolist() == [1, 3, 5, 2**40] and merged(NONE).tolist() == []
