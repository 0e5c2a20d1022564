"""The state of a library in columns: changed step by step it is what it would be made anew, and filters admit what they say."""

from __future__ import annotations

import random
import sqlite3
import threading
from contextlib import closing

import numpy as np
import pytest
from filling import fill, publication

from index import generations
from index import searcher as searching
from index.filters import Filters, admits
from index.passage_table import touched
from index.searcher import Query, Searcher
from index.view import View

TONGUES = {
    "ar": "غابة", "fa": "جنگل", "he": "יער", "hi": "जंगल", "bn": "বন", "ta": "காடு", "th": "ป่า", "lo": "ປ່າ", "km": "ព្រៃ", "my": "သစ်တော", "am": "ደን",
    "zh-Hans": "森林", "ja": "森", "ko": "숲", "de-AT": "Wald", "de": "Wasser", "sr-Latn": "šuma",
}  # fmt: skip
TOPICS, KINDS, COUNTRIES = ("wood", "water", "school"), ("study", "report", ""), ("DE", "TH", "KE")


def described(chance: random.Random, name: str):
    languages = chance.sample(sorted(TONGUES), chance.randint(1, 3))
    return publication(
        name, languages, year=chance.choice([None, 2019, 2024]), kind=chance.choice(KINDS), topics=tuple(chance.sample(TOPICS, chance.randint(0, 2))),
        countries=tuple(chance.sample(COUNTRIES, chance.randint(0, 2))),
    )  # fmt: skip


def stored(chance: random.Random, library, encoder, name: str) -> None:
    work = described(chance, name)
    texts = {edition.language: [f"{TONGUES[edition.language]} {number}" for number in range(chance.randint(0, 3))] for edition in work.editions}
    fill(library, encoder, work, texts)


def relabelled(chance: random.Random, library, encoder, name: str) -> None:
    rows = library.rows("SELECT key FROM passages ORDER BY key")
    if rows:
        library.put_languages({chance.choice(rows)["key"]: chance.choice(sorted(TONGUES))})


def removed(chance: random.Random, library, encoder, name: str) -> None:
    library.remove_publication(name)


def lost_its_entry(chance: random.Random, library, encoder, name: str) -> None:
    library.put_catalogue_passages(name, [], np.zeros((0, encoder.dimension), np.float32))


def told(view: View) -> dict[str, object]:
    """All that a view says, without the numbers that it has given."""
    tags = {number: tag for tag, number in view.table.numbers.items()}
    alive = np.flatnonzero(view.table.edition_of >= 0)
    return {
        "publications": view.publications,
        "passages": [
            (
                int(view.keys[place]),
                view.shelf.editions[view.table.edition_of[place]],
                view.publications[view.publication_at(np.asarray([place]))[0]].publication_id,
                bool(view.table.on_page[place]),
                tags[view.table.language_of[place]],
            )
            for place in alive
        ],
        "editions": {
            edition.edition_id: view.keys[places[view.table.edition_of[places] >= 0]].tolist()
            for position in range(len(view.publications))
            for at in view.shelf.editions_of(position)
            for edition, places in [(view.shelf.editions[at], view.table.of_editions([at]))]
        },
        "counts": view.shelf.counts(Filters()),
    }


@pytest.mark.parametrize("seed", range(6))
def test_what_is_changed_step_by_step_is_what_would_be_made_anew(library, encoder, seed):
    chance = random.Random(seed)
    view = View.of(library)
    for step in range(25):
        for _ in range(chance.randint(1, 3)):
            what = chance.choice([stored, stored, stored, relabelled, removed, lost_its_entry])
            what(chance, library, encoder, chance.choice("abcdefg"))
        before = told(view)
        renewed = view.renewed(library)
        assert told(view) == before, "the former state has to go on answering"
        view = renewed
        assert told(view) == told(View.of(library, view.generation)) and view.revision == library.revision()
        if step in (8, 16):
            generations.build(library)
            view = View.of(library)
    asked = encoder.encode_queries(["forest water"])
    anew = View.of(library, view.generation)
    ranked = [(scores, one.keys[places]) for one in (view, anew) for scores, places in [one.rank(asked, 50, one.among(Filters()))]]
    assert np.array_equal(ranked[0][0], ranked[1][0]) and np.array_equal(ranked[0][1], ranked[1][1])


def test_every_filter_admits_what_looking_at_each_edition_admits(library, encoder):
    chance = random.Random(7)
    for name in "abcdefghijkl":
        stored(chance, library, encoder, name)
    library.remove_publication("c")
    view = View.of(library)
    for _ in range(60):
        filters = Filters(
            tuple(chance.sample(["de", "de-AT", "th", "sr", "zh", "my"], chance.randint(0, 3))), tuple(chance.sample(["2019", "2024", "x"], chance.randint(0, 1))),
            tuple(chance.sample(["study", "report"], chance.randint(0, 1))), tuple(chance.sample(TOPICS, chance.randint(0, 2))),
            tuple(chance.sample(COUNTRIES, chance.randint(0, 2))), frozenset(chance.sample("abcxyz", chance.randint(0, 3))),
        )  # fmt: skip
        fit = [(edition, one) for one in view.publications for edition in one.editions if admits(filters, edition, one)]
        among = view.among(filters)
        assert {view.shelf.editions[at].edition_id for at in view.table.edition_of[among.mask]} <= {edition.edition_id for edition, _ in fit}
        assert among.count == sum(view.table.edition_of[place] >= 0 and told_of(view, place) in fit for place in range(len(view.keys)))
        assert view.shelf.that_fit(filters) == list({one.publication_id: one for _, one in fit}.values())
        assert view.among(filters) is among


def told_of(view: View, place: int):
    return view.shelf.editions[view.table.edition_of[place]], view.publications[view.publication_at(np.asarray([place]))[0]]


def test_what_did_not_change_is_not_read_again(library, encoder):
    for name in ("woods", "rivers"):
        fill(library, encoder, publication(name, ["th"]), {"th": ["ป่า"]})
    view = View.of(library)
    fill(library, encoder, publication("lakes", ["km"]), {"km": ["ព្រៃ"]})
    renewed = view.renewed(library)
    assert [one.publication_id for one in renewed.publications] == ["lakes", "rivers", "woods"]
    assert renewed.publications[1] is view.publications[0] and renewed.publications[2] is view.publications[1]


def test_a_passage_is_found_once_the_encoder_of_the_generation_has_made_its_vector(library, encoder):
    fill(library, encoder, publication("woods", ["th"]), {"th": ["ป่า"]})
    generations.build(library)
    view = View.of(library)
    library.set_meta("encoder", "another")
    with library.transaction() as run:
        run("UPDATE encoders SET fingerprint = 'another'")
    fill_as_another(library, encoder)
    waiting = view.renewed(library)
    assert waiting.waiting == {"lakes"}
    library.put_vectors("lexicon", {key: encoder.encode_queries(["น้ำ"])[0] for key in library.without_vector("lexicon")})
    library.set_meta("anything", "else")
    assert told(waiting.renewed(library)) == told(View.of(library, view.generation)) and not waiting.renewed(library).waiting


def fill_as_another(library, encoder) -> None:
    encoder.fingerprint = "another"
    fill(library, encoder, publication("lakes", ["my"]), {"my": ["ရေ"]})


def test_so_many_changes_that_all_is_read_anew_give_the_same(library, encoder, monkeypatch):
    monkeypatch.setattr("index.view.MANY", 1)
    view = View.of(library)
    for name in "abc":
        fill(library, encoder, publication(name, ["he"]), {"he": ["יער"]})
    assert told(view.renewed(library)) == told(View.of(library, view.generation))


def test_readers_find_every_acknowledged_change_while_others_change_the_library(library, encoder):
    fill(library, encoder, publication("woods", ["ko"]), {"ko": ["숲"]})
    searcher, wrong, ended = Searcher(library, encoder), [], threading.Event()

    def read() -> None:
        while not ended.is_set():
            view = searcher.view()
            if not (len(view.keys) == len(view.table.edition_of) and view.among(Filters()).count == np.count_nonzero(view.table.edition_of >= 0)):
                wrong.append(view.revision)
            searcher.search(Query("forest"), 3)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(12):
        fill(library, encoder, publication(f"new-{number:02}", ["ar"]), {"ar": ["غابة غابة"]})
        assert f"new-{number:02}" in {hit.publication.publication_id for hit in searcher.search(Query("forest"), 20)}
        if number % 3 == 2:
            library.remove_publication(f"new-{number:02}")
            assert f"new-{number:02}" not in {hit.publication.publication_id for hit in searcher.search(Query("forest"), 20)}
    ended.set()
    for reader in readers:
        reader.join()
    assert wrong == []


def test_a_large_generation_is_loaded_beside_queries_which_the_former_one_answers(library, encoder, monkeypatch):
    monkeypatch.setattr(searching, "AT_ONCE", 0)
    fill(library, encoder, publication("woods", ["ja"]), {"ja": ["森"]})
    generations.build(library)
    searcher, may = Searcher(library, encoder), threading.Event()
    former, load = searcher.view().generation, searching.View.of

    def slowly(*asked) -> View:
        assert may.wait(30)
        return load(*asked)

    monkeypatch.setattr(searching.View, "of", slowly)
    fill(library, encoder, publication("lakes", ["lo"]), {"lo": ["ປ່າ"]})
    generations.build(library)
    assert searcher.view().generation is former
    assert {hit.publication.publication_id for hit in searcher.search(Query("forest"))} == {"woods", "lakes"}
    fill(library, encoder, publication("later", ["bn"]), {"bn": ["বন"]})
    assert "later" in {one.publication_id for one in searcher.publications()} and searcher.view().generation is former
    may.set()
    searcher._loading.join(30)
    assert searcher.view().generation.name == "0002" and len(searcher.publications()) == 3


@pytest.mark.embedded_only("another library.sqlite takes its place")
@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("how", ["into the file", "in its place"])
def test_a_library_that_is_restored_while_it_is_served_answers_with_what_it_holds_then(library, encoder, monkeypatch, tmp_path, how, large):
    monkeypatch.setattr(searching, "AT_ONCE", 0 if large else searching.AT_ONCE)
    fill(library, encoder, publication("woods", ["th"]), {"th": ["ป่า"]})
    generations.build(library)
    library.copy(tmp_path / "copy.sqlite", lambda *_: None)
    served = Searcher(library, encoder)
    fill(library, encoder, publication("lakes", ["km"]), {"km": ["forest ទឹក"]})
    fill(library, encoder, publication("woods", ["th"]), {"th": ["ป่า ป่า"]})
    assert {hit.publication.publication_id for hit in served.search(Query('"forest"'))} == {"lakes"}
    restored(library, tmp_path / "copy.sqlite", how)
    assert [one.publication_id for one in served.publications()] == ["woods"]
    fill(library, encoder, publication("schools", ["ar"]), {"ar": ["مدرسة", "غابة forest"]})  # under the keys that others had
    assert told(served.view()) == told(View.of(library, served.view().generation))
    assert [hit.publication.publication_id for hit in served.search(Query('"forest"'))] == ["schools"]


def restored(library, copy, how: str) -> None:
    file = library.folder / "library.sqlite"
    if how == "in its place":
        library.rows("PRAGMA wal_checkpoint(TRUNCATE)")
        copy.replace(file)
        return
    with closing(sqlite3.connect(copy)) as source, closing(sqlite3.connect(file)) as target:
        source.backup(target)


@pytest.mark.parametrize("what", ["title", "edition", "passage", "entry", "language", "removal"])
def test_whatever_changes_a_publication_is_noted_with_the_revision_in_which_it_did(library, encoder, what):
    fill(library, encoder, publication("woods", ["km"]), {"km": ["ព្រៃ"]})
    fill(library, encoder, publication("lakes", ["he"]), {"he": ["מים"]})
    before = library.revision()
    statements = {
        "title": "UPDATE publications SET titles = '{}' WHERE publication_id = 'woods'",
        "edition": "DELETE FROM editions WHERE edition_id = 'woods.km'",
        "passage": "DELETE FROM passages WHERE edition_id = 'woods.km' AND first_page > 0",
        "entry": "DELETE FROM passages WHERE edition_id = 'woods.km' AND first_page = 0",
        "language": "UPDATE passages SET language = 'lo' WHERE edition_id = 'woods.km'",
        "removal": "DELETE FROM publications WHERE publication_id = 'woods'",
    }
    with library.transaction() as run:
        run(statements[what])
    assert touched(library, before) == {"woods"} and touched(library, library.revision()) == set()
