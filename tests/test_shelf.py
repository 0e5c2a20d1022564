"""Publications in columns: what is put on a shelf step by step stands as if all of it had been put there at once."""

from __future__ import annotations

import random

from filling import publication

from index.filters import Filters
from index.shelf import Shelf

LANGUAGES = ["ar", "fa", "he", "hi", "bn", "ta", "th", "lo", "km", "my", "am", "zh-Hans", "zh-Hant", "ja", "ko", "pt-BR"]


def test_a_shelf_that_was_changed_is_one_that_was_made_anew():
    chance, there, shelf = random.Random(3), {}, Shelf.of(())
    for _ in range(60):
        touched = chance.sample("abcdefgh", chance.randint(1, 3))
        for name in touched:
            there.pop(name, None)
        put = [publication(name, chance.sample(LANGUAGES, 2), year=chance.choice([None, 2020])) for name in sorted(touched) if chance.random() < 0.7]
        there |= {one.publication_id: one for one in put}
        shelf = shelf.changed(touched, put)
        anew = Shelf.of([there[name] for name in sorted(there)])
        filters = Filters(languages=("zh", "pt"), years=("2020",))
        assert shelf.publications == anew.publications and shelf.counts(filters) == anew.counts(filters)
        assert [[shelf.editions[at] for at in shelf.editions_of(place)] for place in range(len(there))] == [
            list(one.editions) for one in anew.publications
        ]
        assert [shelf.position(name) for name in "abcdefghi"] == [sorted(there).index(name) if name in there else -1 for name in "abcdefghi"]
        assert sorted(shelf.languages(Filters())) == sorted({edition.language for one in there.values() for edition in one.editions})


def test_a_facet_counts_publications_that_the_other_facets_admit():
    shelf = Shelf.of([
        publication("a", ["th", "pt-BR"], topics=("wood",), kind="study"), publication("b", ["pt-BR"], topics=("wood", "water"), kind="report"),
        publication("c", ["my"], topics=("water",), kind=""), publication("d", []),
    ])  # fmt: skip
    counts = shelf.counts(Filters(languages=("pt",), kinds=("study",)))
    assert counts["languages"] == {"th": 1, "pt-BR": 1} and counts["kinds"] == {"study": 1, "report": 1}
    assert counts["topics"] == {"wood": 1} and counts["years"] == {"2020": 1}
    assert [one.publication_id for one in shelf.that_fit(Filters())] == ["a", "b", "c"]
    assert shelf.that_fit(Filters(publications=("b", "nowhere"))) == [shelf.publications[1]]
